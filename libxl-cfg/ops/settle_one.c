/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settling one intent: forward or back, as a look of now shows; doing it
 * twice does nothing the second time.
 */
#include "ops/plug.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What waits in a backend for longer is given up by it: libvirt does after
 * 30 s. */
#define QUEUED_S 40

bool xlcfg__is_of_earlier_run(const struct xlcfg__sight *sight,
                              const struct xlcfg_intent *in)
{
    const char *run = sight->cut.dom.run;

    return in->domain && run && strcmp(in->domain, run);
}

/* The record ends; the template does with its entry what `how` says. */
static int close_as(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                    const struct xlcfg_intent *in, enum xlcfg__entry how,
                    const xlcfg_doc *body, xlcfg_error *err)
{
    const struct xlcfg__edit edit = {
        .entry = how, .kind = in->kind, .match = in->match, .body = body,
        .resets = in->resets && how == XLCFG__ENTRY_DROPPED,
    };

    return xlcfg__close(ctx, sight, in->id, &edit, err);
}

/* Gone: also from what the backend keeps, and from the template. */
static int close_gone(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                      struct xlcfg_intent *in, bool dry_run,
                      xlcfg__items *steps, xlcfg_error *err)
{
    const struct xlcfg_domain *dom = &sight->cut.dom;
    const struct xlcfg_conn *conn = ctx->conn;
    const xlcfg_doc *body = in->before ? in->before : in->after;
    int rc;

    xlcfg__step(steps, dom, in->key, in->op == XLCFG_OP_ATTACH
                ? "its attach came to nothing: close it"
                : "it is gone: close its unplug");
    if (dry_run)
        return 0;
    rc = conn->drv.forget(conn->handle, dom, in->kind, body, err);
    if (rc)
        return rc;
    if (conn->drv.home == XLCFG_HOME_BACKEND)
        sight->cut.spent = true;        /* its template is another now */
    ctx->sure = in->id;
    rc = close_as(ctx, sight, in, XLCFG__ENTRY_DROPPED, body, err);
    ctx->sure = 0;
    return rc;
}

int xlcfg__settle_left(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                       struct xlcfg_intent *in, xlcfg__items *steps,
                       xlcfg_error *err)
{
    return close_gone(ctx, sight, in, false, steps, err);
}

static int just_close(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                      struct xlcfg_intent *in, bool dry_run,
                      xlcfg__items *steps, const char *why,
                      xlcfg_error *err)
{
    xlcfg__step(steps, &sight->cut.dom, in->key, "%s", why);
    return dry_run ? 0 : close_as(ctx, sight, in, XLCFG__ENTRY_STAYS, NULL,
                                  err);
}

/* Stays open, with the reason in err. */
static int stay(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                struct xlcfg_intent *in, enum xlcfg_phase phase,
                bool dry_run, int code, const char *why, xlcfg_error *err)
{
    char words[800];
    int rc = 0;

    strncpy(words, why, sizeof(words) - 1);     /* why may be err's own */
    words[sizeof(words) - 1] = '\0';
    if (!dry_run)
        rc = xlcfg__intent_phase(ctx, sight->cut.dom.uuid, in, phase, words,
                                 err);
    return rc ? rc : xlcfg__err(err, code, in->key, "%s", words);
}

/* Neither there nor not there: why, where the view says it. */
static int stay_unknown(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                        struct xlcfg_intent *in, const struct xlcfg_dev *dev,
                        bool dry_run, xlcfg_error *err)
{
    return stay(ctx, sight, in, in->phase, dry_run, XLCFG_ERROR_REFUSED,
                dev && dev->reason ? dev->reason
                : "it could not be looked at", err);
}

static int look_again(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                      xlcfg_error *err)
{
    char uuid[37];

    strcpy(uuid, sight->cut.dom.uuid);
    xlcfg__sight_dispose(sight);
    return xlcfg__sight_clear(ctx, uuid, sight, err);
}

