/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The schema of state.db: made, converted, and looked at. */
#include "store/state_i.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int xlcfg__state_ask(xlcfg__state *st, const char *sql, char *buf, size_t size)
{
    sqlite3_stmt *stmt;
    int r = sqlite3_prepare_v2(st->db, sql, -1, &stmt, NULL);

    buf[0] = '\0';
    if (r != SQLITE_OK)
        return r;
    while ((r = sqlite3_step(stmt)) == SQLITE_ROW)
        xlcfg__state_buf(stmt, 0, buf, size);
    if (r == SQLITE_DONE)
        r = SQLITE_OK;
    sqlite3_finalize(stmt);
    return r;
}

int xlcfg__state_make(xlcfg__state *st)
{
    unsigned char seed[6];
    char sql[256];
    int r;

    if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        return SQLITE_IOERR;
    snprintf(sql, sizeof(sql),
             "INSERT INTO meta(id, instance, revision)"
             " VALUES(1, '%02x%02x%02x%02x%02x%02x', 0);"
             "PRAGMA user_version = %d;COMMIT", seed[0], seed[1], seed[2],
             seed[3], seed[4], seed[5], XLCFG__STATE_SCHEMA);
    r = sqlite3_exec(st->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_exec(st->db, xlcfg__state_schema, NULL, NULL, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_exec(st->db, sql, NULL, NULL, NULL);
    return r;           /* a transaction left open ends with the handle */
}

/* From an earlier schema, under the lock of openings for write. */
static int convert(xlcfg__state *st, int from)
{
    char sql[64];
    int r;

    snprintf(sql, sizeof(sql), "PRAGMA user_version = %d;COMMIT",
             XLCFG__STATE_SCHEMA);
    r = sqlite3_exec(st->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (r == SQLITE_OK && from == 1)
        r = sqlite3_exec(st->db, xlcfg__state_from_1, NULL, NULL, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_exec(st->db, xlcfg__state_from_2, NULL, NULL, NULL);
    if (r == SQLITE_OK)
        r = sqlite3_exec(st->db, sql, NULL, NULL, NULL);
    return r;
}

int xlcfg__state_check(xlcfg__state *st, int *r_r, xlcfg_error *err)
{
    char version[16], tables[16], instance[32];
    bool earlier;
    int r, schema;

    r = xlcfg__state_ask(st, "PRAGMA user_version", version, sizeof(version));
    if (r == SQLITE_OK)
        r = xlcfg__state_ask(st, "SELECT count(*) FROM sqlite_master", tables,
                sizeof(tables));
    if (r != SQLITE_OK)
        goto bad;
    if (!strcmp(version, "0") && !strcmp(tables, "0"))
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, st->path,
                          "nothing has been recorded here yet");
    schema = atoi(version);
    earlier = schema >= 1 && schema < XLCFG__STATE_SCHEMA;
    if (earlier && st->write) {
        r = convert(st, schema);
        if (r != SQLITE_OK)
            goto bad;
    } else if (schema != XLCFG__STATE_SCHEMA)
        return xlcfg__err(err, XLCFG_ERROR_STORE, st->path,
                          "schema %s, expected %d: made by %s", version,
                          XLCFG__STATE_SCHEMA, !earlier
                          ? "another program or a newer version"
                          : "an earlier version; what records next converts"
                            " it");
    r = xlcfg__state_ask(st, "SELECT instance FROM meta WHERE revision >= 0",
                         instance,
            sizeof(instance));
    if (r == SQLITE_OK && (strlen(instance) != 12 ||
                           strspn(instance, "0123456789abcdef") != 12))
        r = SQLITE_CORRUPT;
    if (r != SQLITE_OK)
        goto bad;
    memcpy(st->instance, instance, sizeof(st->instance));
    return 0;
bad:
    *r_r = r;
    return xlcfg__state_sqlerr(st, r, err);
}
