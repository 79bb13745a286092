/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every act on a device does before and after the act itself. */
#include "ops/plug.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A backend without a script is ready a moment after libxl is done: looked
 * for in steps that grow to this. */
#define READY_STEP_MS 50
/* That it was not ready by then is for others to see. */
#define READY_SEEN_MS 40

void xlcfg__plug_end(struct xlcfg__plug *p)
{
    p->ctx->conn->drv.finish(p->ctx->conn->handle);
    xlcfg__sight_dispose(&p->sight);
    xlcfg__intents_dispose(&p->mine);
    xlcfg__lock_drop(p->owner);
    xlcfg__items_dispose(&p->steps);
}

int xlcfg__plug_look(struct xlcfg__plug *p, xlcfg_error *err)
{
    xlcfg__sight_dispose(&p->sight);
    return xlcfg__sight_clear(p->ctx, p->uuid, &p->sight, err);
}

int xlcfg__plug_peek(struct xlcfg__plug *p, xlcfg_error *err)
{
    int rc;

    xlcfg__sight_dispose(&p->sight);
    rc = xlcfg__cut_take(p->ctx, p->uuid, &p->sight.cut, err);
    if (!rc && p->sight.cut.blind)
        rc = xlcfg__cut_blind(p->ctx, &p->sight.cut, p->uuid, err);
    return rc;
}

int xlcfg__plug_peek_held(struct xlcfg__plug *p, xlcfg_error *err)
{
    const struct xlcfg_ctx *ctx = p->ctx;
    xlcfg__lock *lock = NULL;
    int rc;

    if (ctx->conn->drv.home == XLCFG_HOME_LIBXL)
        (void)xlcfg__template_lock(ctx->xen_lib_dir, p->sight.cut.dom.domid,
                                   p->uuid, ctx->lock_ms, &lock, NULL);
    rc = xlcfg__plug_peek(p, err);
    if (rc)
        xlcfg__lock_drop(lock);
    else
        p->sight.cut.held = lock;
    return rc;
}

static int check_able(const xlcfg_ctx *ctx, enum xlcfg_kind kind,
                      enum xlcfg_action act, xlcfg_error *err)
{
    char reason[256] = "this driver cannot";

    if (ctx->conn->drv.can(ctx->conn->handle, kind, act, reason,
                           sizeof(reason)))
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_NI, xlcfg__kinds[kind].name, "%s",
                      reason);
}

int xlcfg__plug_kind(const char *key, enum xlcfg_kind *kind_r,
                     xlcfg_error *err)
{
    *kind_r = xlcfg__key_kind(key);
    return *kind_r != XLCFG_KINDS ? 0
        : xlcfg__err(err, XLCFG_ERROR_INVAL, key,
                     "expected a device key such as disk/xvdb");
}

int xlcfg__plug_begin(struct xlcfg__plug *p, xlcfg_ctx *ctx, const char *dom,
                      enum xlcfg_kind kind, enum xlcfg_action act,
                      const xlcfg_plug_options *opt, xlcfg_error *err)
{
    const char *version;
    int rc;

    *p = (struct xlcfg__plug){ .ctx = ctx, .opt = XLCFG_PLUG_OPTIONS_INIT };
    if (opt)
        memcpy(&p->opt, opt, opt->size < sizeof(p->opt) ? opt->size
                                                        : sizeof(p->opt));
    if (p->opt.if_incarnation < -1)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "if_incarnation",
                          "expected a number from 1, or -1 for none");
    if (act == XLCFG_ACT_DETACH && !p->opt.dry_run && !ctx->lost)
        ctx->conn->drv.ready(ctx->conn->handle);
    rc = xlcfg__sight_clear(ctx, dom, &p->sight, err);
    if (rc)
        return rc;
    strcpy(p->uuid, p->sight.cut.dom.uuid);
    if (!p->uuid[0] || p->sight.cut.dom.domid < 0)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, dom, "%s",
                          p->uuid[0] ? "it is not running"
                          : "it has no uuid to note the act under");
    version = xlcfg__doc_getstr(p->sight.doc, "version");
    if (p->opt.if_version &&
        (!version || strcmp(version, p->opt.if_version)))
        return xlcfg__conflict(ctx, p->sight.doc, p->opt.if_version, dom,
                               err);
    return check_able(ctx, kind, act, err);
}

int xlcfg__plug_unlocked(struct xlcfg__plug *p, xlcfg_error *err)
{
    const struct xlcfg_ctx *ctx = p->ctx;
    xlcfg__lock *lock = NULL;
    int rc;

    if (ctx->conn->drv.home != XLCFG_HOME_LIBXL || p->opt.dry_run)
        return 0;
    rc = xlcfg__template_lock(ctx->xen_lib_dir, p->sight.cut.dom.domid,
                              p->uuid, ctx->lock_ms, &lock, err);
    xlcfg__lock_drop(lock);
    return rc;
}

int xlcfg__plug_check(struct xlcfg__plug *p, enum xlcfg_kind kind,
                      const xlcfg_doc *body, xlcfg_error *err)
{
    const struct xlcfg_conn *conn = p->ctx->conn;
    int rc = conn->drv.check(conn->handle, kind, body, err);

    return rc ? rc : xlcfg__plug_unlocked(p, err);
}

