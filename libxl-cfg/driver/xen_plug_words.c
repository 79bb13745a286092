/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libxl complains of. */
#include "driver/xen_plug_words.h"

#include <libxl.h>
#include <stdio.h>
#include <string.h>
#include <xentoollog.h>

_Static_assert(sizeof(xentoollog_logger) <=
               sizeof(((struct xlcfg__xen_words *)0)->base), "room for it");

static void put(struct xlcfg__xen_words *w, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void put(struct xlcfg__xen_words *w, const char *format, va_list ap)
{
    size_t room = sizeof(w->text) - w->len;
    int n = vsnprintf(w->text + w->len, room, format, ap);

    w->len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static void add(struct xlcfg__xen_words *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct xlcfg__xen_words *w, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    put(w, format, ap);
    va_end(ap);
}

static void take_words(xentoollog_logger *logger, xentoollog_level level,
                       int errnoval, const char *context,
                       const char *format, va_list ap)
    __attribute__((format(printf, 5, 0)));

/* "libxl_pci.c:444:function: " before the message says nothing to a user. */
static void drop_place(struct xlcfg__xen_words *w, size_t start)
{
    char *text = w->text + start;
    int n = 0;

    (void)sscanf(text, "%*[a-z_0-9].c:%*[0-9]:%*[a-z_0-9]: %n", &n);
    if (n <= 0)
        return;
    memmove(text, text + n, w->len - start - (size_t)n + 1);
    w->len -= (size_t)n;
}

static void take_words(xentoollog_logger *logger, xentoollog_level level,
                       int errnoval, const char *context,
                       const char *format, va_list ap)
{
    struct xlcfg__xen_words *w = (struct xlcfg__xen_words *)logger;
    size_t start;

    (void)context;
    if (level < XTL_ERROR || sizeof(w->text) - w->len < 32)
        return;
    if (w->len)
        add(w, "; ");
    start = w->len;
    put(w, format, ap);
    drop_place(w, start);
    if (errnoval > 0)
        add(w, ": %s", strerror(errnoval));
}

static void keep(xentoollog_logger *logger)
{
    (void)logger;
}

libxl_ctx *xlcfg__xen_ctx(struct xlcfg__xen_words *words, xlcfg_error *err)
{
    xentoollog_logger logger = { .vmessage = take_words, .destroy = keep };
    libxl_ctx *ctx;

    *words = (struct xlcfg__xen_words){ .len = 0 };
    memcpy(words->base, &logger, sizeof(logger));
    if (!libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0,
                         (xentoollog_logger *)words->base))
        return ctx;
    xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, "libxl", "cannot open: %s",
               words->text);
    return NULL;
}

static int code_of(int r)
{
    switch (r) {
    case ERROR_DEVICE_EXISTS:
    case ERROR_DOMAIN_NOTFOUND:
    case ERROR_NOMEM:
        return r;               /* the numbers are the same */
    default:
        return XLCFG_ERROR_REFUSED;
    }
}

int xlcfg__xen_said(const struct xlcfg__xen_words *words, int r,
                    xlcfg_error *err)
{
    return xlcfg__err(err, code_of(r), "libxl", "%s (its error %d)",
                      words->len ? words->text : "it gives no reason", r);
}
