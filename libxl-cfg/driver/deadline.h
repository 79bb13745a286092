/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A call that may never come back, made by another thread and waited for no
 * longer than it may take.
 *
 *     rc = xlcfg__deadline_run(ms, &work, job);
 *     if (rc == XLCFG_ERROR_TIMEDOUT)
 *         return rc;              (the job is the thread's now)
 */
#ifndef XLCFG_DRIVER_DEADLINE_H
#define XLCFG_DRIVER_DEADLINE_H

#include "driver/crew.h"

/*
 * 0: run is through, arg is the caller's again.  TIMEDOUT: arg belongs to the
 * thread, which drops it when run comes back.  NOMEM: no thread can be
 * started, arg is the caller's.
 */
int xlcfg__deadline_run(unsigned ms, const struct xlcfg__work *work,
                        void *arg);

#endif