static int take_back(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                     struct xlcfg_intent *in, const struct xlcfg_dev *dev,
                     bool dry_run, xlcfg__items *steps, xlcfg_error *err)
{
    const struct xlcfg_driver *drv = &ctx->conn->drv;
    xlcfg_error why = XLCFG_ERROR_INIT;
    xlcfg__items done = { 0 };
    enum xlcfg_live live;
    int rc;

    xlcfg__step(steps, &sight->cut.dom, in->key,
                "its attach failed: take it back");
    rc = drv->clean(ctx->conn->handle, &sight->cut.dom, dev, dry_run, &done,
                    &why);
    for (size_t i = 0; i < done.count; i++)
        xlcfg__step(steps, &sight->cut.dom, in->key, "%s",
                    xlcfg_doc_string(done.v[i]));
    xlcfg__items_dispose(&done);
    if (dry_run)
        return 0;
    if (look_again(ctx, sight, err))
        return XLCFG_ERROR_UNREACHABLE;
    live = xlcfg__sight_live_of(sight, in, NULL);
    if (live == XLCFG_LIVE_ABSENT)
        return close_gone(ctx, sight, in, false, steps, err);
    return stay(ctx, sight, in, XLCFG_PHASE_FAILED, false,
                XLCFG_ERROR_REFUSED, rc ? why.message
                : "it could not be taken back whole", err);
}

/* Does the backend keep what the domain is made of, without this device? */
static bool is_kept_without(const struct xlcfg__cut *cut,
                            enum xlcfg_home home,
                            const struct xlcfg_intent *in)
{
    if (home != XLCFG_HOME_BACKEND || !cut->template || cut->kept)
        return false;
    for (size_t i = 0; i < cut->tmpl.count; i++)
        if (!strcmp(cut->tmpl.devs[i].match, in->match))
            return false;
    return true;
}

/* It is there: also in what the backend keeps, which is written last. */
static int close_there(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                       struct xlcfg_intent *in, bool dry_run,
                       xlcfg__items *steps, xlcfg_error *err)
{
    const struct xlcfg_conn *conn = ctx->conn;
    /* who has done it to the end has seen to that */
    bool lacks = ctx->sure != in->id &&
        is_kept_without(&sight->cut, conn->drv.home, in);
    int rc = 0;

    if (lacks)
        xlcfg__step(steps, &sight->cut.dom, in->key,
                    "it runs, and is not kept for the next start: keep it");
    xlcfg__step(steps, &sight->cut.dom, in->key,
                "it is there: close its attach");
    if (dry_run)
        return 0;
    if (lacks) {
        rc = conn->drv.keep(conn->handle, &sight->cut.dom, in->kind,
                            in->after, err);
        sight->cut.spent = true;        /* its template is another now */
    }
    return rc ? rc : close_as(ctx, sight, in, XLCFG__ENTRY_PUT, in->after,
                              err);
}

static int settle_attach(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                         struct xlcfg_intent *in, bool dry_run,
                         xlcfg__items *steps, xlcfg_error *err)
{
    const struct xlcfg_dev *dev;

    switch (xlcfg__sight_live_of(sight, in, &dev)) {
    case XLCFG_LIVE_PRESENT:
        return close_there(ctx, sight, in, dry_run, steps, err);
    case XLCFG_LIVE_ABSENT:
        if (sight->cut.live.queued && in->phase == XLCFG_PHASE_ACTING &&
            time(NULL) - in->since < QUEUED_S)
            return stay(ctx, sight, in, in->phase, dry_run,
                        XLCFG_ERROR_PENDING, "its backend is at work with "
                        "the domain: an attach that waits for that may still "
                        "be done", err);
        return close_gone(ctx, sight, in, dry_run, steps, err);
    case XLCFG_LIVE_COMING:
        if (in->phase == XLCFG_PHASE_WAITING)
            return stay(ctx, sight, in, in->phase, dry_run,
                        XLCFG_ERROR_PENDING, dev->reason ? dev->reason
                        : "its backend is not ready", err);
        return take_back(ctx, sight, in, dev, dry_run, steps, err);
    case XLCFG_LIVE_PARTIAL:
    case XLCFG_LIVE_FAILED:
    case XLCFG_LIVE_LEAVING:
    case XLCFG_LIVE_ORPHANED:
    case XLCFG_LIVE_LEAKED:
        return take_back(ctx, sight, in, dev, dry_run, steps, err);
    case XLCFG_LIVE_UNKNOWN:
    case XLCFG_LIVES:
        break;
    }
    return stay_unknown(ctx, sight, in, dev, dry_run, err);
}

