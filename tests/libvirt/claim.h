/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A case: its outcome printed and counted, and the sums. */
#ifndef XLCFG_TESTS_LIBVIRT_CLAIM_H
#define XLCFG_TESTS_LIBVIRT_CLAIM_H

#include <stdbool.h>

bool claim(bool ok, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints the sums; what main is to return. */
int claims(void);

#endif
