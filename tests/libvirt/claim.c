/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "claim.h"

#include <stdarg.h>
#include <stdio.h>

static int passed, failed;

bool claim(bool ok, const char *fmt, ...)
{
    va_list ap;

    printf("%s ", ok ? "ok" : "FAILED");
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    fflush(stdout);
    ok ? passed++ : failed++;
    return ok;
}

int claims(void)
{
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0 || !passed;
}
