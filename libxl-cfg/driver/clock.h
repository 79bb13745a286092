/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A clock that is never set, for waits that come to an end. */
#ifndef XLCFG_DRIVER_CLOCK_H
#define XLCFG_DRIVER_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t xlcfg__now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* For pthread_cond_timedwait() on a condition of CLOCK_MONOTONIC. */
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
