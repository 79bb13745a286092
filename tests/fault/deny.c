/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program that uses libxlcfg: the DENY_AT-th allocation that
 * libxlcfg itself asks for fails.  libxl's own are left alone: libxl ends the
 * program when it has no memory.  DENY_SAYS: a file that is made when the
 * allocation came.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static atomic_uintptr_t low, high;      /* libxlcfg's code */
static atomic_long taken, deny_at = -1;

static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size; (void)arg;
    if (!info->dlpi_name || !strstr(info->dlpi_name, "/libxlcfg.so"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD &&
            info->dlpi_phdr[i].p_flags & PF_X) {
            atomic_store(&low, info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
            atomic_store(&high, low + info->dlpi_phdr[i].p_memsz);
        }
    return 1;
}

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("DENY_AT");

    dl_iterate_phdr(look, NULL);
    atomic_store(&deny_at, at ? atol(at) : 0);
}

static bool denied(const void *caller)
{
    uintptr_t from = (uintptr_t)caller;
    const char *says;
    int fd;

    if (atomic_load(&deny_at) <= 0 || from < low || from >= high ||
        atomic_fetch_add(&taken, 1) + 1 != deny_at)
        return false;
    says = getenv("DENY_SAYS");
    fd = says ? open(says, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0)
        close(fd);
    errno = ENOMEM;
    return true;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t n)
{
    return denied(CALLER) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t m)
{
    return denied(CALLER) ? NULL : __libc_calloc(n, m);
}

void *realloc(void *p, size_t n)
{
    return denied(CALLER) ? NULL : __libc_realloc(p, n);
}

static char *copy(const char *s, size_t len)
{
    char *p = __libc_malloc(len + 1);

    if (!p)
        return NULL;
    memcpy(p, s, len);
    p[len] = '\0';
    return p;
}

char *strdup(const char *s)
{
    return denied(CALLER) ? NULL : copy(s, strlen(s));
}

char *strndup(const char *s, size_t n)
{
    return denied(CALLER) ? NULL : copy(s, strnlen(s, n));
}

int asprintf(char **p, const char *fmt, ...)
{
    va_list ap;
    int n;

    *p = NULL;
    if (denied(CALLER))
        return -1;
    va_start(ap, fmt);
    n = vasprintf(p, fmt, ap);
    va_end(ap);
    return n;
}
