/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settling: what a dead owner left open, and half states that nobody owns,
 * are driven to an end.
 */
#include "ops/create.h"
#include "ops/plug.h"

#include <string.h>

/* ---- half states that are nobody's ---- */

static int drop_ghost(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                      const struct xlcfg_row *row, bool dry_run,
                      xlcfg__items *steps, xlcfg_error *err)
{
    struct xlcfg_ident id;

    /* what the backend keeps is for the next start: it may differ */
    if (ctx->conn->drv.home == XLCFG_HOME_BACKEND && !sight->cut.kept)
        return 0;
    xlcfg__key_of(row->kind, row->template_body, &id);
    if (!id.match[0] || !strcmp(id.key, id.alt))
        return 0;               /* known by a second name: not sure */
    xlcfg__step(steps, &sight->cut.dom, row->key,
                "the machine has it not: remove it from the template");
    return dry_run ? 0 : xlcfg__close(ctx, sight, 0, &(struct xlcfg__edit){
        .entry = XLCFG__ENTRY_DROPPED, .kind = row->kind, .match = id.match,
    }, err);
}

static int clear_away(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                      const struct xlcfg_row *row, bool dry_run,
                      xlcfg__items *steps, xlcfg_error *err)
{
    const struct xlcfg_dev *dev = NULL;
    xlcfg__items done = { 0 };
    int rc;

    for (size_t i = 0; i < sight->cut.live.count; i++)
        if (!strcmp(sight->cut.live.devs[i].key, row->key))
            dev = &sight->cut.live.devs[i];
    if (!dev)
        return 0;
    rc = ctx->conn->drv.clean(ctx->conn->handle, &sight->cut.dom, dev,
                              dry_run, &done, err);
    for (size_t i = 0; i < done.count; i++)
        xlcfg__step(steps, &sight->cut.dom, row->key, "%s",
                    xlcfg_doc_string(done.v[i]));
    xlcfg__items_dispose(&done);
    return rc;
}

/* Was an attach of ours cut off?  What it had put in before the device goes
 * by a name of its own: no intent knows it. */
static bool was_cut_off(const struct xlcfg__sight *sight,
                        enum xlcfg_kind kind)
{
    for (size_t i = 0; i < sight->cut.intents.count; i++)
        if (sight->cut.intents.v[i].op == XLCFG_OP_ATTACH &&
            sight->cut.intents.v[i].kind == kind)
            return true;
    return false;
}

/* Only what is safe beside a plain xl at work: an unplug that the guest has
 * let go of, and a template entry without a device. */
static int settle_foreign(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                          bool dry_run, xlcfg__items *steps,
                          xlcfg_error *err)
{
    char reason[128];
    int rc = 0;

    for (size_t i = 0; i < sight->answer.count && !rc; i++) {
        const struct xlcfg_row *row = &sight->answer.rows[i];

        if (row->intent || !ctx->conn->drv.can(ctx->conn->handle, row->kind,
                                               XLCFG_ACT_DETACH, reason,
                                               sizeof(reason)))
            continue;
        if (row->live == XLCFG_LIVE_ABSENT && row->in_template)
            rc = drop_ghost(ctx, sight, row, dry_run, steps, err);
        else if (row->live == XLCFG_LIVE_LEAVING ||
                 (row->live == XLCFG_LIVE_LEAKED &&
                  (ctx->deep || was_cut_off(sight, row->kind))))
            rc = clear_away(ctx, sight, row, dry_run, steps, err);
        if (rc == XLCFG_ERROR_PENDING)
            rc = 0;             /* another's unplug, the guest has it still */
    }
    return rc;
}

/* ---- a domain, and all of them ---- */

struct tally {
    int64_t pending, failed;
    xlcfg__items steps, open;
};

