/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listings: see to it that all changes are noted, and who is gone, and then
 * answer from one read of the store, so that the rows are just what the
 * events up to `version` made, and a watch from there misses and repeats
 * nothing.
 *
 * Who watches all the time is asked whether all is noted (store/keeper.h).
 * Where nobody does, or does not say so soon, every domain is looked at; what
 * could not be recorded then stands there as it was seen.
 */
#include "ops/ctx.h"
#include "ops/present.h"
#include "store/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A keeper that takes longer is not worth waiting for. */
#define KEEPER_MS 1000

struct listing {
    xlcfg_ctx *ctx;
    const char *driver;
    char place[128];
    bool full;
    const xlcfg_doc *known;     /* {uuid: version or hash}, or NULL */
    int64_t since;              /* -1: all */
    struct xlcfg_domains list;
    xlcfg_doc **seen;           /* per domain: the get object, or of it what
                                   a row needs; NULL: could not be looked at */
    bool *ended;                /* per domain: since it was listed */
    struct xlcfg__lines lines;
    const struct xlcfg__line **order;   /* the lines, as they are shown */
    xlcfg__items rows, gone;
};

static void dispose(struct listing *ls)
{
    for (size_t i = 0; ls->seen && i < ls->list.count; i++)
        xlcfg_doc_free(ls->seen[i]);
    free(ls->seen);
    free(ls->ended);
    free(ls->order);
    xlcfg__domains_dispose(&ls->list);
    xlcfg__lines_dispose(&ls->lines);
    xlcfg__items_dispose(&ls->rows);
    xlcfg__items_dispose(&ls->gone);
}

static xlcfg_doc *brief(const xlcfg_doc *whole)
{
    static const char *const names[] = { "version", "hash", "address_hash" };
    xlcfg__members m = { 0 };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        xlcfg__members_add(&m, names[i],
                           xlcfg_doc_ref(xlcfg_doc_get(whole, names[i])));
    return xlcfg__members_end(&m);
}

static int note_seen(struct listing *ls, size_t i, const xlcfg_doc *doc,
                     xlcfg_error *err)
{
    ls->seen[i] = ls->full ? xlcfg_doc_ref(doc) : brief(doc);
    return ls->seen[i] ? 0 : xlcfg__nomem(err);
}

static int look_at(struct listing *ls, size_t i, xlcfg_error *err)
{
    const struct xlcfg_domain *dom = &ls->list.v[i];
    xlcfg_doc *doc = NULL;
    bool blind = false;
    char id[32];
    int rc;

    snprintf(id, sizeof(id), "%lld", (long long)dom->domid);
    rc = xlcfg__sight_doc(ls->ctx, dom->domid >= 0 ? id : dom->uuid, &doc,
                          &blind, err);
    ls->ended[i] = rc == XLCFG_ERROR_DOMAIN_NOTFOUND;
    if (!rc && !blind)
        rc = note_seen(ls, i, doc, err);
    xlcfg_doc_free(doc);
    return rc == XLCFG_ERROR_NOMEM ? rc : 0;
}

/* All at once, as far as that goes; who is not done then, looked_at tells. */
static int look_abreast(struct listing *ls, bool *looked_at,
                        xlcfg_error *err)
{
    size_t count = ls->list.count;
    struct xlcfg__cut *cuts = calloc(count, sizeof(*cuts));
    int *rcs = calloc(count, sizeof(*rcs));
    int rc = XLCFG_ERROR_NOMEM;

    if (cuts && rcs)
        rc = xlcfg__cuts_take(ls->ctx, &ls->list, cuts, rcs, err);
    for (size_t i = 0; !rc && i < count; i++) {
        xlcfg_doc *doc = NULL;

        ls->ended[i] = rcs[i] == XLCFG_ERROR_DOMAIN_NOTFOUND;
        /* alone it would be waited for once more */
        looked_at[i] = ls->ended[i] || rcs[i] == XLCFG_ERROR_TIMEDOUT;
        if (rcs[i])
            continue;
        rc = xlcfg__sight_of(ls->ctx, &cuts[i], &doc, err);
        looked_at[i] = !rc;
        if (!rc)
            rc = note_seen(ls, i, doc, err);
        else if (rc != XLCFG_ERROR_NOMEM)
            rc = 0;
        xlcfg_doc_free(doc);
    }
    for (size_t i = 0; cuts && i < count; i++)
        xlcfg__cut_dispose(&cuts[i]);
    free(cuts);
    free(rcs);
    return rc;
}

