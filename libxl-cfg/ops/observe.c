/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Noting what was seen: a domain whose digest is not the recorded one gets a
 * new revision, with its event, in one transaction of the store.
 */
#include "core/hash.h"
#include "ops/ctx.h"
#include "ops/present.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct observation {
    xlcfg_ctx *ctx;
    const struct xlcfg__cut *cut;
    const struct xlcfg_answer *answer;
    const struct xlcfg__ending *ending;
    char digest[65], hash[65], address_hash[65];
    struct xlcfg__memories before, now;
    struct xlcfg__seen seen;
    xlcfg__items changes;
    size_t changed;             /* devices that are another */
    const char *moved_to;       /* how the last of them is now */
};

static const struct xlcfg__memory *find(const struct xlcfg__memories *list,
                                        const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->v[i].key, key))
            return &list->v[i];
    return NULL;
}

static bool there(const char *state)
{
    return strcmp(state, "detached");
}

static void note_change(struct observation *ob, const char *key,
                        int64_t incarnation, const char *was,
                        const char *now, const char *reason)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "key", xlcfg__doc_str(key));
    xlcfg__members_add(&m, "incarnation", xlcfg__doc_int(incarnation));
    xlcfg__members_add(&m, "was", xlcfg__doc_str(was));
    xlcfg__members_add(&m, "now", xlcfg__doc_str(now));
    xlcfg__members_add(&m, "reason", xlcfg__doc_str(reason));
    xlcfg__items_add(&ob->changes, xlcfg__members_end(&m));
    ob->changed++;
    ob->moved_to = now;
}

/* The body's hash in the snapshot of the version before; NULL: it had none,
 * or there is no snapshot. */
static const char *hash_before(const struct observation *ob, const char *key)
{
    const xlcfg_doc *devices = xlcfg_doc_get(ob->seen.snapshot, "devices");

    for (size_t i = 0; i < xlcfg_doc_count(devices); i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(devices, i);
        const char *its = xlcfg__doc_getstr(dev, "key");

        if (its && !strcmp(its, key))
            return xlcfg__doc_getstr(dev, "hash");
    }
    return NULL;
}

/* Same state, other body: a medium, a rate.  It is not the one any more that
 * somebody looked at, so it is the key's next incarnation. */
static void note_body(struct observation *ob, const struct xlcfg_row *row,
                      struct xlcfg__memory *mem)
{
    const char *state = xlcfg__state_name(row->state);
    const char *before = hash_before(ob, row->key);
    char now[65];

    if (!before || !xlcfg__row_in_config(row))
        return;
    if (xlcfg_doc_hash(row->body, now, NULL))
        ob->changes.failed = true;
    else if (strcmp(before, now)) {
        note_change(ob, row->key, ++mem->incarnation, state, state,
                    "its configuration changed");
        ob->moved_to = "changed";
    }
}

static bool put_memory(struct observation *ob, const char *key,
                       const char *state, const char *reason,
                       const struct xlcfg__memory *was)
{
    struct xlcfg__memory *mem = &ob->now.v[ob->now.count];
    bool same = was && !strcmp(was->state, state);
    /* what was never seen to be there has not left: nor is known since when */
    bool moved = !same && (was || there(state));

    *mem = (struct xlcfg__memory){
        .key = strdup(key),
        .incarnation = was ? was->incarnation : 1,
        .since = same ? was->since : moved ? (int64_t)time(NULL) : 0,
        .attempts = was ? was->attempts : 0,
    };
    if (!mem->key)
        return false;
    ob->now.count++;
    strncpy(mem->state, state, sizeof(mem->state) - 1);
    /* plugged again under the same key: another device */
    if (was && !there(was->state) && there(state)) {
        mem->incarnation++;
        mem->attempts = 0;
    }
    if (moved)
        note_change(ob, key, mem->incarnation, was ? was->state : NULL,
                    state, reason);
    return true;
}

/* The device rows as they are to be recorded, and what moved. */
static bool work_out(struct observation *ob)
{
    const struct xlcfg_answer *a = ob->answer;
    size_t most = a->count + ob->before.count;
    bool *taken;

    ob->now.v = calloc(most + 1, sizeof(*ob->now.v));
    taken = calloc(ob->before.count + 1, sizeof(*taken));
    if (!ob->now.v || !taken) {
        free(taken);
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        const struct xlcfg_row *row = &a->rows[i];
        const struct xlcfg__memory *was;

        was = i < ob->before.count &&
            !strcmp(ob->before.v[i].key, row->key) ? &ob->before.v[i]
            : find(&ob->before, row->key);
        if (was)
            taken[was - ob->before.v] = true;
        if (!put_memory(ob, row->key, xlcfg__state_name(row->state),
                        row->reason, was)) {
            free(taken);
            return false;
        }
        if (was && !strcmp(was->state, xlcfg__state_name(row->state)))
            note_body(ob, row, &ob->now.v[ob->now.count - 1]);
    }
    for (size_t i = 0; i < ob->before.count; i++)
        if (!taken[i] &&
            !put_memory(ob, ob->before.v[i].key, "detached", NULL,
                        &ob->before.v[i])) {
            free(taken);
            return false;
        }
    free(taken);
    return true;
}

