/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A call that may never come back, made by a thread of its own and waited for
 * no longer than it may take.
 *
 *     rc = xlcfg__deadline_run(ms, &work, job);
 *     if (rc == XLCFG_ERROR_TIMEDOUT)
 *         return rc;              (the job is the thread's now)
 */
#ifndef XLCFG_DRIVER_DEADLINE_H
#define XLCFG_DRIVER_DEADLINE_H

#include <pthread.h>

struct xlcfg__work {
    void (*run)(void *arg);     /* in the thread; no signal reaches it */
    void (*late)(void *arg);    /* the last look of who gives up; may be
                                   NULL.  run may go on meanwhile. */
    void (*drop)(void *arg);    /* in the thread, when nobody waits */
};

/*
 * 0: run is through, arg is the caller's again.  TIMEDOUT: arg belongs to the
 * thread, which drops it when run comes back.  NOMEM: no thread can be
 * started, arg is the caller's.
 */
int xlcfg__deadline_run(unsigned ms, const struct xlcfg__work *work,
                        void *arg);

/* A thread that no signal reaches: the caller's handlers are not to run in
 * it.  As pthread_create. */
int xlcfg__thread_start(pthread_t *id_r, void *(*run)(void *), void *arg);
/* One that waits by the clock of xlcfg__clock_after. */
void xlcfg__cond_init(pthread_cond_t *cond);

#endif