/* Each of them; one that could not be looked at has nothing in `seen`. */
static int look_at_each(struct listing *ls, xlcfg_error *err)
{
    size_t count = ls->list.count;
    bool *looked_at = calloc(count + 1, sizeof(*looked_at));
    int rc = looked_at ? 0 : xlcfg__nomem(err);

    if (!rc && count > 1 && ls->ctx->conn->drv.abreast > 1)
        rc = look_abreast(ls, looked_at, err);
    for (size_t i = 0; i < count && !rc; i++)
        if (!looked_at[i])
            rc = look_at(ls, i, err);
    free(looked_at);
    return rc;
}

int xlcfg__read_lines(xlcfg_ctx *ctx, bool full, struct xlcfg__lines *lines,
                      xlcfg_error *err)
{
    xlcfg__state *st;
    int rc;

    *lines = (struct xlcfg__lines){ 0 };
    rc = xlcfg__store(ctx, false, &st, err);
    if (rc)
        return rc;
    rc = xlcfg__state_lines(st, ctx->conn->drv.name, full, lines, err);
    if (rc)
        xlcfg__store_drop(ctx, false);
    return rc;
}

/* ---- rows ---- */

static const char *known_as(const struct listing *ls, const char *uuid)
{
    return xlcfg__doc_getstr(ls->known, uuid);
}

/* Is this row asked for? */
static bool wanted(const struct listing *ls, const char *uuid,
                   const char *version, const char *hash, int64_t revision)
{
    const char *known = ls->known ? known_as(ls, uuid) : NULL;

    if (known && ((version && !strcmp(known, version)) ||
                  (hash && !strcmp(known, hash))))
        return false;
    return ls->since < 0 || revision < 0 || revision > ls->since;
}

/* domain, version and hashes, and with full the whole of it. */
static void add_row(struct listing *ls, xlcfg_doc *who, const char *version,
                    const char *hash, const char *address_hash,
                    const xlcfg_doc *whole)
{
    xlcfg__members m = { 0 };

    if (!who)
        m.failed = true;
    xlcfg__members_copy(&m, who);
    xlcfg_doc_free(who);
    xlcfg__members_add(&m, "version", xlcfg__doc_str(version));
    xlcfg__members_add(&m, "hash", xlcfg__doc_str(hash));
    xlcfg__members_add(&m, "address_hash", xlcfg__doc_str(address_hash));
    for (size_t i = 0; ls->full && i < xlcfg_doc_count(whole); i++)
        xlcfg__members_set(&m, xlcfg_doc_name(whole, i),
                           xlcfg_doc_ref(xlcfg_doc_at(whole, i)));
    xlcfg__items_add(&ls->rows, xlcfg__members_end(&m));
}

/* What was seen is what is recorded: of one version there is one answer. */
static bool is_seen(const struct xlcfg__line *line, const xlcfg_doc *seen)
{
    const char *version = xlcfg__doc_getstr(seen, "version");

    return version && !strcmp(version, line->version);
}

static void add_line(struct listing *ls, const struct xlcfg__line *line,
                     const char *state, const xlcfg_doc *seen)
{
    struct xlcfg_domain dom = {
        .name = line->name, .domid = line->domid,
        .state = line->state ? line->state : state ? state : "unknown",
    };

    if (!wanted(ls, line->uuid, line->version, line->hash, line->revision))
        return;
    snprintf(dom.uuid, sizeof(dom.uuid), "%s", line->uuid);
    add_row(ls, xlcfg__present_domain(ls->driver, &dom), line->version,
            line->hash, line->address_hash,
            is_seen(line, seen) ? seen : line->snapshot);
}

static void add_seen(struct listing *ls, size_t i)
{
    const struct xlcfg_domain *dom = &ls->list.v[i];
    const char *hash = xlcfg__doc_getstr(ls->seen[i], "hash");
    const char *version = xlcfg__doc_getstr(ls->seen[i], "version");

    if (wanted(ls, dom->uuid, version, hash, -1))
        add_row(ls, xlcfg__present_domain(ls->driver, dom), version, hash,
                xlcfg__doc_getstr(ls->seen[i], "address_hash"), ls->seen[i]);
}

static bool is_ours(const struct listing *ls, const struct xlcfg__line *line)
{
    return !line->gone && line->place && !strcmp(line->place, ls->place);
}

