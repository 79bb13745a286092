/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents for the eye: secrets taken out. */
#include "core/doc.h"

#include <string.h>

#define INSTEAD "<redacted>"

static bool is_secret(const char *name, const xlcfg_doc *value)
{
    return !strcmp(name, "passwd") &&
        xlcfg_doc_kind(value) == XLCFG_DOC_STRING && value->count;
}

static xlcfg_doc *redact(const xlcfg_doc *doc)
{
    xlcfg__members m = { 0 };
    xlcfg__items it = { 0 };

    switch (xlcfg_doc_kind(doc)) {
    case XLCFG_DOC_NULL: case XLCFG_DOC_BOOL: case XLCFG_DOC_NUMBER:
    case XLCFG_DOC_STRING:
        return xlcfg_doc_ref(doc);
    case XLCFG_DOC_ARRAY:
        for (size_t i = 0; i < doc->count; i++)
            xlcfg__items_add(&it, redact(doc->items[i]));
        return xlcfg__items_end(&it);
    case XLCFG_DOC_OBJECT:
        for (size_t i = 0; i < doc->count; i++) {
            const char *name = doc->members[i].name->text;
            const xlcfg_doc *value = doc->members[i].value;

            xlcfg__members_add(&m, name, is_secret(name, value)
                               ? xlcfg__doc_str(INSTEAD) : redact(value));
        }
        return xlcfg__members_end(&m);
    }
    return NULL;
}

int xlcfg_doc_redact(const xlcfg_doc *doc, xlcfg_doc **doc_r,
                     xlcfg_error *err)
{
    xlcfg_doc *out = redact(doc);

    if (!out)
        return xlcfg__nomem(err);
    *doc_r = out;
    return 0;
}
