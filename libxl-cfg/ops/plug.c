/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attach and detach: checked, recorded, done, looked at, and closed. */
#include "ops/plug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_WAIT_MS 10000

/* ---- attach ---- */

static int check_free(struct xlcfg__plug *p, enum xlcfg_kind kind,
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
        return xlcfg__err(err, p->opt.if_incarnation ? XLCFG_ERROR_CONFLICT
                          : XLCFG_ERROR_DEVICE_EXISTS, id->key,
                          "there is such a device already (%s)",
                          xlcfg__live_name(dev->live));
    }
}

/* One more name that is not to be given, unless the view has it already. */
static void keep_off(struct xlcfg_view *view, enum xlcfg_kind kind,
                     const char *key, const char *match)
{
    for (size_t i = 0; i < view->count; i++)
        if (!strcmp(view->devs[i].match, match))
            return;
    view->devs[view->count++] = (struct xlcfg_dev){
        .kind = kind, .live = XLCFG_LIVE_UNKNOWN, .key = key, .match = match,
    };
}

/*
 * The live view to choose a number by: what the template alone has, and what
 * an intent is open for, is in it as unknown, but for the device's own ghost.
 * Only its array is the caller's, to be freed; the rest is the sight's.  A
 * backend that keeps templates of its own looks into them itself.
 */
static int view_of_taken(const struct xlcfg__plug *p,
                         const struct xlcfg_ident *id,
                         struct xlcfg_view *view, xlcfg_error *err)
{
    const struct xlcfg__cut *cut = &p->sight.cut;
    size_t most = cut->live.count + cut->tmpl.count + cut->intents.count;
    bool asked = p->ctx->conn->drv.home == XLCFG_HOME_LIBXL;

    *view = cut->live;
    view->devs = calloc(most + 1, sizeof(*view->devs));
    if (!view->devs)
        return xlcfg__nomem(err);
    if (cut->live.count)
        memcpy(view->devs, cut->live.devs,
               cut->live.count * sizeof(*view->devs));
    for (size_t i = 0; asked && cut->template && i < cut->tmpl.count; i++) {
        const struct xlcfg_dev *dev = &cut->tmpl.devs[i];

        if (!dev->alt || !id->alt[0] || strcmp(dev->alt, id->alt))
            keep_off(view, dev->kind, dev->key, dev->match);
    }
    for (size_t i = 0; asked && i < cut->intents.count; i++) {
        const struct xlcfg_intent *in = &cut->intents.v[i];

        if (in->key && in->match)
            keep_off(view, in->kind, in->key, in->match);
    }
    return 0;
}

static int choose(struct xlcfg__plug *p, enum xlcfg_kind kind,
                  const xlcfg_doc *body, struct xlcfg_ident *id,
                  xlcfg_doc **body_r, xlcfg_error *err)
{
    struct xlcfg__addresses book;
    struct xlcfg_view taken;
    int rc;

    xlcfg__key_of(kind, body, id);
    if (id->match[0]) {
        rc = xlcfg__plug_take_over(p, id->match, false, err);
        if (rc)
            return rc;
    }
    rc = xlcfg__address_book(p->ctx, p->uuid, &book, err);
    if (rc)
        return rc;
    book.any = !p->opt.unused_address;
    rc = view_of_taken(p, id, &taken, err);
    if (!rc)
        rc = p->ctx->conn->drv.prepare(p->ctx->conn->handle,
                                       &p->sight.cut.dom, kind, body, &taken,
                                       &book, body_r, err);
    free(taken.devs);
    xlcfg__addresses_dispose(&book);
    if (rc == XLCFG_ERROR_DEVICE_EXISTS && p->opt.if_incarnation) {
        if (err)
            err->code = XLCFG_ERROR_CONFLICT;
        return XLCFG_ERROR_CONFLICT;
    }
    if (rc)
        return rc;
    xlcfg__key_of(kind, *body_r, id);
    rc = check_free(p, kind, id, err);
    if (rc) {
        xlcfg_doc_free(*body_r);
        *body_r = NULL;
    }
    return rc;
}

static const struct xlcfg__edit as_it_is = { .kind = XLCFG_KINDS };

/* It failed: back to where it was.  err has the reason and keeps it. */
static void roll_back(struct xlcfg__plug *p, xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    size_t len = strnlen(err->message, 500);
    int rc;

    rc = xlcfg__settle_one(p->ctx, &p->sight, p->in, 0, false, &p->steps,
                           &why);
    if (rc)
        snprintf(err->message + len, sizeof(err->message) - len,
                 "; not all could be taken back: %.400s", why.message);
    else
        snprintf(err->message + len, sizeof(err->message) - len,
                 "; taken back");
    err->code = XLCFG_ERROR_REFUSED;
}

