/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Update: an attached device becomes what its body is to be. */
#include "ops/plug.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define READY_STEP_MS 50

/* ---- what is asked for ---- */

/* The body as it is to be: the members given, laid over those of now; null
 * takes one away. */
static xlcfg_doc *lay_over(enum xlcfg_kind kind, const xlcfg_doc *before,
                           const xlcfg_doc *change)
{
    xlcfg__members m = { 0 };
    xlcfg_doc *doc, *whole;

    xlcfg__members_copy(&m, before);
    for (size_t i = 0; i < xlcfg_doc_count(change); i++) {
        const xlcfg_doc *value = xlcfg_doc_at(change, i);

        if (xlcfg_doc_kind(value) == XLCFG_DOC_NULL)
            xlcfg__members_drop(&m, xlcfg_doc_name(change, i));
        else
            xlcfg__members_set(&m, xlcfg_doc_name(change, i),
                               xlcfg_doc_ref(value));
    }
    doc = xlcfg__members_end(&m);
    if (!doc || kind != XLCFG_KIND_DISK || !xlcfg_doc_get(change,
                                                          "pdev_path"))
        return doc;
    whole = xlcfg__kind_medium(doc);
    xlcfg_doc_free(doc);
    return whole;
}

/* The first member that says who it is and differs. */
static int another(enum xlcfg_kind kind, const xlcfg_doc *before,
                   const xlcfg_doc *after, const char *key, xlcfg_error *err)
{
    const struct xlcfg_field *f = xlcfg__kinds[kind].fields;
    char where[80] = "";

    for (; f->name && !where[0]; f++) {
        const xlcfg_doc *b = xlcfg_doc_get(before, f->name);
        const xlcfg_doc *a = xlcfg_doc_get(after, f->name);

        if (f->rule == XLCFG_RULE_IDENTITY &&
            !(a && b ? xlcfg__doc_equal(a, b) : a == b))
            snprintf(where, sizeof(where), "/%s", f->name);
    }
    return xlcfg__err(err, XLCFG_ERROR_INVAL, where,
                      "an update cannot make %s another device: detach it, "
                      "and attach the other", key);
}

/* The bodies, and whether it can be asked for.  before_r is borrowed. */
static int work_out(struct xlcfg__plug *p, enum xlcfg_kind kind,
                    const char *key, const xlcfg_doc *change,
                    struct xlcfg_ident *id, const xlcfg_doc **before_r,
                    xlcfg_doc **after_r, xlcfg_error *err)
{
    const xlcfg_doc *seen, *before = NULL, *path;
    struct xlcfg_ident of, to;
    enum xlcfg_live live;
    xlcfg_doc *after;
    int rc;

    rc = xlcfg__plug_find(p, key, id, &seen, err);
    if (rc)
        return rc;
    live = xlcfg__sight_live(&p->sight, kind, id->match, NULL);
    for (size_t i = 0; i < p->sight.answer.count; i++)
        if (!strcmp(p->sight.answer.rows[i].key, key) &&
            xlcfg__row_in_config(&p->sight.answer.rows[i]))
            before = p->sight.answer.rows[i].body;
    if (live != XLCFG_LIVE_PRESENT || !before)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, key,
                          "it is %s: only an attached device can be updated",
                          xlcfg__live_name(live));
    path = xlcfg_doc_get(change, "pdev_path");
    if (kind == XLCFG_KIND_DISK && path &&
        xlcfg_doc_kind(path) != XLCFG_DOC_STRING &&
        xlcfg_doc_kind(path) != XLCFG_DOC_NULL)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/pdev_path",
                          "expected a text, or null for no medium");
    after = lay_over(kind, before, change);
    if (!after)
        return xlcfg__nomem(err);
    xlcfg__key_of(kind, before, &of);
    xlcfg__key_of(kind, after, &to);
    if (strcmp(to.match, of.match)) {
        rc = another(kind, before, after, key, err);
        xlcfg_doc_free(after);
        return rc;
    }
    *before_r = before;
    *after_r = after;
    return 0;
}

/* ---- what it came to ---- */

