/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making domains: what creating and settling share. */
#ifndef XLCFG_OPS_CREATE_H
#define XLCFG_OPS_CREATE_H

#include "ops/plug.h"

/*
 * Close a creation whose owner the caller is, by what the backend shows: the
 * domain is there, or nothing was made, or it never ran and is destroyed.
 * REFUSED: it stays open, for half of it is there.  sight (may be NULL) gets
 * the look, if there was one.  step_r gets what was done, in words that live
 * for ever.
 */
int xlcfg__creation_close(xlcfg_ctx *ctx, const struct xlcfg__creation *c,
                          bool dry_run, struct xlcfg__sight *sight,
                          const char **step_r, xlcfg_error *err);

#endif
