/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state.db: what a listing reads of all domains at once. */
#include "store/state_i.h"

#include <stdlib.h>
#include <string.h>

/* An array with room for one more; NULL: no memory, and it is as it was. */
static void *room_for(void *v, size_t count, size_t *room, size_t size)
{
    size_t more = *room ? *room * 2 : 16;

    if (count < *room)
        return v;
    v = reallocarray(v, more, size);
    if (v)
        *room = more;
    return v;
}

/* ---- lines ---- */

void xlcfg__lines_dispose(struct xlcfg__lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        free(lines->v[i].uuid);
        free(lines->v[i].name);
        free(lines->v[i].state);
        free(lines->v[i].place);
        xlcfg_doc_free(lines->v[i].snapshot);
    }
    free(lines->v);
    *lines = (struct xlcfg__lines){ 0 };
}

static int add_line(xlcfg__state *st, sqlite3_stmt *stmt,
                    struct xlcfg__lines *lines, xlcfg_error *err)
{
    struct xlcfg__line *line;

    line = room_for(lines->v, lines->count, &lines->room, sizeof(*line));
    if (!line)
        return xlcfg__nomem(err);
    lines->v = line;
    line = &lines->v[lines->count++];
    *line = (struct xlcfg__line){
        .domid = sqlite3_column_int64(stmt, 4),
        .revision = sqlite3_column_int64(stmt, 5),
        .gone = sqlite3_column_int(stmt, 6) != 0,
    };
    xlcfg__state_vertext(st, line->revision, line->version);
    xlcfg__state_buf(stmt, 7, line->hash, sizeof(line->hash));
    xlcfg__state_buf(stmt, 8, line->address_hash,
                     sizeof(line->address_hash));
    if (!xlcfg__state_text(stmt, 0, &line->uuid) ||
        !xlcfg__state_text(stmt, 1, &line->name) ||
        !xlcfg__state_text(stmt, 2, &line->state) ||
        !xlcfg__state_text(stmt, 3, &line->place))
        return xlcfg__nomem(err);
    return xlcfg__state_doc(st, stmt, 9, &line->snapshot, err);
}

int xlcfg__state_lines(xlcfg__state *st, const char *driver,
                       bool want_snapshots, struct xlcfg__lines *lines_r,
                       xlcfg_error *err)
{
    struct xlcfg__lines lines = { 0 };
    sqlite3_stmt *stmt;
    int rc;

    rc = xlcfg__state_run(st, XLCFG__SQL_READ, err, "");
    if (rc)
        return rc;
    rc = xlcfg__state_version(st, lines.version, err);
    if (!rc) {
        rc = xlcfg__state_query(st, XLCFG__SQL_LINES, &stmt, err, "ti",
                                driver, (int64_t)want_snapshots);
        while (!rc && !(rc = xlcfg__state_step(st, stmt, err)))
            rc = add_line(st, stmt, &lines, err);
        xlcfg__state_done(stmt);
        rc = rc < 0 ? rc : 0;
    }
    rc = xlcfg__state_end(st, rc, err);
    if (rc)
        xlcfg__lines_dispose(&lines);
    else
        *lines_r = lines;
    return rc;
}

int xlcfg__state_claim(xlcfg__state *st, const char *driver,
                       const char *place, const char *const *uuids,
                       size_t count, xlcfg_error *err)
{
    int rc = xlcfg__state_begin(st, err);

    if (rc)
        return rc;
    for (size_t i = 0; i < count && !rc; i++)
        rc = xlcfg__state_run(st, XLCFG__SQL_CLAIM, err, "ttt", driver,
                              uuids[i], place);
    return xlcfg__state_end(st, rc, err);
}

static int by_uuid(const void *uuid, const void *line)
{
    return strcmp(uuid, ((const struct xlcfg__line *)line)->uuid);
}

const struct xlcfg__line *xlcfg__lines_find(const struct xlcfg__lines *lines,
                                            const char *uuid)
{
    return lines->count ? bsearch(uuid, lines->v, lines->count,
                                  sizeof(*lines->v), by_uuid) : NULL;
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

    aside = room_for(list->v, list->count, &list->room, sizeof(*aside));
    if (!aside)
        return xlcfg__nomem(err);
    list->v = aside;
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

static int aside_by_uuid(const void *uuid, const void *aside)
{
    return strcmp(uuid, ((const struct xlcfg__aside *)aside)->uuid);
}

const char *xlcfg__asides_find(const struct xlcfg__asides *list,
                               const char *uuid)
{
    const struct xlcfg__aside *aside;

    if (!list->count)
        return NULL;
    aside = bsearch(uuid, list->v, list->count, sizeof(*list->v),
                    aside_by_uuid);
    return aside ? aside->text : NULL;
}
