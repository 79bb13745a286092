/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state.db: its schema, its statements, and how they are run. */
#include "store/state_i.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How a domain's addresses are chosen, and which its devices had last. */
#define ADDRESS_TABLES \
    "CREATE TABLE choice(driver TEXT NOT NULL, uuid TEXT NOT NULL," \
    " choice INTEGER NOT NULL, PRIMARY KEY(driver, uuid)) WITHOUT ROWID;" \
    "CREATE TABLE address(driver TEXT NOT NULL, uuid TEXT NOT NULL," \
    " match TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL," \
    " alt TEXT, address TEXT NOT NULL, revision INTEGER NOT NULL," \
    " PRIMARY KEY(driver, uuid, match)) WITHOUT ROWID;"

/*
 * Every revision is one event.  A snapshot stays as long as its event, or as
 * long as it is the newest of its domain.
 */
const char xlcfg__state_schema[] =
    "CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK(id = 1),"
    " instance TEXT NOT NULL, revision INTEGER NOT NULL,"
    " trimmed INTEGER NOT NULL DEFAULT 0,"
    " bytes INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE domain(driver TEXT NOT NULL, uuid TEXT NOT NULL,"
    " name TEXT, domid INTEGER NOT NULL, gone INTEGER NOT NULL,"
    " revision INTEGER NOT NULL, digest TEXT NOT NULL, hash TEXT,"
    " address_hash TEXT, place TEXT, state TEXT,"
    " PRIMARY KEY(driver, uuid)) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX domain_revision ON domain(revision);"
    "CREATE TABLE device(driver TEXT NOT NULL, uuid TEXT NOT NULL,"
    " place INTEGER NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL,"
    " incarnation INTEGER NOT NULL, since INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, PRIMARY KEY(driver, uuid, place))"
    " WITHOUT ROWID;"
    "CREATE TABLE event(revision INTEGER PRIMARY KEY,"
    " driver TEXT NOT NULL, uuid TEXT NOT NULL, name TEXT,"
    " event TEXT NOT NULL, changes TEXT,"
    " time INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX event_uuid ON event(uuid, revision);"
    "CREATE TABLE snapshot(revision INTEGER PRIMARY KEY,"
    " body TEXT NOT NULL);"
    "CREATE TABLE intent(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " driver TEXT NOT NULL, uuid TEXT NOT NULL, op TEXT NOT NULL,"
    " phase TEXT NOT NULL, kind TEXT NOT NULL, key TEXT, match TEXT,"
    " before TEXT, after TEXT, reason TEXT, since INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, incarnation INTEGER NOT NULL,"
    " domain TEXT, resets INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX intent_domain ON intent(driver, uuid);"
    "CREATE TABLE template(driver TEXT NOT NULL, uuid TEXT NOT NULL,"
    " generation INTEGER NOT NULL, body TEXT NOT NULL,"
    " PRIMARY KEY(driver, uuid));"
    ADDRESS_TABLES;

/* `trimmed` is the newest revision that history has lost, `bytes` what the
 * events and snapshots still in it hold. */
const char xlcfg__state_from_1[] =
    "ALTER TABLE meta ADD COLUMN trimmed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE meta ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE domain ADD COLUMN place TEXT;"
    "ALTER TABLE domain ADD COLUMN state TEXT;"
    "ALTER TABLE event ADD COLUMN time INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE event ADD COLUMN size INTEGER NOT NULL DEFAULT 0;"
    "UPDATE event SET size = coalesce((SELECT length(CAST(body AS BLOB))"
    " FROM snapshot s WHERE s.revision = event.revision), 0);"
    "UPDATE meta SET trimmed = coalesce((SELECT min(revision) - 1"
    " FROM event), revision),"
    " bytes = coalesce((SELECT sum(size) FROM event), 0);";

/* Domains that were there before go on with the choice of then. */
const char xlcfg__state_from_2[] =
    "ALTER TABLE intent ADD COLUMN resets INTEGER NOT NULL DEFAULT 0;"
    ADDRESS_TABLES
    "INSERT INTO choice SELECT driver, uuid, 1 FROM domain"
    " UNION SELECT driver, uuid, 1 FROM template;";

#define EVENT_COLUMNS \
    "SELECT e.revision, e.driver, e.uuid, e.name, e.event, e.changes," \
    " s.body, e.time FROM event e LEFT JOIN snapshot s USING(revision) "

/*
 * None has a RETURNING: SQLite makes a table in memory for what it returns,
 * with a page cache of its own, which costs more than the statement.
 */
