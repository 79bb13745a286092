/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attach and detach: checked, recorded, done, looked at, and closed. */
#include "ops/plug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define USUAL_WAIT_MS 10000
/* A backend without a script is ready a moment after libxl is done. */
#define READY_MS 5000
#define READY_STEP_MS 50

struct plug {
    xlcfg_ctx *ctx;
    xlcfg_plug_options opt;
    char uuid[37];
    struct xlcfg__sight sight;
    struct xlcfg_intents mine;          /* one at most */
    struct xlcfg_intent *in;            /* it; NULL: none */
    xlcfg__lock *owner;
    xlcfg__items steps;
};

static void plug_end(struct plug *p)
{
    xlcfg__sight_dispose(&p->sight);
    xlcfg__intents_dispose(&p->mine);
    xlcfg__lock_drop(p->owner);
    xlcfg__items_dispose(&p->steps);
}

static int look(struct plug *p, xlcfg_error *err)
{
    xlcfg__sight_dispose(&p->sight);
    return xlcfg__sight_clear(p->ctx, p->uuid, &p->sight, err);
}

/* The first look, and what every act asks of the domain. */
static int plug_begin(struct plug *p, xlcfg_ctx *ctx, const char *dom,
                      const xlcfg_plug_options *opt, xlcfg_error *err)
{
    const char *version;
    int rc;

    *p = (struct plug){ .ctx = ctx, .opt = XLCFG_PLUG_OPTIONS_INIT };
    if (opt)
        memcpy(&p->opt, opt, opt->size < sizeof(p->opt) ? opt->size
                                                        : sizeof(p->opt));
    rc = xlcfg__sight_clear(ctx, dom, &p->sight, err);
    if (rc)
        return rc;
    strcpy(p->uuid, p->sight.cut.dom.uuid);
    if (!p->uuid[0] || p->sight.cut.dom.domid < 0)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, dom,
                          "it is not running, or has no uuid");
    version = xlcfg_doc_string(xlcfg_doc_get(p->sight.doc, "version"));
    if (p->opt.if_version &&
        (!version || strcmp(version, p->opt.if_version)))
        return xlcfg__err(err, XLCFG_ERROR_CONFLICT, dom,
                          "its version is %s, not %.64s",
                          version ? version : "not known",
                          p->opt.if_version);
    return 0;
}

static int able(struct plug *p, enum xlcfg_kind kind, enum xlcfg_action act,
                xlcfg_error *err)
{
    char reason[256] = "this driver cannot";

    if (p->ctx->conn->drv.can(p->ctx->conn->handle, kind, act, reason,
                              sizeof(reason)))
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_NI, xlcfg__kinds[kind].name, "%s",
                      reason);
}

static const xlcfg_doc *device_of(const struct plug *p, const char *key)
{
    const xlcfg_doc *list = xlcfg_doc_get(p->sight.doc, "devices");

    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const char *k = xlcfg__doc_getstr(xlcfg_doc_at(list, i), "key");

        if (k && !strcmp(k, key))
            return xlcfg_doc_at(list, i);
    }
    return NULL;
}

static int64_t incarnation_of(const struct plug *p, const char *key)
{
    return xlcfg__doc_to_int(xlcfg_doc_get(device_of(p, key),
                                           "incarnation"), 0);
}

/* ---- intents ---- */

/* Recorded and owned, and nothing touched yet. */
static int record(struct plug *p, enum xlcfg_op op, enum xlcfg_kind kind,
                  const struct xlcfg_ident *id, const xlcfg_doc *before,
                  const xlcfg_doc *after, xlcfg_error *err)
{
    const char *run = p->sight.cut.dom.run;
    int rc;

    p->in = xlcfg__intents_add(&p->mine);
    if (!p->in)
        return xlcfg__nomem(err);
    *p->in = (struct xlcfg_intent){
        .op = op, .phase = XLCFG_PHASE_PREPARED, .kind = kind,
        .key = strdup(id->key), .match = strdup(id->match),
        .before = xlcfg_doc_ref(before), .after = xlcfg_doc_ref(after),
        .since = (int64_t)time(NULL),
        .incarnation = incarnation_of(p, id->key),
        .domain = run ? strdup(run) : NULL,
    };
    if (!p->in->key || !p->in->match || (run && !p->in->domain))
        return xlcfg__nomem(err);
    rc = xlcfg__intent_save(p->ctx, p->uuid, p->in, err);
    if (!rc)
        rc = xlcfg__intent_own(p->ctx, p->in->id, p->ctx->lock_ms,
                               &p->owner, err);
    /* somebody who settles may have come in between and closed it */
    if (!rc)
        rc = xlcfg__intent_phase(p->ctx, p->uuid, p->in, XLCFG_PHASE_ACTING,
                                 NULL, err);
    return rc;
}

