/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watches: what each reader is handed. */
#include "ops/hub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH 32

/* ---- opening ---- */

static int join(struct xlcfg_watch *w, const xlcfg_watch_options *opt,
                xlcfg_error *err)
{
    struct xlcfg__hub *hub = w->ctx->hub;
    int rc;

    if (!hub) {
        rc = xlcfg__hub_start(w->ctx, opt->sweep_ms, &w->ctx->hub, err);
        if (rc)
            return rc;
        hub = w->ctx->hub;
    }
    w->hub = hub;
    pthread_mutex_lock(&hub->lock);
    if (!w->at[0]) {
        strcpy(w->at, hub->version);
        w->after = hub->newest;
    }
    strcpy(w->token, w->at);
    w->next = hub->watches;
    hub->watches = w;
    pthread_mutex_unlock(&hub->lock);
    /* it sleeps until a time that knew of no bookmarks of this one */
    (void)!write(hub->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
    return 0;
}

static int begin(struct xlcfg_watch *w, const char *dom, const char *since,
                 const xlcfg_watch_options *opt, xlcfg_error *err)
{
    int rc;

    w->driver = w->ctx->conn->drv.name;
    w->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->fd < 0)
        return xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "eventfd: %s",
                          strerror(errno));
    if (since) {
        rc = xlcfg__since(w->ctx, since, &w->after, err);
        if (rc)
            return rc;
        strcpy(w->at, since);
    }
    if (dom) {
        rc = xlcfg__uuid_of(w->ctx, dom, w->uuid, err);
        if (rc)
            return rc;
    }
    w->bookmark_ms = opt->bookmark_ms;
    if (w->bookmark_ms)
        w->bookmark_at = xlcfg__now_ms() + w->bookmark_ms;
    return join(w, opt, err);
}

int xlcfg_watch_open(xlcfg_ctx *ctx, const char *dom, const char *since,
                     const xlcfg_watch_options *opt, xlcfg_watch **watch_r,
                     xlcfg_error *err)
{
    xlcfg_watch_options given = XLCFG_WATCH_OPTIONS_INIT;
    struct xlcfg_watch *w = calloc(1, sizeof(*w));
    int rc;

    if (!w)
        return xlcfg__nomem(err);
    if (opt)
        memcpy(&given, opt, opt->size < sizeof(given) ? opt->size
                                                      : sizeof(given));
    w->ctx = ctx;
    w->fd = -1;
    rc = begin(w, dom, since, &given, err);
    if (rc)
        xlcfg_watch_close(w);
    else
        *watch_r = w;
    return rc;
}

void xlcfg_watch_close(xlcfg_watch *w)
{
    struct xlcfg__hub *hub;
    bool last = false;

    if (!w)
        return;
    hub = w->hub;
    if (hub) {
        struct xlcfg_watch **at = &hub->watches;

        pthread_mutex_lock(&hub->lock);
        while (*at != w)
            at = &(*at)->next;
        *at = w->next;
        last = !hub->watches;
        pthread_mutex_unlock(&hub->lock);
    }
    if (last) {
        w->ctx->hub = NULL;
        xlcfg__hub_stop(hub);
    }
    xlcfg_doc_free(w->queue);
    xlcfg__state_close(w->reader);
    if (w->fd >= 0)
        close(w->fd);
    free(w);
}

int xlcfg_watch_fd(const xlcfg_watch *watch)
{
    return watch->fd;
}

const char *xlcfg_watch_token(const xlcfg_watch *watch)
{
    return watch->token;
}

/* ---- the next one ---- */

static void put_off_bookmark(struct xlcfg_watch *w)
{
    if (w->bookmark_ms)
        w->bookmark_at = xlcfg__now_ms() + w->bookmark_ms;
}

static bool wants(const struct xlcfg_watch *w, const char *uuid)
{
    return !w->uuid[0] || !strcmp(w->uuid, uuid);
}

/* From the hub's ring, which has all after hub->base.  With the lock held;
 * NULL: there is none, and the watch has caught up. */
static xlcfg_doc *from_ring(struct xlcfg_watch *w)
{
    struct xlcfg__hub *hub = w->hub;

    for (size_t i = 0; i < hub->count; i++) {
        const struct xlcfg__hub_event *ev;

        ev = &hub->ring[(hub->first + i) % XLCFG__RING];
        if (ev->revision <= w->after || !wants(w, ev->uuid))
            continue;
        w->after = ev->revision;
        strcpy(w->at, xlcfg__doc_getstr(ev->doc, "version"));
        return xlcfg_doc_ref(ev->doc);
    }
    w->after = hub->newest;
    strcpy(w->at, hub->version);
    strcpy(w->token, hub->version);
    return NULL;
}

