/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device as it was defined.  What a start makes of it (virt_kept.c) is no
 * difference between what runs and what is kept; where there is no other, both
 * are what somebody defined: that is the same before the start and after the
 * end, and defines the same again, such as a disk that has no files under it.
 */
#include "driver/virt_i.h"
#include "core/key.h"
#include "driver/virt_body.h"
#include "driver/virt_field.h"

#include <string.h>

/* NULL: there is none. */
static struct xlcfg_dev *running(struct xlcfg_view *view,
                                 enum xlcfg_kind kind, const char *match)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->devs[i].kind == kind && view->devs[i].body &&
            !strcmp(view->devs[i].match, match))
            return &view->devs[i];
    return NULL;
}

/* What it was defined as, when that is what runs; else itself. */
static const xlcfg_doc *defined(const xlcfg_doc *plain, enum xlcfg_kind kind,
                                const xlcfg_doc *body,
                                struct xlcfg_view *view)
{
    const xlcfg_doc *as;
    struct xlcfg_ident id;
    struct xlcfg_dev *dev;

    xlcfg__key_of(kind, body, &id);
    as = xlcfg_doc_get(plain, id.match);
    if (xlcfg_doc_kind(as) != XLCFG_DOC_OBJECT)
        return body;
    dev = running(view, kind, id.match);
    if (!dev || !xlcfg__doc_equal(dev->body, body))
        return body;
    xlcfg_doc_free(dev->body);
    dev->body = xlcfg_doc_ref(as);
    return as;
}

int xlcfg__virt_as_defined(const xlcfg_doc *plain, xlcfg_doc **kept,
                           struct xlcfg_view *view, xlcfg_error *err)
{
    for (int k = 0; k < XLCFG_KINDS && xlcfg_doc_count(plain); k++) {
        const xlcfg_doc *old = xlcfg_doc_get(*kept, xlcfg__kinds[k].array);
        xlcfg__items list = { 0 };
        xlcfg_doc *now;

        if (!xlcfg_doc_count(old))
            continue;
        for (size_t i = 0; i < xlcfg_doc_count(old); i++)
            xlcfg__items_add(&list, xlcfg_doc_ref(
                defined(plain, (enum xlcfg_kind)k, xlcfg_doc_at(old, i),
                        view)));
        now = xlcfg__items_end(&list);
        now = now ? xlcfg__doc_with(*kept, xlcfg__kinds[k].array, now) : NULL;
        if (!now)
            return xlcfg__nomem(err);
        xlcfg_doc_free(*kept);
        *kept = now;
    }
    return 0;
}

int xlcfg__virt_add_plain(xlcfg__members *plain, enum xlcfg_kind kind,
                          xmlNodePtr dev, size_t nth)
{
    struct xlcfg_ident id;
    xlcfg_doc *body;
    int rc;

    xlcfg__virt_canon_device(dev, false);
    rc = xlcfg__virt_body(kind, dev, nth, &body, NULL);
    if (rc)
        return rc == XLCFG_ERROR_NOMEM ? rc : 0;        /* said elsewhere */
    xlcfg__key_of(kind, body, &id);
    /* of two with one name neither is known */
    if (xlcfg__members_has(plain, id.match)) {
        xlcfg_doc_free(body);
        body = xlcfg__doc_null();
    }
    xlcfg__members_set(plain, id.match, body);
    return 0;
}
