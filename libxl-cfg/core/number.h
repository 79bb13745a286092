/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers by value, kept as text: 1e3, 1000 and 1000.0 are one number, and
 * nothing is lost of any, however long it or its exponent is.
 */
#ifndef XLCFG_CORE_NUMBER_H
#define XLCFG_CORE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#define XLCFG__NUMBER_MAX 1024          /* characters, as written */
#define XLCFG__NUMBER_ROOM (XLCFG__NUMBER_MAX + 64)

/*
 * The one text of a number's value.  Whole numbers of up to 40 digits are
 * plain ("-1200"); all others are their digits, the last of them no zero, and
 * a power of ten unless that is 0 ("15e-1", "1e400").
 * s: a JSON number of at most XLCFG__NUMBER_MAX characters.  buf has
 * XLCFG__NUMBER_ROOM bytes; what is written has no NUL.
 */
size_t xlcfg__number_text(const char *s, size_t len, char *buf);

/* Is the text already the one of its value?  Sure of a yes alone. */
bool xlcfg__number_is_plain(const char *s, size_t len);

#endif
