/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON text: limits, and what reader and printer offer inside the library.
 * Parsing and printing themselves are public: xlcfg_doc_parse, _print.
 */
#ifndef XLCFG_CORE_JSON_H
#define XLCFG_CORE_JSON_H

#include "libxl_cfg.h"

#define XLCFG__JSON_DEPTH 64
#define XLCFG__JSON_SIZE ((size_t)64 << 20)

bool xlcfg__utf8_ok(const char *s, size_t len);

/* What is wrong with a text whatever its syntax is, and where; NULL: no
 * such thing. */
const char *xlcfg__json_bad_text(const char *text, size_t len, size_t *at_r);

/* "line 1 column 7" of byte `at`. */
void xlcfg__json_position(const char *text, size_t at, char *buf,
                          size_t size);

/*
 * Print in pieces, each given to `take`; without a copy of the whole.
 * Errors: NOMEM.
 */
int xlcfg__json_emit(const xlcfg_doc *doc, unsigned flags,
                     void (*take)(void *arg, const char *text, size_t len),
                     void *arg, xlcfg_error *err);

#endif
