/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to history: events, a domain as it was, and what differs. */
#include "core/diff.h"
#include "ops/ctx.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MOST 1000

/* The domain, or one that is gone, of this name or uuid. */
static const struct xlcfg__line *was_called(const struct xlcfg__lines *lines,
                                            const char *dom)
{
    const struct xlcfg__line *best = NULL;

    for (size_t i = 0; i < lines->count; i++) {
        const struct xlcfg__line *line = &lines->v[i];

        if (!strcasecmp(line->uuid, dom))
            return line;
        if (line->name && !strcmp(line->name, dom) &&
            (!best || line->revision > best->revision))
            best = line;
    }
    return best;
}

int xlcfg__uuid_of(xlcfg_ctx *ctx, const char *dom, char uuid[37],
                   xlcfg_error *err)
{
    const struct xlcfg__line *line;
    struct xlcfg__sight sight;
    struct xlcfg__lines lines;
    int rc;

    /* first as it is now, so that history has the newest change too */
    rc = xlcfg__sight_take(ctx, dom, &sight, err);
    if (!rc)
        memcpy(uuid, sight.cut.dom.uuid, 37);
    xlcfg__sight_dispose(&sight);
    if (rc != XLCFG_ERROR_DOMAIN_NOTFOUND ||
        xlcfg__read_lines(ctx, false, &lines, NULL))
        return rc;
    line = was_called(&lines, dom);
    if (line) {
        strncpy(uuid, line->uuid, 36);
        uuid[36] = '\0';
        rc = 0;
    }
    xlcfg__lines_dispose(&lines);
    return rc;
}

/* History where nothing was ever recorded: no events, and no version that
 * one could go on from. */
static int no_history(const char *since, xlcfg_doc **doc_r, xlcfg_error *err)
{
    int rc = since ? xlcfg__state_no_token(since, err) : 0;

    if (!rc && since)
        rc = xlcfg__err(err, XLCFG_ERROR_TOO_OLD, since,
                        "TOO_OLD: it is of another store: list again, "
                        "nothing has been recorded here yet");
    if (rc)
        return rc;
    *doc_r = xlcfg__doc_items(NULL, 0);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

/* The store of a question to it: NOTFOUND when nothing was ever recorded. */
static int open_history(xlcfg_ctx *ctx, const char *dom, char uuid[37],
                        xlcfg__state **st_r, xlcfg_error *err)
{
    int rc = 0;

    uuid[0] = '\0';
    if (dom)
        rc = xlcfg__uuid_of(ctx, dom, uuid, err);
    return rc ? rc : xlcfg__store(ctx, false, st_r, err);
}

int xlcfg_history(xlcfg_ctx *ctx, const char *dom, const char *since,
                  size_t most, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg__state *st;
    int64_t after = -1;         /* all that it has */
    char uuid[37];
    int rc;

    rc = open_history(ctx, dom, uuid, &st, err);
    if (rc == XLCFG_ERROR_NOTFOUND)
        return no_history(since, doc_r, err);
    if (rc)
        return rc;
    if (since)
        rc = xlcfg__state_token(st, since, &after, err);
    if (!rc)
        rc = xlcfg__state_history(st, ctx->conn->drv.name,
                                  uuid[0] ? uuid : NULL, after,
                                  most ? most : EVENTS_MOST, doc_r, err);
    return rc;
}

int xlcfg_domain_get_version(xlcfg_ctx *ctx, const char *dom,
                             const char *version, xlcfg_doc **doc_r,
                             xlcfg_error *err)
{
    xlcfg__state *st;
    char uuid[37];
    int rc;

    rc = open_history(ctx, dom, uuid, &st, err);
    if (rc)
        return rc;
    return xlcfg__state_at(st, ctx->conn->drv.name, uuid, version, doc_r,
                           err);
}

static int view_of(const xlcfg_doc *whole, const char *name,
                   struct xlcfg_view *view, xlcfg_error *err)
{
    int rc;

    rc = xlcfg__view_from_config(xlcfg_doc_get(whole, "config"), view, err);
    if (rc)
        xlcfg__err_in(err, name);
    return rc;
}

int xlcfg_domain_diff_versions(xlcfg_ctx *ctx, const char *dom,
                               const char *from, const char *to,
                               xlcfg_doc **doc_r, xlcfg_error *err)
{
    struct xlcfg_view a = { 0 }, b = { 0 };
    xlcfg_doc *before = NULL, *after = NULL;
    const char *name = to;
    int rc;

    rc = xlcfg_domain_get_version(ctx, dom, from, &before, err);
    if (!rc && to)
        rc = xlcfg_domain_get_version(ctx, dom, to, &after, err);
    else if (!rc)
        rc = xlcfg_domain_get(ctx, dom, NULL, &after, err);
    if (!rc && !to)
        name = xlcfg__doc_getstr(after, "version");
    if (!rc)
        rc = view_of(before, from, &a, err);
    if (!rc)
        rc = view_of(after, name ? name : "now", &b, err);
    if (!rc) {
        *doc_r = xlcfg__diff(from, &a, name ? name : "now", &b, false);
        rc = *doc_r ? 0 : xlcfg__nomem(err);
    }
    xlcfg__view_dispose(&a);
    xlcfg__view_dispose(&b);
    xlcfg_doc_free(before);
    xlcfg_doc_free(after);
    return rc;
}
