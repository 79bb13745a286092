/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Documents: immutable, reference-counted JSON values, and how to make them.
 *
 * Makers take over the references given to them and answer NULL when memory
 * ran out; a NULL given to a maker makes it answer NULL, so that a chain of
 * them is checked once, at its end.
 *
 *     xlcfg__members m = { 0 };
 *     xlcfg__members_add(&m, "name", xlcfg__doc_str("guest1"));
 *     doc = xlcfg__members_end(&m);          NULL: out of memory
 */
#ifndef XLCFG_CORE_DOC_H
#define XLCFG_CORE_DOC_H

#include "core/arena.h"
#include "core/err.h"

struct xlcfg_member {
    xlcfg_doc *name;            /* a string */
    xlcfg_doc *value;
};

/* Where a document's memory is, and so what holds it. */
enum {
    XLCFG__DOC_HEAP,            /* a block of its own: refs */
    XLCFG__DOC_ARENA,           /* among others: the arena's holders */
    XLCFG__DOC_STATIC,          /* never given back */
};

struct xlcfg_doc {
    union {
        atomic_uint refs;
        unsigned offset;        /* in an arena: from its chunk, by 8 bytes */
    };
    unsigned char type;         /* xlcfg_doc_type */
    unsigned char truth;        /* of a bool */
    unsigned char home;         /* XLCFG__DOC_* */
    unsigned char plain;        /* a string without anything to escape, a
                                   number that is the text of its value */
    size_t count;               /* bytes, items or members */
    union {                     /* what follows; text to a multiple of 8 */
        char text[0];                   /* NUL-terminated */
        xlcfg_doc *items[0];
        struct xlcfg_member members[0];
    };
};

/*
 * A document in an arena: space for count items, members, or bytes and a
 * NUL, for the caller to fill before anyone else sees it.  What it is filled
 * with is of the same arena or kept by it.  NULL: no memory.
 */
xlcfg_doc *xlcfg__doc_in(struct xlcfg__arena *arena, xlcfg_doc_type type,
                         size_t count);
/* Have the arena hold doc; false: no memory.  NULL accepted.  The other one
 * takes the caller's reference over, also on failure. */
bool xlcfg__doc_keep(struct xlcfg__arena *arena, const xlcfg_doc *doc);
bool xlcfg__doc_keep_mine(struct xlcfg__arena *arena, xlcfg_doc *doc);
/* Nothing in the text needs an escape. */
bool xlcfg__text_is_plain(const char *s, size_t len);

/* The one document of a word that many have (word.c); NULL: it is none.  The
 * same of a number of one digit. */
xlcfg_doc *xlcfg__word(const char *s);
xlcfg_doc *xlcfg__digit(int64_t n);
bool xlcfg__words_in_order(void);       /* for its test */

xlcfg_doc *xlcfg__doc_null(void);
xlcfg_doc *xlcfg__doc_bool(bool truth);
xlcfg_doc *xlcfg__doc_strn(const char *s, size_t len);
xlcfg_doc *xlcfg__doc_str(const char *s);               /* NULL: JSON null */
/* The same of what is likely to be a word. */
xlcfg_doc *xlcfg__doc_word(const char *s);
xlcfg_doc *xlcfg__doc_strf(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
xlcfg_doc *xlcfg__doc_int(int64_t n);
xlcfg_doc *xlcfg__doc_uint(uint64_t n);
/* Copy the vectors, take the references (also on failure). */
xlcfg_doc *xlcfg__doc_items(xlcfg_doc **items, size_t count);
xlcfg_doc *xlcfg__doc_object(struct xlcfg_member *members, size_t count);

/* A growing object. */
typedef struct xlcfg__members {
    struct xlcfg_member *v;
    size_t count, room;
    bool failed;
} xlcfg__members;

void xlcfg__members_add(xlcfg__members *m, const char *name,
                        xlcfg_doc *value);
/* As above, but a name that is there already takes the new value in place. */
void xlcfg__members_set(xlcfg__members *m, const char *name,
                        xlcfg_doc *value);
/* All members of an object, by reference. */
void xlcfg__members_copy(xlcfg__members *m, const xlcfg_doc *object);
bool xlcfg__members_has(const xlcfg__members *m, const char *name);
void xlcfg__members_drop(xlcfg__members *m, const char *name);
xlcfg_doc *xlcfg__members_end(xlcfg__members *m);
void xlcfg__members_dispose(xlcfg__members *m);

/* A growing array. */
typedef struct xlcfg__items {
    xlcfg_doc **v;
    size_t count, room;
    bool failed;
} xlcfg__items;

void xlcfg__items_add(xlcfg__items *it, xlcfg_doc *value);
xlcfg_doc *xlcfg__items_end(xlcfg__items *it);
void xlcfg__items_dispose(xlcfg__items *it);

/* A copy of object with name set to value (appended if new). */
xlcfg_doc *xlcfg__doc_with(const xlcfg_doc *object, const char *name,
                           xlcfg_doc *value);
xlcfg_doc *xlcfg__doc_without(const xlcfg_doc *object, const char *name);

/* The member called name; NULL when there is none. */
const struct xlcfg_member *xlcfg__doc_member(const xlcfg_doc *object,
                                             const char *name);

/* As hashes see it: order of members and spelling of numbers aside. */
bool xlcfg__doc_equal(const xlcfg_doc *a, const xlcfg_doc *b);
/* A number in range as int64; def when absent, no integer, or too big. */
int64_t xlcfg__doc_to_int(const xlcfg_doc *doc, int64_t def);
bool xlcfg__doc_is_int(const xlcfg_doc *doc, int64_t min, int64_t max,
                       int64_t *n_r);
/* The string member, NULL when absent or not a string. */
const char *xlcfg__doc_getstr(const xlcfg_doc *object, const char *name);

#endif
