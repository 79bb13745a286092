/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking at every domain.  What takes longer than the budget is done in
 * turns: the others are looked at only if the driver's index of theirs moved.
 */
#include "ops/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void xlcfg__sweeper_dispose(struct xlcfg__sweeper *sw)
{
    xlcfg__lines_dispose(&sw->marks);
}

/* A domain that cannot be looked at is as it was; the next sweep sees. */
static int look(xlcfg_ctx *ctx, const char *dom, const char *uuid,
                xlcfg_error *err)
{
    struct xlcfg__sight sight;
    int rc;

    rc = xlcfg__sight_take(ctx, dom, &sight, err);
    if (!rc && uuid && strcmp(uuid, sight.cut.dom.uuid))
        rc = XLCFG_ERROR_DOMAIN_NOTFOUND;
    else if (!rc && !sight.cut.blind && !sight.cut.overtaken &&
             ctx->unrecorded.code) {
        if (err)
            *err = ctx->unrecorded;
        rc = ctx->unrecorded.code;
    }
    xlcfg__sight_dispose(&sight);
    return rc;
}

/* Errors that are of one domain alone: it stays as it was recorded. */
static bool of_domain(int rc)
{
    return rc && rc != XLCFG_ERROR_UNREACHABLE && rc != XLCFG_ERROR_STORE &&
        rc != XLCFG_ERROR_NOMEM && rc != XLCFG_ERROR_LOCK_FAIL;
}

/* The domain by its number, which is quicker to be found. */
static int look_number(xlcfg_ctx *ctx, int64_t domid, const char *uuid,
                       xlcfg_error *err)
{
    char id[32];

    if (domid < 0)
        return look(ctx, uuid, NULL, err);
    snprintf(id, sizeof(id), "%lld", (long long)domid);
    return look(ctx, id, uuid, err);
}

int xlcfg__sweep_one(struct xlcfg__sweeper *sw, const char *uuid,
                     xlcfg_error *err)
{
    const struct xlcfg__line *mark = xlcfg__lines_find(&sw->marks, uuid);
    int rc = XLCFG_ERROR_DOMAIN_NOTFOUND;

    if (mark)
        rc = look_number(sw->ctx, mark->domid, uuid, err);
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
        rc = xlcfg__sweep(sw, 0, err);
    return rc;
}

static int by_uuid(const void *a, const void *b)
{
    return strcmp(((const struct xlcfg__line *)a)->uuid,
                  ((const struct xlcfg__line *)b)->uuid);
}

/* The marks of a list; takes the texts of indexes. */
static int make_marks(const struct xlcfg_domains *list, char **indexes,
                      struct xlcfg__lines *marks)
{
    marks->v = calloc(list->count + 1, sizeof(*marks->v));
    if (!marks->v)
        return XLCFG_ERROR_NOMEM;
    for (size_t i = 0; i < list->count; i++) {
        struct xlcfg__line *mark = &marks->v[marks->count++];

        mark->domid = list->v[i].domid;
        mark->uuid = strdup(list->v[i].uuid);
        mark->place = indexes ? indexes[i] : NULL;
        if (indexes)
            indexes[i] = NULL;
        if (!mark->uuid)
            return XLCFG_ERROR_NOMEM;
    }
    qsort(marks->v, marks->count, sizeof(*marks->v), by_uuid);
    return 0;
}

static bool moved(const struct xlcfg__lines *before,
                  const struct xlcfg__line *mark)
{
    const struct xlcfg__line *was = xlcfg__lines_find(before, mark->uuid);

    return !was || was->domid != mark->domid || !was->place ||
        !mark->place || strcmp(was->place, mark->place);
}

/* Those whose turn it is, and those whose index moved. */
static int look_at_marks(struct xlcfg__sweeper *sw,
                         const struct xlcfg__lines *before,
                         unsigned budget_ms, xlcfg_error *err)
{
    int64_t until = xlcfg__now_ms() + budget_ms;
    size_t n = sw->marks.count, start = n ? sw->cursor % n : 0;
    bool in_time = true;
    int rc = 0;

    for (size_t k = 0; k < n && !rc; k++) {
        size_t i = (start + k) % n;
        const struct xlcfg__line *mark = &sw->marks.v[i];

        if (in_time && sw->swept && xlcfg__now_ms() >= until) {
            in_time = false;
            sw->cursor = i;
        }
        if (!in_time && !moved(before, mark))
            continue;
        rc = look_number(sw->ctx, mark->domid, mark->uuid, err);
        if (of_domain(rc))
            rc = 0;             /* ended since: the next list is without */
    }
    if (!rc)
        sw->swept = true;
    return rc;
}

int xlcfg__sweep(struct xlcfg__sweeper *sw, unsigned budget_ms,
                 xlcfg_error *err)
{
    struct xlcfg__lines before, marks = { 0 };
    struct xlcfg_domains list = { 0 };
    char **indexes = NULL;
    int rc;

    rc = xlcfg__read_lines(sw->ctx, false, &before, err);
    if (rc == XLCFG_ERROR_NOTFOUND)
        rc = 0;
    if (!rc)
        rc = xlcfg__list_take(sw->ctx, &list, &indexes, err);
    if (!rc && make_marks(&list, indexes, &marks))
        rc = xlcfg__nomem(err);
    if (!rc) {
        struct xlcfg__lines old = sw->marks;

        sw->marks = marks;
        marks = (struct xlcfg__lines){ 0 };
        rc = xlcfg__note_absent(sw->ctx, &before, &list, err);
        if (!rc)
            rc = look_at_marks(sw, &old, budget_ms, err);
        /* what was not looked at has moved, as far as the next one knows */
        xlcfg__lines_dispose(rc ? &sw->marks : &old);
        if (rc)
            sw->marks = old;
    }
    for (size_t i = 0; indexes && i < list.count; i++)
        free(indexes[i]);
    free(indexes);
    xlcfg__lines_dispose(&marks);
    xlcfg__lines_dispose(&before);
    xlcfg__domains_dispose(&list);
    return rc;
}
