/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeping track of every domain: what hints, or what no hint tells of, made
 * stale is looked at; the others in turns, as long as that costs little.
 *
 * With a driver that has a pulse, whoever is not stale is as it was recorded.
 * What goes into a look is then all accounted for: what the backend's hints
 * tell of; the pulse; libxl's file, by its stamp; what state.db has besides
 * versions; and time alone, for a device that is coming.
 */
#include "ops/sweep.h"
#include "driver/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void forget_marks(struct xlcfg__mark *marks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(marks[i].text);
    free(marks);
}

void xlcfg__sweeper_dispose(struct xlcfg__sweeper *sw)
{
    forget_marks(sw->marks, sw->count);
    sw->marks = NULL;
    sw->count = 0;
}

/* ---- who there is, and what moved without a hint ---- */

static int by_uuid(const void *a, const void *b)
{
    return strcmp(((const struct xlcfg__mark *)a)->uuid,
                  ((const struct xlcfg__mark *)b)->uuid);
}

/* The first of this uuid; NULL: there is none. */
static struct xlcfg__mark *find(struct xlcfg__mark *marks, size_t count,
                                const char *uuid)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(marks[middle].uuid, uuid) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && !strcmp(marks[low].uuid, uuid) ? &marks[low]
                                                        : NULL;
}

/* The driver's text, libxl's file, and what else state.db has: NULL, no
 * memory. */
static char *whole_text(const xlcfg_ctx *ctx, const struct xlcfg__mark *mark,
                        const char *pulse, const char *aside)
{
    struct xlcfg__stamp s = { 0 };
    char *text;

    if (ctx->conn->drv.home == XLCFG_HOME_LIBXL && mark->domid >= 0)
        xlcfg__template_stamp(ctx->xen_lib_dir, mark->domid, mark->uuid, &s);
    if (asprintf(&text, "%s|%s|%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%" PRId64
                 ".%" PRId64, pulse, aside ? aside : "", s.dev, s.ino,
                 s.size, s.sec, s.nsec) < 0)
        return NULL;
    return text;
}

/* What is known of it is what was known before, if nothing moved. */
static void compare(struct xlcfg__sweeper *sw, struct xlcfg__mark *mark)
{
    const struct xlcfg__mark *was = find(sw->marks, sw->count, mark->uuid);

    mark->stale = true;
    if (!was || was->domid != mark->domid || !was->text || !mark->text ||
        strcmp(was->text, mark->text))
        return;
    mark->stale = was->stale;
    mark->restless = was->restless;
    mark->nothing = was->nothing;
}

struct listing {
    struct xlcfg_domains list;
    char **texts;
    bool pulsed;
    struct xlcfg__asides asides;
    struct xlcfg__mark *marks;
    size_t count;
};

static void dispose(struct listing *ls)
{
    for (size_t i = 0; ls->texts && i < ls->list.count; i++)
        free(ls->texts[i]);
    free(ls->texts);
    forget_marks(ls->marks, ls->count);
    xlcfg__asides_dispose(&ls->asides);
    xlcfg__domains_dispose(&ls->list);
}

static int make_marks(struct xlcfg__sweeper *sw, struct listing *ls)
{
    ls->marks = calloc(ls->list.count + 1, sizeof(*ls->marks));
    if (!ls->marks)
        return XLCFG_ERROR_NOMEM;
    for (size_t i = 0; i < ls->list.count; i++) {
        struct xlcfg_domain *dom = &ls->list.v[i];
        struct xlcfg__mark *mark = &ls->marks[ls->count++];

        mark->domid = dom->domid;
        memcpy(mark->uuid, dom->uuid, sizeof(mark->uuid));
        if (ls->pulsed) {
            mark->text = whole_text(sw->ctx, mark, ls->texts[i],
                                    xlcfg__asides_find(&ls->asides,
                                                       mark->uuid));
            if (!mark->text)
                return XLCFG_ERROR_NOMEM;
        } else {
            mark->text = ls->texts[i];
            ls->texts[i] = NULL;
        }
        compare(sw, mark);
        if (mark->nothing)
            dom->uuid[0] = '\0';        /* it does not count as listed */
    }
    qsort(ls->marks, ls->count, sizeof(*ls->marks), by_uuid);
    return 0;
}

static void take_marks(struct xlcfg__sweeper *sw, struct listing *ls)
{
    forget_marks(sw->marks, sw->count);
    sw->marks = ls->marks;
    sw->count = ls->count;
    ls->marks = NULL;
    ls->count = 0;
    sw->pulsed = ls->pulsed;
    sw->relist = sw->twins = false;
    for (size_t i = 1; i < sw->count; i++)
        if (!strcmp(sw->marks[i - 1].uuid, sw->marks[i].uuid))
            sw->twins = true;
}

static int read_asides(struct xlcfg__sweeper *sw, struct xlcfg__asides *list,
                       xlcfg_error *err)
{
    xlcfg__state *st;
    int rc;

    rc = xlcfg__store(sw->ctx, false, &st, err);
    if (rc)
        return rc == XLCFG_ERROR_NOTFOUND ? 0 : rc;
    rc = xlcfg__state_asides(st, sw->ctx->conn->drv.name, list, err);
    if (rc)
        xlcfg__store_drop(sw->ctx, false);
    return rc;
}

