/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes between a caller and the process that acts for it. */
#ifndef XLCFG_DRIVER_XEN_OBEY_H
#define XLCFG_DRIVER_XEN_OBEY_H

#include "driver/xen_child.h"

/* What goes before an order's bytes; a lock may go with it. */
struct xlcfg__xen_head {
    size_t size;
    size_t locked;              /* 1: it does; all bytes of this are sent */
};

/* Just forked: run, answer to fd, and end. */
void xlcfg__xen_obey_once(int (*run)(void *arg, xlcfg_error *err), void *arg,
                          int fd) __attribute__((noreturn));
/* Just forked: its number to answers, ready, and then order after order. */
void xlcfg__xen_obey(const struct xlcfg__xen_work *work, void *arg, int orders,
                     int answers) __attribute__((noreturn));

#endif
