/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's thread: when to look, what is new, whom to wake. */
#include "ops/hub.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#define SWEEP_MS 5000
#define SHARE 20                /* a sweep takes 1/20 of its interval */
#define RETRY_MS 500
#define BATCH 64
#define LISTS 3                 /* in one round, as domains come and go; */
#define RELIST_MS 100           /* then the other work has its turn first */

static void ring_bell(int fd)
{
    uint64_t one = 1;

    /* a full counter is readable, which is all that is wanted */
    (void)!write(fd, &one, sizeof(one));
}

static void wake_all(struct xlcfg__hub *hub)
{
    for (struct xlcfg_watch *w = hub->watches; w; w = w->next)
        ring_bell(w->fd);
}

/* ---- what is new in the store ---- */

static void forget_ring(struct xlcfg__hub *hub)
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
        forget_ring(hub);       /* another store */
        hub->base = revision_of(version);
    }
    for (size_t i = 0; i < n; i++)
        add_event(hub, xlcfg_doc_at(events, i));
    strcpy(hub->version, version);
    hub->newest = revision_of(version);
    wake_all(hub);
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

    /* the version first: what comes after it comes with the next reading */
    rc = xlcfg__state_version(st, version, err);
    if (rc || !strcmp(version, hub->version))
        return rc ? rc : 1;
    if (!strncmp(version, hub->version, 12))
        rc = xlcfg__state_history(st, driver, NULL, hub->newest, BATCH,
                                  &events, err);
    /* history was cut past us: those who are as far behind are told by it */
    if (rc == XLCFG_ERROR_TOO_OLD) {
        pthread_mutex_lock(&hub->lock);
        forget_ring(hub);
        hub->base = revision_of(version);
        pthread_mutex_unlock(&hub->lock);
        rc = 0;
    }
    if (rc)
        return rc;
    last = xlcfg__doc_getstr(xlcfg_doc_at(events,
                                          xlcfg_doc_count(events) - 1),
                             "version");
    if (last && (xlcfg_doc_count(events) == BATCH ||
                 strcmp(last, version) > 0))
        strcpy(version, last);
    rc = xlcfg_doc_count(events) < BATCH;
    take_over(hub, version, events);
    xlcfg_doc_free(events);
    return rc;
}

static int read_new(struct xlcfg__hub *hub, xlcfg_error *err)
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

/* ---- hints ---- */

/* A driver without hints leaves all to the sweeps.  Of what was before the
 * first there are none. */
static void hear(struct xlcfg__hub *hub)
{
    struct xlcfg_conn *conn = hub->sweeper.ctx->conn;

    if (hub->hinting == conn)
        return;
    xlcfg__conn_free(hub->hinting);
    hub->hinting = xlcfg__conn_ref(conn);
    hub->hint_fd = conn->drv.watch_fd(conn->handle, NULL);
    xlcfg__sweep_hint(&hub->sweeper, "*");
}

static int take_hints(struct xlcfg__hub *hub, xlcfg_error *err)
{
    struct xlcfg_conn *conn = hub->hinting;
    char uuid[37] = "";
    int rc = 0;

    while (hub->hint_fd >= 0 && !rc) {
        rc = conn->drv.watch_next(conn->handle, uuid, err);
        if (!rc)
            xlcfg__sweep_hint(&hub->sweeper, uuid);
    }
    return rc < 0 ? rc : 0;
}

/* Something in the folder of the store: a tick, or the file itself. */
static void drain_inotify(struct xlcfg__hub *hub)
{
    char buf[4096] __attribute__((aligned(__alignof__(
        struct inotify_event))));
    ssize_t n;

    while ((n = read(hub->inotify, buf, sizeof(buf))) > 0)
        for (char *p = buf; p < buf + n;) {
            const struct inotify_event *ev = (const void *)p;

            if (!(ev->mask & IN_MODIFY) && ev->len &&
                !strcmp(ev->name, "state.db"))
                hub->sweeper.relist = true;
            p += sizeof(*ev) + ev->len;
        }
}

/* ---- who asks whether all is in the store ---- */

/* Of several processes one is asked; without it everybody looks. */
static void keep(struct xlcfg__hub *hub)
{
    xlcfg_ctx *ctx = hub->sweeper.ctx;
    char *name;

    if (hub->keeper && !xlcfg__keeper_lost(hub->keeper))
        return;
    xlcfg__keeper_close(hub->keeper);
    hub->keeper = NULL;
    name = xlcfg__keeper_name(ctx);
    if (name && xlcfg__keeper_open(ctx->state_dir, name, &hub->keeper, NULL))
        hub->keeper = NULL;
    free(name);
}

static bool pressed(void *arg)
{
    struct xlcfg__hub *hub = arg;

    return hub->keeper && xlcfg__keeper_asked(hub->keeper);
}

