/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON text: limits, and what the printer offers inside the library.
 * Parsing and printing themselves are public: xlcfg_doc_parse, _print.
 */
#ifndef XLCFG_CORE_JSON_H
#define XLCFG_CORE_JSON_H

#include "libxl_cfg.h"

#define XLCFG__JSON_DEPTH 64
#define XLCFG__JSON_SIZE ((size_t)64 << 20)
#define XLCFG__JSON_NUMBER 1024         /* characters */

bool xlcfg__utf8_ok(const char *s, size_t len);

/* Print into a buffer that `take` sees before it is gone; saves a copy. */
int xlcfg__json_emit(const xlcfg_doc *doc, unsigned flags,
                     int (*take)(void *arg, const char *text, size_t len),
                     void *arg, xlcfg_error *err);

#endif