/* What the act came to; why is what the driver said, code 0 for nothing. */
static int judge_attach(struct xlcfg__plug *p, xlcfg_error *why,
                        xlcfg_error *err)
{
    enum xlcfg_live live;
    bool there;
    int rc;

    if (why->code == XLCFG_ERROR_UNREACHABLE)
        return xlcfg__err_give(err, why);
    if (why->code == XLCFG_ERROR_DEVICE_EXISTS ||
        why->code == XLCFG_ERROR_INVAL || why->code == XLCFG_ERROR_NI) {
        /* nothing was done; what is there is somebody else's */
        rc = xlcfg__close(p->ctx, &p->sight, p->in->id, &as_it_is, err);
        if (!rc && err)
            *err = *why;
        return rc ? rc : why->code;
    }
    /* the driver has read back that the machine took it */
    p->ctx->sure = why->code ? 0 : p->in->id;
    rc = xlcfg__plug_until_ready(p, why->code ? 0 : p->opt.wait_ms
                                 ? p->opt.wait_ms : XLCFG__PLUG_READY_MS,
                                 &live, err);
    there = !rc && live == XLCFG_LIVE_PRESENT;
    if (there)
        rc = xlcfg__settle_one(p->ctx, &p->sight, p->in, 0, false, &p->steps,
                               err);
    p->ctx->sure = 0;
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND && !there)
        return xlcfg__plug_gone(p, err);
    if (rc || there)
        return rc;
    if (!why->code && live == XLCFG_LIVE_COMING) {
        rc = xlcfg__intent_phase(p->ctx, p->uuid, p->in,
                                 XLCFG_PHASE_WAITING,
                                 "its backend is not ready", err);
        if (!rc)
            (void)xlcfg__plug_look(p, NULL);    /* it is a version */
        return rc ? rc : xlcfg__err(err, XLCFG_ERROR_PENDING, p->in->key,
                                    "its backend is not ready yet");
    }
    if (!why->code)
        xlcfg__err(why, XLCFG_ERROR_REFUSED, p->in->key,
                   "the backend did not take it: it is %s",
                   xlcfg__live_name(live));
    roll_back(p, why);
    return xlcfg__err_give(err, why);
}

/* Chosen, and the intent begun: again, when another was quicker. */
static int prepare(struct xlcfg__plug *p, enum xlcfg_kind kind,
                   const xlcfg_doc *body, struct xlcfg_ident *id,
                   xlcfg_doc **whole_r, xlcfg_error *err)
{
    int rc;

    for (int i = 0;; i++) {
        rc = choose(p, kind, body, id, whole_r, err);
        if (rc || p->opt.dry_run)
            return rc;
        rc = xlcfg__plug_record(p, XLCFG_OP_ATTACH, kind, id, NULL, *whole_r,
                                err);
        if (!rc)
            return 0;
        xlcfg_doc_free(*whole_r);
        *whole_r = NULL;
        rc = xlcfg__plug_outrun(p, i, rc, err);
        if (rc)
            return rc;
    }
}

/* Its intent is closed, as the template is; and all is looked at anew. */
static int begin_anew(struct xlcfg__plug *p, xlcfg_error *err)
{
    int rc = xlcfg__close(p->ctx, &p->sight, p->in->id, &as_it_is, err);

    if (rc)
        return rc;
    xlcfg__lock_drop(p->owner);
    p->owner = NULL;
    p->in = NULL;
    xlcfg__intents_dispose(&p->mine);
    return xlcfg__plug_look(p, err);
}

/* It is there, but not as it was to be, and is to leave: an unplug from now
 * on, that others go on with.  why says what it is not. */
static int turn_back(struct xlcfg__plug *p, enum xlcfg_kind kind,
                     const struct xlcfg_ident *id, const xlcfg_doc *body,
                     xlcfg_error *why, xlcfg_error *err)
{
    int rc = begin_anew(p, err);

    if (!rc)
        rc = xlcfg__plug_record(p, XLCFG_OP_DETACH, kind, id, body, NULL,
                                err);
    if (!rc)
        rc = xlcfg__intent_phase(p->ctx, p->uuid, p->in, XLCFG_PHASE_WAITING,
                                 why->message, err);
    if (rc)
        return rc;
    (void)xlcfg__plug_look(p, NULL);    /* it is a version */
    return xlcfg__err_give(err, why);
}

/*
 * What was chosen for it went to another at the same time: 0 when there is
 * another choice, and the intent is of that one.
 */