static void answer(struct xlcfg__hub *hub, bool well)
{
    xlcfg_ctx *ctx = hub->sweeper.ctx;
    char version[XLCFG__VERSION_MAX];
    size_t count = 0;
    xlcfg__state *st;

    well = well && xlcfg__sweep_sure(&hub->sweeper, &count) &&
        !xlcfg__store(ctx, false, &st, NULL) &&
        !xlcfg__state_version(st, version, NULL);
    xlcfg__keeper_answer(hub->keeper, well ? version : NULL, count);
}

/* ---- the loop ---- */

/* What is stale; and with a list, what nobody gave a hint of. */
static int look(struct xlcfg__hub *hub, bool list, bool sure,
                xlcfg_error *err)
{
    struct xlcfg__sweeper *sw = &hub->sweeper;
    int rc = 0;

    for (int i = 0; i < LISTS && !rc; i++) {
        if (list || sw->relist)
            rc = xlcfg__sweep_list(sw, err);
        list = false;
        if (!rc) {
            hear(hub);
            rc = take_hints(hub, err);
        }
        if (!rc && !sw->relist)
            rc = xlcfg__sweep_look(sw, sure, err);
        if (!sw->relist)
            break;
    }
    return rc;
}

/* One round; what is due is done when nobody waits for it any more. */
static int go_round(struct xlcfg__hub *hub, bool due, xlcfg_error *err)
{
    bool asked = hub->keeper && xlcfg__keeper_take(hub->keeper);
    int rc;

    drain_inotify(hub);
    rc = look(hub, due || asked, asked, err);
    if (asked)
        answer(hub, !rc);
    if (!rc)
        rc = read_new(hub, err);
    if (rc || !due)
        return rc;
    keep(hub);
    rc = xlcfg__sweep_round(&hub->sweeper, hub->sweep_ms / SHARE, pressed,
                            hub, err);
    return rc ? rc : read_new(hub, err);
}

static void end(struct xlcfg__hub *hub, const xlcfg_error *err)
{
    pthread_mutex_lock(&hub->lock);
    hub->err = *err;
    hub->ended = true;
    wake_all(hub);
    pthread_cond_broadcast(&hub->moved);
    pthread_mutex_unlock(&hub->lock);
}

/* How the last round went; false: that was too long in trouble. */
static bool judge(struct xlcfg__hub *hub, int rc, const xlcfg_error *err)
{
    int64_t now = xlcfg__now_ms();

    pthread_mutex_lock(&hub->lock);
    hub->troubled = rc != 0;
    if (!rc && !hub->ready) {
        hub->ready = true;
        pthread_cond_broadcast(&hub->moved);
    }
    pthread_mutex_unlock(&hub->lock);
    if (!rc) {
        hub->bad_since = 0;
        return true;
    }
    if (!hub->bad_since)
        hub->bad_since = now;
    if (rc == XLCFG_ERROR_NOMEM || now - hub->bad_since > XLCFG__GRACE_MS) {
        end(hub, err);
        return false;
    }
    return true;                /* the next look connects anew */
}

/* When the next bookmark is due; wakes those of whom it is. */
static int64_t bookmarks(struct xlcfg__hub *hub, int64_t until)
{
    int64_t now = xlcfg__now_ms();

    pthread_mutex_lock(&hub->lock);
    for (struct xlcfg_watch *w = hub->watches; w && !hub->troubled;
         w = w->next)
        if (w->bookmark_at && w->bookmark_at <= now) {
            ring_bell(w->fd);
            /* the one after it, which its reader puts off to about then */
            if (now + w->bookmark_ms < until)
                until = now + w->bookmark_ms;
        } else if (w->bookmark_at && w->bookmark_at < until) {
            until = w->bookmark_at;
        }
    pthread_mutex_unlock(&hub->lock);
    return until;
}

static bool stopping(struct xlcfg__hub *hub)
{
    bool stop;

    pthread_mutex_lock(&hub->lock);
    stop = hub->stopping;
    pthread_mutex_unlock(&hub->lock);
    return stop;
}

/* Sleep until there is something, until `until` at most. */
static void wait_for_more(struct xlcfg__hub *hub, int64_t until)
{
    struct pollfd fds[4] = {
        { .fd = hub->wake, .events = POLLIN },
        { .fd = hub->keeper ? xlcfg__keeper_fd(hub->keeper) : -1,
          .events = POLLIN },
        { .fd = hub->inotify, .events = POLLIN },
        { .fd = hub->hint_fd, .events = POLLIN },
    };
    int64_t ms = until - xlcfg__now_ms();
    /* in trouble nothing is done but to try again, and to say so */
    nfds_t count = hub->bad_since ? 2 : 4;
    uint64_t n;

    (void)poll(fds, count, ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms);
    (void)!read(hub->wake, &n, sizeof(n));
}

