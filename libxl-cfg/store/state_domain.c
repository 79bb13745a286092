/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state.db: what was seen of domains, recording a change, and history. */
#include "store/state_i.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int xlcfg__state_version(xlcfg__state *st, char buf[XLCFG__VERSION_MAX],
                         xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_REVISION, &stmt, err, "");
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        xlcfg__state_vertext(st, sqlite3_column_int64(stmt, 0), buf);
    else if (rc == 1)
        rc = xlcfg__state_sqlerr(st, SQLITE_CORRUPT, err);
    xlcfg__state_done(stmt);
    return rc;
}

void xlcfg__seen_dispose(struct xlcfg__seen *seen)
{
    xlcfg_doc_free(seen->snapshot);
    *seen = (struct xlcfg__seen){ 0 };
}

static int read_snapshot(xlcfg__state *st, int64_t revision,
                         xlcfg_doc **doc_r, xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_SNAPSHOT, &stmt, err, "i",
                            revision);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        rc = xlcfg__state_doc(st, stmt, 0, doc_r, err);
    xlcfg__state_done(stmt);
    return rc < 0 ? rc : 0;
}

int xlcfg__state_seen(xlcfg__state *st, const char *driver, const char *uuid,
                      bool want_snapshot, struct xlcfg__seen *seen_r,
                      xlcfg_error *err)
{
    struct xlcfg__seen seen = { 0 };
    int64_t revision = 0;
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_SEEN, &stmt, err, "tt", driver,
                            uuid);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc) {
        seen.known = sqlite3_column_type(stmt, 1) != SQLITE_NULL;
        seen.generation = sqlite3_column_int64(stmt, 5);
    }
    if (!rc && seen.known) {
        seen.gone = sqlite3_column_int(stmt, 0) != 0;
        revision = sqlite3_column_int64(stmt, 1);
        xlcfg__state_vertext(st, revision, seen.version);
        xlcfg__state_buf(stmt, 2, seen.digest, sizeof(seen.digest));
        xlcfg__state_buf(stmt, 3, seen.hash, sizeof(seen.hash));
        xlcfg__state_buf(stmt, 4, seen.address_hash,
                         sizeof(seen.address_hash));
    }
    /* Inside the same read: the row is still under its statement, so a
     * writer cannot take the snapshot away between the two. */
    if (!rc && seen.known && want_snapshot)
        rc = read_snapshot(st, revision, &seen.snapshot, err);
    xlcfg__state_done(stmt);
    if (rc < 0)
        return rc;
    *seen_r = seen;
    return 0;
}

int xlcfg__state_known(xlcfg__state *st, const char *driver,
                       xlcfg_doc **uuids_r, xlcfg_error *err)
{
    xlcfg__items uuids = { 0 };
    sqlite3_stmt *stmt;
    xlcfg_doc *doc = NULL;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_KNOWN, &stmt, err, "t", driver);
    while (!rc && !(rc = xlcfg__state_step(st, stmt, err)))
        xlcfg__items_add(&uuids, xlcfg__doc_str(
            (const char *)sqlite3_column_text(stmt, 0)));
    xlcfg__state_done(stmt);
    if (rc < 0) {
        xlcfg__items_dispose(&uuids);
        return rc;
    }
    doc = xlcfg__items_end(&uuids);
    if (!doc)
        return xlcfg__nomem(err);
    *uuids_r = doc;
    return 0;
}

void xlcfg__memories_dispose(struct xlcfg__memories *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->v[i].key);
    free(list->v);
    *list = (struct xlcfg__memories){ 0 };
}

static int add_memory(struct xlcfg__memories *list, size_t *room,
                      sqlite3_stmt *stmt)
{
    struct xlcfg__memory *m;

    if (list->count == *room) {
        size_t more = *room ? *room * 2 : 16;

        m = reallocarray(list->v, more, sizeof(*m));
        if (!m)
            return XLCFG_ERROR_NOMEM;
        list->v = m;
        *room = more;
    }
    m = &list->v[list->count];
    if (!xlcfg__state_text(stmt, 0, &m->key))
        return XLCFG_ERROR_NOMEM;
    list->count++;
    xlcfg__state_buf(stmt, 1, m->state, sizeof(m->state));
    m->incarnation = sqlite3_column_int64(stmt, 2);
    m->since = sqlite3_column_int64(stmt, 3);
    m->attempts = sqlite3_column_int(stmt, 4);
    return 0;
}