static const char *const sqls[XLCFG__SQLS] = {
    [XLCFG__SQL_BEGIN] = "BEGIN IMMEDIATE",
    [XLCFG__SQL_COMMIT] = "COMMIT",
    [XLCFG__SQL_ROLLBACK] = "ROLLBACK",
    [XLCFG__SQL_REVISION] = "SELECT revision FROM meta",
    [XLCFG__SQL_NEXT_REVISION] =
        "UPDATE meta SET revision = revision + 1",
    [XLCFG__SQL_SEEN] =
        "SELECT d.gone, d.revision, d.digest, d.hash, d.address_hash,"
        " t.generation FROM (SELECT ?1 AS driver, ?2 AS uuid) q"
        " LEFT JOIN domain d USING(driver, uuid)"
        " LEFT JOIN template t USING(driver, uuid)",
    [XLCFG__SQL_SNAPSHOT] = "SELECT body FROM snapshot WHERE revision = ?",
    [XLCFG__SQL_DEVICES] =
        "SELECT key, state, incarnation, since, attempts FROM device"
        " WHERE driver = ? AND uuid = ? ORDER BY place",
    [XLCFG__SQL_DEVICES_DROP] =
        "DELETE FROM device WHERE driver = ? AND uuid = ?",
    [XLCFG__SQL_DEVICE_PUT] =
        "INSERT INTO device(driver, uuid, place, key, state, incarnation,"
        " since, attempts) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
    [XLCFG__SQL_ROW] =
        "SELECT revision, gone, digest, address_hash FROM domain"
        " WHERE driver = ? AND uuid = ?",
    [XLCFG__SQL_DOMAIN_PUT] =
        "REPLACE INTO domain(driver, uuid, name, domid, gone, revision,"
        " digest, hash, address_hash, place, state)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [XLCFG__SQL_CLAIM] =
        "UPDATE domain SET place = ?3 WHERE driver = ?1 AND uuid = ?2"
        " AND NOT gone",
    [XLCFG__SQL_EVENT_PUT] =
        "INSERT INTO event(revision, driver, uuid, name, event, changes,"
        " time) VALUES(?, ?, ?, ?, ?, ?, ?)",
    [XLCFG__SQL_SNAPSHOT_PUT] =
        "INSERT INTO snapshot(revision, body) VALUES(?, ?)",
    [XLCFG__SQL_EVENT_SIZE] =
        "UPDATE event SET size ="
        " coalesce(length(CAST(changes AS BLOB)), 0)"
        " + coalesce((SELECT length(CAST(body AS BLOB)) FROM snapshot s"
        " WHERE s.revision = event.revision), 0) WHERE revision = ?",
    /* The snapshot a domain leaves behind, when its event is gone. */
    [XLCFG__SQL_SNAPSHOT_OLD] =
        "DELETE FROM snapshot WHERE revision = ?1"
        " AND NOT EXISTS(SELECT 1 FROM event WHERE revision = ?1)",
    [XLCFG__SQL_EXCESS] =
        "SELECT revision, time, size FROM event ORDER BY revision LIMIT ?",
    [XLCFG__SQL_TRIM_SNAPSHOTS] =
        "DELETE FROM snapshot WHERE revision IN"
        " (SELECT revision FROM event WHERE revision <= ?) AND NOT EXISTS"
        " (SELECT 1 FROM domain d WHERE d.revision = snapshot.revision"
        " AND NOT d.gone)",
    /* A domain that is gone, and whose last event is, is forgotten. */
    [XLCFG__SQL_TRIM_DEVICES] =
        "DELETE FROM device WHERE (driver, uuid) IN (SELECT driver, uuid"
        " FROM domain WHERE revision <= ? AND gone)",
    [XLCFG__SQL_TRIM_GONE] =
        "DELETE FROM domain WHERE revision <= ? AND gone",
    [XLCFG__SQL_META_ADD] = 
        "UPDATE meta SET bytes = bytes"
        " + coalesce((SELECT size FROM event WHERE revision = ?), 0)",
    [XLCFG__SQL_META_TRIM] =
        "UPDATE meta SET bytes = bytes - ?, trimmed = ?",
    [XLCFG__SQL_SPAN] = "SELECT trimmed, revision, bytes FROM meta",
    [XLCFG__SQL_READ] = "BEGIN",
    [XLCFG__SQL_LINES] =
        "SELECT d.uuid, d.name, d.state, d.place, d.domid, d.revision,"
        " d.gone, d.hash, d.address_hash, CASE WHEN ?2 AND NOT d.gone THEN"
        " (SELECT body FROM snapshot s WHERE s.revision = d.revision) END"
        " FROM domain d WHERE d.driver = ?1 ORDER BY d.uuid",
    [XLCFG__SQL_AT] =
        "SELECT coalesce((SELECT max(revision) FROM event WHERE uuid = ?2"
        " AND driver = ?1 AND revision <= ?3), (SELECT revision FROM domain"
        " WHERE driver = ?1 AND uuid = ?2 AND revision <= ?3))",
    [XLCFG__SQL_TRIM_EVENTS] = "DELETE FROM event WHERE revision <= ?",
    [XLCFG__SQL_HISTORY] =
        EVENT_COLUMNS "WHERE e.revision > ?1 AND (?3 IS NULL OR"
        " e.driver = ?3) ORDER BY e.revision LIMIT ?2",
    [XLCFG__SQL_HISTORY_OF] =
        EVENT_COLUMNS "WHERE e.revision > ?1 AND (?3 IS NULL OR"
        " e.driver = ?3) AND e.uuid = ?4 ORDER BY e.revision LIMIT ?2",
    [XLCFG__SQL_WHEN] = "SELECT time FROM event WHERE revision = ?",
    [XLCFG__SQL_INTENTS] =
        "SELECT id, op, phase, kind, key, match, before, after, reason,"
        " since, attempts, incarnation, domain, resets FROM intent"
        " WHERE driver = ? AND uuid = ? AND op <> 'create' ORDER BY id",
    [XLCFG__SQL_INTENT_NEW] =
        "INSERT INTO intent(driver, uuid, op, phase, kind, key, match,"
        " before, after, reason, since, attempts, incarnation, domain,"
        " resets) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [XLCFG__SQL_INTENT_PUT] =
        "UPDATE intent SET op = ?3, phase = ?4, kind = ?5, key = ?6,"
        " match = ?7, before = ?8, after = ?9, reason = ?10, since = ?11,"
        " attempts = ?12, incarnation = ?13, domain = ?14, resets = ?15"
        " WHERE id = ?16 AND driver = ?1 AND uuid = ?2",
    [XLCFG__SQL_INTENT_DROP] = "DELETE FROM intent WHERE id = ?",
    [XLCFG__SQL_INTENT_OPEN] =
        "SELECT id, match, key FROM intent"
        " WHERE driver = ? AND uuid = ? AND op <> 'create'",
    [XLCFG__SQL_CREATIONS] =
        "SELECT id, uuid, key, reason, after, since, incarnation, phase"
        " FROM intent WHERE driver = ? AND op = 'create' ORDER BY id",
    [XLCFG__SQL_CREATION_FAIL] =
        "UPDATE intent SET phase = 'failed', reason = ? WHERE id = ?",
    [XLCFG__SQL_TEMPLATE_NAMED] =
        "SELECT uuid, body FROM template WHERE driver = ? AND"
        " json_extract(body, '$.c_info.name') = ? ORDER BY uuid LIMIT 1",
    [XLCFG__SQL_INCARNATION] =
        "SELECT incarnation, state FROM device"
        " WHERE driver = ? AND uuid = ? AND key = ?",
    [XLCFG__SQL_BY_VERSION] =
        "SELECT s.body FROM event e JOIN snapshot s USING(revision)"
        " WHERE e.revision = ? AND e.driver = ? AND e.uuid = ?",
    [XLCFG__SQL_TEMPLATE_GET] =
        "SELECT body FROM template WHERE driver = ? AND uuid = ?",
    [XLCFG__SQL_TEMPLATE_PUT] =
        "INSERT INTO template(driver, uuid, generation, body)"
        " VALUES(?, ?, 1, ?) ON CONFLICT(driver, uuid) DO UPDATE SET"
        " generation = generation + 1, body = excluded.body",
    [XLCFG__SQL_CHOICE_BEGIN] =
        "INSERT OR IGNORE INTO choice(driver, uuid, choice) VALUES(?, ?, ?)",
    [XLCFG__SQL_CHOICE_PUT] =
        "REPLACE INTO choice(driver, uuid, choice) VALUES(?, ?, ?)",
    [XLCFG__SQL_CHOICE] =
        "SELECT choice FROM choice WHERE driver = ? AND uuid = ?",
    [XLCFG__SQL_ADDRESSES] =
        "SELECT match, kind, key, alt, address, revision FROM address"
        " WHERE driver = ? AND uuid = ? ORDER BY revision, match",
    [XLCFG__SQL_ADDRESS_PUT] =
        "REPLACE INTO address(driver, uuid, match, kind, key, alt, address,"
        " revision) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
    [XLCFG__SQL_ADDRESS_DROP] =
        "DELETE FROM address WHERE driver = ? AND uuid = ? AND match = ?",
    [XLCFG__SQL_ADDRESS_TRIM] =
        "DELETE FROM address WHERE driver = ?1 AND uuid = ?2 AND match IN"
        " (SELECT match FROM address WHERE driver = ?1 AND uuid = ?2"
        " AND revision < ?3 ORDER BY revision DESC, match LIMIT -1"
        " OFFSET ?4)",
    /* A domain is forgotten whole, unless it is kept for another start. */
    [XLCFG__SQL_TRIM_ADDRESSES] =
        "DELETE FROM address WHERE (driver, uuid) IN (SELECT d.driver,"
        " d.uuid FROM domain d WHERE d.revision <= ? AND d.gone AND NOT"
        " EXISTS(SELECT 1 FROM template t WHERE t.driver = d.driver AND"
        " t.uuid = d.uuid))",
    [XLCFG__SQL_TRIM_CHOICE] =
        "DELETE FROM choice WHERE (driver, uuid) IN (SELECT d.driver,"
        " d.uuid FROM domain d WHERE d.revision <= ? AND d.gone AND NOT"
        " EXISTS(SELECT 1 FROM template t WHERE t.driver = d.driver AND"
        " t.uuid = d.uuid))",
    [XLCFG__SQL_ASIDES] =
        "SELECT uuid, group_concat(part, ' ') FROM (SELECT uuid, 'i' || id"
        " || phase || attempts AS part FROM intent WHERE driver = ?1"
        " UNION ALL SELECT uuid, 't' || generation FROM template"
        " WHERE driver = ?1 ORDER BY 1, 2) GROUP BY uuid ORDER BY uuid",
};

