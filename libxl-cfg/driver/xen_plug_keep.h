/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A keeper: a process that stays beside a domain and acts on its end as the
 * configuration says (on_poweroff and its like).  Xen itself does nothing
 * then; xl leaves such a process behind, too.
 */
#ifndef XLCFG_DRIVER_XEN_PLUG_KEEP_H
#define XLCFG_DRIVER_XEN_PLUG_KEEP_H

#include "core/err.h"

struct libxl__ctx;

/* Start it, in a child that holds nothing of the caller's open; ctx is the
 * caller's own context.  0 when it listens; FAIL. */
int xlcfg__xen_keep(struct libxl__ctx *ctx, uint32_t domid,
                    xlcfg_error *err);

#endif