static int ask_again(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                     struct xlcfg_intent *in, unsigned wait_ms,
                     bool dry_run, xlcfg__items *steps, xlcfg_error *err)
{
    const struct xlcfg_driver *drv = &ctx->conn->drv;
    xlcfg_error why = XLCFG_ERROR_INIT;
    enum xlcfg_live live;
    bool left;
    int rc;

    xlcfg__step(steps, &sight->cut.dom, in->key, "go on with its unplug");
    if (dry_run)
        return 0;
    rc = drv->detach(ctx->conn->handle, &sight->cut.dom, in->kind,
                     in->before,
                     (in->phase == XLCFG_PHASE_WAITING
                      ? XLCFG_DETACH_AGAIN : 0) |
                     (xlcfg__is_of_earlier_run(sight, in)
                      ? 0 : XLCFG_DETACH_SAME_RUN), wait_ms, &why);
    left = rc == XLCFG_LEFT;
    rc = left ? 0 : rc;
    if (look_again(ctx, sight, err))
        return XLCFG_ERROR_UNREACHABLE;
    live = xlcfg__sight_live_of(sight, in, NULL);
    /* what is there then is another, that has come in its place */
    if (left || live == XLCFG_LIVE_ABSENT)
        return close_gone(ctx, sight, in, false, steps, err);
    if (rc == XLCFG_ERROR_REFUSED && live == XLCFG_LIVE_PRESENT)
        return stay(ctx, sight, in, XLCFG_PHASE_REFUSED, false, rc,
                    why.message, err);
    return stay(ctx, sight, in, XLCFG_PHASE_WAITING, false,
                XLCFG_ERROR_PENDING, rc ? why.message
                : "it is still there", err);
}

static int settle_detach(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                         struct xlcfg_intent *in, unsigned wait_ms,
                         bool dry_run, xlcfg__items *steps,
                         xlcfg_error *err)
{
    const struct xlcfg_dev *dev;
    enum xlcfg_live live;

    live = xlcfg__sight_live_of(sight, in, &dev);
    if (live == XLCFG_LIVE_ABSENT)
        return close_gone(ctx, sight, in, dry_run, steps, err);
    if (live == XLCFG_LIVE_UNKNOWN)
        return stay_unknown(ctx, sight, in, dev, dry_run, err);
    if (live == XLCFG_LIVE_PRESENT && in->phase == XLCFG_PHASE_PREPARED)
        return just_close(ctx, sight, in, dry_run, steps,
                          "its unplug was never asked for: close it", err);
    if (live == XLCFG_LIVE_PRESENT && in->phase == XLCFG_PHASE_REFUSED)
        return just_close(ctx, sight, in, dry_run, steps,
                          "its unplug was refused, it stays: close it",
                          err);
    return ask_again(ctx, sight, in, wait_ms, dry_run, steps, err);
}

/* Forward or back, as the live view shows; what it shows of neither is asked
 * for again. */
