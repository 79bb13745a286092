/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A turn of another thread, and a wait with an end. */
#include "driver/deadline.h"
#include "core/err.h"

#include <time.h>

void xlcfg__cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

int xlcfg__deadline_run(unsigned ms, const struct xlcfg__work *work,
                        void *arg)
{
    struct xlcfg__turn *turn = xlcfg__turn_start(work, arg);

    if (!turn)
        return XLCFG_ERROR_NOMEM;
    return xlcfg__turn_end(turn, ms) ? 0 : XLCFG_ERROR_TIMEDOUT;
}
