/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an envelope alone and a package with disks are both made of. */
#ifndef XLCFG_OPS_OVF_H
#define XLCFG_OPS_OVF_H

#include "ops/ctx.h"

/* What get answers, as it may be told. */
int xlcfg__ovf_get(xlcfg_ctx *ctx, const char *dom, bool secrets,
                   xlcfg_doc **get_r, xlcfg_error *err);
/* Its envelope; copies: as of xlcfg__ovf_write. */
int xlcfg__ovf_envelope(xlcfg_ctx *ctx, const char *dom, const xlcfg_doc *get,
                    const xlcfg_doc *copies, char **text_r,
                    xlcfg_error *err);

#endif
