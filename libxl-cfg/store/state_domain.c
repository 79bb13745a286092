/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state.db: what was seen of domains, and recording a change. */
#include "store/state_i.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

int xlcfg__state_snapshot(xlcfg__state *st, int64_t revision,
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
        seen.revision = revision = sqlite3_column_int64(stmt, 1);
        xlcfg__state_vertext(st, revision, seen.version);
        xlcfg__state_buf(stmt, 2, seen.digest, sizeof(seen.digest));
        xlcfg__state_buf(stmt, 3, seen.hash, sizeof(seen.hash));
        xlcfg__state_buf(stmt, 4, seen.address_hash,
                         sizeof(seen.address_hash));
    }
    /* Inside the same read: the row is still under its statement, so a
     * writer cannot take the snapshot away between the two. */
    if (!rc && seen.known && want_snapshot)
        rc = xlcfg__state_snapshot(st, revision, &seen.snapshot, err);
    xlcfg__state_done(stmt);
    if (rc < 0)
        return rc;
    *seen_r = seen;
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
    bool moved;                 /* its addresses are other ones */
};

static int read_row(xlcfg__state *st, const struct xlcfg__record *rec,
                    struct row *row_r, xlcfg_error *err)
{
    const char *digest;
    sqlite3_stmt *stmt;
    int rc;

    *row_r = (struct row){ .moved = true };
    rc = xlcfg__state_query(st, XLCFG__SQL_ROW, &stmt, err, "tt",
                            rec->driver, rec->uuid);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc) {
        row_r->revision = sqlite3_column_int64(stmt, 0);
        digest = (const char *)sqlite3_column_text(stmt, 2);
        row_r->same = digest && !strcmp(digest, rec->digest) &&
            rec->gone == (sqlite3_column_int(stmt, 1) != 0);
        digest = (const char *)sqlite3_column_text(stmt, 3);
        row_r->moved = !digest || !rec->address_hash ||
            strcmp(digest, rec->address_hash);
    }
    xlcfg__state_done(stmt);
    return rc < 0 ? rc : 0;
}

static int next_revision(xlcfg__state *st, int64_t *revision_r,
                         xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_run(st, XLCFG__SQL_NEXT_REVISION, err, "");
    if (rc)
        return rc;
    rc = xlcfg__state_query(st, XLCFG__SQL_REVISION, &stmt, err, "");
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

/* What the event takes, now that its snapshot is there. */
static int count_bytes(xlcfg__state *st, int64_t revision, xlcfg_error *err)
{
    int rc = xlcfg__state_run(st, XLCFG__SQL_EVENT_SIZE, err, "i", revision);

    return rc ? rc : xlcfg__state_run(st, XLCFG__SQL_META_ADD, err, "i",
                                      revision);
}

static int write_change(xlcfg__state *st, const struct xlcfg__record *rec,
                        const struct row *was, int64_t *revision_r,
                        xlcfg_error *err)
{
    int64_t revision = 0, left = was->revision;
    int rc;

    rc = next_revision(st, &revision, err);
    if (rc)
        return rc;
    rc = xlcfg__state_run(st, XLCFG__SQL_DOMAIN_PUT, err, "tttiiittttt",
                          rec->driver, rec->uuid, rec->name, rec->domid,
                          (int64_t)rec->gone, revision, rec->digest,
                          rec->hash, rec->address_hash, rec->place,
                          rec->state);
    if (rc)
        return rc;
    rc = put_devices(st, rec, err);
    if (!rc)
        rc = xlcfg__state_note_addresses(st, rec, was->moved, revision, err);
    if (rc)
        return rc;
    rc = xlcfg__state_run(st, XLCFG__SQL_EVENT_PUT, err, "ittttdi",
                          revision, rec->driver, rec->uuid, rec->name,
                          rec->event, rec->changes, (int64_t)time(NULL));
    if (rc)
        return rc;
    rc = put_snapshot(st, rec, revision, err);
    if (!rc)
        rc = count_bytes(st, revision, err);
    if (!rc)
        rc = xlcfg__state_trim(st, revision, err);
    if (!rc && left)
        rc = xlcfg__state_run(st, XLCFG__SQL_SNAPSHOT_OLD, err, "i", left);
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
        rc = write_change(st, rec, &row, &revision, err);
out:
    rc = xlcfg__state_end(st, rc, err);
    if (rc)
        return rc;
    xlcfg__state_vertext(st, revision, version_r);
    if (revision != row.revision)
        xlcfg__state_tick(st, version_r);
    return 0;
}
