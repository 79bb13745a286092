/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading xenstore: what is asked for together goes out together. */
#include "driver/xen_xs.h"
#include "core/json.h"
#include "driver/xen_wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xs_wire.h>

/* A batch; COLO's keys make a network card's the longest. */
#define TOGETHER 64
/* How often a folder may change while it is read. */
#define ANEW_MOST 100
/* More names than any folder of xenstore has. */
#define FOLDER_MAX ((size_t)64 << 20)

/* Questions announced ahead; a bound, for a host may have many domains. */
#define AHEAD_MOST 4096

struct ahead {
    struct xlcfg__wire_ask ask; /* path NULL: its answer was taken */
    bool asked;
    bool twice;                 /* two questions are to have its answer */
};

struct xlcfg__xs {
    struct xlcfg__wire *wire;
    struct ahead *ahead;
    size_t count, room;
    size_t next;                /* the likely one: they come in order */
};

static int unreachable(int why, xlcfg_error *err)
{
    char path[XLCFG_WIRE_PATH];

    return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE,
                      xlcfg__wire_path(path),
                      "no xenstore answers: %s", strerror(why));
}

int xlcfg__xs_open(unsigned deadline_ms, struct xlcfg__xs **xs_r,
                   xlcfg_error *err)
{
    struct xlcfg__xs *xs = calloc(1, sizeof(*xs));
    int r;

    if (!xs)
        return xlcfg__nomem(err);
    r = xlcfg__wire_open(deadline_ms, &xs->wire);
    if (r) {
        free(xs);
        return r == ENOMEM ? xlcfg__nomem(err) : unreachable(r, err);
    }
    *xs_r = xs;
    return 0;
}

void xlcfg__xs_close(struct xlcfg__xs *xs)
{
    if (!xs)
        return;
    xlcfg__xs_will_end(xs);
    free(xs->ahead);
    xlcfg__wire_close(xs->wire);
    free(xs);
}

int xlcfg__xs_check(const struct xlcfg__xs *xs, xlcfg_error *err)
{
    int r = xlcfg__wire_lost(xs->wire);

    return r ? unreachable(r, err) : 0;
}

/* ---- ahead ---- */

static void drop_ahead(struct ahead *a)
{
    free((char *)a->ask.path);
    free(a->ask.data);
    *a = (struct ahead){ .asked = true };
}

void xlcfg__xs_will_end(struct xlcfg__xs *xs)
{
    for (size_t i = 0; i < xs->count; i++)
        drop_ahead(&xs->ahead[i]);
    xs->count = xs->next = 0;
}

/* One that finds no room is asked for when its turn comes. */
static void announce(struct xlcfg__xs *xs, uint32_t type, const char *fmt,
                     va_list ap)
{
    struct ahead *bigger;
    char *path;

    if (xs->count == xs->room) {
        size_t more = xs->room ? xs->room * 2 : 32;

        bigger = more > AHEAD_MOST ? NULL
            : reallocarray(xs->ahead, more, sizeof(*bigger));
        if (!bigger)
            return;
        xs->ahead = bigger;
        xs->room = more;
    }
    if (vasprintf(&path, fmt, ap) < 0)
        return;
    if (strlen(path) >= XLCFG__XS_PATH_MAX) {
        free(path);
        return;
    }
    xs->ahead[xs->count++] = (struct ahead){
        .ask = { .type = type, .path = path },
    };
}

void xlcfg__xs_will_read(struct xlcfg__xs *xs, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    announce(xs, XS_READ, fmt, ap);
    va_end(ap);
}

void xlcfg__xs_will_list(struct xlcfg__xs *xs, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    announce(xs, XS_DIRECTORY, fmt, ap);
    va_end(ap);
}

void xlcfg__xs_will_twice(struct xlcfg__xs *xs)
{
    for (size_t i = 0; i < xs->count; i++)
        xs->ahead[i].twice |= !xs->ahead[i].asked;
}

/* All that was announced and not asked for yet, in one go. */
static void ask_ahead(struct xlcfg__xs *xs)
{
    struct xlcfg__wire_ask asks[TOGETHER];
    size_t at[TOGETHER], n;

    for (size_t i = 0; i < xs->count;) {
        for (n = 0; i < xs->count && n < TOGETHER; i++)
            if (!xs->ahead[i].asked) {
                asks[n] = xs->ahead[i].ask;
                at[n++] = i;
            }
        xlcfg__wire_ask(xs->wire, asks, n);
        while (n--) {
            xs->ahead[at[n]].ask = asks[n];
            xs->ahead[at[n]].asked = true;
        }
    }
}

/* With the NUL behind it. */
static char *copy_of(const char *data, size_t len)
{
    char *copy = malloc(len + 1);

    return copy ? memcpy(copy, data, len + 1) : NULL;
}

/* True: ask, which names a path and a type, has its answer. */
static bool take_ahead(struct xlcfg__xs *xs, struct xlcfg__wire_ask *ask)
{
    struct ahead *a;

    for (size_t n = 0; n < xs->count; n++) {
        size_t i = (xs->next + n) % xs->count;

        a = &xs->ahead[i];
        if (!a->ask.path || a->ask.type != ask->type ||
            strcmp(a->ask.path, ask->path))
            continue;
        if (!a->asked)
            ask_ahead(xs);
        ask->error = a->ask.error;
        ask->data = a->ask.data;
        ask->len = a->ask.len;
        if (a->twice && a->ask.data) {
            ask->data = copy_of(a->ask.data, a->ask.len);
            ask->error = ask->data ? 0 : ENOMEM;
        }
        if (!a->twice) {
            a->ask.data = NULL;
            drop_ahead(a);
        }
        a->twice = false;
        xs->next = i + 1;
        return true;
    }
    return false;
}