int xlcfg__state_devices(xlcfg__state *st, const char *driver,
                         const char *uuid, struct xlcfg__memories *list_r,
                         xlcfg_error *err)
{
    struct xlcfg__memories list = { 0 };
    sqlite3_stmt *stmt;
    size_t room = 0;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_DEVICES, &stmt, err, "tt",
                            driver, uuid);
    while (!rc && !(rc = xlcfg__state_step(st, stmt, err)))
        if (add_memory(&list, &room, stmt))
            rc = xlcfg__nomem(err);
    xlcfg__state_done(stmt);
    if (rc < 0) {
        xlcfg__memories_dispose(&list);
        return rc;
    }
    *list_r = list;
    return 0;
}

/* ---- recording --------------------------------------------------------- */

struct row {
    int64_t revision;           /* 0: there is none */
    bool same;                  /* holds what is to be recorded */
};

static int read_row(xlcfg__state *st, const struct xlcfg__record *rec,
                    struct row *row_r, xlcfg_error *err)
{
    const char *digest;
    sqlite3_stmt *stmt;
    int rc;

    *row_r = (struct row){ 0 };
    rc = xlcfg__state_query(st, XLCFG__SQL_ROW, &stmt, err, "tt",
                            rec->driver, rec->uuid);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc) {
        row_r->revision = sqlite3_column_int64(stmt, 0);
        digest = (const char *)sqlite3_column_text(stmt, 2);
        row_r->same = digest && !strcmp(digest, rec->digest) &&
            rec->gone == (sqlite3_column_int(stmt, 1) != 0);
    }
    xlcfg__state_done(stmt);
    return rc < 0 ? rc : 0;
}

static int next_revision(xlcfg__state *st, int64_t *revision_r,
                         xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_NEXT_REVISION, &stmt, err, "");
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        *revision_r = sqlite3_column_int64(stmt, 0);
    else if (rc == 1)
        rc = xlcfg__state_sqlerr(st, SQLITE_CORRUPT, err);
    xlcfg__state_done(stmt);
    return rc;
}

static int put_devices(xlcfg__state *st, const struct xlcfg__record *rec,
                       xlcfg_error *err)
{
    int rc;

    rc = xlcfg__state_run(st, XLCFG__SQL_DEVICES_DROP, err, "tt",
                          rec->driver, rec->uuid);
    for (size_t i = 0; !rc && i < rec->devices.count; i++) {
        const struct xlcfg__memory *m = &rec->devices.v[i];

        rc = xlcfg__state_run(st, XLCFG__SQL_DEVICE_PUT, err, "ttittiii",
                              rec->driver, rec->uuid, (int64_t)i, m->key,
                              m->state, m->incarnation, m->since,
                              (int64_t)m->attempts);
    }
    return rc;
}

static int put_snapshot(xlcfg__state *st, const struct xlcfg__record *rec,
                        int64_t revision, xlcfg_error *err)
{
    char version[XLCFG__VERSION_MAX];
    xlcfg_doc *doc = NULL;
    int rc;

    if (!rec->snapshot)
        return 0;
    xlcfg__state_vertext(st, revision, version);
    doc = xlcfg__doc_with(rec->snapshot, "version", xlcfg__doc_str(version));
    if (!doc)
        return xlcfg__nomem(err);
    rc = xlcfg__state_run(st, XLCFG__SQL_SNAPSHOT_PUT, err, "id", revision,
                          doc);
    xlcfg_doc_free(doc);
    return rc;
}

/* Every revision is one event, so the bound is a revision. */
static int trim(xlcfg__state *st, int64_t revision, int64_t left,
                xlcfg_error *err)
{
    int64_t last = revision - st->keep;
    int rc = 0;

    if (last > 0) {
        rc = xlcfg__state_run(st, XLCFG__SQL_TRIM_SNAPSHOTS, err, "i", last);
        if (!rc)
            rc = xlcfg__state_run(st, XLCFG__SQL_TRIM_EVENTS, err, "i",
                                  last);
    }
    if (!rc && left)
        rc = xlcfg__state_run(st, XLCFG__SQL_SNAPSHOT_OLD, err, "i", left);
    return rc;
}

