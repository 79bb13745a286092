/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading xenstore, with "absent" and "could not look"
 * kept apart, and values bounded before anybody sees them.
 */
#ifndef XLCFG_DRIVER_XEN_XS_H
#define XLCFG_DRIVER_XEN_XS_H

#include "core/err.h"

#include <errno.h>

#define XLCFG__XS_VALUE_MAX 4096
#define XLCFG__XS_PATH_MAX 1024

struct xlcfg__xs;

/* Waits for deadline_ms at most, later twice that for an answer (xen_wire.h).
 * UNREACHABLE. */
int xlcfg__xs_open(unsigned deadline_ms, struct xlcfg__xs **xs_r,
                   xlcfg_error *err);
void xlcfg__xs_close(struct xlcfg__xs *xs);     /* NULL accepted */
/* 0, or UNREACHABLE: the connection broke, and all that was asked since could
 * not be looked at. */
int xlcfg__xs_check(const struct xlcfg__xs *xs, xlcfg_error *err);

struct xlcfg__xs_value {
    char *text;                 /* NULL: see error */
    int error;                  /* ENOENT: absent; EILSEQ: there, but no
                                   text; other: could not look */
};

/* A value's text, "" for what has none. */
static inline const char *xlcfg__xs_text(const struct xlcfg__xs_value *v)
{
    return v->text ? v->text : "";
}

/* Looked, and it is not there. */
static inline bool xlcfg__xs_absent(const struct xlcfg__xs_value *v)
{
    return !v->text && v->error == ENOENT;
}

/* Read base/names[i] (base NULL: names[i] itself) into values[i]; the
 * values are the caller's, to be disposed of. */
void xlcfg__xs_read_many(struct xlcfg__xs *xs, const char *base,
                         const char *const *names, size_t count,
                         struct xlcfg__xs_value *values);
void xlcfg__xs_read(struct xlcfg__xs *xs, struct xlcfg__xs_value *value,
                    const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void xlcfg__xs_value_dispose(struct xlcfg__xs_value *values, size_t count);

/* The names in a directory. */
struct xlcfg__xs_names {
    char **v;
    unsigned count;
};

/* 0 or an errno: ENOENT when there is no such directory. */
int xlcfg__xs_list(struct xlcfg__xs *xs, struct xlcfg__xs_names *names_r,
                   const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void xlcfg__xs_names_dispose(struct xlcfg__xs_names *names);
bool xlcfg__xs_names_has(const struct xlcfg__xs_names *names,
                         const char *name);

/*
 * What will be asked for soon: nothing is sent yet.  The first xlcfg__xs_read
 * or _list of one of these asks for all of them in one go; each answer is
 * for the next question about its path, once.  So it may be as old as that
 * first question, and what must be of now is not announced.
 */
void xlcfg__xs_will_read(struct xlcfg__xs *xs, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void xlcfg__xs_will_list(struct xlcfg__xs *xs, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* What is announced and was not asked for yet answers two questions each. */
void xlcfg__xs_will_twice(struct xlcfg__xs *xs);
/* Forget what was announced and not asked for. */
void xlcfg__xs_will_end(struct xlcfg__xs *xs);

/* A decimal number without sign or leading zeros in [0, max], nothing after
 * it: one number has one text. */
bool xlcfg__xs_number(const char *text, uint64_t max, uint64_t *n_r);

#endif