/* From the store, a batch; the queue stays NULL when there was none. */
static int fetch(struct xlcfg_watch *w, xlcfg_error *err)
{
    char version[XLCFG__VERSION_MAX];
    xlcfg_doc *events = NULL;
    const char *last = NULL;
    xlcfg__state *st;
    size_t n;
    int rc;

    rc = xlcfg__store_at(&w->reader, w->ctx->state_dir, false,
                         w->ctx->lock_ms, &st, err);
    if (!rc)
        rc = xlcfg__state_version(st, version, err);
    if (!rc)
        rc = xlcfg__state_token(st, w->at, &w->after, err);
    if (!rc)
        rc = xlcfg__state_history(st, w->driver, w->uuid[0] ? w->uuid : NULL,
                                  w->after, BATCH, &events, err);
    if (rc)
        return rc;
    n = xlcfg_doc_count(events);
    if (n)
        last = xlcfg__doc_getstr(xlcfg_doc_at(events, n - 1), "version");
    /* a full batch may have left some; another reading finds them */
    strcpy(w->at, last && (n == BATCH || strcmp(last, version) > 0)
           ? last : version);
    w->after = strtoll(w->at + 13, NULL, 10);
    if (n) {
        w->queue = events;
        w->queued = 0;
    } else {
        xlcfg_doc_free(events);
        strcpy(w->token, w->at);
    }
    return 0;
}

static xlcfg_doc *from_queue(struct xlcfg_watch *w)
{
    xlcfg_doc *doc = xlcfg_doc_ref(xlcfg_doc_at(w->queue, w->queued));

    if (++w->queued == xlcfg_doc_count(w->queue)) {
        xlcfg_doc_free(w->queue);
        w->queue = NULL;
    }
    return doc;
}

static xlcfg_doc *bookmark(const struct xlcfg_watch *w)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "event", xlcfg__doc_str("bookmark"));
    xlcfg__members_add(&m, "version", xlcfg__doc_str(w->token));
    return xlcfg__members_end(&m);
}

static void hush(struct xlcfg_watch *w)
{
    uint64_t n;

    (void)!read(w->fd, &n, sizeof(n));
}

/* Without the store, with the hub's lock: 0 with *doc_r, which stays NULL
 * when all is told; 1: the store must be asked; or what ended the hub. */
static int next_of_hub(struct xlcfg_watch *w, xlcfg_doc **doc_r,
                       xlcfg_error *err)
{
    struct xlcfg__hub *hub = w->hub;

    if (strncmp(w->at, hub->version, 12) || w->after < hub->base)
        return 1;
    if (w->after < hub->newest)
        *doc_r = from_ring(w);
    if (*doc_r) {
        put_off_bookmark(w);
        return 0;
    }
    if (hub->ended) {
        if (err)
            *err = hub->err;
        return hub->err.code;
    }
    if (w->bookmark_at && w->bookmark_at <= xlcfg__now_ms() &&
        !hub->troubled) {
        put_off_bookmark(w);
        *doc_r = bookmark(w);
        return *doc_r ? 0 : xlcfg__nomem(err);
    }
    hush(w);                    /* under the lock: no bell is lost */
    return 0;
}

static int next(struct xlcfg_watch *w, xlcfg_doc **doc_r, xlcfg_error *err)
{
    int rc;

    if (w->queue) {
        *doc_r = from_queue(w);
        return 0;
    }
    pthread_mutex_lock(&w->hub->lock);
    rc = next_of_hub(w, doc_r, err);
    pthread_mutex_unlock(&w->hub->lock);
    if (rc == 1) {
        rc = fetch(w, err);
        if (rc == XLCFG_ERROR_NOTFOUND)
            rc = xlcfg__err(err, XLCFG_ERROR_TOO_OLD, w->at,
                            "TOO_OLD: the store was taken away: list again");
        if (!rc && w->queue)
            *doc_r = from_queue(w);
        /* none for us there: the bell is as it was, and is heard again */
    } else if (!rc) {
        xlcfg__state_close(w->reader);
        w->reader = NULL;
    }
    return rc;
}

int xlcfg_watch_next(xlcfg_watch *w, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    const char *version;
    int rc = w->err.code;

    if (!rc) {
        rc = next(w, &doc, &why);
        if (rc)
            w->err = why;
    }
    if (rc) {
        if (err)
            *err = w->err;
        return rc;
    }
    if (!doc)
        return 1;
    version = xlcfg__doc_getstr(doc, "version");
    if (version && strlen(version) < sizeof(w->token))
        strcpy(w->token, version);
    *doc_r = doc;
    return 0;
}
