/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was last seen of a domain whose backend does not answer. */
#ifndef XLCFG_OPS_LAST_H
#define XLCFG_OPS_LAST_H

#include "ops/ctx.h"

/*
 * Of a domain that was found, and nothing more: `now` is the answer of that
 * blind look, of which the domain's line and what is unknown stay.  NOTFOUND:
 * it was never seen, or not in this run.  STORE, NOMEM.
 */
int xlcfg__last_good(xlcfg_ctx *ctx, const struct xlcfg_domain *dom,
                     const xlcfg_doc *now, xlcfg_doc **doc_r,
                     xlcfg_error *err);

#endif