/*
 * An intent that is open under this match: made ours, and settled unless it
 * is an unplug that is to go on.  0 with p->in NULL: there is none any more.
 */
static int take_over(struct plug *p, const char *match, bool detaching,
                     xlcfg_error *err)
{
    struct xlcfg_intent *open = xlcfg__sight_intent(&p->sight, match);
    int64_t id;
    int rc;

    if (!open || p->opt.dry_run)
        return 0;
    id = open->id;
    rc = xlcfg__intent_own(p->ctx, id, 0, &p->owner, err);
    if (rc == XLCFG_ERROR_LOCK_FAIL)
        return xlcfg__err(err, rc, open->key,
                          "another process works on this device");
    if (!rc)
        rc = look(p, err);
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
    *open = (struct xlcfg_intent){ .kind = p->in->kind, .match = strdup("") };
    if (!open->match)
        return xlcfg__nomem(err);
    if (detaching && p->in->op == XLCFG_OP_DETACH)
        return xlcfg__intent_phase(p->ctx, p->uuid, p->in,
                                   XLCFG_PHASE_ACTING, NULL, err);
    rc = xlcfg__settle_one(p->ctx, &p->sight, p->in, 0, false, &p->steps,
                           err);
    xlcfg__lock_drop(p->owner);
    p->owner = NULL;
    p->in = NULL;
    xlcfg__intents_dispose(&p->mine);
    return rc ? rc : look(p, err);
}

/* ---- answers ---- */

static int answer(struct plug *p, xlcfg_doc *device, xlcfg_doc **doc_r,
                  xlcfg_error *err)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "version",
                       xlcfg_doc_ref(xlcfg_doc_get(p->sight.doc,
                                                   "version")));
    xlcfg__members_add(&m, "device", device);
    *doc_r = xlcfg__members_end(&m);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

/* A device that get does not list (any more, or yet). */
static xlcfg_doc *bare_device(const struct xlcfg_ident *id,
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

/* ---- attach ---- */

static int check_free(struct plug *p, enum xlcfg_kind kind,
                      const struct xlcfg_ident *id, xlcfg_error *err)
{
    const struct xlcfg_dev *dev;

    if (!id->key[0] || !id->match[0])
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL,
                          "the body does not say which %s it is",
                          xlcfg__kinds[kind].name);
    switch (xlcfg__sight_live(&p->sight, kind, id->match, &dev)) {
    case XLCFG_LIVE_ABSENT:
        return 0;
    case XLCFG_LIVE_UNKNOWN:
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, id->key,
                          "whether there is one already cannot be seen");
    default:
        return xlcfg__err(err, XLCFG_ERROR_DEVICE_EXISTS, id->key,
                          "there is such a device already (%s)",
                          xlcfg__live_name(dev->live));
    }
}

static int choose(struct plug *p, enum xlcfg_kind kind,
                  const xlcfg_doc *body, struct xlcfg_ident *id,
                  xlcfg_doc **body_r, xlcfg_error *err)
{
    int rc;

    xlcfg__key_of(kind, body, id);
    if (id->match[0]) {
        rc = take_over(p, id->match, false, err);
        if (rc)
            return rc;
    }
    rc = p->ctx->conn->drv.prepare(p->ctx->conn->handle, &p->sight.cut.dom,
                                   kind, body, &p->sight.cut.live, body_r,
                                   err);
    if (rc)
        return rc;
    xlcfg__key_of(kind, *body_r, id);
    return check_free(p, kind, id, err);
}

/* Look until the backend is ready, for a while. */
static int look_until_ready(struct plug *p, unsigned ms,
                            enum xlcfg_live *live_r, xlcfg_error *err)
{
    static const struct timespec step = { 0, READY_STEP_MS * 1000000 };
    int rc;

    for (unsigned waited = 0;; waited += READY_STEP_MS) {
        rc = look(p, err);
        if (rc)
            return rc;
        *live_r = xlcfg__sight_live(&p->sight, p->in->kind, p->in->match,
                                    NULL);
        if (*live_r != XLCFG_LIVE_COMING || waited >= ms)
            return 0;
        nanosleep(&step, NULL);
    }
}

