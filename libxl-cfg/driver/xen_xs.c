/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading xenstore.  One request at a time is all that libxenstore can. */
#include "driver/xen_xs.h"
#include "core/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

struct xlcfg__xs {
    struct xs_handle *h;
};

int xlcfg__xs_open(struct xlcfg__xs **xs_r, xlcfg_error *err)
{
    struct xlcfg__xs *xs = calloc(1, sizeof(*xs));

    if (!xs)
        return xlcfg__nomem(err);
    errno = 0;
    xs->h = xs_open(0);
    if (!xs->h) {
        int r = errno;

        free(xs);
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE,
                          getenv("XENSTORED_PATH"),
                          "no xenstore answers: %s",
                          r ? strerror(r) : "cannot connect");
    }
    *xs_r = xs;
    return 0;
}

void xlcfg__xs_close(struct xlcfg__xs *xs)
{
    if (!xs)
        return;
    xs_close(xs->h);
    free(xs);
}

/* Printable UTF-8 of bounded length: nothing else leaves this file. */
static bool is_text(const char *s, size_t len)
{
    if (len > XLCFG__XS_VALUE_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return xlcfg__utf8_ok(s, len);
}

static void read_path(struct xlcfg__xs *xs, const char *path,
                      struct xlcfg__xs_value *value)
{
    unsigned len = 0;

    value->error = 0;
    errno = 0;
    value->text = xs_read(xs->h, XBT_NULL, path, &len);
    if (!value->text) {
        value->error = errno ? errno : EIO;
    } else if (!is_text(value->text, len)) {
        free(value->text);
        value->text = NULL;
        value->error = EILSEQ;
    }
}

void xlcfg__xs_read_many(struct xlcfg__xs *xs, const char *base,
                         const char *const *names, size_t count,
                         struct xlcfg__xs_value *values)
{
    char path[XLCFG__XS_PATH_MAX];

    for (size_t i = 0; i < count; i++) {
        int n = snprintf(path, sizeof(path), "%s%s%s", base ? base : "",
                         base ? "/" : "", names[i]);

        if (n < 0 || (size_t)n >= sizeof(path))
            values[i] = (struct xlcfg__xs_value){ NULL, ENAMETOOLONG };
        else
            read_path(xs, path, &values[i]);
    }
}

/* NULL when it is too long for a xenstore path. */
static const char *path_of(char *buf, size_t size, const char *fmt,
                           va_list ap)
{
    int n = vsnprintf(buf, size, fmt, ap);

    return n < 0 || (size_t)n >= size ? NULL : buf;
}

void xlcfg__xs_read(struct xlcfg__xs *xs, struct xlcfg__xs_value *value,
                    const char *fmt, ...)
{
    char buf[XLCFG__XS_PATH_MAX];
    const char *path;
    va_list ap;

    va_start(ap, fmt);
    path = path_of(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    if (path)
        xlcfg__xs_read_many(xs, NULL, &path, 1, value);
    else
        *value = (struct xlcfg__xs_value){ NULL, ENAMETOOLONG };
}

void xlcfg__xs_value_dispose(struct xlcfg__xs_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(values[i].text);
        values[i].text = NULL;
    }
}

int xlcfg__xs_list(struct xlcfg__xs *xs, struct xlcfg__xs_names *names_r,
                   const char *fmt, ...)
{
    char buf[XLCFG__XS_PATH_MAX];
    const char *path;
    va_list ap;

    *names_r = (struct xlcfg__xs_names){ NULL, 0 };
    va_start(ap, fmt);
    path = path_of(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    if (!path)
        return ENAMETOOLONG;
    errno = 0;
    names_r->v = xs_directory(xs->h, XBT_NULL, path, &names_r->count);
    if (names_r->v)
        return 0;
    names_r->count = 0;
    return errno ? errno : EIO;
}

void xlcfg__xs_names_dispose(struct xlcfg__xs_names *names)
{
    free(names->v);             /* the names are in the same block */
    *names = (struct xlcfg__xs_names){ NULL, 0 };
}

bool xlcfg__xs_names_has(const struct xlcfg__xs_names *names,
                         const char *name)
{
    for (unsigned i = 0; i < names->count; i++)
        if (!strcmp(names->v[i], name))
            return true;
    return false;
}

bool xlcfg__xs_number(const char *text, uint64_t max, uint64_t *n_r)
{
    uint64_t n = 0;

    if (!*text || (*text == '0' && text[1]))
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned char)*text - '0';

        if (digit > 9 || n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
        if (n > max)
            return false;
    }
    *n_r = n;
    return true;
}