static const char *event_name(const struct observation *ob, char *buf,
                              size_t size)
{
    const xlcfg_doc *was = xlcfg_doc_pointer(ob->seen.snapshot,
                                             "/domain/state");
    const char *before = xlcfg_doc_string(was);
    const char *now = ob->cut->dom.state;

    if (!ob->seen.known)
        return "created";
    if (ob->seen.gone)
        return "started";
    if (before && strcmp(before, now) && !strcmp(now, "stopped"))
        return "stopped";
    if (before && strcmp(before, now) && !strcmp(before, "stopped"))
        return "started";
    if (before && ob->cut->dom.domid >= 0 &&
        xlcfg__doc_to_int(xlcfg_doc_pointer(ob->seen.snapshot,
                                            "/domain/domid"), -1)
        != ob->cut->dom.domid)
        return "started";       /* of which the end was not seen */
    if (ob->changed != 1)
        return "changed";
    snprintf(buf, size, "device-%s", ob->moved_to);
    return buf;
}

static int record(struct observation *ob, xlcfg__state *st,
                  char version[XLCFG__VERSION_MAX], xlcfg_error *err)
{
    const struct xlcfg_domain *dom = &ob->cut->dom;
    struct xlcfg__addresses book = { 0 };
    xlcfg_doc *snapshot, *changes;
    struct xlcfg__record rec;
    char name[64], place[128];
    int rc;

    xlcfg__place(ob->ctx, place);
    changes = xlcfg__items_end(&ob->changes);
    snapshot = xlcfg__present_get(ob->ctx->conn->drv.name, dom, ob->answer,
                                  &ob->now, ob->hash, ob->address_hash);
    if (!snapshot || !changes || !xlcfg__addresses_of(ob->answer, &book)) {
        xlcfg__addresses_dispose(&book);
        xlcfg_doc_free(snapshot);
        xlcfg_doc_free(changes);
        return xlcfg__nomem(err);
    }
    rec = (struct xlcfg__record){
        .driver = ob->ctx->conn->drv.name, .uuid = dom->uuid,
        .name = dom->name, .domid = dom->domid, .digest = ob->digest,
        .hash = ob->hash, .address_hash = ob->address_hash,
        .devices = ob->now, .changes = changes, .snapshot = snapshot,
        .place = place, .state = dom->state, .ending = ob->ending,
        .event = event_name(ob, name, sizeof(name)), .addresses = &book,
    };
    rc = xlcfg__state_record(st, &rec, ob->seen.version, version, err);
    xlcfg__addresses_dispose(&book);
    xlcfg_doc_free(snapshot);
    xlcfg_doc_free(changes);
    return rc;
}

static void forget(struct observation *ob)
{
    xlcfg__memories_dispose(&ob->before);
    xlcfg__memories_dispose(&ob->now);
    xlcfg__seen_dispose(&ob->seen);
    xlcfg__items_dispose(&ob->changes);
    ob->changed = 0;
}

/* The row, and the devices that are of that same version. */
static int recall(struct observation *ob, xlcfg__state *st,
                  bool want_snapshot, xlcfg_error *err)
{
    const char *driver = ob->ctx->conn->drv.name;
    const char *uuid = ob->cut->dom.uuid;
    struct xlcfg__seen again = { 0 };
    int rc;

    rc = xlcfg__state_seen(st, driver, uuid, want_snapshot, &ob->seen, err);
    if (!rc)
        rc = xlcfg__state_devices(st, driver, uuid, &ob->before, err);
    if (!rc)
        rc = xlcfg__state_seen(st, driver, uuid, false, &again, err);
    if (!rc && strcmp(again.version, ob->seen.version))
        rc = xlcfg__err(err, XLCFG_ERROR_CONFLICT, uuid,
                        "somebody records a newer version just now");
    xlcfg__seen_dispose(&again);
    return rc;
}

/* One look at the store: is this new, and then note it.  version "" when the
 * store cannot say. */