static void count_open(struct tally *tally, const struct xlcfg_domain *dom,
                       const char *key, int rc, const xlcfg_error *err)
{
    xlcfg__members m = { 0 };
    bool pending = rc == XLCFG_ERROR_PENDING;

    *(pending ? &tally->pending : &tally->failed) += 1;
    xlcfg__members_add(&m, "domain", xlcfg__doc_str(dom->name ? dom->name
                                                    : dom->uuid));
    xlcfg__members_add(&m, "key", xlcfg__doc_str(key));
    xlcfg__members_add(&m, "error",
                       xlcfg__doc_str(xlcfg_error_name(rc)));
    xlcfg__members_add(&m, "message", xlcfg__doc_str(err->message));
    xlcfg__items_add(&tally->open, xlcfg__members_end(&m));
}

/* The intent as it is now that we own it. */
static int settle_owned(xlcfg_ctx *ctx, const char *uuid, const char *match,
                        int64_t id, bool dry_run, struct tally *tally,
                        xlcfg_error *err)
{
    struct xlcfg_intents mine = { 0 };
    struct xlcfg__sight sight;
    struct xlcfg_intent *in, *now;
    int rc;

    rc = xlcfg__sight_clear(ctx, uuid, &sight, err);
    if (rc)
        return rc;
    now = xlcfg__sight_intent(&sight, match);
    if (now && now->id == id) {
        /* the look may be taken again: the intent is ours to keep */
        in = xlcfg__intents_add(&mine);
        rc = in ? 0 : xlcfg__nomem(err);
        if (in) {
            *in = *now;
            *now = (struct xlcfg_intent){ .kind = in->kind };
            rc = xlcfg__settle_one(ctx, &sight, in, 0, dry_run,
                                   &tally->steps, err);
        }
        if (rc == XLCFG_ERROR_PENDING || rc == XLCFG_ERROR_REFUSED) {
            count_open(tally, &sight.cut.dom, in->key, rc, err);
            rc = 0;
        }
    }
    xlcfg__intents_dispose(&mine);
    xlcfg__sight_dispose(&sight);
    return rc;
}

static int settle_domain(xlcfg_ctx *ctx, const char *dom, bool dry_run,
                         struct tally *tally, xlcfg_error *err)
{
    struct xlcfg__sight sight;
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc;

    rc = xlcfg__sight_clear(ctx, dom, &sight, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < sight.cut.intents.count && !rc; i++) {
        const struct xlcfg_intent *in = &sight.cut.intents.v[i];
        xlcfg__lock *lock;

        rc = xlcfg__intent_own(ctx, in->id, 0, &lock, &why);
        if (rc == XLCFG_ERROR_LOCK_FAIL) {
            xlcfg__step(&tally->steps, &sight.cut.dom, in->key,
                        "another process works on it");
            count_open(tally, &sight.cut.dom, in->key, XLCFG_ERROR_PENDING,
                       &why);
            rc = 0;
            continue;
        }
        if (rc) {
            if (err)
                *err = why;
            break;
        }
        rc = settle_owned(ctx, sight.cut.dom.uuid, in->match, in->id,
                          dry_run, tally, &why);
        xlcfg__lock_drop(lock);
        if (rc && err)
            *err = why;
    }
    if (!rc)
        rc = settle_foreign(ctx, &sight, dry_run, &tally->steps, err);
    xlcfg__sight_dispose(&sight);
    /* what it came to is a version of its own */
    if (!rc && tally->steps.count && !dry_run) {
        rc = xlcfg__sight_clear(ctx, dom, &sight, err);
        if (!rc)
            xlcfg__sight_dispose(&sight);
    }
    return rc;
}

