/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain that was answered before, asked for again. */
#ifndef XLCFG_OPS_AGAIN_H
#define XLCFG_OPS_AGAIN_H

#include "ops/job.h"

/*
 * Is it all as it was?  Then the cut is answered.  STALE: that is not known,
 * look at it; nothing is in the cut.  UNREACHABLE: not within ms, and a thread
 * hangs in the connection.
 */
int xlcfg__again(xlcfg_ctx *ctx, const char *dom, unsigned ms,
                 struct xlcfg__cut *cut, xlcfg_error *err);

#endif
