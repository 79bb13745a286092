/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of an act: the template as it is to be, a look, and the record.
 *
 * libxl's file is edited before the look, under libxl's own lock, so that it
 * always covers what is live.  A template that is kept in state.db changes in
 * the transaction that records the look and ends the intent.
 */
#include "ops/plug.h"
#include "ops/sift.h"

#include <string.h>

/* Others may change the domain between a look and its record. */
#define LOOKS 200

/* ---- a document with one entry changed ---- */

struct want {
    const struct xlcfg__edit *edit;
    char alt[XLCFG_KEY_MAX];    /* the device's second name, "" for none */
};

static bool is_it(const struct want *w, const xlcfg_doc *entry)
{
    struct xlcfg_ident id;

    xlcfg__key_of(w->edit->kind, entry, &id);
    if (!strcmp(id.match, w->edit->match))
        return true;
    /* an entry that is known by its second name alone */
    return w->alt[0] && !strcmp(id.key, id.alt) && !strcmp(id.alt, w->alt);
}

/* The array after the edit; *changed says whether it is another one.
 * NULL: no memory. */
static xlcfg_doc *edit_array(const struct want *w, const xlcfg_doc *array,
                             bool *changed)
{
    enum xlcfg__entry how = w->edit->entry;
    xlcfg__items it = { 0 };
    bool there = false;

    *changed = false;
    for (size_t i = 0; i < xlcfg_doc_count(array); i++) {
        const xlcfg_doc *entry = xlcfg_doc_at(array, i);
        bool mine = !there && is_it(w, entry);

        there = there || mine;
        if (mine && how == XLCFG__ENTRY_DROPPED) {
            *changed = true;
        } else if (mine && how == XLCFG__ENTRY_REPLACED) {
            *changed = !xlcfg__doc_equal(entry, w->edit->body);
            xlcfg__items_add(&it, xlcfg_doc_ref(w->edit->body));
        } else {
            xlcfg__items_add(&it, xlcfg_doc_ref(entry));
        }
    }
    if (!there && how != XLCFG__ENTRY_DROPPED) {
        *changed = true;
        xlcfg__items_add(&it, xlcfg_doc_ref(w->edit->body));
    }
    return xlcfg__items_end(&it);
}