static int note(struct observation *ob, xlcfg__state *st, bool may_write,
                char version[XLCFG__VERSION_MAX], xlcfg_error *err)
{
    const char *uuid = ob->cut->dom.uuid;
    int rc;

    rc = recall(ob, st, may_write, err);
    if (rc)
        return rc;
    if (!work_out(ob))
        return xlcfg__nomem(err);
    if (!ob->ending && ob->seen.known && !ob->seen.gone &&
        !strcmp(ob->seen.digest, ob->digest)) {
        strcpy(version, ob->seen.version);
        return 0;
    }
    if (!may_write)
        return 0;
    if (ob->cut->have_was && strcmp(ob->cut->was, ob->seen.version))
        return xlcfg__err(err, XLCFG_ERROR_CONFLICT, uuid,
                          "somebody recorded a newer version meanwhile");
    return record(ob, st, version, err);
}

/* Read first, for nearly always nothing changed; write only then, and that
 * also where reading failed: a writer puts a damaged store right. */
static int version_of(struct observation *ob,
                      char version[XLCFG__VERSION_MAX], xlcfg_error *err)
{
    int rc = 0;

    version[0] = '\0';
    for (int write = ob->ending ? 1 : 0; write < 2 && !version[0]; write++) {
        xlcfg__state *st;

        if (write && ob->cut->overtaken)
            break;
        rc = xlcfg__store(ob->ctx, write, &st, err);
        if (rc == XLCFG_ERROR_NOMEM)
            break;
        if (rc)
            continue;
        forget(ob);
        rc = note(ob, st, write, version, err);
        if (rc && rc != XLCFG_ERROR_CONFLICT)
            xlcfg__store_drop(ob->ctx, write);
        if (rc == XLCFG_ERROR_CONFLICT || rc == XLCFG_ERROR_NOMEM)
            break;
    }
    return rc;
}

/* doc with a version, or with why there is none.  Takes doc; NULL: no
 * memory. */
static xlcfg_doc *with_version(xlcfg_doc *doc, const char *version,
                               const xlcfg_error *why)
{
    xlcfg_doc *with;

    if (version[0])
        with = xlcfg__doc_with(doc, "version", xlcfg__doc_str(version));
    else if (why->code && why->code != XLCFG_ERROR_NOTFOUND)
        with = xlcfg__doc_with(doc, "no_version",
                               xlcfg__doc_strf("%s%s%s", why->where,
                                               why->where[0] ? ": " : "",
                                               why->message));
    else
        return doc;
    xlcfg_doc_free(doc);
    return with;
}

int xlcfg__observe(xlcfg_ctx *ctx, const struct xlcfg__cut *cut,
                   const struct xlcfg_answer *answer,
                   const struct xlcfg__ending *ending, xlcfg_doc **doc_r,
                   xlcfg_error *err)
{
    struct observation ob = { .ctx = ctx, .cut = cut, .answer = answer,
                              .ending = ending };
    char version[XLCFG__VERSION_MAX] = "";
    xlcfg_error why = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    int rc;

    rc = xlcfg__answer_digest(ctx->conn->drv.name, &cut->dom, answer,
                              ob.digest, err);
    if (!rc)
        rc = xlcfg__config_hash(answer->config, ob.hash, err);
    if (!rc)
        rc = xlcfg__address_hash(answer, ob.address_hash, err);
    if (rc)
        return rc;
    /* a look that was blind is no fact to be recorded */
    if (cut->dom.uuid[0] && !cut->blind)
        rc = version_of(&ob, version, &why);
    ctx->unrecorded = rc ? why : (xlcfg_error)XLCFG_ERROR_INIT;
    if (rc == XLCFG_ERROR_NOMEM || rc == XLCFG_ERROR_CONFLICT ||
        (rc && ending)) {
        if (err)
            *err = why;
        goto out;
    }
    if (!ob.now.v && !work_out(&ob)) {
        rc = xlcfg__nomem(err);
        goto out;
    }
    rc = 0;
    /* what was overtaken may be older than the numbers that were read */
    for (size_t i = 0; cut->overtaken && !version[0] && i < ob.now.count; i++)
        ob.now.v[i].incarnation = 0;
    doc = xlcfg__present_get(ctx->conn->drv.name, &cut->dom, answer, &ob.now,
                             ob.hash, ob.address_hash);
    if (doc)
        doc = with_version(doc, version, &why);
    if (!doc)
        rc = xlcfg__nomem(err);
    else
        *doc_r = doc;
out:
    forget(&ob);
    return rc;
}

xlcfg_doc *xlcfg__newest_version(xlcfg_ctx *ctx)
{
    char version[XLCFG__VERSION_MAX];
    xlcfg__state *st;
    int rc;

    rc = xlcfg__store(ctx, false, &st, NULL);
    if (rc)
        return xlcfg__doc_null();
    rc = xlcfg__state_version(st, version, NULL);
    if (rc)
        xlcfg__store_drop(ctx, false);
    return rc ? xlcfg__doc_null() : xlcfg__doc_str(version);
}
