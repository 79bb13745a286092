/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a caller says that it knows, of whom a listing is to be compared. */
#include "ops/ctx.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A uuid in the letters that backends write; false: it is none. */
static bool read_uuid(const char *text, char uuid[37])
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    for (size_t i = 0; i < sizeof(shape); i++) {
        if (shape[i] == 'x' ? !isxdigit((unsigned char)text[i])
                            : shape[i] != text[i])
            return false;
        uuid[i] = (char)tolower((unsigned char)text[i]);
    }
    return true;
}

static bool is_known(const char *text)
{
    return (strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64) ||
        !xlcfg__state_no_token(text, NULL);
}

/* What a row of a listing is known as: its version, where it has one; "" is
 * no domain's, so one that had none differs.  NULL: that is no row. */
static const char *of_row(const xlcfg_doc *row)
{
    const xlcfg_doc *version = xlcfg_doc_get(row, "version");

    if (version && xlcfg_doc_kind(version) == XLCFG_DOC_NULL)
        return "";
    return xlcfg__doc_getstr(row, version ? "version" : "hash");
}

static int add_row(xlcfg__members *m, const xlcfg_doc *row, size_t i,
                   xlcfg_error *err)
{
    const char *its = xlcfg__doc_getstr(row, "uuid"), *text = of_row(row);
    char uuid[37], where[64];

    snprintf(where, sizeof(where), "/domains/%zu", i);
    /* one that has no uuid cannot be told from others: it differs */
    if (xlcfg_doc_get(row, "uuid") &&
        (xlcfg_doc_kind(xlcfg_doc_get(row, "uuid")) == XLCFG_DOC_NULL ||
         (its && !*its)))
        return 0;
    if (!its || !read_uuid(its, uuid) || !text || (*text && !is_known(text)))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, where,
                          "expected a row with uuid and version");
    xlcfg__members_set(m, uuid, xlcfg__doc_str(text));
    return 0;
}

static int add_member(xlcfg__members *m, const xlcfg_doc *known, size_t i,
                      xlcfg_error *err)
{
    const char *name = xlcfg_doc_name(known, i);
    const char *text = xlcfg_doc_string(xlcfg_doc_at(known, i));
    char uuid[37];

    if (!read_uuid(name, uuid))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, name, "expected a uuid");
    if (!text || !is_known(text))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, name,
                          "expected a version or a hash");
    xlcfg__members_set(m, uuid, xlcfg__doc_str(text));
    return 0;
}

int xlcfg__known(const xlcfg_doc *known, xlcfg_doc **map_r, xlcfg_error *err)
{
    const xlcfg_doc *rows = xlcfg_doc_get(known, "domains");
    xlcfg__members m = { 0 };
    int rc = 0;

    if (xlcfg_doc_kind(known) != XLCFG_DOC_OBJECT ||
        (rows && xlcfg_doc_kind(rows) != XLCFG_DOC_ARRAY))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "known",
                          "expected an earlier listing, or an object of "
                          "uuid and version or hash");
    for (size_t i = 0; !rc && i < xlcfg_doc_count(rows ? rows : known); i++)
        rc = rows ? add_row(&m, xlcfg_doc_at(rows, i), i, err)
            : add_member(&m, known, i, err);
    if (rc) {
        xlcfg__members_dispose(&m);
        return rc;
    }
    *map_r = xlcfg__members_end(&m);
    return *map_r ? 0 : xlcfg__nomem(err);
}