static int write_change(xlcfg__state *st, const struct xlcfg__record *rec,
                        int64_t left, int64_t *revision_r, xlcfg_error *err)
{
    int64_t revision = 0;
    int rc;

    rc = next_revision(st, &revision, err);
    if (rc)
        return rc;
    rc = xlcfg__state_run(st, XLCFG__SQL_DOMAIN_PUT, err, "tttiiittt",
                          rec->driver, rec->uuid, rec->name, rec->domid,
                          (int64_t)rec->gone, revision, rec->digest,
                          rec->hash, rec->address_hash);
    if (rc)
        return rc;
    rc = put_devices(st, rec, err);
    if (rc)
        return rc;
    rc = xlcfg__state_run(st, XLCFG__SQL_EVENT_PUT, err, "ittttd", revision,
                          rec->driver, rec->uuid, rec->name, rec->event,
                          rec->changes);
    if (rc)
        return rc;
    rc = put_snapshot(st, rec, revision, err);
    if (rc)
        return rc;
    rc = trim(st, revision, left, err);
    if (rc)
        return rc;
    *revision_r = revision;
    return 0;
}

int xlcfg__state_record(xlcfg__state *st, const struct xlcfg__record *rec,
                        const char *was,
                        char version_r[XLCFG__VERSION_MAX],
                        xlcfg_error *err)
{
    char now[XLCFG__VERSION_MAX] = "";
    int64_t revision = 0;
    struct row row;
    int rc;

    rc = xlcfg__state_begin(st, err);
    if (rc)
        return rc;
    rc = read_row(st, rec, &row, err);
    if (rc)
        goto out;
    revision = row.revision;
    if (revision)
        xlcfg__state_vertext(st, revision, now);
    if (rec->ending)
        rc = xlcfg__state_finish(st, rec, err);
    if (rc || (row.revision && row.same))
        goto out;
    if (strcmp(now, was))
        rc = xlcfg__err(err, XLCFG_ERROR_CONFLICT, st->path,
                        "the domain is at version %s, not %s",
                        now[0] ? now : "none", was[0] ? was : "none");
    else
        rc = write_change(st, rec, row.revision, &revision, err);
out:
    rc = xlcfg__state_end(st, rc, err);
    if (!rc)
        xlcfg__state_vertext(st, revision, version_r);
    return rc;
}

/* ---- history ------------------------------------------------------------ */

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
    xlcfg__members_add(&m, "changes", changes ? changes
                                              : xlcfg__doc_items(NULL, 0));
    for (size_t i = 0; i < xlcfg_doc_count(body); i++) {
        const char *name = xlcfg_doc_name(body, i);

        if (strcmp(name, "revision") && strcmp(name, "version") &&
            strcmp(name, "event") && strcmp(name, "changes"))
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

int xlcfg__state_history(xlcfg__state *st, const char *uuid, int64_t after,
                         size_t most, xlcfg_doc **array_r, xlcfg_error *err)
{
    int64_t limit = most < INT64_MAX ? (int64_t)most : INT64_MAX;
    xlcfg__items events = { 0 };
    xlcfg_doc *doc = NULL;
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, uuid ? XLCFG__SQL_HISTORY_OF
                                     : XLCFG__SQL_HISTORY, &stmt, err,
                            uuid ? "iit" : "ii", after, limit, uuid);
    while (!rc && !(rc = xlcfg__state_step(st, stmt, err))) {
        rc = event_doc(st, stmt, &doc, err);
        if (!rc)
            xlcfg__items_add(&events, doc);
    }
    xlcfg__state_done(stmt);
    if (rc < 0) {
        xlcfg__items_dispose(&events);
        return rc;
    }
    doc = xlcfg__items_end(&events);
    if (!doc)
        return xlcfg__nomem(err);
    *array_r = doc;
    return 0;
}

int xlcfg__state_oldest(xlcfg__state *st, int64_t *rev_r, xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_OLDEST, &stmt, err, "");
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        *rev_r = sqlite3_column_int64(stmt, 0);
    xlcfg__state_done(stmt);
    return rc < 0 ? rc : 0;
}
