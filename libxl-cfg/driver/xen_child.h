/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl's acts run in a child process: an abort, a hang, or a signal handler
 * of libxl's stays there, and its deadline can be kept.
 */
#ifndef XLCFG_DRIVER_XEN_CHILD_H
#define XLCFG_DRIVER_XEN_CHILD_H

#include "core/err.h"

#include <sys/types.h>

/*
 * Run `run` in a child; its code, and its words in err.  PENDING: not done
 * in ms, and ended with all that it started.  FAIL: the child died.  Locks
 * of the caller stay held until the child ends, also when the caller dies.
 * What the child holds goes with it: run need not free anything.
 *
 * *left is a child that has answered and is about to end, 0 for none: one
 * that was there is waited for first, and this one is left there.
 */
int xlcfg__xen_child(int (*run)(void *arg, xlcfg_error *err), void *arg,
                     unsigned ms, pid_t *left, xlcfg_error *err);
/* Wait for that one. */
void xlcfg__xen_child_reap(pid_t *left);

#endif