const xlcfg_doc *xlcfg__plug_device(const struct xlcfg__plug *p,
                                    const char *key)
{
    const xlcfg_doc *list = xlcfg_doc_get(p->sight.doc, "devices");

    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const char *k = xlcfg__doc_getstr(xlcfg_doc_at(list, i), "key");

        if (k && !strcmp(k, key))
            return xlcfg_doc_at(list, i);
    }
    return NULL;
}

/* ---- intents ---- */

static int own(void *arg, int64_t id, xlcfg_error *err)
{
    struct xlcfg__plug *p = arg;

    return xlcfg__intent_own(p->ctx, id, 0, &p->owner, err);
}

static int begin_intent(struct xlcfg__plug *p, xlcfg_error *err)
{
    struct xlcfg__condition cond = {
        .version = p->opt.if_version, .known = &p->sight.cut.intents,
        .incarnation = p->opt.if_incarnation,
    };
    xlcfg_error why = XLCFG_ERROR_INIT;
    xlcfg__state *st;
    int rc;

    rc = xlcfg__store(p->ctx, true, &st, &why);
    if (!rc)
        rc = xlcfg__state_intent_begin(st, p->ctx->conn->drv.name, p->uuid,
                                       p->in, &cond, own, p, &why);
    if (!rc)
        return 0;
    if (rc != XLCFG_ERROR_CONFLICT)
        xlcfg__store_drop(p->ctx, true);
    xlcfg__lock_drop(p->owner);
    p->owner = NULL;
    p->in = NULL;
    xlcfg__intents_dispose(&p->mine);
    /* the winner may have been quicker than the store's own words say */
    if (rc == XLCFG_ERROR_CONFLICT && p->opt.if_version &&
        !xlcfg__plug_look(p, NULL))
        return xlcfg__conflict(p->ctx, p->sight.doc, p->opt.if_version,
                               p->uuid, err);
    xlcfg__err_give(err, &why);
    return rc;
}

int xlcfg__plug_record(struct xlcfg__plug *p, enum xlcfg_op op,
                       enum xlcfg_kind kind, const struct xlcfg_ident *id,
                       const xlcfg_doc *before, const xlcfg_doc *after,
                       xlcfg_error *err)
{
    const xlcfg_doc *dev = xlcfg__plug_device(p, id->key);
    const char *run = p->sight.cut.dom.run;

    p->in = xlcfg__intents_add(&p->mine);
    if (!p->in)
        return xlcfg__nomem(err);
    *p->in = (struct xlcfg_intent){
        .op = op, .phase = XLCFG_PHASE_ACTING, .kind = kind,
        .key = strdup(id->key), .match = strdup(id->match),
        .before = xlcfg_doc_ref(before), .after = xlcfg_doc_ref(after),
        .since = (int64_t)time(NULL), .attempts = 1,
        .incarnation = xlcfg__doc_to_int(xlcfg_doc_get(dev, "incarnation"),
                                         0),
        .domain = run ? strdup(run) : NULL,
        .resets = op == XLCFG_OP_DETACH && p->opt.reset_address,
    };
    if (!p->in->key || !p->in->match || (run && !p->in->domain)) {
        p->in = NULL;
        return xlcfg__nomem(err);
    }
    return begin_intent(p, err);
}

void xlcfg__plug_hold(const struct xlcfg__plug *p)
{
    const struct xlcfg_conn *conn = p->ctx->conn;

    conn->drv.hold(conn->handle, xlcfg__lock_fd(p->owner));
}

int xlcfg__plug_outrun(struct xlcfg__plug *p, int i, int rc,
                       xlcfg_error *err)
{
    if (rc != XLCFG_ERROR_LOCK_FAIL || i == XLCFG__PLUG_TRIES)
        return rc;
    return xlcfg__plug_look(p, err);
}

/* It has a living owner. */
static int busy(struct xlcfg__plug *p, const char *key, xlcfg_error *err)
{
    bool cond = p->opt.if_version || p->opt.if_incarnation;

    return xlcfg__err(err, cond ? XLCFG_ERROR_CONFLICT
                      : XLCFG_ERROR_LOCK_FAIL, key,
                      "another process works on this device");
}

