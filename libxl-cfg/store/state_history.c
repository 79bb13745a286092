/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * state.db: history.  It is a run of revisions without a hole, cut at its old
 * end when it is over its bounds; meta.trimmed is where.
 */
#include "store/state_i.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Events taken out by one record at most, so that none waits long; each adds
 * one, so history shrinks to its bounds all the same. */
#define TRIM_MOST 64

struct span {
    int64_t trimmed, newest, bytes;
};

static int read_span(xlcfg__state *st, struct span *span, xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_SPAN, &stmt, err, "");
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        *span = (struct span){ sqlite3_column_int64(stmt, 0),
                               sqlite3_column_int64(stmt, 1),
                               sqlite3_column_int64(stmt, 2) };
    else if (rc == 1)
        rc = xlcfg__state_sqlerr(st, SQLITE_CORRUPT, err);
    xlcfg__state_done(stmt);
    return rc;
}

int xlcfg__state_trim(xlcfg__state *st, int64_t revision, xlcfg_error *err)
{
    static const enum xlcfg__sql steps[] = {
        XLCFG__SQL_TRIM_SNAPSHOTS, XLCFG__SQL_TRIM_EVENTS,
        XLCFG__SQL_TRIM_DEVICES, XLCFG__SQL_TRIM_ADDRESSES,
        XLCFG__SQL_TRIM_CHOICE, XLCFG__SQL_TRIM_GONE,
    };
    int64_t too_old = (int64_t)time(NULL) - st->keep_days * 86400;
    int64_t last = 0, freed = 0;
    struct span span = { 0 };
    sqlite3_stmt *stmt;
    int rc;

    rc = read_span(st, &span, err);
    if (rc)
        return rc;
    rc = xlcfg__state_query(st, XLCFG__SQL_EXCESS, &stmt, err, "i",
                            (int64_t)TRIM_MOST);
    while (!rc && !(rc = xlcfg__state_step(st, stmt, err))) {
        int64_t when = sqlite3_column_int64(stmt, 1);

        if (sqlite3_column_int64(stmt, 0) > revision - st->keep &&
            (!when || when >= too_old) &&
            span.bytes - freed <= st->keep_bytes)
            break;
        last = sqlite3_column_int64(stmt, 0);
        freed += sqlite3_column_int64(stmt, 2);
    }
    xlcfg__state_done(stmt);
    if (rc < 0 || !last)
        return rc < 0 ? rc : 0;
    rc = 0;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !rc; i++)
        rc = xlcfg__state_run(st, steps[i], err, "i", last);
    if (!rc)
        rc = xlcfg__state_run(st, XLCFG__SQL_META_TRIM, err, "ii", freed,
                              last);
    return rc;
}

/* ---- tokens ---- */

static bool parse_token(const char *token, char instance[13], int64_t *rev_r)
{
    size_t n = strspn(token, "0123456789abcdef");
    const char *digits = token + 13;
    int64_t rev = 0;

    if (n != 12 || token[12] != '.' || strlen(digits) != 20 ||
        strspn(digits, "0123456789") != 20)
        return false;
    for (; *digits; digits++)
        if (__builtin_mul_overflow(rev, 10, &rev) ||
            __builtin_add_overflow(rev, *digits - '0', &rev))
            return false;
    memcpy(instance, token, 12);
    instance[12] = '\0';
    *rev_r = rev;
    return true;
}

int xlcfg__state_no_token(const char *token, xlcfg_error *err)
{
    char instance[13];
    int64_t rev;

    if (parse_token(token, instance, &rev))
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_INVAL, token,
                      "not a version: expected 12 hexadecimal digits, a "
                      "dot and 20 digits, a revision up to %" PRId64,
                      INT64_MAX);
}

static int too_old(const xlcfg__state *st, const char *token,
                   const struct span *span, const char *why,
                   xlcfg_error *err)
{
    char newest[XLCFG__VERSION_MAX];

    xlcfg__state_vertext(st, span->newest, newest);
    return xlcfg__err(err, XLCFG_ERROR_TOO_OLD, token,
                      "TOO_OLD: %s: list again, the store is at %s", why,
                      newest);
}

/* A token of this store, whether or not history still serves it. */
static int own_token(xlcfg__state *st, const char *token, int64_t *rev_r,
                     struct span *span, xlcfg_error *err)
{
    char instance[13];
    int rc;

    rc = xlcfg__state_no_token(token, err);
    if (rc)
        return rc;
    parse_token(token, instance, rev_r);
    rc = read_span(st, span, err);
    if (rc)
        return rc;
    if (strcmp(instance, st->instance))
        return too_old(st, token, span, "it is of another store", err);
    if (*rev_r > span->newest)
        return too_old(st, token, span, "it is of the future", err);
    return 0;
}

int xlcfg__state_token(xlcfg__state *st, const char *token, int64_t *rev_r,
                       xlcfg_error *err)
{
    struct span span;
    int64_t rev;
    int rc;

    rc = own_token(st, token, &rev, &span, err);
    if (rc)
        return rc;
    if (rev < span.trimmed)
        return too_old(st, token, &span,
                       "history no longer holds all that came after it",
                       err);
    *rev_r = rev;
    return 0;
}