static int settle_creation(xlcfg_ctx *ctx, const struct xlcfg__creation *c,
                           bool dry_run, struct tally *tally,
                           xlcfg_error *err)
{
    struct xlcfg_domain dom = { .name = c->name };
    xlcfg_error why = XLCFG_ERROR_INIT;
    const char *step = NULL;
    xlcfg__lock *lock;
    int rc;

    rc = xlcfg__intent_own(ctx, c->id, 0, &lock, &why);
    if (rc == XLCFG_ERROR_LOCK_FAIL) {
        count_open(tally, &dom, "domain", XLCFG_ERROR_PENDING, &why);
        return 0;
    }
    if (!rc) {
        rc = xlcfg__creation_close(ctx, c, dry_run, NULL, &step, &why);
        xlcfg__lock_drop(lock);
    }
    if (step)
        xlcfg__step(&tally->steps, &dom, "domain", "%s", step);
    if (rc == XLCFG_ERROR_REFUSED || rc == XLCFG_ERROR_PENDING) {
        count_open(tally, &dom, "domain", rc, &why);
        rc = 0;
    }
    if (rc && err)
        *err = why;
    return rc;
}

/* Of one name or uuid, or with dom NULL all; count_r: how many there were. */
static int settle_creations(xlcfg_ctx *ctx, const char *dom, bool dry_run,
                            struct tally *tally, size_t *count_r,
                            xlcfg_error *err)
{
    struct xlcfg__creations list = { 0 };
    xlcfg__state *st;
    int rc;

    *count_r = 0;
    rc = xlcfg__state_open(ctx->state_dir, false, ctx->lock_ms, &st, err);
    if (rc)
        return rc == XLCFG_ERROR_NOTFOUND ? 0 : rc;
    rc = xlcfg__state_creations(st, ctx->conn->drv.name, &list, err);
    xlcfg__state_close(st);
    for (size_t i = 0; !rc && i < list.count; i++) {
        if (dom && strcmp(dom, list.v[i].uuid) &&
            strcmp(dom, list.v[i].name ? list.v[i].name : ""))
            continue;
        ++*count_r;
        rc = settle_creation(ctx, &list.v[i], dry_run, tally, err);
    }
    xlcfg__creations_dispose(&list);
    return rc;
}

static int settle_all(xlcfg_ctx *ctx, bool dry_run, struct tally *tally,
                      xlcfg_error *err)
{
    struct xlcfg_domains list = { 0 };
    int rc;

    rc = xlcfg__list_take(ctx, &list, NULL, NULL, err);
    for (size_t i = 0; i < list.count && !rc; i++) {
        /* of one that does not run, only where something keeps it */
        if ((list.v[i].domid < 0 &&
             ctx->conn->drv.home != XLCFG_HOME_BACKEND) ||
            !list.v[i].uuid[0])
            continue;
        rc = settle_domain(ctx, list.v[i].uuid, dry_run, tally, err);
        if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
            rc = 0;             /* it ended since it was listed */
    }
    xlcfg__domains_dispose(&list);
    return rc;
}

int xlcfg_settle(xlcfg_ctx *ctx, const char *dom, bool dry_run,
                 xlcfg_doc **doc_r, xlcfg_error *err)
{
    struct tally tally = { 0 };
    xlcfg__members m = { 0 };
    size_t made;
    int rc;

    rc = settle_creations(ctx, dom, dry_run, &tally, &made, err);
    if (!rc)
        rc = dom ? settle_domain(ctx, dom, dry_run, &tally, err)
                 : settle_all(ctx, dry_run, &tally, err);
    /* a creation that came to nothing leaves no domain to look at */
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND && made)
        rc = 0;
    ctx->conn->drv.finish(ctx->conn->handle);
    /* an owner killed between the end of its intent and of its lock */
    if (!rc && !dry_run)
        rc = xlcfg__lock_sweep(ctx->state_dir, "intent-", err);
    if (rc) {
        xlcfg__items_dispose(&tally.steps);
        xlcfg__items_dispose(&tally.open);
        return rc;
    }
    xlcfg__members_add(&m, "steps", xlcfg__items_end(&tally.steps));
    xlcfg__members_add(&m, "open", xlcfg__items_end(&tally.open));
    xlcfg__members_add(&m, "pending", xlcfg__doc_int(tally.pending));
    xlcfg__members_add(&m, "failed", xlcfg__doc_int(tally.failed));
    *doc_r = xlcfg__members_end(&m);
    return *doc_r ? 0 : xlcfg__nomem(err);
}
