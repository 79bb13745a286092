/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents: making, sharing and walking immutable JSON values. */
#include "core/doc.h"
#include "core/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const xlcfg_doc null_doc = {
    .type = XLCFG_DOC_NULL, .home = XLCFG__DOC_STATIC,
};
static const xlcfg_doc bools[2] = {
    { .type = XLCFG_DOC_BOOL, .home = XLCFG__DOC_STATIC },
    { .type = XLCFG_DOC_BOOL, .home = XLCFG__DOC_STATIC, .truth = 1 },
};

/* Text to a multiple of 8: the printer copies it by words. */
static size_t size_of(xlcfg_doc_type type, size_t count)
{
    size_t each = type == XLCFG_DOC_ARRAY ? sizeof(xlcfg_doc *)
        : type == XLCFG_DOC_OBJECT ? sizeof(struct xlcfg_member) : 1;

    if (count > (SIZE_MAX - sizeof(xlcfg_doc) - 16) / each)
        return SIZE_MAX;
    if (each == 1)
        count = (count + 8) & ~(size_t)7;
    return sizeof(xlcfg_doc) + count * each;
}

static xlcfg_doc *alloc(xlcfg_doc_type type, size_t count)
{
    size_t size = size_of(type, count);
    xlcfg_doc *doc = size == SIZE_MAX ? NULL : malloc(size);

    if (!doc)
        return NULL;
    atomic_init(&doc->refs, 1);
    doc->type = (unsigned char)type;
    doc->truth = 0;
    doc->home = XLCFG__DOC_HEAP;
    doc->plain = 0;
    doc->count = count;
    return doc;
}

xlcfg_doc *xlcfg__doc_in(struct xlcfg__arena *arena, xlcfg_doc_type type,
                         size_t count)
{
    size_t size = size_of(type, count);
    xlcfg_doc *doc;

    doc = size == SIZE_MAX ? NULL : xlcfg__arena_take(arena, size);
    if (!doc)
        return NULL;
    /* chunks are far smaller than 8 * UINT_MAX: a text is 64 MiB at most */
    doc->offset = (unsigned)(((char *)doc - (char *)arena->chunks) / 8);
    doc->type = (unsigned char)type;
    doc->truth = 0;
    doc->home = XLCFG__DOC_ARENA;
    doc->plain = 0;
    doc->count = count;
    return doc;
}

static struct xlcfg__arena *arena_of(const xlcfg_doc *doc)
{
    const char *chunk = (const char *)doc - (size_t)doc->offset * 8;

    return ((const struct xlcfg__chunk *)chunk)->arena;
}

xlcfg_doc *xlcfg_doc_ref(const xlcfg_doc *doc)
{
    xlcfg_doc *mine = (xlcfg_doc *)doc;

    if (!mine || mine->home == XLCFG__DOC_STATIC)
        return mine;
    if (mine->home == XLCFG__DOC_ARENA)
        xlcfg__arena_hold(arena_of(mine));
    else
        atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
    return mine;
}

