/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was last seen of a domain whose backend does not answer: the newest
 * answer in state.db, with its age, and marked so that nobody takes it for a
 * look.
 */
#include "ops/last.h"
#include "ops/present.h"
#include "ops/recall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct last {
    xlcfg_doc *snapshot;
    char version[XLCFG__VERSION_MAX];
    int64_t recorded;           /* seconds since the epoch; 0: not known */
    int64_t seen;               /* when this context saw it so; 0: never */
};

static const char unreached[] =
    "live view: the backend was not reached, nothing was looked at";

/* ---- the answer ---- */

/* The device as it was, of which nothing is known now. */
static xlcfg_doc *device_then(const xlcfg_doc *dev)
{
    const char *state = xlcfg__doc_getstr(dev, "state");
    xlcfg__members m = { 0 };

    xlcfg__members_copy(&m, dev);
    xlcfg__members_set(&m, "reason",
                       xlcfg__doc_strf("not looked at; it was %s when it was "
                                       "last seen", state ? state
                                       : "unknown"));
    xlcfg__members_set(&m, "state", xlcfg__doc_str("unknown"));
    xlcfg__members_set(&m, "seen_in", xlcfg__doc_items(NULL, 0));
    return xlcfg__members_end(&m);
}

static bool has_device(const xlcfg_doc *devices, const char *key)
{
    for (size_t i = 0; i < xlcfg_doc_count(devices); i++) {
        const char *its = xlcfg__doc_getstr(xlcfg_doc_at(devices, i), "key");

        if (its && !strcmp(its, key))
            return true;
    }
    return false;
}

/* What others have done since, as far as files tell it. */
static void note_others(xlcfg__items *unknown, const xlcfg_doc *then,
                        const xlcfg_doc *now)
{
    const xlcfg_doc *devices = xlcfg_doc_get(now, "devices");

    for (size_t i = 0; i < xlcfg_doc_count(devices); i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(devices, i);
        const char *key = xlcfg__doc_getstr(dev, "key");

        if (key && !has_device(xlcfg_doc_get(then, "devices"), key))
            xlcfg__items_add(unknown,
                             xlcfg__doc_strf("%s: it is in the %s now, and "
                                             "was not seen yet", key,
                                             xlcfg__doc_getstr(dev,
                                                               "source")));
    }
}

static xlcfg_doc *unknown_now(const struct last *last, const xlcfg_doc *now,
                              int64_t age)
{
    const xlcfg_doc *had = xlcfg_doc_get(now, "unknown");
    xlcfg__items it = { 0 };

    for (size_t i = 0; i < xlcfg_doc_count(had); i++)
        xlcfg__items_add(&it, xlcfg_doc_ref(xlcfg_doc_at(had, i)));
    if (!now)
        xlcfg__items_add(&it, xlcfg__doc_str(unreached));
    xlcfg__items_add(&it, age < 0
                     ? xlcfg__doc_strf("config: as it was last seen, version "
                                       "%s", last->version)
                     : xlcfg__doc_strf("config: as it was last seen %lld s "
                                       "ago, version %s", (long long)age,
                                       last->version));
    note_others(&it, last->snapshot, now);
    return xlcfg__items_end(&it);
}

static xlcfg_doc *last_seen(const struct last *last, int64_t age)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "version", xlcfg__doc_str(last->version));
    xlcfg__members_add(&m, "recorded", xlcfg__present_time(last->recorded));
    xlcfg__members_add(&m, "looked_at", xlcfg__present_time(last->seen));
    xlcfg__members_add(&m, "age", age < 0 ? xlcfg__doc_null()
                       : xlcfg__doc_int(age));
    return xlcfg__members_end(&m);
}

/* The domain's line: of now where it was found, else of then, and nobody
 * knows in what state. */
static xlcfg_doc *domain_line(const struct last *last, const xlcfg_doc *now)
{
    const xlcfg_doc *domain = xlcfg_doc_get(now ? now : last->snapshot,
                                            "domain");

    return now ? xlcfg_doc_ref(domain)
        : xlcfg__doc_with(domain, "state", xlcfg__doc_str("unknown"));
}

static xlcfg_doc *answer(const struct last *last, const xlcfg_doc *now)
{
    int64_t since = last->seen > last->recorded ? last->seen
        : last->recorded;
    int64_t age = since ? (int64_t)time(NULL) - since : -1;
    const xlcfg_doc *devices = xlcfg_doc_get(last->snapshot, "devices");
    xlcfg__members m = { 0 };
    xlcfg__items rows = { 0 };

    age = since && age < 0 ? 0 : age;
    for (size_t i = 0; i < xlcfg_doc_count(devices); i++)
        xlcfg__items_add(&rows, device_then(xlcfg_doc_at(devices, i)));
    xlcfg__members_copy(&m, last->snapshot);
    xlcfg__members_set(&m, "domain", domain_line(last, now));
    xlcfg__members_set(&m, "version", xlcfg__doc_null());
    xlcfg__members_set(&m, "complete", xlcfg__doc_bool(false));
    xlcfg__members_set(&m, "unknown", unknown_now(last, now, age));
    xlcfg__members_set(&m, "devices", xlcfg__items_end(&rows));
    xlcfg__members_set(&m, "last_seen", last_seen(last, age));
    return xlcfg__members_end(&m);
}

