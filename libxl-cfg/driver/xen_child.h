/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl's acts run in a child process: an abort, a hang, or a signal handler
 * of libxl's stays there, and its deadline can be kept.
 *
 * To begin one takes a moment, so one that has done its act waits for the next
 * order, and one may be begun before there is something for it to do:
 *
 *     xlcfg__xen_child_ready(&xen->hand, &work, &arg, err);
 *     ... the intent is made durable, and its lock taken ...
 *     xen->hand.lock = fd;
 *     xlcfg__xen_child_order(&xen->hand, &work, &arg, order, size, ms, err);
 *
 * It acts on an order alone, and ends when the caller does, when an order has
 * failed, or when none has come for a while.  It is no child of the caller's:
 * who waits there for any child, or counts them, does not meet it.
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
    bool ours;                  /* who waits is our child after all */
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

/* What a child does that waits for orders; both with the arg of begin. */
struct xlcfg__xen_work {
    int (*ready)(void *arg, xlcfg_error *err);
    /* size bytes, aligned as malloc's; an order that came is done once */
    int (*obey)(void *arg, const void *order, size_t size,
                xlcfg_error *err);
    unsigned idle_ms;           /* without an order for so long it ends: it
                                   holds a copy of the caller's memory */
};

/* One is begun, unless one waits.  A failure of `ready` is the answer to the
 * first order.  FAIL: there can be none. */
int xlcfg__xen_child_ready(struct xlcfg__xen_hand *hand,
                           const struct xlcfg__xen_work *work, void *arg,
                           xlcfg_error *err);
/* Does one wait still? */
bool xlcfg__xen_child_waits(struct xlcfg__xen_hand *hand);
/* As xlcfg__xen_child, by the one that waits, or is begun now.  It holds
 * hand->lock, if there is one, for as long as it acts. */
int xlcfg__xen_child_order(struct xlcfg__xen_hand *hand,
                           const struct xlcfg__xen_work *work, void *arg,
                           const void *order, size_t size, unsigned ms,
                           xlcfg_error *err);

/* Nothing of ours runs any more: wait for who is about to end, send away who
 * waits. */
void xlcfg__xen_child_reap(struct xlcfg__xen_hand *hand);
/* An act is over: the caller has no child of ours any more.  Who waits goes on
 * waiting, unless it is one: a process that is given all whose parents died
 * (an init, a subreaper) is the parent of this one, too. */
void xlcfg__xen_child_rest(struct xlcfg__xen_hand *hand);

#endif