int xlcfg__plug_take_over(struct xlcfg__plug *p, const char *match,
                          bool detaching, xlcfg_error *err)
{
    struct xlcfg_intent *open = xlcfg__sight_intent(&p->sight, match);
    bool cond = p->opt.if_version || p->opt.if_incarnation;
    int64_t id;
    int rc;

    if (!open || p->opt.dry_run)
        return 0;
    id = open->id;
    rc = xlcfg__intent_own(p->ctx, id, cond ? 0 : p->ctx->lock_ms, &p->owner,
                           err);
    if (rc == XLCFG_ERROR_LOCK_FAIL)
        return busy(p, open->key, err);
    if (!rc)
        rc = xlcfg__plug_look(p, err);
    open = rc ? NULL : xlcfg__sight_intent(&p->sight, match);
    if (rc || !open || open->id != id) {
        xlcfg__lock_drop(p->owner);
        p->owner = NULL;
        return rc;
    }
    p->in = xlcfg__intents_add(&p->mine);
    if (!p->in)
        return xlcfg__nomem(err);
    *p->in = *open;
    *open = (struct xlcfg_intent){ .kind = p->in->kind, .id = id,
                                   .match = strdup("") };
    if (!open->match)
        return xlcfg__nomem(err);
    if (detaching && p->in->op == XLCFG_OP_DETACH && p->opt.reset_address)
        p->in->resets = true;
    p->went_on = detaching && p->in->op == XLCFG_OP_DETACH;
    p->was_asked = p->went_on && p->in->phase == XLCFG_PHASE_WAITING;
    if (p->went_on)
        return xlcfg__intent_phase(p->ctx, p->uuid, p->in,
                                   XLCFG_PHASE_ACTING, NULL, err);
    rc = xlcfg__settle_one(p->ctx, &p->sight, p->in, 0, false, &p->steps,
                           err);
    xlcfg__lock_drop(p->owner);
    p->owner = NULL;
    p->in = NULL;
    xlcfg__intents_dispose(&p->mine);
    return rc;
}

int xlcfg__plug_gone(struct xlcfg__plug *p, xlcfg_error *err)
{
    int rc = xlcfg__intent_end(p->ctx, p->in->id, err);

    return rc ? rc : xlcfg__err(err, XLCFG_ERROR_DOMAIN_NOTFOUND, p->uuid,
                                "the domain went away meanwhile");
}

int xlcfg__plug_until_ready(struct xlcfg__plug *p, unsigned ms,
                            enum xlcfg_live *live_r, xlcfg_error *err)
{
    unsigned waited = 0, step = 2;
    bool seen = false, see;
    int rc;

    for (;; waited += step, step *= 2) {
        see = !seen && waited >= READY_SEEN_MS;
        rc = see ? xlcfg__plug_look(p, err) : xlcfg__plug_peek(p, err);
        if (rc)
            return rc;
        seen = seen || see;
        *live_r = xlcfg__sight_live_of(&p->sight, p->in, NULL);
        if (*live_r != XLCFG_LIVE_COMING || waited >= ms)
            return 0;
        step = step < READY_STEP_MS ? step : READY_STEP_MS;
        nanosleep(&(struct timespec){ 0, step * 1000000L }, NULL);
    }
}

/* ---- which device ---- */

static const struct xlcfg_row *row_of(const struct xlcfg__plug *p,
                                      const char *key)
{
    for (size_t i = 0; i < p->sight.answer.count; i++)
        if (!strcmp(p->sight.answer.rows[i].key, key))
            return &p->sight.answer.rows[i];
    return NULL;
}

/* A second one of a MAC has a number behind it, which its body does not say. */
static void be_twin(const struct xlcfg_row *row, struct xlcfg_ident *id)
{
    size_t len = strlen(id->key);

    if (row->kind != XLCFG_KIND_NIC || strncmp(row->key, id->key, len) ||
        row->key[len] != '.' || strlen(row->key) >= sizeof(id->key))
        return;
    strcpy(id->key, row->key);
    strcpy(id->match, row->key);
}

int xlcfg__plug_find(struct xlcfg__plug *p, const char *key,
                     struct xlcfg_ident *id, const xlcfg_doc **body_r,
                     xlcfg_error *err)
{
    const struct xlcfg_row *row = row_of(p, key);

    if (!row || (row->live == XLCFG_LIVE_ABSENT && !row->in_template &&
                 !row->intent))
        return xlcfg__err(err, p->opt.if_incarnation ? XLCFG_ERROR_CONFLICT
                          : XLCFG_ERROR_NOTFOUND, key,
                          "there is no such device");
    *body_r = row->live_body ? row->live_body : row->body;
    if (!*body_r)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, key,
                          "what it is cannot be seen");
    xlcfg__key_of(row->kind, *body_r, id);
    if (!id->match[0])
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, key,
                          "it cannot be told apart");
    be_twin(row, id);
    return 0;
}

/* ---- answers ---- */

int xlcfg__plug_answer(struct xlcfg__plug *p, xlcfg_doc *device,
                       xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "version",
                       xlcfg_doc_ref(xlcfg_doc_get(p->sight.doc,
                                                   "version")));
    xlcfg__members_add(&m, "device", device);
    *doc_r = xlcfg__members_end(&m);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

xlcfg_doc *xlcfg__plug_bare(const struct xlcfg_ident *id,
                            enum xlcfg_kind kind, const char *state,
                            const xlcfg_doc *body)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "key", xlcfg__doc_str(id->key));
    xlcfg__members_add(&m, "kind", xlcfg__doc_str(xlcfg__kinds[kind].name));
    xlcfg__members_add(&m, "state", xlcfg__doc_str(state));
    if (body)
        xlcfg__members_add(&m, "body", xlcfg_doc_ref(body));
    return xlcfg__members_end(&m);
}
