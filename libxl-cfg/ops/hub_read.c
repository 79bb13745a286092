/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is new in the store: the hub's ring of it, and what tells of it. */
#include "ops/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define BATCH 64

/* ---- events ---- */

void xlcfg__hub_forget(struct xlcfg__hub *hub)
{
    for (size_t i = 0; i < XLCFG__RING; i++) {
        xlcfg_doc_free(hub->ring[i].doc);
        hub->ring[i] = (struct xlcfg__hub_event){ 0 };
    }
    hub->first = hub->count = 0;
}

static void add_event(struct xlcfg__hub *hub, const xlcfg_doc *doc)
{
    const char *uuid = xlcfg_doc_string(xlcfg_doc_pointer(doc,
                                                          "/domain/uuid"));
    size_t at = (hub->first + hub->count) % XLCFG__RING;
    struct xlcfg__hub_event *slot = &hub->ring[at];

    if (hub->count == XLCFG__RING) {
        hub->base = slot->revision;
        xlcfg_doc_free(slot->doc);
        hub->first = (hub->first + 1) % XLCFG__RING;
        hub->count--;
    }
    slot->revision = xlcfg__doc_to_int(xlcfg_doc_get(doc, "revision"), 0);
    strncpy(slot->uuid, uuid ? uuid : "", sizeof(slot->uuid) - 1);
    slot->doc = xlcfg_doc_ref(doc);
    hub->count++;
}

static int64_t revision_of(const char *version)
{
    const char *dot = strchr(version, '.');

    return dot ? strtoll(dot + 1, NULL, 10) : 0;
}

/* Events were read up to this version. */
static void take_over(struct xlcfg__hub *hub, const char *version,
                      const xlcfg_doc *events)
{
    size_t n = xlcfg_doc_count(events);

    pthread_mutex_lock(&hub->lock);
    if (strncmp(hub->version, version, 12)) {
        xlcfg__hub_forget(hub);       /* another store */
        hub->base = revision_of(version);
    }
    for (size_t i = 0; i < n; i++)
        add_event(hub, xlcfg_doc_at(events, i));
    strcpy(hub->version, version);
    hub->newest = revision_of(version);
    xlcfg__hub_wake(hub);
    pthread_mutex_unlock(&hub->lock);
}

/* The events after hub->version, BATCH at most; 1: that was all. */
static int read_some(struct xlcfg__hub *hub, xlcfg__state *st,
                     xlcfg_error *err)
{
    const char *driver = hub->sweeper.ctx->conn->drv.name;
    char version[XLCFG__VERSION_MAX];
    xlcfg_doc *events = NULL;
    const char *last;
    int rc;

    rc = xlcfg__state_news(st, driver, hub->version, BATCH, version,
                           &events, err);
    if (!rc && !strcmp(version, hub->version)) {
        xlcfg_doc_free(events);
        return 1;
    }
    /* history was cut past us: those who are as far behind are told by it */
    if (rc == XLCFG_ERROR_TOO_OLD) {
        pthread_mutex_lock(&hub->lock);
        xlcfg__hub_forget(hub);
        hub->base = revision_of(version);
        pthread_mutex_unlock(&hub->lock);
        rc = 0;
    }
    if (rc)
        return rc;
    last = xlcfg__doc_getstr(xlcfg_doc_at(events,
                                          xlcfg_doc_count(events) - 1),
                             "version");
    /* a full batch may have left some; another reading finds them */
    if (last && xlcfg_doc_count(events) == BATCH)
        strcpy(version, last);
    rc = xlcfg_doc_count(events) < BATCH;
    take_over(hub, version, events);
    xlcfg_doc_free(events);
    return rc;
}

int xlcfg__hub_read(struct xlcfg__hub *hub, xlcfg_error *err)
{
    xlcfg_ctx *ctx = hub->sweeper.ctx;
    xlcfg__state *st;
    int rc;

    rc = xlcfg__store(ctx, false, &st, err);
    if (rc == XLCFG_ERROR_NOTFOUND)     /* of a host without a domain */
        rc = xlcfg__store(ctx, true, &st, err);
    while (!rc)
        rc = read_some(hub, st, err);
    if (rc < 0)
        xlcfg__store_drop(ctx, false);
    return rc < 0 ? rc : 0;
}

/* ---- what tells of them ---- */

/* The tick is watched as a file: of the folder's others, the log above all,
 * each write would wake everybody. */
void xlcfg__hub_watch_tick(struct xlcfg__hub *hub)
{
    const char *dir = hub->sweeper.ctx->state_dir;
    char *path;

    if (asprintf(&path, "%s/" XLCFG__STATE_TICK, dir) < 0)
        return;
    /* there is none before the first record: then it comes to the folder */
    inotify_add_watch(hub->inotify, path, IN_MODIFY);
    free(path);
}

/* Something in the folder of the store: a tick, or the file itself. */
void xlcfg__hub_drain(struct xlcfg__hub *hub)
{
    char buf[4096] __attribute__((aligned(__alignof__(
        struct inotify_event))));
    bool moved = false;
    ssize_t n;

    while ((n = read(hub->inotify, buf, sizeof(buf))) > 0)
        for (char *p = buf; p < buf + n;) {
            const struct inotify_event *ev = (const void *)p;

            moved |= !(ev->mask & IN_MODIFY);
            if (ev->mask & IN_Q_OVERFLOW ||
                (ev->len && !strcmp(ev->name, "state.db")))
                hub->sweeper.relist = true;
            p += sizeof(*ev) + ev->len;
        }
    if (moved)
        xlcfg__hub_watch_tick(hub);
}
