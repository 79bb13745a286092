/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's thread: when to look, and its life. */
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
/* What a sweep takes of its interval at most to look at those of whom nobody
 * said anything; with a pulse, which is as good, and without. */
#define SHARE_PULSED 100
#define SHARE 20
#define RETRY_MS 500
#define LISTS 3                 /* in one round, as domains come and go; */
#define RELIST_MS 100           /* then the other work has its turn first */

static void ring_bell(int fd)
{
    uint64_t one = 1;

    /* a full counter is readable, which is all that is wanted */
    (void)!write(fd, &one, sizeof(one));
}

void xlcfg__hub_wake(struct xlcfg__hub *hub)
{
    for (struct xlcfg_watch *w = hub->watches; w; w = w->next)
        ring_bell(w->fd);
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

/* What may wake it: into fds, of which there are four; how many. */
static nfds_t all_fds(const struct xlcfg__hub *hub, struct pollfd *fds)
{
    const int all[] = {
        hub->wake,
        hub->keeper ? xlcfg__keeper_fd(hub->keeper) : hub->follow.fd,
        hub->inotify, hub->hint_fd,
    };

    for (size_t i = 0; i < 4; i++)
        fds[i] = (struct pollfd){ .fd = all[i], .events = POLLIN };
    /* in trouble nothing is done but to try again, and to say so */
    return hub->bad_since ? 2 : 4;
}

/* There is something that should not wait for those whose turn it is. */
static bool pressed(void *arg)
{
    const struct xlcfg__hub *hub = arg;
    struct pollfd fds[4];

    return poll(fds, all_fds(hub, fds), 0) > 0;
}

/* A part of the turns, until somebody presses. */
static int take_turns(struct xlcfg__hub *hub, xlcfg_error *err)
{
    int64_t from = xlcfg__now_ms();
    int rc;

    if (!hub->round_left || hub->round_ms <= 0)
        return 0;
    rc = xlcfg__sweep_round(&hub->sweeper, (unsigned)hub->round_ms,
                            &hub->round_left, pressed, hub, err);
    hub->round_ms -= (int)(xlcfg__now_ms() - from);
    return rc ? rc : xlcfg__hub_read(hub, err);
}

/* What another hub keeps; hints from before that are only taken away. */
static int go_after(struct xlcfg__hub *hub, xlcfg_error *err)
{
    int rc = hub->hinting ? take_hints(hub, err) : 0;

    if (!rc)
        rc = xlcfg__hub_read(hub, err);
    if (rc)
        xlcfg__hub_unfollow(hub);
    return rc;
}

/* One round; what is due is done when nobody waits for it any more. */
static int go_round(struct xlcfg__hub *hub, bool due, xlcfg_error *err)
{
    bool asked, all;
    int rc;

    xlcfg__hub_drain(hub);
    if (xlcfg__hub_follows(hub, &due))
        return go_after(hub, err);
    asked = hub->keeper && xlcfg__keeper_take(hub->keeper);
    /* a driver without a pulse can never be sure: nobody need wait */
    all = due || (asked && (hub->sweeper.pulsed || !hub->ready));
    rc = look(hub, all, all, err);
    if (asked && !rc)
        xlcfg__hub_answer(hub);
    if (!rc)
        rc = xlcfg__hub_read(hub, err);
    if (rc)
        return rc;
    if (due) {
        xlcfg__hub_beat(hub);
        hub->round_ms = (int)(hub->sweep_ms / (hub->sweeper.pulsed
                                               ? SHARE_PULSED : SHARE));
        hub->round_left = hub->sweeper.count;
    }
    return take_turns(hub, err);
}

static void end(struct xlcfg__hub *hub, const xlcfg_error *err)
{
    pthread_mutex_lock(&hub->lock);
    hub->err = *err;
    hub->ended = true;
    xlcfg__hub_wake(hub);
    pthread_cond_broadcast(&hub->moved);
    pthread_mutex_unlock(&hub->lock);
}

/* How the last round went; false: that was too long in trouble. */
static bool judge(struct xlcfg__hub *hub, int rc, const xlcfg_error *err)
{
    int64_t now = xlcfg__now_ms();

    if (rc && hub->keeper)      /* nobody should follow */
        xlcfg__keeper_dismiss(hub->keeper);
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
    struct pollfd fds[4];
    nfds_t count = all_fds(hub, fds);
    int64_t ms = until - xlcfg__now_ms();
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
                xlcfg__keeper_dismiss(hub->keeper);
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
        if (hub->following && hub->follow_until < sweep_at)
            sweep_at = hub->follow_until;
        wait_for_more(hub, bookmarks(hub, sweep_at));
    }
    return NULL;
}

/* ---- its life ---- */

static void hub_free(struct xlcfg__hub *hub)
{
    xlcfg__hub_forget(hub);
    xlcfg__keeper_close(hub->keeper);
    xlcfg__follow_end(&hub->follow);
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
        inotify_add_watch(hub->inotify, ctx->state_dir, IN_CREATE |
                          IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO) < 0)
        return xlcfg__err(err, XLCFG_ERROR_FAIL, ctx->state_dir,
                          "cannot be watched: %s", strerror(errno));
    xlcfg__hub_watch_tick(hub);
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
    hub->wake = hub->inotify = hub->hint_fd = hub->follow.fd = -1;
    hub->sweep_ms = sweep_ms ? sweep_ms : SWEEP_MS;
    hub->sweeper.progress = xlcfg__hub_beat;
    hub->sweeper.progress_arg = hub;
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
