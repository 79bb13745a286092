/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hub: one thread per context with watches.  It has a context of its own,
 * takes the driver's hints, looks, and so makes events; it reads the events
 * of the store, its own and those of other processes, and wakes the watches.
 *
 *     hint, tick, question, or time -> sweep.c looks and records
 *                                   -> hub_read.c reads what is new, wakes
 *                                   -> watch.c hands it out
 *
 * A watch that is far behind reads from the store; the hub's ring of the last
 * events only spares that to those that keep up.
 */
#ifndef XLCFG_OPS_HUB_H
#define XLCFG_OPS_HUB_H

#include "driver/clock.h"
#include "ops/sweep.h"
#include "store/keeper.h"

#include <pthread.h>

#define XLCFG__RING 128
#define XLCFG__GRACE_MS 10000   /* a trouble that lasts longer is the end */

struct xlcfg__hub_event {
    int64_t revision;
    char uuid[37];
    xlcfg_doc *doc;
};

struct xlcfg__hub {
    pthread_t thread;
    pthread_mutex_t lock;       /* of all below but the thread's own */
    pthread_cond_t moved;       /* ready, or ended */
    int wake;                   /* eventfd: look at `stopping` */
    bool ready, stopping, ended;
    xlcfg_error err;            /* why it ended */
    unsigned sweep_ms;
    bool troubled;              /* what a bookmark says is not so now */

    char version[XLCFG__VERSION_MAX];   /* up to where events were read */
    int64_t newest;
    int64_t base;               /* the ring has all that came after this */
    struct xlcfg__hub_event ring[XLCFG__RING];
    size_t first, count;
    struct xlcfg_watch *watches;

    struct xlcfg__sweeper sweeper;      /* the thread's own */
    int inotify;
    struct xlcfg_conn *hinting; /* whose descriptor is hint_fd */
    int hint_fd;
    int64_t bad_since;          /* 0: there is no trouble */
    int round_ms;               /* what is left of this sweep's share, */
    size_t round_left;          /* and of the domains whose turn it is */
    xlcfg__keeper *keeper;      /* NULL: another process is it, */
    int64_t beat_at;            /* its next sign, at the earliest */
    bool following;             /* and does all but reading for us */
    struct xlcfg__follow follow;
    int64_t follow_until;       /* it gives a sign until then */
};

struct xlcfg_watch {
    xlcfg_ctx *ctx;
    struct xlcfg__hub *hub;
    struct xlcfg_watch *next;
    const char *driver;
    char uuid[37];              /* "": all */
    char token[XLCFG__VERSION_MAX];     /* of what was handed out */
    char at[XLCFG__VERSION_MAX];        /* of what was fetched */
    int64_t after;              /* its revision */
    int fd;
    unsigned bookmark_ms;
    int64_t bookmark_at;
    xlcfg_doc *queue;           /* fetched from the store, or NULL */
    size_t queued;              /* how many of it were handed out */
    xlcfg__state *reader;       /* open while it is behind */
    xlcfg_error err;            /* what ended it */
};

/* hub_read.c: events after hub->version, into the ring; and what in the
 * store's folder says that there are some, taken away. */
int xlcfg__hub_read(struct xlcfg__hub *hub, xlcfg_error *err);
void xlcfg__hub_forget(struct xlcfg__hub *hub);
void xlcfg__hub_watch_tick(struct xlcfg__hub *hub);
void xlcfg__hub_drain(struct xlcfg__hub *hub);
/* All watches; with the lock held. */
void xlcfg__hub_wake(struct xlcfg__hub *hub);

/* Does another hub see to it that all is recorded?  If not, what is due is
 * ours to do, and *due is set when it is so all at once.  hub_keep.c. */
bool xlcfg__hub_follows(struct xlcfg__hub *hub, bool *due);
void xlcfg__hub_unfollow(struct xlcfg__hub *hub);
/* To those who ask the keeper, when all was looked at. */
void xlcfg__hub_answer(struct xlcfg__hub *hub);
/* The keeper goes on; arg is the hub. */
void xlcfg__hub_beat(void *arg);

int xlcfg__hub_start(xlcfg_ctx *ctx, unsigned sweep_ms,
                     struct xlcfg__hub **hub_r, xlcfg_error *err);
void xlcfg__hub_stop(struct xlcfg__hub *hub);

#endif
