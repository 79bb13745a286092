/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state.db: what a version text stands for, and what stands beside it. */
#include "store/state_i.h"

#include <stdlib.h>
#include <string.h>

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
                          "it is of another store");
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
                          "history does not hold it");
    *doc_r = doc;
    return 0;
}

/* ---- what stands beside versions ---- */

void xlcfg__asides_dispose(struct xlcfg__asides *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->v[i].uuid);
        free(list->v[i].text);
    }
    free(list->v);
    *list = (struct xlcfg__asides){ 0 };
}

static int add_aside(struct xlcfg__asides *list, sqlite3_stmt *stmt,
                     xlcfg_error *err)
{
    struct xlcfg__aside *aside;

    if (list->count == list->room) {
        size_t more = list->room ? list->room * 2 : 16;

        aside = reallocarray(list->v, more, sizeof(*aside));
        if (!aside)
            return xlcfg__nomem(err);
        list->v = aside;
        list->room = more;
    }
    aside = &list->v[list->count++];
    *aside = (struct xlcfg__aside){ NULL, NULL };
    return xlcfg__state_text(stmt, 0, &aside->uuid) && aside->uuid &&
        xlcfg__state_text(stmt, 1, &aside->text) && aside->text
        ? 0 : xlcfg__nomem(err);
}

int xlcfg__state_asides(xlcfg__state *st, const char *driver,
                        struct xlcfg__asides *list_r, xlcfg_error *err)
{
    struct xlcfg__asides list = { 0 };
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_query(st, XLCFG__SQL_ASIDES, &stmt, err, "t", driver);
    while (!rc && !(rc = xlcfg__state_step(st, stmt, err)))
        rc = add_aside(&list, stmt, err);
    xlcfg__state_done(stmt);
    if (rc < 0) {
        xlcfg__asides_dispose(&list);
        return rc;
    }
    *list_r = list;
    return 0;
}

static int by_uuid(const void *uuid, const void *aside)
{
    return strcmp(uuid, ((const struct xlcfg__aside *)aside)->uuid);
}

const char *xlcfg__asides_find(const struct xlcfg__asides *list,
                               const char *uuid)
{
    const struct xlcfg__aside *aside;

    if (!list->count)
        return NULL;
    aside = bsearch(uuid, list->v, list->count, sizeof(*list->v), by_uuid);
    return aside ? aside->text : NULL;
}
