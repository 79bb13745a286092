/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state.db: creations that were begun, and templates found by name. */
#include "store/state_i.h"

#include <stdlib.h>
#include <string.h>

static void creation_dispose(struct xlcfg__creation *c)
{
    free(c->name);
    free(c->reason);
    xlcfg_doc_free(c->config);
}

void xlcfg__creations_dispose(struct xlcfg__creations *list)
{
    for (size_t i = 0; i < list->count; i++)
        creation_dispose(&list->v[i]);
    free(list->v);
    *list = (struct xlcfg__creations){ 0 };
}

static int fill(xlcfg__state *st, sqlite3_stmt *stmt,
                struct xlcfg__creation *c, xlcfg_error *err)
{
    char phase[16];

    c->id = sqlite3_column_int64(stmt, 0);
    xlcfg__state_buf(stmt, 1, c->uuid, sizeof(c->uuid));
    if (!xlcfg__state_text(stmt, 2, &c->name) ||
        !xlcfg__state_text(stmt, 3, &c->reason))
        return xlcfg__nomem(err);
    c->since = sqlite3_column_int64(stmt, 5);
    c->flags = (unsigned)sqlite3_column_int(stmt, 6);
    xlcfg__state_buf(stmt, 7, phase, sizeof(phase));
    c->failed = !strcmp(phase, "failed");
    return xlcfg__state_doc(st, stmt, 4, &c->config, err);
}

int xlcfg__state_creations(xlcfg__state *st, const char *driver,
                           struct xlcfg__creations *list_r, xlcfg_error *err)
{
    struct xlcfg__creations list = { 0 };
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_CREATIONS, &stmt, err, "t",
                            driver);
    while (!rc && !(rc = xlcfg__state_step(st, stmt, err))) {
        struct xlcfg__creation *more;

        more = reallocarray(list.v, list.count + 1, sizeof(*more));
        if (!more) {
            rc = xlcfg__nomem(err);
            break;
        }
        list.v = more;
        list.v[list.count] = (struct xlcfg__creation){ 0 };
        rc = fill(st, stmt, &list.v[list.count++], err);
    }
    xlcfg__state_done(stmt);
    if (rc < 0) {
        xlcfg__creations_dispose(&list);
        return rc;
    }
    *list_r = list;
    return 0;
}

/* Nobody makes one of this name or uuid. */
static int check_alone(xlcfg__state *st, const char *driver,
                       const struct xlcfg__creation *c, xlcfg_error *err)
{
    struct xlcfg__creations list = { 0 };
    int rc;

    rc = xlcfg__state_creations(st, driver, &list, err);
    for (size_t i = 0; !rc && i < list.count; i++) {
        const char *name = list.v[i].name;

        if (!strcmp(list.v[i].uuid, c->uuid) ||
            (name && !strcmp(name, c->name)))
            rc = xlcfg__err(err, XLCFG_ERROR_CONFLICT, c->name,
                            "a creation of this name or uuid was begun and "
                            "is not finished: see settle");
    }
    xlcfg__creations_dispose(&list);
    return rc;
}

static int check_version(xlcfg__state *st, const char *driver,
                         const struct xlcfg__creation *c, xlcfg_error *err)
{
    struct xlcfg__seen seen = { 0 };
    int rc;

    if (!c->was)
        return 0;
    rc = xlcfg__state_seen(st, driver, c->uuid, false, &seen, err);
    if (!rc && strcmp(seen.version, c->was))
        rc = xlcfg__err(err, XLCFG_ERROR_CONFLICT, c->name,
                        "its version is %s, not %.64s", seen.version[0]
                        ? seen.version : "not known", c->was);
    return rc;
}

int xlcfg__state_creation_begin(xlcfg__state *st, const char *driver,
                                struct xlcfg__creation *c,
                                int (*own)(void *arg, int64_t id,
                                           xlcfg_error *err),
                                void *arg, xlcfg_error *err)
{
    int64_t id = 0;
    int rc;

    rc = xlcfg__state_begin(st, err);
    if (rc)
        return rc;
    rc = check_alone(st, driver, c, err);
    if (!rc)
        rc = check_version(st, driver, c, err);
    if (!rc)
        rc = xlcfg__state_run(st, XLCFG__SQL_INTENT_NEW, err,
                              "tttttttddtiiiti", driver, c->uuid, "create",
                              "acting", "domain", c->name, c->uuid, NULL,
                              c->config, NULL, c->since, (int64_t)1,
                              (int64_t)c->flags, NULL, (int64_t)0);
    if (!rc)
        id = sqlite3_last_insert_rowid(st->db);
    if (!rc)
        rc = own(arg, id, err);
    rc = xlcfg__state_end(st, rc, err);
    if (!rc)
        c->id = id;
    return rc;
}

int xlcfg__state_creation_fail(xlcfg__state *st, int64_t id,
                               const char *reason, xlcfg_error *err)
{
    return xlcfg__state_run(st, XLCFG__SQL_CREATION_FAIL, err, "ti", reason,
                            id);
}

int xlcfg__state_template_named(xlcfg__state *st, const char *driver,
                                const char *name, char uuid_r[37],
                                xlcfg_doc **doc_r, xlcfg_error *err)
{
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_TEMPLATE_NAMED, &stmt, err, "tt",
                            driver, name);
    if (!rc)
        rc = xlcfg__state_step(st, stmt, err);
    if (!rc)
        rc = xlcfg__state_doc(st, stmt, 1, doc_r, err);
    if (!rc)
        xlcfg__state_buf(stmt, 0, uuid_r, 37);
    else if (rc == 1)
        rc = xlcfg__err(err, XLCFG_ERROR_NOTFOUND, name,
                        "nothing is kept under this name");
    xlcfg__state_done(stmt);
    return rc;
}