/* ---- events ---- */

/* What is known of a domain whose event came without a snapshot. */
static xlcfg_doc *bare_domain(sqlite3_stmt *stmt)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "uuid", xlcfg__doc_str(
        (const char *)sqlite3_column_text(stmt, 2)));
    xlcfg__members_add(&m, "name", xlcfg__doc_str(
        (const char *)sqlite3_column_text(stmt, 3)));
    xlcfg__members_add(&m, "driver", xlcfg__doc_str(
        (const char *)sqlite3_column_text(stmt, 1)));
    return xlcfg__members_end(&m);
}

static xlcfg_doc *time_doc(int64_t when)
{
    time_t t = (time_t)when;
    char buf[32];
    struct tm tm;

    if (!when || !gmtime_r(&t, &tm) ||
        !strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm))
        return xlcfg__doc_null();
    return xlcfg__doc_str(buf);
}

/* Where one device is meant, it is named in front. */
static void add_one_device(xlcfg__members *m, const xlcfg_doc *changes)
{
    const xlcfg_doc *one = xlcfg_doc_at(changes, 0);
    static const char *const names[][2] = {
        { "key", "key" }, { "incarnation", "incarnation" },
        { "state", "now" }, { "reason", "reason" },
    };

    if (xlcfg_doc_count(changes) != 1)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (xlcfg_doc_get(one, names[i][1]))
            xlcfg__members_add(m, names[i][0], xlcfg_doc_ref(
                xlcfg_doc_get(one, names[i][1])));
}

