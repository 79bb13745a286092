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
    xlcfg__sight_dispose(sight);
    return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, dom,
                      "the backend did not answer within %u ms",
                      ctx->deadline_ms);
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

    rc = xlcfg__state_open(ctx->state_dir, true, ctx->lock_ms, &st, err);
    if (rc)
        return rc;
    rc = xlcfg__state_intent_put(st, ctx->conn->drv.name, uuid, intent, err);
    xlcfg__state_close(st);
    return rc;
}

int xlcfg__intent_end(xlcfg_ctx *ctx, int64_t id, xlcfg_error *err)
{
    xlcfg__state *st;
    int rc;

    rc = xlcfg__state_open(ctx->state_dir, true, ctx->lock_ms, &st, err);
    if (rc)
        return rc;
    rc = xlcfg__state_intent_drop(st, id, err);
    xlcfg__state_close(st);
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

/* ---- the template ---- */

/* The array with the entry or without it; *changed says whether it is
 * another one.  NULL: no memory. */
static xlcfg_doc *edit_array(const xlcfg_doc *array, enum xlcfg_kind kind,
                             const char *match, const xlcfg_doc *body,
                             bool *changed)
{
    xlcfg__items it = { 0 };
    bool there = false;

    for (size_t i = 0; i < xlcfg_doc_count(array); i++) {
        const xlcfg_doc *entry = xlcfg_doc_at(array, i);
        struct xlcfg_ident id;

        xlcfg__key_of(kind, entry, &id);
        if (!strcmp(id.match, match)) {
            there = true;
            if (!body)
                continue;
        }
        xlcfg__items_add(&it, xlcfg_doc_ref(entry));
    }
    if (body && !there)
        xlcfg__items_add(&it, xlcfg_doc_ref(body));
    *changed = there == !body;
    return xlcfg__items_end(&it);
}

/* 0 and *out_r NULL: there is nothing to change. */
static int edit(const xlcfg_doc *doc, enum xlcfg_kind kind,
                const char *match, const xlcfg_doc *body, xlcfg_doc **out_r,
                xlcfg_error *err)
{
    const char *name = xlcfg__kinds[kind].array;
    const xlcfg_doc *was = xlcfg_doc_get(doc, name);
    xlcfg_doc *array;
    bool changed;

    *out_r = NULL;
    if (was && xlcfg_doc_kind(was) != XLCFG_DOC_ARRAY)
        return xlcfg__err(err, XLCFG_ERROR_PARSE, name,
                          "the template has no array here");
    array = edit_array(was, kind, match, body, &changed);
    if (!array)
        return xlcfg__nomem(err);
    if (!changed) {
        xlcfg_doc_free(array);
        return 0;
    }
    if (xlcfg_doc_count(array)) {
        *out_r = xlcfg__doc_with(doc, name, array);
    } else {
        xlcfg_doc_free(array);
        *out_r = xlcfg__doc_without(doc, name);
    }
    return *out_r ? 0 : xlcfg__nomem(err);
}

/* 0 and *gone_r: is there no such device, now? */
static int is_gone(xlcfg_ctx *ctx, const struct xlcfg_domain *dom,
                   enum xlcfg_kind kind, const char *match, bool *gone_r,
                   xlcfg_error *err)
{
    struct xlcfg__sight sight = { .doc = NULL };
    int rc;

    rc = xlcfg__cut_take(ctx, dom->uuid, &sight.cut, err);
    if (rc)
        return rc;
    *gone_r = !sight.cut.blind &&
        xlcfg__sight_live(&sight, kind, match, NULL) == XLCFG_LIVE_ABSENT;
    xlcfg__cut_dispose(&sight.cut);
    return 0;
}

static int edit_libxl(xlcfg_ctx *ctx, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const char *match,
                      const xlcfg_doc *body, xlcfg_error *err)
{
    xlcfg_doc *doc = NULL, *out = NULL;
    struct xlcfg__stamp stamp;
    xlcfg__lock *lock;
    bool gone = true;
    int rc;

    rc = xlcfg__template_lock(ctx->xen_lib_dir, dom->domid, dom->uuid,
                              ctx->lock_ms, &lock, err);
    if (rc)
        return rc;
    if (!body)
        rc = is_gone(ctx, dom, kind, match, &gone, err);
    if (rc || !gone) {
        xlcfg__lock_drop(lock);
        return rc;
    }
    rc = xlcfg__template_read(ctx->xen_lib_dir, dom->domid, dom->uuid,
                              dom->started, &doc, &stamp, err);
    if (!rc)
        rc = edit(doc, kind, match, body, &out, err);
    else if (rc == XLCFG_ERROR_NOTFOUND || rc == XLCFG_ERROR_PARSE)
        rc = 0;                 /* each look says that it has none */
    if (!rc && out)
        rc = xlcfg__template_write(ctx->xen_lib_dir, dom->domid, dom->uuid,
                                   out, err);
    xlcfg__lock_drop(lock);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(out);
    return rc;
}

/* Does the backend keep this domain's template by itself? */
static bool backend_keeps(xlcfg_ctx *ctx, const struct xlcfg_domain *dom)
{
    const struct xlcfg_driver *drv = &ctx->conn->drv;
    xlcfg_doc *doc = NULL;
    bool keeps;

    if (drv->home != XLCFG_HOME_BACKEND)
        return false;
    keeps = drv->stored(ctx->conn->handle, dom, &doc, NULL) !=
        XLCFG_ERROR_NOTFOUND;
    xlcfg_doc_free(doc);
    return keeps;
}

static int edit_state(xlcfg_ctx *ctx, const struct xlcfg__cut *cut,
                      enum xlcfg_kind kind, const char *match,
                      const xlcfg_doc *body, xlcfg_error *err)
{
    const char *driver = ctx->conn->drv.name;
    xlcfg_doc *doc = NULL, *out = NULL;
    xlcfg__state *st;
    int rc;

    rc = xlcfg__state_open(ctx->state_dir, true, ctx->lock_ms, &st, err);
    if (rc)
        return rc;
    rc = xlcfg__state_template_get(st, driver, cut->dom.uuid, &doc, err);
    if (rc == XLCFG_ERROR_NOTFOUND) {
        doc = cut->template ? xlcfg_doc_ref(cut->template) : NULL;
        rc = 0;
    }
    if (!rc && doc)
        rc = edit(doc, kind, match, body, &out, err);
    if (!rc && out)
        rc = xlcfg__state_template_put(st, driver, cut->dom.uuid, out, err);
    xlcfg__state_close(st);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(out);
    return rc;
}

int xlcfg__template_edit(xlcfg_ctx *ctx, const struct xlcfg__cut *cut,
                         enum xlcfg_kind kind, const char *match,
                         const xlcfg_doc *body, xlcfg_error *err)
{
    if (ctx->conn->drv.home == XLCFG_HOME_LIBXL)
        return edit_libxl(ctx, &cut->dom, kind, match, body, err);
    if (backend_keeps(ctx, &cut->dom))
        return 0;
    return edit_state(ctx, cut, kind, match, body, err);
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
