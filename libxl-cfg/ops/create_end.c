/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a creation ends, whoever began it: by what the backend shows. */
#include "ops/create.h"

#include <string.h>

static int fail(xlcfg_ctx *ctx, int64_t id, const char *reason,
                xlcfg_error *err)
{
    xlcfg__state *st;
    int rc;

    rc = xlcfg__state_open(ctx->state_dir, true, ctx->lock_ms, &st, err);
    if (rc)
        return rc;
    rc = xlcfg__state_creation_fail(st, id, reason, err);
    xlcfg__state_close(st);
    return rc;
}

/* Was its start cut off after all was made?  0: it runs, or is paused for a
 * reason of its own. */
static int let_run(xlcfg_ctx *ctx, const struct xlcfg__creation *c,
                   const struct xlcfg_domain *dom, bool dry_run,
                   const char **step_r, xlcfg_error *err)
{
    const struct xlcfg_driver *drv = &ctx->conn->drv;
    bool paused = !strcmp(dom->state, "paused");
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc;

    *step_r = "it runs: close its creation";
    if (!(c->flags & XLCFG_CREATE_START))
        return 0;
    if (dry_run && paused)
        *step_r = "it is paused: let it run if it never did, and close its "
            "creation";
    if (dry_run)
        return 0;
    /* also of one that is said to run: a backend that was started anew may
     * not have looked yet */
    rc = drv->go_on(ctx->conn->handle, dom, &why);
    if (paused)
        *step_r = rc ? "it is paused: close its creation"
            : "its start was cut off: let it run, and close its creation";
    if (!rc || rc == XLCFG_ERROR_REFUSED || rc == XLCFG_ERROR_NI)
        return 0;
    *step_r = NULL;
    if (err)
        *err = why;
    return rc;
}

/* Running, or paused while it is made: closed when it is whole. */
static int close_running(xlcfg_ctx *ctx, const struct xlcfg__creation *c,
                         bool dry_run, struct xlcfg__sight *sight,
                         xlcfg_error *err)
{
    const struct xlcfg__edit whole = {
        .entry = XLCFG__ENTRY_WHOLE, .kind = XLCFG_KINDS,
        .body = c->config,
    };
    struct xlcfg__sight mine;
    int rc;

    if (!sight)
        sight = &mine;
    rc = xlcfg__sight_clear(ctx, c->uuid, sight, err);
    if (rc)
        return rc;
    if (ctx->conn->drv.home == XLCFG_HOME_LIBXL && !sight->cut.template) {
        /* libxl writes its file when all is made, and not before */
        rc = dry_run ? 0 : fail(ctx, c->id, "half made", err);
        if (!rc)
            rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, c->name,
                            "it is half made, and libxl cannot go on with "
                            "it: destroy domain %lld",
                            (long long)sight->cut.dom.domid);
    } else {
        rc = dry_run ? 0 : xlcfg__close(ctx, sight, c->id, &whole, err);
    }
    if (rc || sight == &mine)
        xlcfg__sight_dispose(sight);
    return rc;
}

int xlcfg__creation_close(xlcfg_ctx *ctx, const struct xlcfg__creation *c,
                          bool dry_run, struct xlcfg__sight *sight,
                          const char **step_r, xlcfg_error *err)
{
    const struct xlcfg_driver *drv = &ctx->conn->drv;
    struct xlcfg_domain dom = { .domid = -1 };
    bool running;
    int rc;

    rc = drv->unmake(ctx->conn->handle, c->uuid, dry_run, err);
    if (rc < 0)
        return rc;
    if (rc != XLCFG_DECLINED) {
        *step_r = "it was not let run, and nobody will: destroy it, and "
            "close its creation";
        return dry_run ? 0 : xlcfg__intent_end(ctx, c->id, err);
    }
    rc = drv->find(ctx->conn->handle, c->uuid, &dom, err);
    running = !rc && dom.domid >= 0;
    if (running && !sight)
        rc = let_run(ctx, c, &dom, dry_run, step_r, err);
    else if (running)
        *step_r = "it runs: close its creation";
    xlcfg__domain_dispose(&dom);
    /* what it is made of now was handed in whole */
    if (!rc && !dry_run && (running || !(c->flags & XLCFG_CREATE_START)))
        rc = xlcfg__intents_over(ctx, c->uuid, c->id, err);
    if (running) {
        if (!rc)
            rc = close_running(ctx, c, dry_run, sight, err);
        if (rc == XLCFG_ERROR_REFUSED)
            *step_r = NULL;     /* nothing was done */
        return rc;
    }
    if (rc && rc != XLCFG_ERROR_DOMAIN_NOTFOUND)
        return rc;
    *step_r = rc ? "nothing was made: close its creation"
        : c->flags & XLCFG_CREATE_START
        ? "it is defined, and was not started: close its creation"
        : "it is defined: close its import";
    return dry_run ? 0 : xlcfg__intent_end(ctx, c->id, err);
}
