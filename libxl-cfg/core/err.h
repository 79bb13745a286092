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

/* One step of a JSON pointer, with its slash; what does not fit is cut off.
 * The length. */
size_t xlcfg__pointer_step(char *to, size_t size, const char *name);

/* Put that step before where, a pointer from there on or what a reader said
 * of the text there; for callers that went down into a document. */
void xlcfg__err_step(xlcfg_error *err, const char *name);
void xlcfg__err_nth(xlcfg_error *err, size_t nth);

#endif
