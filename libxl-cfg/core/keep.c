/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stable addresses over a new start. */
#include "core/keep.h"

#include <stdlib.h>
#include <string.h>

/* Are these one device?  The first may know less of itself. */
static bool is_same(enum xlcfg_kind kind, const xlcfg_doc *now,
                    const xlcfg_doc *kept)
{
    struct xlcfg_ident a, b;

    xlcfg__key_of(kind, now, &a);
    xlcfg__key_of(kind, kept, &b);
    if (a.match[0] && !strcmp(a.match, b.match))
        return true;
    return a.alt[0] && !strcmp(a.key, a.alt) && !strcmp(a.alt, b.alt);
}

static xlcfg_doc *fill(enum xlcfg_kind kind, const xlcfg_doc *now,
                       const xlcfg_doc *kept)
{
    const struct xlcfg_field *f = xlcfg__kinds[kind].fields;
    xlcfg__members m = { 0 };

    xlcfg__members_copy(&m, now);
    for (; f->name; f++) {
        const xlcfg_doc *was = xlcfg_doc_get(kept, f->name);

        if (was && !xlcfg_doc_get(now, f->name) &&
            (f->rule == XLCFG_RULE_IDENTITY ||
             (f->flags & XLCFG_FIELD_ADDRESS)))
            xlcfg__members_add(&m, f->name, xlcfg_doc_ref(was));
    }
    return xlcfg__members_end(&m);
}

static xlcfg_doc *fill_array(enum xlcfg_kind kind, const xlcfg_doc *now,
                             const xlcfg_doc *kept)
{
    size_t count = xlcfg_doc_count(kept);
    bool *taken = calloc(count + 1, sizeof(*taken));
    xlcfg__items it = { 0 };

    if (!taken)
        return NULL;
    for (size_t i = 0; i < xlcfg_doc_count(now); i++) {
        const xlcfg_doc *entry = xlcfg_doc_at(now, i);
        size_t j = 0;

        while (j < count && (taken[j] || !is_same(kind, entry,
                                                  xlcfg_doc_at(kept, j))))
            j++;
        if (j < count)
            taken[j] = true;
        xlcfg__items_add(&it, j < count
                         ? fill(kind, entry, xlcfg_doc_at(kept, j))
                         : xlcfg_doc_ref(entry));
    }
    free(taken);
    return xlcfg__items_end(&it);
}

xlcfg_doc *xlcfg__keep_addresses(const xlcfg_doc *config,
                                 const xlcfg_doc *kept)
{
    xlcfg__members m = { 0 };

    xlcfg__members_copy(&m, config);
    for (int k = 0; k < XLCFG_KINDS; k++) {
        const char *name = xlcfg__kinds[k].array;
        const xlcfg_doc *now = xlcfg_doc_get(config, name);
        const xlcfg_doc *was = xlcfg_doc_get(kept, name);

        if (xlcfg_doc_kind(now) == XLCFG_DOC_ARRAY &&
            xlcfg_doc_kind(was) == XLCFG_DOC_ARRAY)
            xlcfg__members_set(&m, name,
                               fill_array((enum xlcfg_kind)k, now, was));
    }
    return xlcfg__members_end(&m);
}
