/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What would change at the next start. */
#include "core/diff.h"
#include "core/scalar.h"
#include "ops/ctx.h"

#include <string.h>

/* What it is to be made of next: the backend's own, or the template.  Who looks
 * at both at once has seen that one, at the moment of what runs. */
static int next_config(xlcfg_ctx *ctx, const struct xlcfg__cut *cut,
                       const char *dom, xlcfg_doc **next_r, xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc;

    if (ctx->conn->drv.look && cut->template) {
        *next_r = xlcfg_doc_ref(cut->template);
        return 0;
    }
    rc = ctx->conn->drv.stored(ctx->conn->handle, &cut->dom, next_r, &why);
    if (!rc)
        return 0;
    if (rc != XLCFG_ERROR_NOTFOUND) {
        if (err)
            *err = why;
        return rc;
    }
    if (!cut->template)
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, dom,
                          "nothing is kept for its next start: %s",
                          why.message);
    *next_r = xlcfg_doc_ref(cut->template);
    return 0;
}

static const char *mirrored(const char *kind)
{
    return !strcmp(kind, "added") ? "removed"
        : !strcmp(kind, "removed") ? "added" : kind;
}

/* A change seen from the other side. */
static xlcfg_doc *mirror(const xlcfg_doc *change)
{
    xlcfg__members m = { 0 };

    xlcfg__members_copy(&m, change);
    xlcfg__members_set(&m, "kind", xlcfg__doc_str(
        mirrored(xlcfg__doc_getstr(change, "kind"))));
    if (xlcfg_doc_get(change, "to"))
        xlcfg__members_set(&m, "from",
                           xlcfg_doc_ref(xlcfg_doc_get(change, "to")));
    else
        xlcfg__members_drop(&m, "from");
    if (xlcfg_doc_get(change, "from"))
        xlcfg__members_set(&m, "to",
                           xlcfg_doc_ref(xlcfg_doc_get(change, "from")));
    else
        xlcfg__members_drop(&m, "to");
    return xlcfg__members_end(&m);
}

/* diff compares with a live view as its second side; here it is the first. */
static xlcfg_doc *mirror_all(const xlcfg_doc *diff)
{
    const xlcfg_doc *changes = xlcfg_doc_get(diff, "changes");
    xlcfg__members m = { 0 };
    xlcfg__items it = { 0 };

    for (size_t i = 0; i < xlcfg_doc_count(changes); i++)
        xlcfg__items_add(&it, mirror(xlcfg_doc_at(changes, i)));
    xlcfg__members_add(&m, "from", xlcfg__doc_str("running"));
    xlcfg__members_add(&m, "to", xlcfg__doc_str("next start"));
    xlcfg__members_add(&m, "changes", xlcfg__items_end(&it));
    return xlcfg__members_end(&m);
}

static int compare(struct xlcfg__cut *cut, const xlcfg_doc *next,
                   xlcfg_doc **doc_r, xlcfg_error *err)
{
    struct xlcfg_view view;
    xlcfg_doc *rest, *diff;
    int rc;

    xlcfg__view_init(&view);
    rc = xlcfg__view_from_config(next, &view, err);
    if (!rc && cut->dom.saved)
        xlcfg__view_note(&view, ": it was saved: if its next start is its "
                         "restore, it goes on with what it ran with then");
    rest = rc ? NULL : xlcfg__scalars_finish(view.rest, cut->live.rest);
    if (!rc && !rest && cut->live.rest)
        rc = xlcfg__nomem(err);
    if (!rc) {
        xlcfg_doc_free(cut->live.rest);
        cut->live.rest = rest;
        diff = xlcfg__diff("next start", &view, "running", &cut->live, true);
        *doc_r = xlcfg__with_unknown(diff ? mirror_all(diff) : NULL,
                                     "next start", NULL, &view.unknown,
                                     &cut->live);
        xlcfg_doc_free(diff);
        rc = *doc_r ? 0 : xlcfg__nomem(err);
    }
    xlcfg__view_dispose(&view);
    return rc;
}

int xlcfg_domain_pending(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                         xlcfg_error *err)
{
    struct xlcfg__cut cut;
    xlcfg_doc *next = NULL;
    int rc;

    rc = xlcfg__cut_compare(ctx, dom, &cut, err);
    if (rc)
        return rc;
    if (cut.blind)
        rc = xlcfg__cut_blind(ctx, &cut, dom, err);
    if (!rc)
        rc = next_config(ctx, &cut, dom, &next, err);
    if (!rc)
        rc = compare(&cut, next, doc_r, err);
    xlcfg_doc_free(next);
    xlcfg__cut_dispose(&cut);
    return rc;
}
