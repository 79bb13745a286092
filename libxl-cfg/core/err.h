/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors: said once, where they are known.
 *
 *     return xlcfg__err(err, XLCFG_ERROR_INVAL, path, "expected %s", want);
 */
#ifndef XLCFG_CORE_ERR_H
#define XLCFG_CORE_ERR_H

#include "libxl_cfg.h"

/* Fill err (which may be NULL; so may where) and return code. */
int xlcfg__err(xlcfg_error *err, int code, const char *where,
               const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Hand over what was said elsewhere; its code. */
int xlcfg__err_give(xlcfg_error *err, const xlcfg_error *why);

/* NOMEM, in one word. */
int xlcfg__nomem(xlcfg_error *err);

/* Put "prefix: " before where, if there is a where; for callers that know
 * the file of what a reader refused. */
void xlcfg__err_in(xlcfg_error *err, const char *prefix);

#endif
