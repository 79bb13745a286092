/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A clock that is never set, for waits that come to an end. */
#ifndef XLCFG_DRIVER_CLOCK_H
#define XLCFG_DRIVER_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

static inline int64_t xlcfg__now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A condition that waits by the clock of xlcfg__clock_after. */
static inline void xlcfg__cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

/* For pthread_cond_timedwait() on such a one, and sem_clockwait(). */
static inline struct timespec xlcfg__clock_after(unsigned ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

#endif
