/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private to state*.c, the files that know SQLite: the handle, and how a
 * statement is run.
 *
 *     rc = xlcfg__state_query(st, XLCFG__SQL_ASIDES, &stmt, err, "t", driver);
 *     while (!rc && !(rc = xlcfg__state_step(st, stmt, err)))
 *         ... columns ...
 *     xlcfg__state_done(stmt);         rc 1: no more rows
 */
#ifndef XLCFG_STORE_STATE_I_H
#define XLCFG_STORE_STATE_I_H

#include "store/state.h"

#include <sqlite3.h>
#include <sys/types.h>

enum xlcfg__sql {
    XLCFG__SQL_BEGIN, XLCFG__SQL_COMMIT, XLCFG__SQL_ROLLBACK,
    XLCFG__SQL_REVISION, XLCFG__SQL_NEXT_REVISION, XLCFG__SQL_SEEN,
    XLCFG__SQL_SNAPSHOT, XLCFG__SQL_DEVICES,
    XLCFG__SQL_DEVICES_DROP, XLCFG__SQL_DEVICE_PUT, XLCFG__SQL_ROW,
    XLCFG__SQL_DOMAIN_PUT, XLCFG__SQL_EVENT_PUT, XLCFG__SQL_SNAPSHOT_PUT,
    XLCFG__SQL_EVENT_SIZE, XLCFG__SQL_SNAPSHOT_OLD, XLCFG__SQL_EXCESS,
    XLCFG__SQL_TRIM_SNAPSHOTS,
    XLCFG__SQL_TRIM_DEVICES, XLCFG__SQL_TRIM_GONE, XLCFG__SQL_TRIM_EVENTS,
    XLCFG__SQL_HISTORY, XLCFG__SQL_HISTORY_OF, XLCFG__SQL_META_ADD,
    XLCFG__SQL_META_TRIM, XLCFG__SQL_SPAN, XLCFG__SQL_READ,
    XLCFG__SQL_CLAIM, XLCFG__SQL_LINES, XLCFG__SQL_AT, XLCFG__SQL_WHEN,
    XLCFG__SQL_INTENTS,
    XLCFG__SQL_INTENT_NEW,
    XLCFG__SQL_INTENT_PUT, XLCFG__SQL_INTENT_DROP,
    XLCFG__SQL_INTENT_OPEN, XLCFG__SQL_INCARNATION,
    XLCFG__SQL_BY_VERSION, XLCFG__SQL_CREATIONS, XLCFG__SQL_CREATION_FAIL,
    XLCFG__SQL_TEMPLATE_NAMED,
    XLCFG__SQL_TEMPLATE_GET, XLCFG__SQL_TEMPLATE_PUT,
    XLCFG__SQL_CHOICE_BEGIN, XLCFG__SQL_CHOICE_PUT, XLCFG__SQL_CHOICE,
    XLCFG__SQL_ADDRESSES, XLCFG__SQL_ADDRESS_PUT, XLCFG__SQL_ADDRESS_DROP,
    XLCFG__SQL_ADDRESS_TRIM, XLCFG__SQL_TRIM_ADDRESSES,
    XLCFG__SQL_TRIM_CHOICE,
    XLCFG__SQL_ASIDES,
    XLCFG__SQLS
};

struct xlcfg__state {
    sqlite3 *db;
    char *dir, *path, *suspect, *log;
    bool write;
    bool frozen;                /* opened as immutable: sees no changes */
    int tick;                   /* of the file of that name; -1: not open */
    dev_t log_dev;              /* the log that is read and written; */
    ino_t log_ino;              /* 0: there was none */
    int64_t keep, keep_days, keep_bytes;        /* bounds of history */
    char instance[13];
    sqlite3_stmt *stmts[XLCFG__SQLS];
};