int xlcfg__sweep_list(struct xlcfg__sweeper *sw, xlcfg_error *err)
{
    struct xlcfg__lines before;
    struct listing ls = { .count = 0 };
    int rc;

    rc = xlcfg__read_lines(sw->ctx, false, &before, err);
    if (rc == XLCFG_ERROR_NOTFOUND)
        rc = 0;
    if (!rc)
        rc = xlcfg__list_take(sw->ctx, &ls.list, &ls.texts, &ls.pulsed, err);
    /* after the list was asked for: what is written until then is in */
    if (!rc)
        rc = read_asides(sw, &ls.asides, err);
    if (!rc && make_marks(sw, &ls))
        rc = xlcfg__nomem(err);
    if (!rc)
        rc = xlcfg__note_absent(sw->ctx, &before, &ls.list, err);
    if (!rc) {
        take_marks(sw, &ls);
        /* another store: it has none of what was recorded */
        if (strncmp(sw->instance, before.version, sizeof(sw->instance) - 1))
            xlcfg__sweep_hint(sw, "*");
        snprintf(sw->instance, sizeof(sw->instance), "%.12s",
                 before.version);
    }
    dispose(&ls);
    xlcfg__lines_dispose(&before);
    return rc;
}

/* ---- hints ---- */

static void doubt(struct xlcfg__mark *mark)
{
    mark->stale = true;
    mark->nothing = false;
}

void xlcfg__sweep_hint(struct xlcfg__sweeper *sw, const char *uuid)
{
    struct xlcfg__mark *mark, *end = sw->marks + sw->count;

    if (!strcmp(uuid, "*"))
        for (size_t i = 0; i < sw->count; i++)
            doubt(&sw->marks[i]);
    if (!strcmp(uuid, "*"))
        return;
    mark = find(sw->marks, sw->count, uuid);
    if (!mark)
        sw->relist = true;
    for (; mark && mark < end && !strcmp(mark->uuid, uuid); mark++)
        doubt(mark);
}

/* ---- looking ---- */

/* Will it be another without anybody doing something? */
static bool goes_on(const struct xlcfg__cut *cut)
{
    bool on = cut->intents.count > 0;

    for (size_t i = 0; i < cut->live.count && !on; i++)
        on = cut->live.devs[i].live == XLCFG_LIVE_COMING;
    return on;
}

/* A domain that cannot be looked at is as it was; the next sweep sees. */
static int look(xlcfg_ctx *ctx, struct xlcfg__mark *mark, xlcfg_error *err)
{
    struct xlcfg__sight sight;
    bool by_number = mark->domid >= 0 &&
        ctx->conn->drv.home == XLCFG_HOME_LIBXL;
    char id[32];
    int rc;

    /* by what is quicker to be found: elsewhere a number may be a name */
    snprintf(id, sizeof(id), "%" PRId64, mark->domid);
    rc = xlcfg__sight_take(ctx, by_number ? id : mark->uuid, &sight, err);
    if (rc)
        return rc;      /* which leaves nothing to be disposed of */
    if (mark->domid >= 0 && strcmp(mark->uuid, sight.cut.dom.uuid)) {
        rc = XLCFG_ERROR_DOMAIN_NOTFOUND;
    } else if (!sight.cut.blind && !sight.cut.overtaken) {
        rc = ctx->unrecorded.code;
        if (rc && err)
            *err = ctx->unrecorded;
        if (!rc) {
            mark->stale = sight.cut.unread;
            mark->restless = goes_on(&sight.cut);
        }
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

static int look_at(struct xlcfg__sweeper *sw, struct xlcfg__mark *mark,
                   xlcfg_error *err)
{
    int rc;

    /* what is seen from now on is of now, or comes with another hint */
    mark->stale = true;
    rc = look(sw->ctx, mark, err);
    sw->progress(sw->progress_arg);
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND) {
        mark->stale = false;
        mark->nothing = sw->relist = true;
    }
    return of_domain(rc) ? 0 : rc;
}

int xlcfg__sweep_look(struct xlcfg__sweeper *sw, bool sure, xlcfg_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < sw->count && !rc; i++) {
        struct xlcfg__mark *mark = &sw->marks[i];

        if (!mark->nothing && (mark->stale || (sure && mark->restless)))
            rc = look_at(sw, mark, err);
    }
    return rc;
}

int xlcfg__sweep_round(struct xlcfg__sweeper *sw, unsigned budget_ms,
                       size_t *left, bool (*pressed)(void *arg), void *arg,
                       xlcfg_error *err)
{
    int64_t until = xlcfg__now_ms() + budget_ms;
    int rc = 0;

    if (*left > sw->count)
        *left = sw->count;
    while (*left && !rc) {
        struct xlcfg__mark *mark = &sw->marks[sw->cursor++ % sw->count];

        --*left;
        if (!mark->nothing)
            rc = look_at(sw, mark, err);
        if (xlcfg__now_ms() >= until || pressed(arg))
            break;
    }
    if (sw->count)
        sw->cursor %= sw->count;
    return rc;
}

bool xlcfg__sweep_sure(const struct xlcfg__sweeper *sw, size_t *count_r)
{
    size_t count = 0;

    if (!sw->pulsed || sw->relist || sw->twins)
        return false;
    for (size_t i = 0; i < sw->count; i++) {
        const struct xlcfg__mark *mark = &sw->marks[i];

        if (mark->nothing)
            continue;
        if (mark->stale || !mark->uuid[0])
            return false;
        count++;
    }
    *count_r = count;
    return true;
}