/* By number, as a backend lists them; those that do not run after that. */
static int in_order(const void *a, const void *b)
{
    const struct xlcfg__line *x = *(const struct xlcfg__line *const *)a;
    const struct xlcfg__line *y = *(const struct xlcfg__line *const *)b;

    if ((x->domid < 0) != (y->domid < 0))
        return x->domid < 0 ? 1 : -1;
    if (x->domid != y->domid)
        return x->domid < y->domid ? -1 : 1;
    return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

static int put_in_order(struct listing *ls)
{
    ls->order = calloc(ls->lines.count + 1, sizeof(*ls->order));
    if (!ls->order)
        return XLCFG_ERROR_NOMEM;
    for (size_t i = 0; i < ls->lines.count; i++)
        ls->order[i] = &ls->lines.v[i];
    qsort(ls->order, ls->lines.count, sizeof(*ls->order), in_order);
    return 0;
}

static void add_rows(struct listing *ls)
{
    for (size_t i = 0; i < ls->list.count; i++) {
        const struct xlcfg_domain *dom = &ls->list.v[i];
        const struct xlcfg__line *line;

        if (ls->ended[i])
            continue;
        line = xlcfg__lines_find(&ls->lines, dom->uuid);
        /* what was not recorded now is as it was seen, or not seen */
        if (!line || !ls->seen[i] ||
            !xlcfg__doc_getstr(ls->seen[i], "version"))
            add_seen(ls, i);
        else if (!line->gone)
            add_line(ls, line, dom->state, ls->seen[i]);
    }
    /* recorded by others while we looked, or by the keeper */
    for (size_t i = 0; i < ls->lines.count; i++)
        if (is_ours(ls, ls->order[i]) &&
            !xlcfg__is_listed(&ls->list, ls->order[i]->uuid))
            add_line(ls, ls->order[i], NULL, NULL);
}

static void add_gone(struct listing *ls)
{
    for (size_t i = 0; i < xlcfg_doc_count(ls->known); i++) {
        const char *uuid = xlcfg_doc_name(ls->known, i);
        const struct xlcfg__line *line = xlcfg__lines_find(&ls->lines, uuid);

        if (!xlcfg__is_listed(&ls->list, uuid) && (!line || line->gone))
            xlcfg__items_add(&ls->gone, xlcfg__doc_str(uuid));
    }
    for (size_t i = 0; ls->since >= 0 && i < ls->lines.count; i++) {
        const struct xlcfg__line *line = &ls->lines.v[i];

        if (line->gone && line->revision > ls->since &&
            !xlcfg__is_listed(&ls->list, line->uuid) &&
            !(ls->known && known_as(ls, line->uuid)))
            xlcfg__items_add(&ls->gone, xlcfg__doc_str(line->uuid));
    }
}

static int answer(struct listing *ls, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg__members m = { 0 };

    add_rows(ls);
    xlcfg__members_add(&m, "version",
                       xlcfg__doc_str(ls->lines.version[0]
                                      ? ls->lines.version : NULL));
    xlcfg__members_add(&m, "domains", xlcfg__items_end(&ls->rows));
    if (ls->known || ls->since >= 0) {
        add_gone(ls);
        xlcfg__members_add(&m, "gone", xlcfg__items_end(&ls->gone));
    }
    *doc_r = xlcfg__members_end(&m);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

static int look_at_all(struct listing *ls, xlcfg_error *err)
{
    struct xlcfg__lines before;
    bool stored;
    int rc;

    stored = !xlcfg__read_lines(ls->ctx, false, &before, NULL);
    rc = xlcfg__list_take(ls->ctx, &ls->list, NULL, NULL, err);
    if (!rc) {
        ls->seen = calloc(ls->list.count + 1, sizeof(*ls->seen));
        ls->ended = calloc(ls->list.count + 1, sizeof(*ls->ended));
        rc = ls->seen && ls->ended ? 0 : xlcfg__nomem(err);
    }
    if (!rc)
        rc = look_at_each(ls, err);
    /* where it cannot be noted the listing is right all the same */
    if (!rc && stored)
        rc = xlcfg__note_absent(ls->ctx, &before, &ls->list, err) ==
            XLCFG_ERROR_NOMEM ? XLCFG_ERROR_NOMEM : 0;
    xlcfg__lines_dispose(&before);
    return rc;
}

/* Are all rows there that will be told?  Most often nobody else recorded
 * anything, and the snapshots need not be read. */
static bool all_seen(const struct listing *ls)
{
    size_t there = 0, seen = 0;

    for (size_t i = 0; i < ls->lines.count; i++) {
        const struct xlcfg__line *line = &ls->lines.v[i];

        there += !line->gone && line->place &&
            !strcmp(line->place, ls->place);
    }
    for (size_t i = 0; i < ls->list.count; i++) {
        const struct xlcfg__line *line =
            xlcfg__lines_find(&ls->lines, ls->list.v[i].uuid);

        if (line && !is_seen(line, ls->seen[i]))
            return false;
        seen += line && !line->gone && line->place &&
            !strcmp(line->place, ls->place);
    }
    return there == seen;
}

/* A host without a domain gets a store here, for there is a version to tell:
 * what a watch goes on from. */
static int final_lines(struct listing *ls)
{
    xlcfg__state *st;
    int rc;

    rc = xlcfg__read_lines(ls->ctx, false, &ls->lines, NULL);
    if (rc == XLCFG_ERROR_NOTFOUND) {
        rc = xlcfg__store(ls->ctx, true, &st, NULL);
        if (!rc)
            rc = xlcfg__read_lines(ls->ctx, false, &ls->lines, NULL);
    }
    if (rc || !ls->full || all_seen(ls))
        return rc;
    xlcfg__lines_dispose(&ls->lines);
    return xlcfg__read_lines(ls->ctx, true, &ls->lines, NULL);
}

/*
 * Does the keeper say that all up to now is in the store, and are the lines
 * just its domains?  Then there is nothing to look at.  One that came or went
 * since is as good a reason as any to look after all.
 */
static bool kept(struct listing *ls)
{
    xlcfg_ctx *ctx = ls->ctx;
    char version[XLCFG__KEEPER_VERSION_MAX], *name;
    unsigned wait_ms = ctx->deadline_ms < KEEPER_MS ? ctx->deadline_ms
                                                    : KEEPER_MS;
    size_t count = 0, ours = 0;
    int rc;

    name = ctx->deep ? NULL : xlcfg__keeper_name(ctx);
    if (!name)
        return false;
    rc = xlcfg__keeper_ask(ctx->state_dir, name, wait_ms, version, &count);
    free(name);
    if (rc || xlcfg__read_lines(ctx, ls->full, &ls->lines, NULL))
        return false;
    for (size_t i = 0; i < ls->lines.count; i++)
        ours += is_ours(ls, &ls->lines.v[i]);
    if (ours == count && !strncmp(version, ls->lines.version, 13))
        return true;
    xlcfg__lines_dispose(&ls->lines);
    return false;
}

int xlcfg__since(xlcfg_ctx *ctx, const char *token, int64_t *rev_r,
                 xlcfg_error *err)
{
    xlcfg__state *st;
    int rc;

    rc = xlcfg__store(ctx, false, &st, err);
    if (rc == XLCFG_ERROR_NOTFOUND)
        rc = xlcfg__store(ctx, true, &st, err);
    if (rc)
        return rc;
    rc = xlcfg__state_token(st, token, rev_r, err);
    if (rc == XLCFG_ERROR_STORE)
        xlcfg__store_drop(ctx, st == ctx->writer);
    return rc;
}

int xlcfg_changes(xlcfg_ctx *ctx, const xlcfg_changes_options *opt,
                  xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_changes_options given = XLCFG_CHANGES_OPTIONS_INIT;
    struct listing ls = { .ctx = ctx, .since = -1 };
    xlcfg_doc *known = NULL;
    int rc = 0;

    if (opt)
        memcpy(&given, opt, opt->size < sizeof(given) ? opt->size
                                                      : sizeof(given));
    if (given.known)
        rc = xlcfg__known(given.known, &known, err);
    if (!rc && given.since)
        rc = xlcfg__since(ctx, given.since, &ls.since, err);
    if (rc)
        goto out;
    ls.driver = ctx->conn->drv.name;
    ls.full = given.full;
    ls.known = known;
    xlcfg__place(ctx, ls.place);
    if (!kept(&ls)) {
        rc = look_at_all(&ls, err);
        if (!rc && final_lines(&ls) == XLCFG_ERROR_NOMEM)
            rc = XLCFG_ERROR_NOMEM;
    }
    if (!rc)
        rc = put_in_order(&ls);
    if (!rc)
        rc = answer(&ls, doc_r, err);
    dispose(&ls);
    if (rc == XLCFG_ERROR_NOMEM)
        xlcfg__nomem(err);
out:
    xlcfg_doc_free(known);
    return rc;
}

int xlcfg_domain_list(xlcfg_ctx *ctx, bool full, xlcfg_doc **doc_r,
                      xlcfg_error *err)
{
    xlcfg_changes_options opt = XLCFG_CHANGES_OPTIONS_INIT;

    opt.full = full;
    return xlcfg_changes(ctx, &opt, doc_r, err);
}