/* 0 and *out_r NULL: there is nothing to change. */
static int edit_doc(const struct xlcfg__edit *edit, const xlcfg_doc *doc,
                    xlcfg_doc **out_r, xlcfg_error *err)
{
    const char *name = xlcfg__kinds[edit->kind].array;
    const xlcfg_doc *was = xlcfg_doc_get(doc, name);
    struct want w = { .edit = edit };
    struct xlcfg_ident id;
    xlcfg_doc *array;
    bool changed;

    *out_r = NULL;
    if (was && xlcfg_doc_kind(was) != XLCFG_DOC_ARRAY)
        return xlcfg__err(err, XLCFG_ERROR_PARSE, name,
                          "the template has no array here");
    if (edit->body) {
        xlcfg__key_of(edit->kind, edit->body, &id);
        memcpy(w.alt, id.alt, sizeof(w.alt));
    }
    array = edit_array(&w, was, &changed);
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

/* ---- libxl's file ---- */

/* The cut is of now, under the lock: whether the device is gone is seen, and
 * the template in it is the file's. */
static int drop_entry(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                      const struct xlcfg__edit *edit, xlcfg_error *err)
{
    struct xlcfg__cut *cut = &sight->cut;
    const struct xlcfg_domain *dom = &cut->dom;
    xlcfg_doc *out = NULL;
    int rc = 0;

    if (cut->blind ||
        xlcfg__sight_live(sight, edit->kind, edit->match, NULL) !=
        XLCFG_LIVE_ABSENT)
        return 0;
    if (cut->unread)
        return xlcfg__err(err, XLCFG_ERROR_STORE, "template", "%.600s",
                          cut->template_note);
    if (cut->template)          /* each look says when it has none */
        rc = edit_doc(edit, cut->template, &out, err);
    if (rc || !out)
        return rc ? rc : xlcfg__template_tidy(ctx->xen_lib_dir, dom->domid,
                                              dom->uuid, err);
    rc = xlcfg__template_write(ctx->xen_lib_dir, dom->domid, dom->uuid, out,
                               err);
    if (rc) {
        xlcfg_doc_free(out);
        return rc;
    }
    xlcfg_doc_free(cut->template);
    cut->template = out;
    xlcfg__view_dispose(&cut->tmpl);
    return xlcfg__template_view(ctx->conn->drv.home, out, &cut->tmpl, err);
}

static int put_entry(xlcfg_ctx *ctx, struct xlcfg__cut *cut,
                     const struct xlcfg__edit *edit, xlcfg_error *err)
{
    const struct xlcfg_domain *dom = &cut->dom;
    xlcfg_doc *doc = NULL, *out = NULL;
    struct xlcfg__stamp stamp;
    int rc;

    rc = xlcfg__template_read(ctx->xen_lib_dir, dom->domid, dom->uuid,
                              dom->started, &doc, &stamp, err);
    if (!rc)
        rc = edit_doc(edit, doc, &out, err);
    else if (rc == XLCFG_ERROR_NOTFOUND || rc == XLCFG_ERROR_PARSE)
        rc = 0;                 /* each look says that it has none */
    cut->spent = cut->spent || out;
    if (!rc && out)
        rc = xlcfg__template_write(ctx->xen_lib_dir, dom->domid, dom->uuid,
                                   out, err);
    else if (!rc)
        rc = xlcfg__template_tidy(ctx->xen_lib_dir, dom->domid, dom->uuid,
                                  err);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(out);
    return rc;
}

static int edit_libxl(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                      const struct xlcfg__edit *edit, xlcfg_error *err)
{
    xlcfg__lock *lock = sight->cut.held;
    char uuid[37];
    int rc = 0;

    sight->cut.held = NULL;
    if (!lock) {
        strcpy(uuid, sight->cut.dom.uuid);
        rc = xlcfg__template_lock(ctx->xen_lib_dir, sight->cut.dom.domid,
                                  uuid, ctx->lock_ms, &lock, err);
        if (rc)
            return rc;
        if (edit->entry == XLCFG__ENTRY_DROPPED) {
            xlcfg__sight_dispose(sight);
            rc = xlcfg__cut_take(ctx, uuid, &sight->cut, err);
        }
    }
    if (!rc)
        rc = edit->entry == XLCFG__ENTRY_DROPPED
            ? drop_entry(ctx, sight, edit, err)
            : put_entry(ctx, &sight->cut, edit, err);
    xlcfg__lock_drop(lock);
    return rc;
}

/* ---- the one in state.db ---- */

/*
 * A domain that nobody keeps a template of (libvirt's transient ones) begins
 * to have one when it is first plugged: what it runs with, where the live
 * view lacks nothing.  0 and no template: it has to do without.
 */
static int begin_kept(xlcfg_ctx *ctx, struct xlcfg__cut *cut,
                      xlcfg_error *err)
{
    const struct xlcfg_driver *drv = &ctx->conn->drv;
    xlcfg_doc *stored = NULL;
    int rc;

    if (drv->home != XLCFG_HOME_BACKEND || !cut->live.whole ||
        cut->live.unknown.count)
        return 0;
    rc = drv->stored(ctx->conn->handle, &cut->dom, &stored, NULL);
    xlcfg_doc_free(stored);
    if (rc != XLCFG_ERROR_NOTFOUND)
        return 0;
    cut->template = xlcfg__view_config(&cut->live);
    if (!cut->template)
        return xlcfg__nomem(err);
    cut->template_note[0] = '\0';
    return xlcfg__view_from_config(cut->template, &cut->tmpl, err);
}

/* A domain that was just made.  Of libxl's the copy is for its addresses. */
static int put_whole(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                     const struct xlcfg__edit *edit,
                     struct xlcfg__ending *end, xlcfg_error *err)
{
    struct xlcfg__cut *cut = &sight->cut;
    xlcfg_doc *made;

    if (ctx->conn->drv.home == XLCFG_HOME_BACKEND && cut->template)
        return 0;               /* the backend keeps it */
    end->edits = end->any = true;
    end->now = edit->body;
    if (ctx->conn->drv.home == XLCFG_HOME_LIBXL)
        return 0;
    /* a backend that shows all of it has completed what it was given */
    made = ctx->conn->drv.home == XLCFG_HOME_BACKEND && cut->live.whole
        ? xlcfg__view_config(&cut->live) : xlcfg_doc_ref(edit->body);
    if (!made)
        return xlcfg__nomem(err);
    xlcfg_doc_free(cut->template);
    end->now = cut->template = made;
    cut->template_note[0] = '\0';
    xlcfg__view_dispose(&cut->tmpl);
    return xlcfg__view_from_config(made, &cut->tmpl, err);
}

/* As a backend shows it that shows all of it, and has completed it. */
static struct xlcfg__edit as_made(const struct xlcfg__sight *sight,
                                  const struct xlcfg__edit *edit)
{
    struct xlcfg__edit made = *edit;
    const struct xlcfg_dev *dev;

    if (edit->body && sight->cut.live.whole &&
        xlcfg__sight_live(sight, edit->kind, edit->match, &dev) ==
        XLCFG_LIVE_PRESENT && dev->body)
        made.body = dev->body;
    return made;
}

/* The cut's template as it is to be, and what the record must put. */
static int edit_kept(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                     const struct xlcfg__edit *edit,
                     struct xlcfg__ending *end, xlcfg_error *err)
{
    struct xlcfg__cut *cut = &sight->cut;
    bool fresh = !cut->template && !cut->kept &&
        edit->entry != XLCFG__ENTRY_DROPPED;
    struct xlcfg__edit made;
    xlcfg_doc *out = NULL;
    int rc = 0;

    if (edit->entry == XLCFG__ENTRY_WHOLE)
        return put_whole(ctx, sight, edit, end, err);
    if (cut->unread && ctx->conn->drv.home != XLCFG_HOME_LIBXL)
        return xlcfg__err(err, XLCFG_ERROR_STORE, "template", "%.600s",
                          cut->template_note);
    if (fresh)
        rc = begin_kept(ctx, cut, err);
    if (rc || !cut->template || ctx->conn->drv.home == XLCFG_HOME_LIBXL ||
        (ctx->conn->drv.home == XLCFG_HOME_BACKEND && !cut->kept && !fresh))
        return rc;
    if (edit->entry == XLCFG__ENTRY_DROPPED &&
        xlcfg__sight_live(sight, edit->kind, edit->match, NULL) !=
        XLCFG_LIVE_ABSENT)
        return 0;
    made = as_made(sight, edit);
    rc = edit_doc(&made, cut->template, &out, err);
    if (!rc && !out && fresh)
        out = xlcfg_doc_ref(cut->template);
    if (rc || !out)
        return rc;
    xlcfg_doc_free(cut->template);
    cut->template = out;
    xlcfg__view_dispose(&cut->tmpl);
    end->edits = true;
    end->was = cut->kept;
    end->now = out;
    return xlcfg__view_from_config(out, &cut->tmpl, err);
}

/* ---- the end ---- */

/* With the cut at hand, if it is good for a record, or with one of now. */
static int close_once(xlcfg_ctx *ctx, const char *uuid, int64_t id,
                      const struct xlcfg__edit *edit,
                      struct xlcfg__sight *sight, xlcfg_error *err)
{
    const struct xlcfg__cut *cut = &sight->cut;
    struct xlcfg__ending end = {
        .intent = id, .reset = edit->resets ? edit->match : NULL,
    };
    int rc = 0;

    if (!cut->have_dom || cut->spent || cut->blind || cut->torn) {
        xlcfg__sight_dispose(sight);
        rc = xlcfg__cut_take(ctx, uuid, &sight->cut, err);
    }
    if (rc)
        return rc;
    if (sight->cut.blind)
        rc = xlcfg__cut_blind(ctx, &sight->cut, uuid, err);
    else if (sight->cut.torn)
        rc = XLCFG_ERROR_CONFLICT;
    xlcfg__intents_drop(&sight->cut.intents, id);
    if (!rc && edit->entry != XLCFG__ENTRY_STAYS)
        rc = edit_kept(ctx, sight, edit, &end, err);
    if (!rc)
        rc = xlcfg__cut_merge(&sight->cut, &sight->answer, err);
    if (!rc)
        rc = xlcfg__observe(ctx, &sight->cut, &sight->answer, &end,
                            &sight->doc, err);
    if (rc)
        xlcfg__sight_dispose(sight);
    return rc;
}

int xlcfg__close(xlcfg_ctx *ctx, struct xlcfg__sight *sight, int64_t id,
                 const struct xlcfg__edit *edit, xlcfg_error *err)
{
    int rc = 0;
    char uuid[37];

    strcpy(uuid, sight->cut.dom.uuid);
    if (ctx->conn->drv.home == XLCFG_HOME_LIBXL &&
        edit->entry != XLCFG__ENTRY_STAYS &&
        edit->entry != XLCFG__ENTRY_WHOLE)
        rc = edit_libxl(ctx, sight, edit, err);
    if (rc)
        return rc;
    rc = XLCFG_ERROR_CONFLICT;
    for (int i = 0; i < LOOKS && rc == XLCFG_ERROR_CONFLICT; i++)
        rc = close_once(ctx, uuid, id, edit, sight, err);
    if (rc == XLCFG_ERROR_CONFLICT)
        rc = xlcfg__err(err, XLCFG_ERROR_LOCK_FAIL, uuid,
                        "others change it all the time: settle goes on");
    return rc;
}