static int choose_again(struct xlcfg__plug *p, enum xlcfg_kind kind,
                        const xlcfg_doc *body, struct xlcfg_ident *id,
                        xlcfg_doc **whole, xlcfg_error *err)
{
    xlcfg_doc *before = *whole;
    int rc;

    *whole = NULL;
    rc = begin_anew(p, err);
    if (!rc)
        rc = prepare(p, kind, body, id, whole, err);
    if (!rc && xlcfg__doc_equal(before, *whole)) {
        rc = xlcfg__close(p->ctx, &p->sight, p->in->id, &as_it_is, err);
        if (!rc)
            rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, id->key,
                            "another device has the address asked for");
    }
    xlcfg_doc_free(before);
    return rc;
}

static int act(struct xlcfg__plug *p, enum xlcfg_kind kind,
               const xlcfg_doc *body, struct xlcfg_ident *id,
               xlcfg_doc **whole, xlcfg_error *err)
{
    for (int i = 0; i <= XLCFG__PLUG_TRIES; i++) {
        xlcfg_error why = XLCFG_ERROR_INIT;
        int rc;

        xlcfg__plug_hold(p);
        rc = p->ctx->conn->drv.attach(p->ctx->conn->handle,
                                      &p->sight.cut.dom, kind, *whole, &why);
        if (rc == XLCFG_ASKED)
            return turn_back(p, kind, id, *whole, &why, err);
        why.code = rc;
        if (why.code != XLCFG_ERROR_LOCK_FAIL || i == XLCFG__PLUG_TRIES)
            return judge_attach(p, &why, err);
        rc = choose_again(p, kind, body, id, whole, err);
        if (rc)
            return rc;
    }
    return XLCFG_ERROR_FAIL;
}

static int attach(struct xlcfg__plug *p, enum xlcfg_kind kind,
                  const xlcfg_doc *body, xlcfg_doc **doc_r,
                  xlcfg_error *err)
{
    const xlcfg_doc *device;
    struct xlcfg_ident id;
    xlcfg_doc *whole = NULL;
    int rc;

    rc = xlcfg__plug_check(p, kind, body, err);
    if (!rc)
        rc = prepare(p, kind, body, &id, &whole, err);
    if (!rc && p->opt.dry_run) {
        rc = xlcfg__plug_answer(p, xlcfg__plug_bare(&id, kind, "attaching",
                                                    whole), doc_r, err);
        xlcfg_doc_free(whole);
        return rc;
    }
    if (!rc)
        rc = act(p, kind, body, &id, &whole, err);
    xlcfg_doc_free(whole);
    if (rc)
        return rc;
    device = xlcfg__plug_device(p, id.key);
    return xlcfg__plug_answer(p, device ? xlcfg_doc_ref(device)
                              : xlcfg__plug_bare(&id, kind, "detached",
                                                 NULL), doc_r, err);
}

int xlcfg_device_attach(xlcfg_ctx *ctx, const char *dom, const char *kind,
                        const xlcfg_doc *body, const xlcfg_plug_options *opt,
                        xlcfg_doc **doc_r, xlcfg_error *err)
{
    enum xlcfg_kind k = xlcfg__kind_by_name(kind);
    struct xlcfg__plug p;
    int rc;

    if (k == XLCFG_KINDS)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, kind,
                          "no such kind of device");
    if (xlcfg_doc_kind(body) != XLCFG_DOC_OBJECT)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL,
                          "expected an object: the body of a %s", kind);
    rc = xlcfg__plug_begin(&p, ctx, dom, k, XLCFG_ACT_ATTACH, opt, err);
    if (!rc)
        rc = attach(&p, k, body, doc_r, err);
    xlcfg__plug_end(&p);
    return rc;
}

/* ---- detach ---- */

/* Nothing was asked: what was open stays so, what was begun is over. */
static int not_asked(struct xlcfg__plug *p, const xlcfg_error *why,
                     xlcfg_error *err)
{
    int rc = p->went_on
        ? xlcfg__intent_phase(p->ctx, p->uuid, p->in, XLCFG_PHASE_WAITING,
                              "its unplug was asked for before", err)
        : xlcfg__close(p->ctx, &p->sight, p->in->id, &as_it_is, err);

    if (rc)
        return rc;
    (void)xlcfg__plug_look(p, NULL);    /* it is a version */
    return xlcfg__err_give(err, why);
}

