/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors: the text, the names. */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int code;
    const char *name;
} names[] = {
    { 0, "OK" },
    { XLCFG_ERROR_FAIL, "FAIL" },
    { XLCFG_ERROR_NI, "NOT_ABLE" },
    { XLCFG_ERROR_NOMEM, "NOMEM" },
    { XLCFG_ERROR_INVAL, "INVAL" },
    { XLCFG_ERROR_TIMEDOUT, "TIMEDOUT" },
    { XLCFG_ERROR_LOCK_FAIL, "LOCK_FAIL" },
    { XLCFG_ERROR_DEVICE_EXISTS, "DEVICE_EXISTS" },
    { XLCFG_ERROR_DOMAIN_NOTFOUND, "DOMAIN_NOTFOUND" },
    { XLCFG_ERROR_NOTFOUND, "NOTFOUND" },
    { XLCFG_ERROR_PARSE, "PARSE" },
    { XLCFG_ERROR_CONFLICT, "CONFLICT" },
    { XLCFG_ERROR_PENDING, "PENDING" },
    { XLCFG_ERROR_REFUSED, "REFUSED" },
    { XLCFG_ERROR_UNREACHABLE, "UNREACHABLE" },
    { XLCFG_ERROR_TOO_OLD, "TOO_OLD" },
    { XLCFG_ERROR_STORE, "STORE" },
};

const char *xlcfg_error_name(int code)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].code == code)
            return names[i].name;
    return "UNKNOWN";
}

const char *xlcfg_version(void)
{
    return XLCFG_VERSION_STRING;
}

int xlcfg__err(xlcfg_error *err, int code, const char *where,
               const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return code;
    err->code = code;
    snprintf(err->where, sizeof(err->where), "%s", where ? where : "");
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof(err->message), fmt, ap);
    va_end(ap);
    return code;
}

int xlcfg__err_give(xlcfg_error *err, const xlcfg_error *why)
{
    if (err)
        *err = *why;
    return why->code;
}

int xlcfg__nomem(xlcfg_error *err)
{
    return xlcfg__err(err, XLCFG_ERROR_NOMEM, NULL, "out of memory");
}

void xlcfg__err_in(xlcfg_error *err, const char *prefix)
{
    char was[sizeof(err->where)];

    if (!err)
        return;
    memcpy(was, err->where, sizeof(was));
    if (was[0])
        snprintf(err->where, sizeof(err->where), "%.240s: %.260s", prefix,
                 was);
    else
        snprintf(err->where, sizeof(err->where), "%s", prefix);
}

size_t xlcfg__pointer_step(char *to, size_t size, const char *name)
{
    size_t len = 0;

    to[len++] = '/';
    for (; *name && len + 3 < size; name++) {
        if (*name == '~' || *name == '/') {
            to[len++] = '~';
            to[len++] = *name == '~' ? '0' : '1';
        } else {
            to[len++] = *name;
        }
    }
    to[len] = '\0';
    return len;
}

void xlcfg__err_step(xlcfg_error *err, const char *name)
{
    char was[sizeof(err->where)], step[160];

    if (!err)
        return;
    memcpy(was, err->where, sizeof(was));
    xlcfg__pointer_step(step, sizeof(step), name);
    snprintf(err->where, sizeof(err->where), "%s%s%.300s", step,
             was[0] && was[0] != '/' ? ": " : "", was);
}

void xlcfg__err_nth(xlcfg_error *err, size_t nth)
{
    char name[24];

    snprintf(name, sizeof(name), "%zu", nth);
    xlcfg__err_step(err, name);
}
