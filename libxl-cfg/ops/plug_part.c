/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts that plugging and settling are made of. */
#include "ops/plug.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a look ---- */

int xlcfg__sight_clear(xlcfg_ctx *ctx, const char *dom,
                       struct xlcfg__sight *sight, xlcfg_error *err)
{
    int rc;

    rc = xlcfg__sight_take(ctx, dom, sight, err);
    if (rc || !sight->cut.blind)
        return rc;
    rc = xlcfg__cut_blind(ctx, &sight->cut, dom, err);
    xlcfg__sight_dispose(sight);
    return rc;
}

enum xlcfg_live xlcfg__sight_live(const struct xlcfg__sight *sight,
                                  enum xlcfg_kind kind, const char *match,
                                  const struct xlcfg_dev **dev_r)
{
    const struct xlcfg_view *live = &sight->cut.live;

    if (dev_r)
        *dev_r = NULL;
    for (size_t i = 0; i < live->count; i++)
        if (!strcmp(live->devs[i].match, match)) {
            if (dev_r)
                *dev_r = &live->devs[i];
            return live->devs[i].live;
        }
    return live->sees[kind] ? XLCFG_LIVE_ABSENT : XLCFG_LIVE_UNKNOWN;
}

/* Recorded by its second name, for the first was not known then. */
static bool by_alt(const struct xlcfg_intent *in, const struct xlcfg_dev *dev)
{
    return dev->kind == in->kind && dev->alt && !strcmp(dev->alt, in->match);
}

enum xlcfg_live xlcfg__sight_live_of(const struct xlcfg__sight *sight,
                                     const struct xlcfg_intent *in,
                                     const struct xlcfg_dev **dev_r)
{
    const struct xlcfg_view *view = &sight->cut.live;
    enum xlcfg_live live;

    live = xlcfg__sight_live(sight, in->kind, in->match, dev_r);
    for (size_t i = 0; i < view->count && live == XLCFG_LIVE_ABSENT; i++)
        if (by_alt(in, &view->devs[i])) {
            live = view->devs[i].live;
            if (dev_r)
                *dev_r = &view->devs[i];
        }
    return live;
}

struct xlcfg_intent *xlcfg__sight_intent(struct xlcfg__sight *sight,
                                         const char *match)
{
    struct xlcfg_intents *list = &sight->cut.intents;

    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->v[i].match, match))
            return &list->v[i];
    return NULL;
}

/* ---- an intent ---- */

int xlcfg__intent_save(xlcfg_ctx *ctx, const char *uuid,
                       struct xlcfg_intent *intent, xlcfg_error *err)
{
    xlcfg__state *st;
    int rc;

    rc = xlcfg__store(ctx, true, &st, err);
    if (rc)
        return rc;
    rc = xlcfg__state_intent_put(st, ctx->conn->drv.name, uuid, intent, err);
    if (rc)
        xlcfg__store_drop(ctx, true);
    return rc;
}

int xlcfg__intent_end(xlcfg_ctx *ctx, int64_t id, xlcfg_error *err)
{
    xlcfg__state *st;
    int rc;

    rc = xlcfg__store(ctx, true, &st, err);
    if (rc)
        return rc;
    rc = xlcfg__state_intent_drop(st, id, err);
    if (rc)
        xlcfg__store_drop(ctx, true);
    return rc;
}

int xlcfg__intent_own(xlcfg_ctx *ctx, int64_t id, unsigned wait_ms,
                      xlcfg__lock **lock_r, xlcfg_error *err)
{
    char *path;
    int rc;

    if (asprintf(&path, "%s/intent-%" PRId64 ".lock", ctx->state_dir,
                 id) < 0)
        return xlcfg__nomem(err);
    rc = xlcfg__lock_take(path, wait_ms, lock_r, err);
    free(path);
    return rc;
}

int xlcfg__intents_over(xlcfg_ctx *ctx, const char *uuid, int64_t before,
                        xlcfg_error *err)
{
    struct xlcfg_intents list = { 0 };
    xlcfg__state *st;
    int rc;

    if (ctx->conn->drv.home != XLCFG_HOME_BACKEND)
        return 0;
    rc = xlcfg__store(ctx, true, &st, err);
    if (!rc)
        rc = xlcfg__state_intents(st, ctx->conn->drv.name, uuid, &list, err);
    for (size_t i = 0; i < list.count && !rc; i++) {
        xlcfg_error why = XLCFG_ERROR_INIT;
        xlcfg__lock *lock = NULL;

        if (before && list.v[i].id >= before)
            continue;
        rc = xlcfg__intent_own(ctx, list.v[i].id, 0, &lock, &why);
        if (!rc)
            rc = xlcfg__intent_end(ctx, list.v[i].id, &why);
        xlcfg__lock_drop(lock);
        if (rc == XLCFG_ERROR_LOCK_FAIL)
            rc = 0;             /* who is at work sees it, too */
        else if (rc)
            xlcfg__err_give(err, &why);
    }
    xlcfg__intents_dispose(&list);
    return rc;
}

int xlcfg__intent_phase(xlcfg_ctx *ctx, const char *uuid,
                        struct xlcfg_intent *intent, enum xlcfg_phase phase,
                        const char *reason, xlcfg_error *err)
{
    char *copy = reason ? strdup(reason) : NULL;

    if (reason && !copy)
        return xlcfg__nomem(err);
    free(intent->reason);
    intent->reason = copy;
    intent->phase = phase;
    if (phase == XLCFG_PHASE_ACTING)
        intent->attempts++;
    return xlcfg__intent_save(ctx, uuid, intent, err);
}

/* ---- what was done ---- */

void xlcfg__step(xlcfg__items *steps, const struct xlcfg_domain *dom,
                 const char *key, const char *fmt, ...)
{
    xlcfg__members m = { 0 };
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    xlcfg__members_add(&m, "domain", xlcfg__doc_str(dom->name ? dom->name
                                                    : dom->uuid));
    xlcfg__members_add(&m, "key", xlcfg__doc_str(key));
    xlcfg__members_add(&m, "step", xlcfg__doc_str(text));
    xlcfg__items_add(steps, xlcfg__members_end(&m));
}