static int close_update(struct xlcfg__plug *p, bool done, xlcfg_error *err)
{
    const struct xlcfg__edit edit = {
        .entry = done ? XLCFG__ENTRY_REPLACED : XLCFG__ENTRY_STAYS,
        .kind = p->in->kind, .match = p->in->match, .body = p->in->after,
    };

    return xlcfg__close(p->ctx, &p->sight, p->in->id, &edit, err);
}

static int look_until_shown(struct xlcfg__plug *p, unsigned ms,
                            enum xlcfg_live *live_r,
                            enum xlcfg__shown *shown_r, xlcfg_error *err)
{
    static const struct timespec step = { 0, READY_STEP_MS * 1000000 };
    const struct xlcfg_dev *dev;
    int rc;

    for (unsigned waited = 0;; waited += READY_STEP_MS) {
        rc = xlcfg__plug_peek(p, err);
        if (rc)
            return rc;
        *live_r = xlcfg__sight_live_of(&p->sight, p->in, &dev);
        *shown_r = xlcfg__update_shown(dev ? dev->body : NULL, p->in->before,
                                       p->in->after);
        if ((*live_r != XLCFG_LIVE_COMING &&
             *shown_r != XLCFG__SHOWN_BEFORE) || waited >= ms)
            return 0;
        nanosleep(&step, NULL);
    }
}

/* Not done, and not half done: the record ends, and why it was is said. */
static int not_done(struct xlcfg__plug *p, xlcfg_error *why, xlcfg_error *err)
{
    int rc = close_update(p, false, err);

    if (rc)
        return rc;
    if (why->code != XLCFG_ERROR_NI && why->code != XLCFG_ERROR_INVAL)
        why->code = XLCFG_ERROR_REFUSED;
    return xlcfg__err_give(err, why);
}

static int judge(struct xlcfg__plug *p, xlcfg_error *why, xlcfg_error *err)
{
    bool seen = why->code == XLCFG_READ_BACK;
    enum xlcfg__shown shown;
    enum xlcfg_live live;
    int rc;

    if (why->code == XLCFG_ERROR_UNREACHABLE)
        return xlcfg__err_give(err, why);
    rc = look_until_shown(p, why->code ? 0 : p->opt.wait_ms ? p->opt.wait_ms
                          : XLCFG__PLUG_READY_MS, &live, &shown, err);
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
        return xlcfg__plug_gone(p, err);
    if (rc)
        return rc;
    if (live == XLCFG_LIVE_PRESENT &&
        (seen || shown == XLCFG__SHOWN_AFTER ||
         (!why->code && shown == XLCFG__SHOWN_UNCLEAR)))
        return close_update(p, true, err);
    if (!why->code || seen)
        xlcfg__err(why, XLCFG_ERROR_REFUSED, p->in->key,
                   live == XLCFG_LIVE_PRESENT
                   ? "the backend took it, and shows what it was before"
                   : "the backend took it, and it is %s since",
                   xlcfg__live_name(live));
    if (live == XLCFG_LIVE_ABSENT || shown == XLCFG__SHOWN_BEFORE ||
        why->code == XLCFG_ERROR_CONFLICT || why->code == XLCFG_ERROR_NI ||
        why->code == XLCFG_ERROR_INVAL)
        return not_done(p, why, err);
    rc = xlcfg__intent_phase(p->ctx, p->uuid, p->in, XLCFG_PHASE_FAILED,
                             why->message, err);
    if (!rc)
        (void)xlcfg__plug_look(p, NULL);        /* it is a version */
    if (!rc && err)
        *err = *why;
    return rc ? rc : XLCFG_ERROR_REFUSED;
}

/* ---- the act ---- */

