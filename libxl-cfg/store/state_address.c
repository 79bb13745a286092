/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * state.db: the address books.  A record writes the addresses of the devices
 * that are there, in its own transaction; what it does not name stays as it
 * was, and so is kept for the device that has left.
 */
#include "store/state_i.h"

#include <stdlib.h>
#include <string.h>

/* Of those that have left, so many are kept: the last. */
#define KEPT_MOST 1024

static int read_choice(xlcfg__state *st, const char *driver,
                       const char *uuid, int64_t *choice_r, xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    *choice_r = XLCFG__CHOICE_NEWEST;
    rc = xlcfg__state_query(st, XLCFG__SQL_CHOICE, &stmt, err, "tt", driver,
                            uuid);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        *choice_r = sqlite3_column_int64(stmt, 0);
    xlcfg__state_done(stmt);
    return rc < 0 ? rc : 0;
}

/* One row, as the query XLCFG__SQL_ADDRESSES names its columns. */
static int add_row(xlcfg__state *st, sqlite3_stmt *stmt,
                   struct xlcfg__addresses *book, xlcfg_error *err)
{
    const char *match = (const char *)sqlite3_column_text(stmt, 0);
    const char *kind = (const char *)sqlite3_column_text(stmt, 1);
    const char *key = (const char *)sqlite3_column_text(stmt, 2);
    const char *alt = (const char *)sqlite3_column_text(stmt, 3);
    enum xlcfg_kind k;
    xlcfg_doc *doc;
    int rc;

    if (!match || !kind || !key)
        return xlcfg__nomem(err);
    k = xlcfg__kind_by_name(kind);
    if (k == XLCFG_KINDS)
        return xlcfg__err(err, XLCFG_ERROR_STORE, st->path,
                          "the address of %.100s is of the unknown kind "
                          "'%.32s'", key, kind);
    rc = xlcfg__state_doc(st, stmt, 4, &doc, err);
    if (rc)
        return rc;
    return xlcfg__addresses_add(book, k, match, key, alt, doc,
                                sqlite3_column_int64(stmt, 5))
        ? 0 : xlcfg__nomem(err);
}

int xlcfg__state_addresses(xlcfg__state *st, const char *driver,
                           const char *uuid, struct xlcfg__addresses *book_r,
                           xlcfg_error *err)
{
    struct xlcfg__addresses book = { 0 };
    sqlite3_stmt *stmt;
    int rc;

    rc = read_choice(st, driver, uuid, &book.choice, err);
    if (rc)
        return rc;
    rc = xlcfg__state_query(st, XLCFG__SQL_ADDRESSES, &stmt, err, "tt",
                            driver, uuid);
    while (!rc && !(rc = xlcfg__state_step(st, stmt, err)))
        rc = add_row(st, stmt, &book, err);
    xlcfg__state_done(stmt);
    if (rc < 0) {
        xlcfg__addresses_dispose(&book);
        return rc;
    }
    *book_r = book;
    return 0;
}

static int put_rows(xlcfg__state *st, const char *driver, const char *uuid,
                    const struct xlcfg__addresses *book, int64_t revision,
                    xlcfg_error *err)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < book->count; i++) {
        const struct xlcfg__address *a = &book->v[i];

        rc = xlcfg__state_run(st, XLCFG__SQL_ADDRESS_PUT, err, "ttttttdi",
                              driver, uuid, a->match,
                              xlcfg__kinds[a->kind].name, a->key, a->alt,
                              a->address, revision);
    }
    if (!rc)
        rc = xlcfg__state_run(st, XLCFG__SQL_ADDRESS_TRIM, err, "ttii",
                              driver, uuid, revision, (int64_t)KEPT_MOST);
    return rc;
}

int xlcfg__state_note_addresses(xlcfg__state *st,
                                const struct xlcfg__record *rec, bool moved,
                                int64_t revision, xlcfg_error *err)
{
    int64_t choice;
    int rc;

    if (!rec->addresses || !moved)
        return 0;
    rc = xlcfg__state_run(st, XLCFG__SQL_CHOICE_BEGIN, err, "tti",
                          rec->driver, rec->uuid,
                          (int64_t)XLCFG__CHOICE_NEWEST);
    if (!rc)
        rc = read_choice(st, rec->driver, rec->uuid, &choice, err);
    if (rc || choice < XLCFG__CHOICE_KEPT)
        return rc;
    return put_rows(st, rec->driver, rec->uuid, rec->addresses, revision,
                    err);
}

int xlcfg__state_drop_address(xlcfg__state *st, const char *driver,
                              const char *uuid, const char *match,
                              bool *there_r, xlcfg_error *err)
{
    int rc = xlcfg__state_run(st, XLCFG__SQL_ADDRESS_DROP, err, "ttt",
                              driver, uuid, match);

    *there_r = !rc && sqlite3_changes(st->db);
    return rc;
}

/* CONFLICT: the domain has another version than `was`. */
static int still_at(xlcfg__state *st, const char *driver, const char *uuid,
                    const char *was, struct xlcfg__seen *seen,
                    xlcfg_error *err)
{
    int rc = xlcfg__state_seen(st, driver, uuid, false, seen, err);

    if (!rc && strcmp(seen->version, was))
        rc = xlcfg__err(err, XLCFG_ERROR_CONFLICT, st->path,
                        "the domain is at version %s, not %s",
                        seen->version, was);
    return rc;
}

int xlcfg__state_address_reset(xlcfg__state *st, const char *driver,
                               const char *uuid, const char *match,
                               const char *was, xlcfg_error *err)
{
    struct xlcfg__seen seen;
    bool there = false;
    int rc;

    rc = xlcfg__state_begin(st, err);
    if (rc)
        return rc;
    if (was)
        rc = still_at(st, driver, uuid, was, &seen, err);
    if (!rc)
        rc = xlcfg__state_drop_address(st, driver, uuid, match, &there, err);
    if (!rc && !there)
        rc = xlcfg__err(err, XLCFG_ERROR_NOTFOUND, match,
                        "no address is kept for it");
    return xlcfg__state_end(st, rc, err);
}

static int put_choice(xlcfg__state *st, const char *driver,
                      const char *uuid, int64_t choice,
                      const struct xlcfg__addresses *book, const char *was,
                      xlcfg_error *err)
{
    struct xlcfg__seen seen;
    int rc;

    rc = still_at(st, driver, uuid, was, &seen, err);
    if (rc)
        return rc;
    rc = xlcfg__state_run(st, XLCFG__SQL_CHOICE_PUT, err, "tti", driver,
                          uuid, choice);
    /* what was plugged until now may not be in the book */
    if (!rc && choice >= XLCFG__CHOICE_KEPT)
        rc = put_rows(st, driver, uuid, book, seen.revision, err);
    return rc;
}

int xlcfg__state_choice_put(xlcfg__state *st, const char *driver,
                            const char *uuid, int64_t choice,
                            const struct xlcfg__addresses *book,
                            const char *was, xlcfg_error *err)
{
    int rc;

    rc = xlcfg__state_begin(st, err);
    if (rc)
        return rc;
    rc = put_choice(st, driver, uuid, choice, book, was, err);
    return xlcfg__state_end(st, rc, err);
}