static int settle_update(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                         struct xlcfg_intent *in, bool dry_run,
                         xlcfg__items *steps, xlcfg_error *err)
{
    const struct xlcfg_driver *drv = &ctx->conn->drv;
    xlcfg_error why = XLCFG_ERROR_INIT;
    const struct xlcfg_dev *dev;
    enum xlcfg__shown shown;
    enum xlcfg_live live = xlcfg__sight_live_of(sight, in, &dev);

    if (live == XLCFG_LIVE_UNKNOWN)
        return stay_unknown(ctx, sight, in, dev, dry_run, err);
    if (live != XLCFG_LIVE_PRESENT)
        return just_close(ctx, sight, in, dry_run, steps,
                          "it is not attached any more: close its update",
                          err);
    shown = xlcfg__update_shown(dev->body, in->before, in->after);
    if (shown == XLCFG__SHOWN_BEFORE)
        return just_close(ctx, sight, in, dry_run, steps,
                          "it is as before: close its update", err);
    if (shown == XLCFG__SHOWN_UNCLEAR) {
        xlcfg__step(steps, &sight->cut.dom, in->key, "go on with its update");
        if (dry_run)
            return 0;
        if (drv->update(ctx->conn->handle, &sight->cut.dom, in->kind,
                        in->before, in->after, &why) < 0)
            return stay(ctx, sight, in, XLCFG_PHASE_FAILED, false,
                        why.code == XLCFG_ERROR_UNREACHABLE ? why.code
                        : XLCFG_ERROR_REFUSED, why.message, err);
    }
    xlcfg__step(steps, &sight->cut.dom, in->key,
                "it is as asked for: close its update");
    return dry_run ? 0 : close_as(ctx, sight, in, XLCFG__ENTRY_REPLACED,
                                  in->after, err);
}

/*
 * Where the backend keeps what a domain is made of, a device is in it until
 * it has left: also a restored guest, and the next run, has one whose unplug
 * is open.
 */
static bool is_kept_by_backend(const xlcfg_ctx *ctx,
                               const struct xlcfg_intent *in)
{
    return ctx->conn->drv.home == XLCFG_HOME_BACKEND && in->domain;
}

/* Of a domain that does not run nobody needs to let go, but a saved one goes
 * on as it was. */
static int settle_stopped(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                          struct xlcfg_intent *in, bool dry_run,
                          xlcfg__items *steps, xlcfg_error *err)
{
    if (sight->cut.dom.saved)
        return stay(ctx, sight, in, in->phase, dry_run, XLCFG_ERROR_PENDING,
                    "the domain was saved: settle goes on with it after its "
                    "restore", err);
    if (in->op == XLCFG_OP_DETACH)
        return close_gone(ctx, sight, in, dry_run, steps, err);
    return just_close(ctx, sight, in, dry_run, steps,
                      "the domain does not run any more: close it", err);
}

int xlcfg__settle_one(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                      struct xlcfg_intent *in, unsigned wait_ms,
                      bool dry_run, xlcfg__items *steps, xlcfg_error *err)
{
    if (is_kept_by_backend(ctx, in) && sight->cut.dom.domid < 0)
        return settle_stopped(ctx, sight, in, dry_run, steps, err);
    if (xlcfg__is_of_earlier_run(sight, in) &&
        !(is_kept_by_backend(ctx, in) && in->op == XLCFG_OP_DETACH))
        return just_close(ctx, sight, in, dry_run, steps,
                          "it was of an earlier run of the domain: close "
                          "it", err);
    switch (in->op) {
    case XLCFG_OP_ATTACH:
        return settle_attach(ctx, sight, in, dry_run, steps, err);
    case XLCFG_OP_DETACH:
        return settle_detach(ctx, sight, in, wait_ms, dry_run, steps, err);
    case XLCFG_OP_UPDATE:
        return settle_update(ctx, sight, in, dry_run, steps, err);
    case XLCFG_OP_NONE:
    case XLCFG_OPS:
        break;
    }
    return xlcfg__err(err, XLCFG_ERROR_NI, in->key,
                      "an intent of this kind is not settled here");
}
