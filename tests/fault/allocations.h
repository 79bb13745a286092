/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Allocations that fail when denied(), of whoever includes this, says so; for
 * programs that are linked with --wrap for each of these functions.
 */
#ifndef XLCFG_TESTS_FAULT_ALLOCATIONS_H
#define XLCFG_TESTS_FAULT_ALLOCATIONS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

static bool denied(void);

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
int __real_vasprintf(char **s, const char *fmt, va_list ap);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
int __wrap_vasprintf(char **s, const char *fmt, va_list ap);
int __wrap_asprintf(char **s, const char *fmt, ...);

void *__wrap_malloc(size_t n)
{
    return denied() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t m)
{
    return denied() ? NULL : __real_calloc(n, m);
}

void *__wrap_realloc(void *p, size_t n)
{
    return denied() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
    return denied() ? NULL : __real_strdup(s);
}

int __wrap_vasprintf(char **s, const char *fmt, va_list ap)
{
    return denied() ? -1 : __real_vasprintf(s, fmt, ap);
}

int __wrap_asprintf(char **s, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = __wrap_vasprintf(s, fmt, ap);
    va_end(ap);
    return n;
}

#endif