static void *run(void *arg)
{
    struct xlcfg__hub *hub = arg;
    int64_t sweep_at = 0;

    while (!stopping(hub)) {
        xlcfg_error err = XLCFG_ERROR_INIT;
        bool due = xlcfg__now_ms() >= sweep_at;
        int rc;

        if (hub->bad_since && !due) {
            if (hub->keeper && xlcfg__keeper_take(hub->keeper))
                xlcfg__keeper_answer(hub->keeper, NULL, 0);
            wait_for_more(hub, bookmarks(hub, sweep_at));
            continue;
        }
        rc = go_round(hub, due, &err);
        if (due || rc)
            sweep_at = xlcfg__now_ms() + (rc ? RETRY_MS : hub->sweep_ms);
        /* they came and went too fast: again, and soon */
        if (hub->sweeper.relist && xlcfg__now_ms() + RELIST_MS < sweep_at)
            sweep_at = xlcfg__now_ms() + RELIST_MS;
        if (!judge(hub, rc, &err))
            break;
        wait_for_more(hub, bookmarks(hub, sweep_at));
    }
    return NULL;
}

/* ---- its life ---- */

static void hub_free(struct xlcfg__hub *hub)
{
    forget_ring(hub);
    xlcfg__keeper_close(hub->keeper);
    xlcfg__sweeper_dispose(&hub->sweeper);
    xlcfg__conn_free(hub->hinting);
    xlcfg_ctx_close(hub->sweeper.ctx);
    if (hub->wake >= 0)
        close(hub->wake);
    if (hub->inotify >= 0)
        close(hub->inotify);
    pthread_mutex_destroy(&hub->lock);
    pthread_cond_destroy(&hub->moved);
    free(hub);
}

static int open_parts(struct xlcfg__hub *hub, xlcfg_ctx *ctx,
                      xlcfg_error *err)
{
    xlcfg_ctx_options opt = XLCFG_CTX_OPTIONS_INIT;
    xlcfg__state *st;
    int rc;

    opt.state_dir = ctx->state_dir;
    opt.xen_lib_dir = ctx->xen_lib_dir;
    opt.deadline_ms = ctx->deadline_ms;
    opt.lock_ms = ctx->lock_ms;
    rc = xlcfg_ctx_open(ctx->uri, &opt, &hub->sweeper.ctx, err);
    /* a watch that cannot record can tell nothing: said at once */
    if (!rc)
        rc = xlcfg__store(hub->sweeper.ctx, true, &st, err);
    if (rc)
        return rc;
    hub->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    hub->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (hub->wake < 0 || hub->inotify < 0 ||
        inotify_add_watch(hub->inotify, ctx->state_dir, IN_MODIFY |
                          IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                          IN_MOVED_TO) < 0)
        return xlcfg__err(err, XLCFG_ERROR_FAIL, ctx->state_dir,
                          "cannot be watched: %s", strerror(errno));
    return 0;
}

static int start_thread(struct xlcfg__hub *hub, xlcfg_error *err)
{
    sigset_t all, was;
    int r;

    /* signals are the program's own threads' */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    r = pthread_create(&hub->thread, NULL, run, hub);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    if (r)
        return xlcfg__err(err, XLCFG_ERROR_NOMEM, NULL,
                          "no thread can be started: %s", strerror(r));
    return 0;
}

int xlcfg__hub_start(xlcfg_ctx *ctx, unsigned sweep_ms,
                     struct xlcfg__hub **hub_r, xlcfg_error *err)
{
    struct xlcfg__hub *hub = calloc(1, sizeof(*hub));
    int rc;

    if (!hub)
        return xlcfg__nomem(err);
    pthread_mutex_init(&hub->lock, NULL);
    pthread_cond_init(&hub->moved, NULL);
    hub->wake = hub->inotify = hub->hint_fd = -1;
    hub->sweep_ms = sweep_ms ? sweep_ms : SWEEP_MS;
    rc = open_parts(hub, ctx, err);
    if (!rc)
        rc = start_thread(hub, err);
    if (rc) {
        hub_free(hub);
        return rc;
    }
    pthread_mutex_lock(&hub->lock);
    while (!hub->ready && !hub->ended)
        pthread_cond_wait(&hub->moved, &hub->lock);
    rc = hub->ended ? hub->err.code : 0;
    if (rc && err)
        *err = hub->err;
    pthread_mutex_unlock(&hub->lock);
    if (rc)
        xlcfg__hub_stop(hub);
    else
        *hub_r = hub;
    return rc;
}

void xlcfg__hub_stop(struct xlcfg__hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    hub->stopping = true;
    pthread_mutex_unlock(&hub->lock);
    ring_bell(hub->wake);
    pthread_join(hub->thread, NULL);
    hub_free(hub);
}