/* It failed: back to where it was.  err has the reason and keeps it. */
static int roll_back(struct plug *p, xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    size_t len = strnlen(err->message, 500);
    int rc;

    rc = xlcfg__settle_one(p->ctx, &p->sight, p->in, 0, false, &p->steps,
                           &why);
    if (!rc)
        rc = look(p, &why);
    if (rc)
        snprintf(err->message + len, sizeof(err->message) - len,
                 "; not all could be taken back: %.400s", why.message);
    else
        snprintf(err->message + len, sizeof(err->message) - len,
                 "; taken back");
    err->code = XLCFG_ERROR_REFUSED;
    return err->code;
}

/* What the act came to; why is what the driver said, code 0 for nothing. */
static int judge_attach(struct plug *p, xlcfg_error *why, xlcfg_error *err)
{
    enum xlcfg_live live;
    int rc;

    if (why->code == XLCFG_ERROR_UNREACHABLE) {
        if (err)
            *err = *why;
        return why->code;
    }
    if (why->code == XLCFG_ERROR_DEVICE_EXISTS ||
        why->code == XLCFG_ERROR_INVAL) {
        /* nothing was done; what is there is somebody else's */
        rc = xlcfg__intent_end(p->ctx, p->in->id, err);
        if (!rc && err)
            *err = *why;
        return rc ? rc : why->code;
    }
    rc = look_until_ready(p, why->code ? 0 : READY_MS, &live, err);
    if (rc)
        return rc;
    if (live == XLCFG_LIVE_PRESENT)
        return xlcfg__settle_one(p->ctx, &p->sight, p->in, 0, false,
                                 &p->steps, err);
    if (!why->code && live == XLCFG_LIVE_COMING) {
        rc = xlcfg__intent_phase(p->ctx, p->uuid, p->in,
                                 XLCFG_PHASE_WAITING,
                                 "its backend is not ready", err);
        return rc ? rc : xlcfg__err(err, XLCFG_ERROR_PENDING, p->in->key,
                                    "its backend is not ready yet");
    }
    if (!why->code)
        xlcfg__err(why, XLCFG_ERROR_REFUSED, p->in->key,
                   "the backend did not take it: it is %s",
                   xlcfg__live_name(live));
    rc = roll_back(p, why);
    if (err)
        *err = *why;
    return rc;
}

static int attach(struct plug *p, enum xlcfg_kind kind,
                  const xlcfg_doc *body, xlcfg_doc **doc_r,
                  xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    const xlcfg_doc *device;
    struct xlcfg_ident id;
    xlcfg_doc *whole = NULL;
    int rc;

    rc = choose(p, kind, body, &id, &whole, err);
    if (!rc && p->opt.dry_run) {
        rc = answer(p, bare_device(&id, kind, "attaching", whole), doc_r,
                    err);
        xlcfg_doc_free(whole);
        return rc;
    }
    if (!rc)
        rc = record(p, XLCFG_OP_ATTACH, kind, &id, NULL, whole, err);
    if (!rc) {
        why.code = p->ctx->conn->drv.attach(p->ctx->conn->handle,
                                            &p->sight.cut.dom, kind, whole,
                                            &why);
        rc = judge_attach(p, &why, err);
    }
    xlcfg_doc_free(whole);
    if (!rc)
        rc = look(p, err);
    if (rc)
        return rc;
    device = device_of(p, id.key);
    return answer(p, device ? xlcfg_doc_ref(device)
                  : bare_device(&id, kind, "detached", NULL), doc_r, err);
}

int xlcfg_device_attach(xlcfg_ctx *ctx, const char *dom, const char *kind,
                        const xlcfg_doc *body, const xlcfg_plug_options *opt,
                        xlcfg_doc **doc_r, xlcfg_error *err)
{
    enum xlcfg_kind k = xlcfg__kind_by_name(kind);
    struct plug p;
    int rc;

    if (k == XLCFG_KINDS)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, kind,
                          "no such kind of device");
    if (xlcfg_doc_kind(body) != XLCFG_DOC_OBJECT)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL,
                          "expected an object: the body of a %s", kind);
    rc = plug_begin(&p, ctx, dom, opt, err);
    if (!rc)
        rc = able(&p, k, XLCFG_ACT_ATTACH, err);
    if (!rc)
        rc = attach(&p, k, body, doc_r, err);
    plug_end(&p);
    return rc;
}

/* ---- detach ---- */

