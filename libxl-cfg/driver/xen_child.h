/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl's acts run in a child process: an abort, a hang, or a signal handler
 * of libxl's stays there, and its deadline can be kept.
 *
 * A child may be begun before there is something for it to do, for that takes a
 * moment: before its act is recorded, or while the guest is waited for.
 *
 *     xlcfg__xen_child_begin(&xen->hand, &work, &arg, 0, err);
 *     ... the intent is made durable, and its lock taken ...
 *     xen->hand.lock = fd;
 *     xlcfg__xen_child_order(&xen->hand, order, size, ms, err);
 *
 * It acts on an order alone, and ends without one when the caller does.
 */
#ifndef XLCFG_DRIVER_XEN_CHILD_H
#define XLCFG_DRIVER_XEN_CHILD_H

#include "core/err.h"

#include <sys/types.h>

/* A connection's children: one at a time that works, or waits for work. */
struct xlcfg__xen_hand {
    pid_t left;                 /* has answered, and is about to end; 0 */
    pid_t waits;                /* for an order; 0: none does */
    int orders, answers;        /* our ends; of the one that waits */
    int lock;                   /* what the owner of the act holds, lent to
                                   us; -1: nothing yet */
};

#define XLCFG__XEN_HAND_INIT { .orders = -1, .answers = -1, .lock = -1 }

/*
 * Run `run` in a child; its code, and its words in err.  PENDING: not done
 * in ms, and ended with all that it started.  FAIL: the child died.  Locks
 * of the caller stay held until the child ends, also when the caller dies.
 * What the child holds goes with it: run need not free anything.
 *
 * A child that has answered is left in the hand, to be waited for later.
 */
int xlcfg__xen_child(int (*run)(void *arg, xlcfg_error *err), void *arg,
                     unsigned ms, struct xlcfg__xen_hand *hand,
                     xlcfg_error *err);

/* What a child does that is begun early; both with the arg of begin. */
struct xlcfg__xen_work {
    int (*ready)(void *arg, xlcfg_error *err);
    /* size bytes, aligned as malloc's; an order that came is done once */
    int (*obey)(void *arg, const void *order, size_t size,
                xlcfg_error *err);
};

/*
 * Begin one that waits for an order.  ms 0: do not wait for `ready`, whose
 * failure is then the answer to the order; else for so long: errors as above,
 * and with one there is no such child.
 */
int xlcfg__xen_child_begin(struct xlcfg__xen_hand *hand,
                           const struct xlcfg__xen_work *work, void *arg,
                           unsigned ms, xlcfg_error *err);
/* Does one wait, and is there a lock for it to hold while it acts? */
bool xlcfg__xen_child_waits(const struct xlcfg__xen_hand *hand);
/* As xlcfg__xen_child, by the one that waits.  hand->lock stays held until
 * it ends. */
int xlcfg__xen_child_order(struct xlcfg__xen_hand *hand, const void *order,
                           size_t size, unsigned ms, xlcfg_error *err);

/* Nothing of ours runs any more: wait for who is about to end, send away who
 * waits. */
void xlcfg__xen_child_reap(struct xlcfg__xen_hand *hand);

#endif