/* The note that makes the next opening for write look at everything; the
 * error itself is reported whether or not the note could be left. */
static void note_damage(const xlcfg__state *st)
{
    int fd;

    if (!st->write || !st->suspect)
        return;
    fd = open(st->suspect, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
              O_NONBLOCK, 0600);
    if (fd >= 0)
        close(fd);
}

int xlcfg__state_sqlerr(xlcfg__state *st, int r, xlcfg_error *err)
{
    const char *said;

    switch (r & 0xff) {
    case SQLITE_NOMEM:
        return xlcfg__nomem(err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return xlcfg__err(err, XLCFG_ERROR_LOCK_FAIL, st->path, "%s",
                          sqlite3_errmsg(st->db));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        note_damage(st);
        break;
    }
    said = sqlite3_errmsg(st->db);
    if (!strcmp(said, sqlite3_errstr(r)))
        return xlcfg__err(err, XLCFG_ERROR_STORE, st->path, "%s", said);
    return xlcfg__err(err, XLCFG_ERROR_STORE, st->path, "%s (%s)", said,
                      sqlite3_errstr(r));
}

static int bind_doc(sqlite3_stmt *stmt, int at, const xlcfg_doc *doc)
{
    char *text;
    size_t len;

    if (!doc)
        return sqlite3_bind_null(stmt, at);
    if (xlcfg_doc_print(doc, 0, &text, &len, NULL))
        return SQLITE_NOMEM;
    return sqlite3_bind_text64(stmt, at, text, len, free, SQLITE_UTF8);
}

static int bind(sqlite3_stmt *stmt, const char *types, va_list ap)
{
    int r = SQLITE_OK;

    for (int at = 1; *types && r == SQLITE_OK; types++, at++)
        switch (*types) {
        case 't':
            r = sqlite3_bind_text(stmt, at, va_arg(ap, const char *), -1,
                                  SQLITE_STATIC);
            break;
        case 'i':
            r = sqlite3_bind_int64(stmt, at, va_arg(ap, int64_t));
            break;
        case 'd':
            r = bind_doc(stmt, at, va_arg(ap, const xlcfg_doc *));
            break;
        default:
            r = SQLITE_MISUSE;
        }
    return r;
}

static int vquery(xlcfg__state *st, enum xlcfg__sql which,
                  sqlite3_stmt **stmt_r, xlcfg_error *err,
                  const char *types, va_list ap)
{
    sqlite3_stmt **slot = &st->stmts[which];
    int r, moved = 0;

    *stmt_r = NULL;
    /* Set aside or removed by another: what is written here is lost.  Of a
     * transaction its begin and its end are looked at. */
    if (which == XLCFG__SQL_COMMIT || sqlite3_get_autocommit(st->db))
        sqlite3_file_control(st->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved && which != XLCFG__SQL_ROLLBACK)
        return xlcfg__err(err, XLCFG_ERROR_STORE, st->path,
                          "the file was replaced while it was open");
    if (!*slot) {
        r = sqlite3_prepare_v3(st->db, sqls[which], -1,
                               SQLITE_PREPARE_PERSISTENT, slot, NULL);
        if (r != SQLITE_OK)
            return xlcfg__state_sqlerr(st, r, err);
    }
    r = bind(*slot, types, ap);
    if (r != SQLITE_OK) {
        xlcfg__state_done(*slot);
        return xlcfg__state_sqlerr(st, r, err);
    }
    *stmt_r = *slot;
    return 0;
}

int xlcfg__state_query(xlcfg__state *st, enum xlcfg__sql which,
                       sqlite3_stmt **stmt_r, xlcfg_error *err,
                       const char *types, ...)
{
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = vquery(st, which, stmt_r, err, types, ap);
    va_end(ap);
    return rc;
}

int xlcfg__state_step(xlcfg__state *st, sqlite3_stmt *stmt, xlcfg_error *err)
{
    int r = sqlite3_step(stmt);

    if (r == SQLITE_ROW)
        return 0;
    if (r == SQLITE_DONE)
        return 1;
    return xlcfg__state_sqlerr(st, r, err);
}

void xlcfg__state_done(sqlite3_stmt *stmt)
{
    if (!stmt)
        return;
    sqlite3_reset(stmt);        /* repeats what step has answered */
    sqlite3_clear_bindings(stmt);
}

int xlcfg__state_run(xlcfg__state *st, enum xlcfg__sql which,
                     xlcfg_error *err, const char *types, ...)
{
    sqlite3_stmt *stmt;
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = vquery(st, which, &stmt, err, types, ap);
    va_end(ap);
    while (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    xlcfg__state_done(stmt);
    return rc < 0 ? rc : 0;
}

int xlcfg__state_begin(xlcfg__state *st, xlcfg_error *err)
{
    return xlcfg__state_run(st, XLCFG__SQL_BEGIN, err, "");
}

int xlcfg__state_end(xlcfg__state *st, int rc, xlcfg_error *err)
{
    if (!rc)
        rc = xlcfg__state_run(st, XLCFG__SQL_COMMIT, err, "");
    /* Some errors have rolled back already.  A rollback that fails leaves
     * nothing committed either, and closing ends it. */
    if (rc && !sqlite3_get_autocommit(st->db))
        xlcfg__state_run(st, XLCFG__SQL_ROLLBACK, NULL, "");
    return rc;
}

bool xlcfg__state_text(sqlite3_stmt *stmt, int col, char **text_r)
{
    const unsigned char *text;

    *text_r = NULL;
    if (sqlite3_column_type(stmt, col) == SQLITE_NULL)
        return true;
    text = sqlite3_column_text(stmt, col);
    if (text)
        *text_r = strdup((const char *)text);
    return *text_r != NULL;
}

void xlcfg__state_buf(sqlite3_stmt *stmt, int col, char *buf, size_t size)
{
    const unsigned char *text = sqlite3_column_text(stmt, col);

    snprintf(buf, size, "%s", text ? (const char *)text : "");
}

int xlcfg__state_doc(xlcfg__state *st, sqlite3_stmt *stmt, int col,
                     xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    const char *text;
    int rc;

    if (sqlite3_column_type(stmt, col) == SQLITE_NULL) {
        *doc_r = NULL;
        return 0;
    }
    text = (const char *)sqlite3_column_text(stmt, col);
    if (!text)
        return xlcfg__nomem(err);
    rc = xlcfg_doc_parse(text, (size_t)sqlite3_column_bytes(stmt, col),
                         doc_r, &why);
    if (rc == XLCFG_ERROR_NOMEM)
        return xlcfg__nomem(err);
    if (rc)
        return xlcfg__err(err, XLCFG_ERROR_STORE, st->path,
                          "damaged document in %s: %s",
                          sqlite3_column_name(stmt, col),
                          why.message);
    return 0;
}

void xlcfg__state_vertext(const xlcfg__state *st, int64_t revision,
                          char buf[XLCFG__VERSION_MAX])
{
    snprintf(buf, XLCFG__VERSION_MAX, "%s.%020" PRId64, st->instance,
             revision);
}
