/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hints that a Xen domain may have changed. */
#ifndef XLCFG_DRIVER_XEN_WATCH_H
#define XLCFG_DRIVER_XEN_WATCH_H

#include "driver/driver.h"

struct xlcfg__xen_watch;

/* As watch_fd and watch_next of struct xlcfg_driver. */
int xlcfg__xen_watch_fd(void *handle, xlcfg_error *err);
int xlcfg__xen_watch_next(void *handle, char uuid_r[37], xlcfg_error *err);
/* All hints of what happened before this call can be had from now on; w may
 * be NULL.  UNREACHABLE. */
int xlcfg__xen_watch_fence(struct xlcfg__xen_watch *w, xlcfg_error *err);
/* May this domain have backends?  w NULL: any may.  Who watches has heard of
 * all that were there when its last hint was taken. */
bool xlcfg__xen_watch_serves(const struct xlcfg__xen_watch *w,
                             uint32_t domid);
void xlcfg__xen_watch_free(struct xlcfg__xen_watch *w); /* NULL accepted */

#endif
