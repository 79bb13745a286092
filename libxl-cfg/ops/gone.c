/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose domain it is, and noting that it is no more. */
#include "ops/ctx.h"
#include "ops/plug.h"
#include "ops/present.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void xlcfg__place(const xlcfg_ctx *ctx, char buf[128])
{
    xlcfg__place_of(ctx->conn->drv.name, ctx->uri, buf);
}

void xlcfg__place_of(const char *driver, const char *uri, char buf[128])
{
    const char *rest;
    char hex[65] = "";
    xlcfg_doc *text;
    int scheme;

    if (!strcmp(driver, "xen") || !uri) {
        snprintf(buf, 128, "%s", strcmp(driver, "xen") ? "qemu:///system"
                                                       : "xen:///");
        return;
    }
    /* qemu+unix:///system is qemu:///system, said at length */
    scheme = (int)strcspn(uri, "+:/");
    rest = uri + scheme;
    if (!strncmp(rest, "+unix:///", 9))
        rest += 5;
    if (scheme + strlen(rest) < 128) {
        snprintf(buf, 128, "%.*s%s", scheme, uri, rest);
        return;
    }
    text = xlcfg__doc_strf("%.*s%s", scheme, uri, rest);
    if (!text || xlcfg_doc_hash(text, hex, NULL))
        hex[0] = '\0';          /* an empty one matches no other place */
    snprintf(buf, 128, "%.32s#%s", text ? xlcfg_doc_string(text) : "", hex);
    xlcfg_doc_free(text);
}

char *xlcfg__keeper_name(const xlcfg_ctx *ctx)
{
    char place[128], *name;

    xlcfg__place(ctx, place);
    if (asprintf(&name, "%s\n%s\n%s", ctx->conn->drv.name, place,
                 ctx->xen_lib_dir) < 0)
        return NULL;
    return name;
}

/* The rows that were there, now detached, and what changed. */
static int take_all_away(struct xlcfg__memories *devs, xlcfg_doc **changes_r,
                         xlcfg_error *err)
{
    xlcfg__items changes = { 0 };

    for (size_t i = 0; i < devs->count; i++) {
        struct xlcfg__memory *dev = &devs->v[i];
        xlcfg__members m = { 0 };

        if (!strcmp(dev->state, "detached"))
            continue;
        xlcfg__members_add(&m, "key", xlcfg__doc_str(dev->key));
        xlcfg__members_add(&m, "incarnation",
                           xlcfg__doc_int(dev->incarnation));
        xlcfg__members_add(&m, "was", xlcfg__doc_str(dev->state));
        xlcfg__members_add(&m, "now", xlcfg__doc_str("detached"));
        xlcfg__members_add(&m, "reason",
                           xlcfg__doc_str("the domain is gone"));
        xlcfg__items_add(&changes, xlcfg__members_end(&m));
        strcpy(dev->state, "detached");
    }
    *changes_r = xlcfg__items_end(&changes);
    return *changes_r ? 0 : xlcfg__nomem(err);
}

/* The get object of a domain that is gone: nothing is left of it. */
static xlcfg_doc *nothing(const char *driver, const struct xlcfg__line *line,
                          char hash[65], xlcfg_error *err)
{
    struct xlcfg_domain dom = { .domid = -1, .name = line->name,
                                .state = "gone" };
    struct xlcfg_answer answer = {
        .config = xlcfg__doc_object(NULL, 0),
        .unknown = xlcfg__doc_items(NULL, 0), .complete = true,
    };
    struct xlcfg__memories none = { 0 };
    xlcfg_doc *doc = NULL;

    snprintf(dom.uuid, sizeof(dom.uuid), "%s", line->uuid);
    if (answer.config && answer.unknown &&
        !xlcfg_doc_hash(answer.config, hash, err))
        doc = xlcfg__present_get(driver, &dom, &answer, &none, hash, hash);
    xlcfg_doc_free(answer.config);
    xlcfg_doc_free(answer.unknown);
    return doc;
}

int xlcfg__observe_gone(xlcfg_ctx *ctx, const struct xlcfg__line *line,
                        xlcfg_error *err)
{
    const char *driver = ctx->conn->drv.name;
    char version[XLCFG__VERSION_MAX], hash[65];
    struct xlcfg__memories devs = { 0 };
    xlcfg_doc *changes = NULL, *snapshot = NULL;
    struct xlcfg__record rec;
    xlcfg__state *st;
    int rc;

    rc = xlcfg__intents_over(ctx, line->uuid, 0, err);
    if (!rc)
        rc = xlcfg__store(ctx, true, &st, err);
    if (rc)
        return rc;
    rc = xlcfg__state_devices(st, driver, line->uuid, &devs, err);
    if (!rc)
        rc = take_all_away(&devs, &changes, err);
    if (rc)
        goto out;
    snapshot = nothing(driver, line, hash, err);
    if (!snapshot) {
        rc = xlcfg__nomem(err);
        goto out;
    }
    rec = (struct xlcfg__record){
        .driver = driver, .uuid = line->uuid, .name = line->name,
        .place = line->place, .state = "gone", .domid = -1, .digest = "gone",
        .hash = hash, .address_hash = hash, .gone = true, .devices = devs,
        .event = "gone", .changes = changes, .snapshot = snapshot,
    };
    rc = xlcfg__state_record(st, &rec, line->version, version, err);
    /* seen again by another, or noted by another: either way it is told */
    if (rc == XLCFG_ERROR_CONFLICT)
        rc = 0;
out:
    xlcfg__memories_dispose(&devs);
    xlcfg_doc_free(changes);
    xlcfg_doc_free(snapshot);
    if (rc)
        xlcfg__store_drop(ctx, true);
    return rc;
}

bool xlcfg__is_listed(const struct xlcfg_domains *list, const char *uuid)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->v[i].uuid, uuid))
            return true;
    return false;
}

/*
 * A domain is of the connection that listed it last: that one looks for it,
 * and notes its end.  Of two ways to one backend the other may never be used
 * again.
 */
static int claim(xlcfg_ctx *ctx, const struct xlcfg__lines *before,
                 const struct xlcfg_domains *list, const char *place,
                 xlcfg_error *err)
{
    const char **uuids = calloc(before->count + 1, sizeof(*uuids));
    xlcfg__state *st;
    size_t count = 0;
    int rc = 0;

    if (!uuids)
        return xlcfg__nomem(err);
    for (size_t i = 0; i < before->count; i++) {
        const struct xlcfg__line *line = &before->v[i];

        if (!line->gone && (!line->place || strcmp(line->place, place)) &&
            xlcfg__is_listed(list, line->uuid))
            uuids[count++] = line->uuid;
    }
    if (count)
        rc = xlcfg__store(ctx, true, &st, err);
    if (count && !rc) {
        rc = xlcfg__state_claim(st, ctx->conn->drv.name, place, uuids, count,
                                err);
        if (rc)
            xlcfg__store_drop(ctx, true);
    }
    free(uuids);
    return rc;
}

int xlcfg__note_absent(xlcfg_ctx *ctx, const struct xlcfg__lines *before,
                       const struct xlcfg_domains *list, xlcfg_error *err)
{
    char place[128];
    int rc;

    xlcfg__place(ctx, place);
    rc = claim(ctx, before, list, place, err);
    for (size_t i = 0; i < before->count && !rc; i++) {
        const struct xlcfg__line *line = &before->v[i];

        if (!line->gone && line->place && !strcmp(line->place, place) &&
            !xlcfg__is_listed(list, line->uuid))
            rc = xlcfg__observe_gone(ctx, line, err);
    }
    return rc;
}