/* ---- reading ---- */

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

static void take_value(struct xlcfg__wire_ask *ask,
                       struct xlcfg__xs_value *value)
{
    *value = (struct xlcfg__xs_value){ ask->data, ask->error };
    if (ask->data && !is_text(ask->data, ask->len)) {
        free(ask->data);
        *value = (struct xlcfg__xs_value){ NULL, EILSEQ };
    }
}

/* At most TOGETHER of them. */
static void read_some(struct xlcfg__xs *xs, const char *base,
                      const char *const *names, size_t count,
                      struct xlcfg__xs_value *values)
{
    struct xlcfg__wire_ask asks[TOGETHER];
    size_t asked[TOGETHER], n = 0;
    char paths[TOGETHER][XLCFG__XS_PATH_MAX];

    for (size_t i = 0; i < count; i++) {
        int len = snprintf(paths[n], sizeof(paths[n]), "%s%s%s",
                           base ? base : "", base ? "/" : "", names[i]);

        if (len < 0 || (size_t)len >= sizeof(paths[n])) {
            values[i] = (struct xlcfg__xs_value){ NULL, ENAMETOOLONG };
            continue;
        }
        asks[n] = (struct xlcfg__wire_ask){
            .type = XS_READ, .path = paths[n],
        };
        if (take_ahead(xs, &asks[n]))
            take_value(&asks[n], &values[i]);
        else
            asked[n++] = i;
    }
    xlcfg__wire_ask(xs->wire, asks, n);
    for (size_t i = 0; i < n; i++)
        take_value(&asks[i], &values[asked[i]]);
}

void xlcfg__xs_read_many(struct xlcfg__xs *xs, const char *base,
                         const char *const *names, size_t count,
                         struct xlcfg__xs_value *values)
{
    for (size_t at = 0; at < count; at += TOGETHER)
        read_some(xs, base, names + at,
                  count - at < TOGETHER ? count - at : TOGETHER,
                  values + at);
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

/*
 * A folder that is too long for one message comes in pieces: the number of
 * its change, then names; an empty name is behind the last.  It starts anew
 * when it changed in between.  Takes what text holds, also on failure.
 */
static int list_pieces(struct xlcfg__xs *xs, const char *path, char **text,
                       size_t *len)
{
    char offset[24], seen[24] = "", *bigger;
    struct xlcfg__wire_ask ask = {
        .type = XS_DIRECTORY_PART, .path = path, .more = offset,
    };
    size_t head, piece;
    unsigned anew = 0;
    bool last = false;

    while (!last) {
        snprintf(offset, sizeof(offset), "%zu", *len);
        xlcfg__wire_ask(xs->wire, &ask, 1);
        if (ask.error)
            return ask.error;
        head = strlen(ask.data) + 1;
        if (head > sizeof(seen) || head >= ask.len) {
            free(ask.data);
            return EIO;
        }
        if (*seen && strcmp(seen, ask.data)) {
            *len = 0;
            *seen = '\0';
            free(ask.data);
            if (anew++ == ANEW_MOST)
                return EAGAIN;
            continue;
        }
        strcpy(seen, ask.data);
        piece = ask.len - head;
        last = !ask.data[ask.len - 1] &&
            (piece == 1 || !ask.data[ask.len - 2]);
        piece -= last;
        bigger = *len + piece > FOLDER_MAX ? NULL
            : realloc(*text, *len + piece + 1);
        if (bigger) {
            memcpy(bigger + *len, ask.data + head, piece);
            *len += piece;
            *text = bigger;
        }
        free(ask.data);
        if (!bigger)
            return ENOMEM;
    }
    return 0;
}

/* One block: pointers, and the names behind them. */
static int names_of(const char *text, size_t len,
                    struct xlcfg__xs_names *names_r)
{
    unsigned count = 0;
    char *at;

    if (len && text[len - 1])
        return EIO;
    for (size_t i = 0; i < len; i++)
        count += !text[i];
    names_r->v = malloc((count + 1) * sizeof(*names_r->v) + len);
    if (!names_r->v)
        return ENOMEM;
    at = (char *)&names_r->v[count + 1];
    if (len)
        memcpy(at, text, len);
    for (unsigned i = 0; i < count; i++) {
        names_r->v[i] = at;
        at += strlen(at) + 1;
    }
    names_r->v[count] = NULL;
    names_r->count = count;
    return 0;
}

int xlcfg__xs_list(struct xlcfg__xs *xs, struct xlcfg__xs_names *names_r,
                   const char *fmt, ...)
{
    struct xlcfg__wire_ask ask = { .type = XS_DIRECTORY };
    char buf[XLCFG__XS_PATH_MAX];
    va_list ap;
    int r;

    *names_r = (struct xlcfg__xs_names){ NULL, 0 };
    va_start(ap, fmt);
    ask.path = path_of(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    if (!ask.path)
        return ENAMETOOLONG;
    if (!take_ahead(xs, &ask))
        xlcfg__wire_ask(xs->wire, &ask, 1);
    r = ask.error;
    if (r == E2BIG)
        r = list_pieces(xs, ask.path, &ask.data, &ask.len);
    if (!r)
        r = names_of(ask.data, ask.len, names_r);
    free(ask.data);
    return r;
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