/* left: by the machine's own word. */
static int judge_detach(struct xlcfg__plug *p, bool left, xlcfg_error *why,
                        xlcfg_error *err)
{
    struct xlcfg_intent *in = p->in;
    enum xlcfg_live live;
    int rc;

    if (why->code == XLCFG_ERROR_UNREACHABLE)
        return xlcfg__err_give(err, why);
    if (why->code == XLCFG_ERROR_NI)
        return not_asked(p, why, err);
    if (left) {
        rc = xlcfg__settle_left(p->ctx, &p->sight, in, &p->steps, err);
        return rc == XLCFG_ERROR_DOMAIN_NOTFOUND ? xlcfg__plug_gone(p, err)
            : rc;
    }
    rc = xlcfg__plug_peek_held(p, err);
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
        return xlcfg__plug_gone(p, err);
    if (rc)
        return rc;
    live = xlcfg__sight_live_of(&p->sight, in, NULL);
    if (live == XLCFG_LIVE_ABSENT || p->sight.cut.dom.domid < 0)
        return xlcfg__settle_one(p->ctx, &p->sight, in, 0, false, &p->steps,
                                 err);
    xlcfg__lock_drop(p->sight.cut.held);
    p->sight.cut.held = NULL;
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
    /* the state is a version of its own */
    if (!rc)
        (void)xlcfg__plug_look(p, NULL);
    if (!rc && err)
        *err = *why;
    return rc ? rc : why->code;
}

/* The intent of its unplug: one that is open goes on, or a new one. */
static int prepare_detach(struct xlcfg__plug *p, enum xlcfg_kind kind,
                          const char *key, struct xlcfg_ident *id,
                          xlcfg_error *err)
{
    const xlcfg_doc *body;
    int rc;

    for (int i = 0;; i++) {
        rc = xlcfg__plug_find(p, key, id, &body, err);
        if (!rc)
            rc = xlcfg__plug_take_over(p, id->match, true, err);
        if (!rc && !p->in)
            rc = xlcfg__plug_find(p, key, id, &body, err);
        if (rc || p->in)
            return rc;
        rc = xlcfg__plug_record(p, XLCFG_OP_DETACH, kind, id, body, NULL,
                                err);
        rc = xlcfg__plug_outrun(p, i, rc, err);
        if (rc || p->in)
            return rc;
    }
}

static int detach(struct xlcfg__plug *p, enum xlcfg_kind kind,
                  const char *key, xlcfg_doc **doc_r, xlcfg_error *err)
{
    const struct xlcfg_conn *conn = p->ctx->conn;
    xlcfg_error why = XLCFG_ERROR_INIT;
    const xlcfg_doc *body;
    struct xlcfg_ident id;
    bool left;
    int rc;

    if (p->opt.dry_run) {
        rc = xlcfg__plug_find(p, key, &id, &body, err);
        return rc ? rc : xlcfg__plug_answer(
            p, xlcfg__plug_bare(&id, kind, "detaching", body), doc_r, err);
    }
    rc = xlcfg__plug_unlocked(p, err);
    if (!rc)
        rc = prepare_detach(p, kind, key, &id, err);
    if (rc)
        return rc;
    if (xlcfg__sight_live(&p->sight, kind, id.match, NULL) !=
        XLCFG_LIVE_ABSENT) {
        xlcfg__plug_hold(p);
        why.code = conn->drv.detach(
            conn->handle, &p->sight.cut.dom, kind, p->in->before,
            (p->opt.force ? XLCFG_DETACH_FORCE : 0) |
            (p->was_asked ? XLCFG_DETACH_AGAIN : 0) |
            (xlcfg__is_of_earlier_run(&p->sight, p->in)
             ? 0 : XLCFG_DETACH_SAME_RUN),
            p->opt.wait_ms ? p->opt.wait_ms : USUAL_WAIT_MS, &why);
    }
    left = why.code == XLCFG_LEFT;
    why.code = left ? 0 : why.code;
    rc = judge_detach(p, left, &why, err);
    return rc ? rc : xlcfg__plug_answer(
        p, xlcfg__plug_bare(&id, kind, "detached", NULL), doc_r, err);
}

int xlcfg_device_detach(xlcfg_ctx *ctx, const char *dom, const char *key,
                        const xlcfg_plug_options *opt, xlcfg_doc **doc_r,
                        xlcfg_error *err)
{
    enum xlcfg_kind kind;
    struct xlcfg__plug p;
    int rc;

    rc = xlcfg__plug_kind(key, &kind, err);
    if (rc)
        return rc;
    rc = xlcfg__plug_begin(&p, ctx, dom, kind, XLCFG_ACT_DETACH, opt, err);
    if (!rc)
        rc = detach(&p, kind, key, doc_r, err);
    xlcfg__plug_end(&p);
    return rc;
}