void xlcfg_doc_free(xlcfg_doc *doc)
{
    if (!doc || doc->home == XLCFG__DOC_STATIC)
        return;
    if (doc->home == XLCFG__DOC_ARENA) {
        xlcfg__arena_drop(arena_of(doc));
        return;
    }
    if (atomic_fetch_sub_explicit(&doc->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (doc->type == XLCFG_DOC_ARRAY)
        for (size_t i = 0; i < doc->count; i++)
            xlcfg_doc_free(doc->items[i]);
    if (doc->type == XLCFG_DOC_OBJECT)
        for (size_t i = 0; i < doc->count; i++) {
            xlcfg_doc_free(doc->members[i].name);
            xlcfg_doc_free(doc->members[i].value);
        }
    free(doc);
}

static void let_doc_go(void *what)
{
    xlcfg_doc_free(what);
}

bool xlcfg__doc_keep_mine(struct xlcfg__arena *arena, xlcfg_doc *doc)
{
    return !doc || doc->home == XLCFG__DOC_STATIC ||
        xlcfg__arena_keep(arena, doc, let_doc_go);
}

bool xlcfg__doc_keep(struct xlcfg__arena *arena, const xlcfg_doc *doc)
{
    if (doc && doc->home == XLCFG__DOC_ARENA)
        return xlcfg__arena_join(arena, arena_of(doc));
    return xlcfg__doc_keep_mine(arena, xlcfg_doc_ref(doc));
}

xlcfg_doc *xlcfg__doc_null(void)
{
    return (xlcfg_doc *)&null_doc;
}

xlcfg_doc *xlcfg__doc_bool(bool truth)
{
    return (xlcfg_doc *)&bools[truth];
}

/* A byte in each of eight is below 0x20, a quote or a backslash. */
static bool any_special(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, highs = ones << 7;
    uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';

    return (((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) |
            ((slash - ones) & ~slash)) & highs;
}

bool xlcfg__text_is_plain(const char *s, size_t len)
{
    uint64_t w;

    for (; len >= 8; s += 8, len -= 8) {
        memcpy(&w, s, 8);
        if (any_special(w))
            return false;
    }
    w = 0x2020202020202020u;
    memcpy(&w, s, len);
    return !any_special(w);
}

static xlcfg_doc *text_doc(xlcfg_doc_type type, const char *s, size_t len)
{
    xlcfg_doc *doc = len == SIZE_MAX ? NULL : alloc(type, len);

    if (!doc)
        return NULL;
    if (len)
        memcpy(doc->text, s, len);
    doc->text[len] = '\0';
    doc->plain = type == XLCFG_DOC_STRING ? xlcfg__text_is_plain(s, len)
        : xlcfg__number_is_plain(s, len);
    return doc;
}

xlcfg_doc *xlcfg__doc_strn(const char *s, size_t len)
{
    return text_doc(XLCFG_DOC_STRING, s, len);
}

xlcfg_doc *xlcfg__doc_str(const char *s)
{
    return s ? xlcfg__doc_strn(s, strlen(s)) : xlcfg__doc_null();
}

xlcfg_doc *xlcfg__doc_word(const char *s)
{
    xlcfg_doc *word = s ? xlcfg__word(s) : NULL;

    return word ? word : xlcfg__doc_str(s);
}

xlcfg_doc *xlcfg__doc_strf(const char *fmt, ...)
{
    va_list ap;
    char *s;
    int n;
    xlcfg_doc *doc;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0)
        return NULL;
    doc = xlcfg__doc_strn(s, (size_t)n);
    free(s);
    return doc;
}

static xlcfg_doc *number(const char *s, size_t len)
{
    return text_doc(XLCFG_DOC_NUMBER, s, len);
}

xlcfg_doc *xlcfg__doc_int(int64_t n)
{
    xlcfg_doc *digit = xlcfg__digit(n);
    char s[32];
    int len;

    if (digit)
        return digit;
    len = snprintf(s, sizeof(s), "%" PRId64, n);
    return number(s, (size_t)len);
}

xlcfg_doc *xlcfg__doc_uint(uint64_t n)
{
    char s[32];
    int len = snprintf(s, sizeof(s), "%" PRIu64, n);

    return number(s, (size_t)len);
}

static void free_all(xlcfg_doc **items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        xlcfg_doc_free(items[i]);
}

xlcfg_doc *xlcfg__doc_items(xlcfg_doc **items, size_t count)
{
    xlcfg_doc *doc = NULL;
    bool whole = true;

    for (size_t i = 0; i < count; i++)
        whole = whole && items[i];
    if (whole)
        doc = alloc(XLCFG_DOC_ARRAY, count);
    if (!doc) {
        free_all(items, count);
        return NULL;
    }
    if (count)
        memcpy(doc->items, items, count * sizeof(*items));
    return doc;
}

xlcfg_doc *xlcfg__doc_object(struct xlcfg_member *members, size_t count)
{
    xlcfg_doc *doc = NULL;
    bool whole = true;

    for (size_t i = 0; i < count; i++)
        whole = whole && members[i].name && members[i].value;
    if (whole)
        doc = alloc(XLCFG_DOC_OBJECT, count);
    if (!doc) {
        for (size_t i = 0; i < count; i++) {
            xlcfg_doc_free(members[i].name);
            xlcfg_doc_free(members[i].value);
        }
        return NULL;
    }
    if (count)
        memcpy(doc->members, members, count * sizeof(*members));
    return doc;
}

/* Room for one more element of `size` bytes. */
static bool grow(void **v, size_t count, size_t *room, size_t size)
{
    size_t more = *room ? *room * 2 : 8;
    void *bigger;

    if (count < *room)
        return true;
    if (more > SIZE_MAX / size)
        return false;
    bigger = realloc(*v, more * size);
    if (!bigger)
        return false;
    *v = bigger;
    *room = more;
    return true;
}

void xlcfg__members_add(xlcfg__members *m, const char *name,
                        xlcfg_doc *value)
{
    xlcfg_doc *key = value ? xlcfg__doc_word(name) : NULL;

    if (m->failed || !key ||
        !grow((void **)&m->v, m->count, &m->room, sizeof(*m->v))) {
        xlcfg_doc_free(key);
        xlcfg_doc_free(value);
        m->failed = true;
        return;
    }
    m->v[m->count++] = (struct xlcfg_member){ key, value };
}

static struct xlcfg_member *member(const xlcfg__members *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++)
        if (!strcmp(m->v[i].name->text, name))
            return &m->v[i];
    return NULL;
}

bool xlcfg__members_has(const xlcfg__members *m, const char *name)
{
    return member(m, name);
}

void xlcfg__members_set(xlcfg__members *m, const char *name,
                        xlcfg_doc *value)
{
    struct xlcfg_member *old = value ? member(m, name) : NULL;

    if (!old) {
        xlcfg__members_add(m, name, value);
        return;
    }
    xlcfg_doc_free(old->value);
    old->value = value;
}

void xlcfg__members_copy(xlcfg__members *m, const xlcfg_doc *object)
{
    if (!object || object->type != XLCFG_DOC_OBJECT)
        return;
    for (size_t i = 0; i < object->count; i++) {
        if (m->failed ||
            !grow((void **)&m->v, m->count, &m->room, sizeof(*m->v))) {
            m->failed = true;
            return;
        }
        m->v[m->count++] = (struct xlcfg_member){
            xlcfg_doc_ref(object->members[i].name),
            xlcfg_doc_ref(object->members[i].value),
        };
    }
}

void xlcfg__members_drop(xlcfg__members *m, const char *name)
{
    struct xlcfg_member *old = member(m, name);

    if (!old)
        return;
    xlcfg_doc_free(old->name);
    xlcfg_doc_free(old->value);
    m->count--;
    memmove(old, old + 1,
            (size_t)(m->v + m->count - old) * sizeof(*m->v));
}

void xlcfg__members_dispose(xlcfg__members *m)
{
    for (size_t i = 0; i < m->count; i++) {
        xlcfg_doc_free(m->v[i].name);
        xlcfg_doc_free(m->v[i].value);
    }
    free(m->v);
    *m = (xlcfg__members){ 0 };
}

xlcfg_doc *xlcfg__members_end(xlcfg__members *m)
{
    xlcfg_doc *doc = NULL;

    if (!m->failed) {
        doc = xlcfg__doc_object(m->v, m->count);
        m->count = 0;           /* the references are the document's now */
    }
    xlcfg__members_dispose(m);
    return doc;
}

void xlcfg__items_add(xlcfg__items *it, xlcfg_doc *value)
{
    if (it->failed || !value ||
        !grow((void **)&it->v, it->count, &it->room, sizeof(*it->v))) {
        xlcfg_doc_free(value);
        it->failed = true;
        return;
    }
    it->v[it->count++] = value;
}

void xlcfg__items_dispose(xlcfg__items *it)
{
    free_all(it->v, it->count);
    free(it->v);
    *it = (xlcfg__items){ 0 };
}

xlcfg_doc *xlcfg__items_end(xlcfg__items *it)
{
    xlcfg_doc *doc = NULL;

    if (!it->failed) {
        doc = xlcfg__doc_items(it->v, it->count);
        it->count = 0;
    }
    xlcfg__items_dispose(it);
    return doc;
}

xlcfg_doc *xlcfg__doc_with(const xlcfg_doc *object, const char *name,
                           xlcfg_doc *value)
{
    xlcfg__members m = { 0 };

    xlcfg__members_copy(&m, object);
    xlcfg__members_set(&m, name, value);
    return xlcfg__members_end(&m);
}

xlcfg_doc *xlcfg__doc_without(const xlcfg_doc *object, const char *name)
{
    xlcfg__members m = { 0 };

    xlcfg__members_copy(&m, object);
    xlcfg__members_drop(&m, name);
    return xlcfg__members_end(&m);
}