/* The bodies, and the intent begun; *same: nothing is to be changed. */
static int prepare(struct xlcfg__plug *p, enum xlcfg_kind kind,
                   const char *key, const xlcfg_doc *change,
                   struct xlcfg_ident *id, xlcfg_doc **after_r, bool *same,
                   xlcfg_error *err)
{
    const struct xlcfg_driver *drv = &p->ctx->conn->drv;
    const xlcfg_doc *before;
    int rc;

    for (int i = 0;; i++) {
        rc = work_out(p, kind, key, change, id, &before, after_r, err);
        if (!rc && xlcfg__sight_intent(&p->sight, id->match) &&
            !p->opt.dry_run) {
            xlcfg_doc_free(*after_r);
            *after_r = NULL;
            rc = xlcfg__plug_take_over(p, id->match, false, err);
            if (!rc)
                rc = work_out(p, kind, key, change, id, &before, after_r,
                              err);
        }
        if (rc)
            return rc;
        *same = xlcfg__doc_equal(before, *after_r);
        rc = *same ? 0 : drv->check_update(p->ctx->conn->handle, kind, before,
                                           *after_r, err);
        if (!rc && (*same || p->opt.dry_run))
            return 0;
        if (!rc)
            rc = xlcfg__plug_record(p, XLCFG_OP_UPDATE, kind, id, before,
                                    *after_r, err);
        if (!rc)
            return 0;
        xlcfg_doc_free(*after_r);
        *after_r = NULL;
        rc = xlcfg__plug_outrun(p, i, rc, err);
        if (rc)
            return rc;
    }
}

/* What is not begun is compared here: the look in hand is one moment with the
 * version it has. */
static int check_conditions(struct xlcfg__plug *p, const char *key,
                            xlcfg_error *err)
{
    const char *version = xlcfg__doc_getstr(p->sight.doc, "version");
    const xlcfg_doc *dev = xlcfg__plug_device(p, key);
    int64_t now = xlcfg__doc_to_int(xlcfg_doc_get(dev, "incarnation"), 0);

    if (p->opt.if_version &&
        (!version || strcmp(version, p->opt.if_version)))
        return xlcfg__conflict(p->ctx, p->sight.doc, p->opt.if_version, key,
                               err);
    if (!p->opt.if_incarnation || now == p->opt.if_incarnation)
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_CONFLICT, key,
                      "its incarnation is %lld, not %lld", (long long)now,
                      (long long)p->opt.if_incarnation);
}

static int update(struct xlcfg__plug *p, enum xlcfg_kind kind,
                  const char *key, const xlcfg_doc *change,
                  xlcfg_doc **doc_r, xlcfg_error *err)
{
    const struct xlcfg_conn *conn = p->ctx->conn;
    xlcfg_error why = XLCFG_ERROR_INIT;
    xlcfg_doc *after = NULL;
    struct xlcfg_ident id;
    bool same = false;
    int rc;

    rc = xlcfg__plug_check(p, kind, change, err);
    if (!rc)
        rc = prepare(p, kind, key, change, &id, &after, &same, err);
    if (!rc && (same || p->opt.dry_run))
        rc = check_conditions(p, key, err);
    if (!rc && !same && p->opt.dry_run) {
        rc = xlcfg__plug_answer(p, xlcfg__plug_bare(&id, kind, "attached",
                                                    after), doc_r, err);
        xlcfg_doc_free(after);
        return rc;
    }
    if (!rc && !same) {
        xlcfg__plug_hold(p);
        why.code = conn->drv.update(conn->handle, &p->sight.cut.dom, kind,
                                    p->in->before, p->in->after, &why);
        rc = judge(p, &why, err);
    }
    xlcfg_doc_free(after);
    return rc ? rc : xlcfg__plug_answer(
        p, xlcfg_doc_ref(xlcfg__plug_device(p, key)), doc_r, err);
}

int xlcfg_device_update(xlcfg_ctx *ctx, const char *dom, const char *key,
                        const xlcfg_doc *body, const xlcfg_plug_options *opt,
                        xlcfg_doc **doc_r, xlcfg_error *err)
{
    enum xlcfg_kind kind;
    struct xlcfg__plug p;
    int rc;

    rc = xlcfg__plug_kind(key, &kind, err);
    if (rc)
        return rc;
    if (xlcfg_doc_kind(body) != XLCFG_DOC_OBJECT)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "",
                          "expected an object: members of a %s",
                          xlcfg__kinds[kind].name);
    rc = xlcfg__plug_begin(&p, ctx, dom, kind, XLCFG_ACT_UPDATE, opt, err);
    if (!rc)
        rc = update(&p, kind, key, body, doc_r, err);
    xlcfg__plug_end(&p);
    return rc;
}
