/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One whole look: cut, merge, observe.  What was read before somebody else
 * recorded a newer version is not recorded on top of it, but read again.
 */
#include "ops/ctx.h"

#include <string.h>

/* A look that others overtake so often ends without a version; one that is of
 * no one moment so often, each a few tries in itself, with a word about it. */
#define LOOKS 50
#define TORN 4

static int take(xlcfg_ctx *ctx, const char *dom, bool last,
                struct xlcfg__sight *sight, int *torn, xlcfg_error *err)
{
    int rc;

    memset(sight, 0, sizeof(*sight));
    rc = xlcfg__cut_take(ctx, dom, &sight->cut, err);
    if (rc)
        return rc;      /* which leaves the cut so that it may be disposed */
    if (sight->cut.torn && !last) {
        ++*torn;
        xlcfg__sight_dispose(sight);
        return XLCFG_ERROR_CONFLICT;
    }
    sight->cut.overtaken = last;
    rc = xlcfg__cut_merge(&sight->cut, &sight->answer, err);
    if (!rc)
        rc = xlcfg__observe(ctx, &sight->cut, &sight->answer, NULL,
                            &sight->doc, err);
    if (rc)
        xlcfg__sight_dispose(sight);
    return rc;
}

int xlcfg__sight_take(xlcfg_ctx *ctx, const char *dom,
                      struct xlcfg__sight *sight, xlcfg_error *err)
{
    int rc = XLCFG_ERROR_CONFLICT, torn = 0;

    for (int i = 0; i < LOOKS && rc == XLCFG_ERROR_CONFLICT; i++)
        rc = take(ctx, dom, i == LOOKS - 1 || torn == TORN, sight, &torn,
                  err);
    return rc;
}

void xlcfg__sight_dispose(struct xlcfg__sight *sight)
{
    xlcfg__cut_dispose(&sight->cut);
    xlcfg__answer_dispose(&sight->answer);
    xlcfg_doc_free(sight->doc);
    sight->doc = NULL;
}
