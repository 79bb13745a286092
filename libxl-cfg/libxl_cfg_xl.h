/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For callers that hold libxl's own types.  Needs a build with Xen.
 */
#ifndef LIBXL_CFG_XL_H
#define LIBXL_CFG_XL_H

#include "libxl_cfg.h"
#include <libxl.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Fill `config` with the true configuration of `domid`: what
 * libxl_retrieve_domain_configuration is meant to give.
 *
 * cfg     a context opened on xen:///
 * xl      the caller's libxl context; used for parsing alone
 * config  initialised by this call; on success to be disposed of by the
 *         caller, on failure left initialised and empty
 * Returns 0 or XLCFG_ERROR_*: DOMAIN_NOTFOUND, UNREACHABLE, PARSE (the answer
 * holds something this libxl does not know), NI (not a Xen context).
 * Blocks at most for the context's deadline.  Since 0.1.
 */
int xlcfg_retrieve_domain_configuration(xlcfg_ctx *cfg, libxl_ctx *xl,
                                        uint32_t domid,
                                        libxl_domain_config *config,
                                        xlcfg_error *err);

#ifdef __cplusplus
}
#endif
#endif