/* ---- where it is from ---- */

static int read_last(xlcfg__state *st, const char *driver, const char *uuid,
                     struct last *last, xlcfg_error *err)
{
    struct xlcfg__seen seen = { 0 };
    int rc;

    rc = xlcfg__state_seen(st, driver, uuid, true, &seen, err);
    if (!rc && (!seen.known || seen.gone || !seen.snapshot))
        rc = xlcfg__err(err, XLCFG_ERROR_NOTFOUND, uuid,
                        "nothing was ever seen of it");
    if (!rc)
        rc = xlcfg__state_when(st, seen.revision, &last->recorded, err);
    if (!rc) {
        last->snapshot = xlcfg_doc_ref(seen.snapshot);
        strcpy(last->version, seen.version);
    }
    xlcfg__seen_dispose(&seen);
    return rc;
}

int xlcfg__last_good(xlcfg_ctx *ctx, const struct xlcfg_domain *dom,
                     const xlcfg_doc *now, xlcfg_doc **doc_r,
                     xlcfg_error *err)
{
    struct last last = { 0 };
    xlcfg__state *st;
    int rc;

    rc = xlcfg__store(ctx, false, &st, err);
    if (!rc)
        rc = read_last(st, ctx->conn->drv.name, dom->uuid, &last, err);
    if (rc)
        return rc;
    /* another run of it may be made of anything */
    if (xlcfg__doc_to_int(xlcfg_doc_pointer(last.snapshot, "/domain/domid"),
                          -1) != dom->domid) {
        rc = xlcfg__err(err, XLCFG_ERROR_NOTFOUND, dom->uuid,
                        "it was started anew since it was last seen");
        goto out;
    }
    last.seen = xlcfg__recall_when(ctx->recall, dom->uuid, last.version);
    *doc_r = answer(&last, now);
    rc = *doc_r ? 0 : xlcfg__nomem(err);
out:
    xlcfg_doc_free(last.snapshot);
    return rc;
}

/* ---- without a connection ---- */

/* Who may have recorded what this URI leads to. */
static bool may_be_of(const char *driver, const char *uri)
{
    static const char *const schemes[] = { "xen:", "mem:" };
    bool xen = !strcmp(driver, "xen"), mem = !strcmp(driver, "mem");

    if (!uri)
        return !mem;
    for (size_t i = 0; i < 2; i++)
        if (!strncmp(uri, schemes[i], strlen(schemes[i])))
            return i ? mem : xen;
    return !xen && !mem;
}

static bool is_called(const struct xlcfg__line *line, const char *dom)
{
    char id[32];

    snprintf(id, sizeof(id), "%lld", (long long)line->domid);
    return !strcmp(line->uuid, dom) ||
        (line->name && !strcmp(line->name, dom)) ||
        (line->domid >= 0 && !strcmp(id, dom));
}

static int find_line(xlcfg__state *st, const char *driver, const char *uri,
                     const char *dom, struct last *last, xlcfg_error *err)
{
    struct xlcfg__lines lines = { 0 };
    char place[128];
    int rc;

    xlcfg__place_of(driver, uri, place);
    rc = xlcfg__state_lines(st, driver, false, &lines, err);
    if (rc)
        return rc;
    rc = XLCFG_ERROR_NOTFOUND;
    for (size_t i = 0; i < lines.count && rc == XLCFG_ERROR_NOTFOUND; i++) {
        const struct xlcfg__line *line = &lines.v[i];

        if (!line->gone && line->place && !strcmp(line->place, place) &&
            is_called(line, dom))
            rc = read_last(st, driver, line->uuid, last, err);
    }
    xlcfg__lines_dispose(&lines);
    return rc;
}

int xlcfg_domain_last(const char *uri, const xlcfg_ctx_options *opt,
                      const char *dom, xlcfg_doc **doc_r, xlcfg_error *err)
{
    static const char *const drivers[] = { "xen", "libvirt", "mem" };
    xlcfg_ctx_options given = XLCFG_CTX_OPTIONS_INIT;
    struct last last = { 0 };
    xlcfg__state *st = NULL;
    char *dir;
    int rc;

    if (opt)
        memcpy(&given, opt, opt->size < sizeof(given) ? opt->size
                                                      : sizeof(given));
    dir = xlcfg__state_dir(given.state_dir);
    if (!dir)
        return xlcfg__nomem(err);
    rc = xlcfg__state_open(dir, false, given.lock_ms, &st, err);
    free(dir);
    if (rc)
        return rc;
    rc = XLCFG_ERROR_NOTFOUND;
    for (size_t i = 0; i < 3 && rc == XLCFG_ERROR_NOTFOUND; i++)
        if (may_be_of(drivers[i], uri))
            rc = find_line(st, drivers[i], uri, dom, &last, err);
    xlcfg__state_close(st);
    if (rc == XLCFG_ERROR_NOTFOUND)
        return xlcfg__err(err, rc, dom, "nothing was ever seen of it here");
    if (!rc) {
        *doc_r = answer(&last, NULL);
        rc = *doc_r ? 0 : xlcfg__nomem(err);
    }
    xlcfg_doc_free(last.snapshot);
    return rc;
}