static const struct xlcfg_row *row_of(const struct plug *p, const char *key)
{
    for (size_t i = 0; i < p->sight.answer.count; i++)
        if (!strcmp(p->sight.answer.rows[i].key, key))
            return &p->sight.answer.rows[i];
    return NULL;
}

/* Which device it is: by what is there, or by the template's ghost of it. */
static int find_device(struct plug *p, const char *key,
                       struct xlcfg_ident *id, const xlcfg_doc **body_r,
                       xlcfg_error *err)
{
    const struct xlcfg_row *row = row_of(p, key);

    if (!row || (row->live == XLCFG_LIVE_ABSENT && !row->in_template &&
                 !row->intent))
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, key,
                          "there is no such device");
    *body_r = row->live_body ? row->live_body : row->body;
    if (!*body_r)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, key,
                          "what it is cannot be seen");
    xlcfg__key_of(row->kind, *body_r, id);
    if (!id->match[0])
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, key,
                          "it cannot be told apart");
    return 0;
}

static int judge_detach(struct plug *p, xlcfg_error *why, xlcfg_error *err)
{
    struct xlcfg_intent *in = p->in;
    enum xlcfg_live live;
    int rc;

    if (why->code == XLCFG_ERROR_UNREACHABLE) {
        if (err)
            *err = *why;
        return why->code;
    }
    rc = look(p, err);
    if (rc)
        return rc;
    live = xlcfg__sight_live(&p->sight, in->kind, in->match, NULL);
    if (live == XLCFG_LIVE_ABSENT)
        return xlcfg__settle_one(p->ctx, &p->sight, in, 0, false, &p->steps,
                                 err);
    if (why->code && why->code != XLCFG_ERROR_PENDING &&
        live == XLCFG_LIVE_PRESENT) {
        rc = xlcfg__intent_phase(p->ctx, p->uuid, in, XLCFG_PHASE_REFUSED,
                                 why->message, err);
        why->code = XLCFG_ERROR_REFUSED;
    } else {
        if (!why->code || live != XLCFG_LIVE_LEAVING)
            xlcfg__err(why, XLCFG_ERROR_PENDING, in->key,
                       "its unplug was asked for, it is still there (%s)",
                       xlcfg__live_name(live));
        rc = xlcfg__intent_phase(p->ctx, p->uuid, in, XLCFG_PHASE_WAITING,
                                 why->message, err);
        why->code = XLCFG_ERROR_PENDING;
    }
    if (!rc)
        (void)look(p, NULL);    /* the state is a version of its own */
    if (!rc && err)
        *err = *why;
    return rc ? rc : why->code;
}

static int detach(struct plug *p, enum xlcfg_kind kind, const char *key,
                  xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    const xlcfg_doc *body;
    struct xlcfg_ident id;
    int rc;

    rc = find_device(p, key, &id, &body, err);
    if (!rc && p->opt.dry_run)
        return answer(p, bare_device(&id, kind, "detaching", body), doc_r,
                      err);
    if (!rc)
        rc = take_over(p, id.match, true, err);
    if (!rc)
        rc = find_device(p, key, &id, &body, err);
    if (!rc && !p->in)
        rc = record(p, XLCFG_OP_DETACH, kind, &id, body, NULL, err);
    if (!rc && xlcfg__sight_live(&p->sight, kind, id.match, NULL) !=
        XLCFG_LIVE_ABSENT)
        why.code = p->ctx->conn->drv.detach(
            p->ctx->conn->handle, &p->sight.cut.dom, kind, p->in->before,
            p->opt.force ? XLCFG_DETACH_FORCE : 0,
            p->opt.wait_ms ? p->opt.wait_ms : USUAL_WAIT_MS, &why);
    if (!rc)
        rc = judge_detach(p, &why, err);
    if (!rc)
        rc = look(p, err);
    return rc ? rc : answer(p, bare_device(&id, kind, "detached", NULL),
                            doc_r, err);
}

int xlcfg_device_detach(xlcfg_ctx *ctx, const char *dom, const char *key,
                        const xlcfg_plug_options *opt, xlcfg_doc **doc_r,
                        xlcfg_error *err)
{
    enum xlcfg_kind kind = xlcfg__key_kind(key);
    struct plug p;
    int rc;

    if (kind == XLCFG_KINDS)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, key,
                          "expected a device key such as disk/xvdb");
    rc = plug_begin(&p, ctx, dom, opt, err);
    if (!rc)
        rc = able(&p, kind, XLCFG_ACT_DETACH, err);
    if (!rc)
        rc = detach(&p, kind, key, doc_r, err);
    plug_end(&p);
    return rc;
}