/* The schema, one text of statements. */
extern const char xlcfg__state_schema[];
#define XLCFG__STATE_SCHEMA 3
/* What makes schema 2 of schema 1, and 3 of 2. */
extern const char xlcfg__state_from_1[], xlcfg__state_from_2[];
/* Run sql; the first column of its last row, cut to size.  SQLite's code. */
int xlcfg__state_ask(xlcfg__state *st, const char *sql, char *buf,
                     size_t size);
int xlcfg__state_make(xlcfg__state *st);
/* state_tick.c: after a commit; and is the store older than that says? */
void xlcfg__state_tick(xlcfg__state *st, const char *version);
bool xlcfg__state_went_back(xlcfg__state *st);
/* Is it ours, and whole as far as a cheap look tells?  NOTFOUND: it is
 * empty.  r_r: what SQLite said. */
int xlcfg__state_check(xlcfg__state *st, int *r_r, xlcfg_error *err);

/* state_history.c: take what is over the bounds out of history, a bounded
 * number of events at a time.  Inside a transaction. */
int xlcfg__state_trim(xlcfg__state *st, int64_t revision, xlcfg_error *err);
/* The get object of the newest revision of a domain; stays NULL: none. */
int xlcfg__state_snapshot(xlcfg__state *st, int64_t revision,
                          xlcfg_doc **doc_r, xlcfg_error *err);

/*
 * Say what the last call on st->db was unhappy with: LOCK_FAIL when busy,
 * NOMEM, else STORE.  What SQLite calls damage is noted in a file beside
 * state.db, and the next opening for write checks all of it.
 */
int xlcfg__state_sqlerr(xlcfg__state *st, int r, xlcfg_error *err);

/*
 * A statement ready to step.  Per character of `types` one argument:
 * t text or NULL, i int64_t, d document or NULL (as compact text).  Texts
 * are borrowed until _done, which every query must come to, also a failed
 * one (stmt is NULL then).
 */
int xlcfg__state_query(xlcfg__state *st, enum xlcfg__sql which,
                       sqlite3_stmt **stmt_r, xlcfg_error *err,
                       const char *types, ...);
int xlcfg__state_step(xlcfg__state *st, sqlite3_stmt *stmt,
                      xlcfg_error *err);        /* 1: no more rows */
void xlcfg__state_done(sqlite3_stmt *stmt);     /* NULL accepted */
/* Query, step to the end, done. */
int xlcfg__state_run(xlcfg__state *st, enum xlcfg__sql which,
                     xlcfg_error *err, const char *types, ...);

int xlcfg__state_begin(xlcfg__state *st, xlcfg_error *err);
/* Commit when rc is 0, else roll back; answers rc, or the commit's. */
int xlcfg__state_end(xlcfg__state *st, int rc, xlcfg_error *err);

/* Columns: a copy of text (NULL stays NULL; false: out of memory), text into
 * a buffer, a document (NULL stays NULL; STORE when it is no JSON). */
bool xlcfg__state_text(sqlite3_stmt *stmt, int col, char **text_r);
void xlcfg__state_buf(sqlite3_stmt *stmt, int col, char *buf, size_t size);
int xlcfg__state_doc(xlcfg__state *st, sqlite3_stmt *stmt, int col,
                     xlcfg_doc **doc_r, xlcfg_error *err);

/* The ending of a record, inside its transaction. */
int xlcfg__state_finish(xlcfg__state *st, const struct xlcfg__record *rec,
                        xlcfg_error *err);

/* state_address.c: what a record says of addresses, inside its transaction;
 * moved: they are other ones than recorded before. */
int xlcfg__state_note_addresses(xlcfg__state *st,
                                const struct xlcfg__record *rec, bool moved,
                                int64_t revision, xlcfg_error *err);
int xlcfg__state_drop_address(xlcfg__state *st, const char *driver,
                              const char *uuid, const char *match,
                              bool *there_r, xlcfg_error *err);

void xlcfg__state_vertext(const xlcfg__state *st, int64_t revision,
                          char buf[XLCFG__VERSION_MAX]);

#endif
