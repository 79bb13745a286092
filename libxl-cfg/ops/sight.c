/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One whole look: cut, merge, observe.  What was read before somebody else
 * recorded a newer version is not recorded on top of it, but read again.
 */
#include "ops/last.h"
#include "ops/recall.h"

#include <string.h>

/* A look that others overtake so often ends without a version; one that is of
 * no one moment so often, each a few tries in itself, with a word about it. */
#define LOOKS 50
#define TORN 4

/* A look that saw something is remembered; instead of one that saw nothing
 * the last one that did is told. */
static int remember(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                    xlcfg_error *err)
{
    xlcfg_doc *last;
    int rc;

    if (!sight->cut.blind) {
        xlcfg__recall_keep(ctx->recall, &sight->cut, sight->doc);
        return 0;
    }
    rc = xlcfg__last_good(ctx, &sight->cut.dom, sight->doc, &last, NULL);
    if (rc == XLCFG_ERROR_NOMEM)
        return xlcfg__nomem(err);
    if (!rc) {
        xlcfg_doc_free(sight->doc);
        sight->doc = last;
    }
    return 0;
}

static int judge(xlcfg_ctx *ctx, bool last, struct xlcfg__sight *sight,
                 int *torn, xlcfg_error *err)
{
    struct xlcfg__cut *cut = &sight->cut;
    int rc;

    if (cut->answered) {
        sight->doc = xlcfg_doc_ref(cut->answered);
        xlcfg__recall_again(ctx->recall, cut);
        ctx->unrecorded = (xlcfg_error)XLCFG_ERROR_INIT;
        return 0;
    }
    if (cut->torn && !last) {
        ++*torn;
        xlcfg__sight_dispose(sight);
        return XLCFG_ERROR_CONFLICT;
    }
    cut->overtaken = last;
    rc = xlcfg__cut_merge(cut, &sight->answer, err);
    if (!rc)
        rc = xlcfg__observe(ctx, cut, &sight->answer, NULL, &sight->doc,
                            err);
    if (!rc)
        rc = remember(ctx, sight, err);
    if (rc)
        xlcfg__sight_dispose(sight);
    return rc;
}

static int take(xlcfg_ctx *ctx, const char *dom, bool glance, bool last,
                struct xlcfg__sight *sight, int *torn, xlcfg_error *err)
{
    int rc;

    memset(sight, 0, sizeof(*sight));
    rc = glance ? xlcfg__cut_glance(ctx, dom, &sight->cut, err)
        : xlcfg__cut_take(ctx, dom, &sight->cut, err);
    if (rc)
        return rc;      /* which leaves the cut so that it may be disposed */
    return judge(ctx, last, sight, torn, err);
}

static int look(xlcfg_ctx *ctx, const char *dom, bool glance,
                struct xlcfg__sight *sight, xlcfg_error *err)
{
    int rc = XLCFG_ERROR_CONFLICT, torn = 0;

    for (int i = 0; i < LOOKS && rc == XLCFG_ERROR_CONFLICT; i++)
        rc = take(ctx, dom, glance, i == LOOKS - 1 || torn == TORN, sight,
                  &torn, err);
    return rc;
}

int xlcfg__sight_take(xlcfg_ctx *ctx, const char *dom,
                      struct xlcfg__sight *sight, xlcfg_error *err)
{
    return look(ctx, dom, false, sight, err);
}

int xlcfg__sight_doc(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                     bool *blind_r, xlcfg_error *err)
{
    struct xlcfg__sight sight;
    int rc;

    rc = look(ctx, dom, true, &sight, err);
    if (rc)
        return rc;
    *doc_r = xlcfg_doc_ref(sight.doc);
    if (blind_r)
        *blind_r = sight.cut.blind;
    xlcfg__sight_dispose(&sight);
    return 0;
}

int xlcfg__sight_of(xlcfg_ctx *ctx, struct xlcfg__cut *cut, xlcfg_doc **doc_r,
                    xlcfg_error *err)
{
    struct xlcfg__sight sight = { .cut = *cut };
    int rc, torn = 0;

    memset(cut, 0, sizeof(*cut));
    rc = judge(ctx, false, &sight, &torn, err);
    if (rc)
        return rc;
    *doc_r = xlcfg_doc_ref(sight.doc);
    xlcfg__sight_dispose(&sight);
    return 0;
}

void xlcfg__sight_dispose(struct xlcfg__sight *sight)
{
    xlcfg__cut_dispose(&sight->cut);
    xlcfg__answer_dispose(&sight->answer);
    xlcfg_doc_free(sight->doc);
    sight->doc = NULL;
}
