/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A turn of another thread, and a wait with an end. */
#include "driver/deadline.h"
#include "core/err.h"

int xlcfg__deadline_run(unsigned ms, const struct xlcfg__work *work,
                        void *arg)
{
    struct xlcfg__turn *turn = xlcfg__turn_start(work, arg);

    if (!turn)
        return XLCFG_ERROR_NOMEM;
    return xlcfg__turn_end(turn, ms) ? 0 : XLCFG_ERROR_TIMEDOUT;
}