/* Names that the event itself has. */
static bool of_event(const char *name)
{
    static const char *const names[] = { "revision", "version", "event",
                                         "time", "changes", "key",
                                         "incarnation", "state", "reason" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* The columns of EVENT_COLUMNS as one document. */
static int event_doc(xlcfg__state *st, sqlite3_stmt *stmt, xlcfg_doc **doc_r,
                     xlcfg_error *err)
{
    int64_t revision = sqlite3_column_int64(stmt, 0);
    xlcfg_doc *changes = NULL, *body = NULL, *doc;
    char version[XLCFG__VERSION_MAX];
    xlcfg__members m = { 0 };
    int rc;

    rc = xlcfg__state_doc(st, stmt, 5, &changes, err);
    if (!rc)
        rc = xlcfg__state_doc(st, stmt, 6, &body, err);
    if (rc) {
        xlcfg_doc_free(changes);
        return rc;
    }
    xlcfg__state_vertext(st, revision, version);
    xlcfg__members_add(&m, "revision", xlcfg__doc_int(revision));
    xlcfg__members_add(&m, "version", xlcfg__doc_str(version));
    xlcfg__members_add(&m, "event", xlcfg__doc_str(
        (const char *)sqlite3_column_text(stmt, 4)));
    xlcfg__members_add(&m, "time", time_doc(sqlite3_column_int64(stmt, 7)));
    add_one_device(&m, changes);
    xlcfg__members_add(&m, "changes", changes ? changes
                                              : xlcfg__doc_items(NULL, 0));
    for (size_t i = 0; i < xlcfg_doc_count(body); i++) {
        const char *name = xlcfg_doc_name(body, i);

        if (!of_event(name))
            xlcfg__members_add(&m, name, xlcfg_doc_ref(xlcfg_doc_at(body,
                                                                    i)));
    }
    if (!body)
        xlcfg__members_add(&m, "domain", bare_domain(stmt));
    xlcfg_doc_free(body);
    doc = xlcfg__members_end(&m);
    if (!doc)
        return xlcfg__nomem(err);
    *doc_r = doc;
    return 0;
}

static int read_events(xlcfg__state *st, const char *driver,
                       const char *uuid, int64_t after, size_t most,
                       xlcfg__items *events, xlcfg_error *err)
{
    int64_t limit = most < INT64_MAX ? (int64_t)most : INT64_MAX;
    xlcfg_doc *doc = NULL;
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, uuid ? XLCFG__SQL_HISTORY_OF
                                     : XLCFG__SQL_HISTORY, &stmt, err,
                            uuid ? "iitt" : "iit", after, limit, driver,
                            uuid);
    while (!rc && !(rc = xlcfg__state_step(st, stmt, err))) {
        rc = event_doc(st, stmt, &doc, err);
        if (!rc)
            xlcfg__items_add(events, doc);
    }
    xlcfg__state_done(stmt);
    return rc < 0 ? rc : 0;
}

/* Within a read, so that nothing is trimmed between the two questions. */
static int history(xlcfg__state *st, const char *driver, const char *uuid,
                   int64_t after, size_t most, xlcfg__items *events,
                   xlcfg_error *err)
{
    char token[XLCFG__VERSION_MAX];
    struct span span = { 0 };
    int64_t rev;
    int rc;

    if (after < 0) {
        rc = read_span(st, &span, err);
        after = span.trimmed;
    } else {
        xlcfg__state_vertext(st, after, token);
        rc = xlcfg__state_token(st, token, &rev, err);
    }
    return rc ? rc : read_events(st, driver, uuid, after, most, events, err);
}

/* Ends the read.  Takes events. */
static int answer(xlcfg__state *st, int rc, xlcfg__items *events,
                  xlcfg_doc **array_r, xlcfg_error *err)
{
    xlcfg_doc *doc;

    rc = xlcfg__state_end(st, rc, err);
    if (rc) {
        xlcfg__items_dispose(events);
        return rc;
    }
    doc = xlcfg__items_end(events);
    if (!doc)
        return xlcfg__nomem(err);
    *array_r = doc;
    return 0;
}

int xlcfg__state_history(xlcfg__state *st, const char *driver,
                         const char *uuid, int64_t after, size_t most,
                         xlcfg_doc **array_r, xlcfg_error *err)
{
    xlcfg__items events = { 0 };
    int rc;

    rc = xlcfg__state_run(st, XLCFG__SQL_READ, err, "");
    if (rc)
        return rc;
    rc = history(st, driver, uuid, after, most, &events, err);
    return answer(st, rc, &events, array_r, err);
}

int xlcfg__state_news(xlcfg__state *st, const char *driver,
                      const char *known, size_t most,
                      char version_r[XLCFG__VERSION_MAX],
                      xlcfg_doc **array_r, xlcfg_error *err)
{
    size_t len = strlen(st->instance);
    xlcfg__items events = { 0 };
    int rc;

    rc = xlcfg__state_run(st, XLCFG__SQL_READ, err, "");
    if (rc)
        return rc;
    rc = xlcfg__state_version(st, version_r, err);
    if (!rc && strcmp(known, version_r) &&
        !strncmp(known, version_r, len))
        rc = history(st, driver, NULL, strtoll(known + len + 1, NULL, 10),
                     most, &events, err);
    return answer(st, rc, &events, array_r, err);
}

/* ---- as it was ---- */

int xlcfg__state_by_version(xlcfg__state *st, const char *driver,
                            const char *uuid, const char *version,
                            xlcfg_doc **doc_r, xlcfg_error *err)
{
    size_t len = strlen(st->instance);
    xlcfg_doc *doc = NULL;
    sqlite3_stmt *stmt;
    int rc;

    if (strncmp(version, st->instance, len) || version[len] != '.')
        return xlcfg__err(err, XLCFG_ERROR_TOO_OLD, version,
                          "it is a version of another store");
    rc = xlcfg__state_query(st, XLCFG__SQL_BY_VERSION, &stmt, err, "itt",
                            (int64_t)strtoll(version + len + 1, NULL, 10),
                            driver, uuid);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        rc = xlcfg__state_doc(st, stmt, 0, &doc, err);
    xlcfg__state_done(stmt);
    if (rc < 0)
        return rc;
    if (!doc)
        return xlcfg__err(err, XLCFG_ERROR_TOO_OLD, version,
                          "history does not hold this version of it");
    *doc_r = doc;
    return 0;
}

static int revision_at(xlcfg__state *st, const char *driver,
                       const char *uuid, int64_t at, int64_t *rev_r,
                       xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_AT, &stmt, err, "tti", driver,
                            uuid, at);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        *rev_r = sqlite3_column_int64(stmt, 0);
    xlcfg__state_done(stmt);
    return rc < 0 ? rc : 0;
}

static int read_at(xlcfg__state *st, const char *driver, const char *uuid,
                   const char *token, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_doc *doc = NULL;
    struct span span;
    int64_t at, rev = 0;
    int rc;

    rc = own_token(st, token, &at, &span, err);
    if (!rc)
        rc = revision_at(st, driver, uuid, at, &rev, err);
    if (!rc && rev)
        rc = xlcfg__state_snapshot(st, rev, &doc, err);
    if (rc)
        return rc;
    if (!doc && at <= span.trimmed)
        return too_old(st, token, &span,
                       "history does not reach back so far", err);
    if (!doc)
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, uuid,
                          "no such domain at version %s", token);
    *doc_r = doc;
    return 0;
}

int xlcfg__state_at(xlcfg__state *st, const char *driver, const char *uuid,
                    const char *token, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_doc *doc = NULL;
    int rc;

    rc = xlcfg__state_run(st, XLCFG__SQL_READ, err, "");
    if (rc)
        return rc;
    rc = read_at(st, driver, uuid, token, &doc, err);
    rc = xlcfg__state_end(st, rc, err);
    if (rc)
        xlcfg_doc_free(doc);
    else
        *doc_r = doc;
    return rc;
}

int xlcfg__state_when(xlcfg__state *st, int64_t revision, int64_t *time_r,
                      xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_WHEN, &stmt, err, "i", revision);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (rc >= 0)
        *time_r = rc ? 0 : sqlite3_column_int64(stmt, 0);
    xlcfg__state_done(stmt);
    return rc < 0 ? rc : 0;
}
