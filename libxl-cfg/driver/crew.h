/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads for calls that may take long, or never come back.  One that is
 * through stays for the next call, for to start one costs as much as a short
 * call does.  No signal reaches them.
 *
 *     turn = xlcfg__turn_start(&work, job);
 *     ...
 *     if (!xlcfg__turn_end(turn, ms))
 *         return XLCFG_ERROR_TIMEDOUT;    (the job is the thread's now)
 */
#ifndef XLCFG_DRIVER_CREW_H
#define XLCFG_DRIVER_CREW_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

struct xlcfg__work {
    void (*run)(void *arg);     /* in the thread */
    void (*late)(void *arg);    /* the last look of who gives up; may be
                                   NULL.  run may go on meanwhile. */
    void (*drop)(void *arg);    /* in the thread, when nobody waits; NULL:
                                   somebody always does */
};

struct xlcfg__turn;
#define XLCFG__NO_END UINT_MAX

/* work and what is at arg stay until the end.  NULL: no memory, or no thread
 * can be started; arg is the caller's. */
struct xlcfg__turn *xlcfg__turn_start(const struct xlcfg__work *work,
                                      void *arg);
/* Once for each.  True: run is through, arg is the caller's again.  False: it
 * was not for ms; arg belongs to the thread, which drops it when run comes
 * back. */
bool xlcfg__turn_end(struct xlcfg__turn *turn, unsigned ms);

/* While anybody holds the crew threads stay; the last to let go waits until
 * those are gone that have nothing to do. */
void xlcfg__crew_hold(void);
void xlcfg__crew_let_go(void);

/* One thread alone, that no signal reaches: the caller's handlers are not to
 * run in it.  As pthread_create. */
int xlcfg__thread_start(pthread_t *id_r, void *(*run)(void *), void *arg);

#endif
