/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents: making, sharing and walking immutable JSON values. */
#include "core/doc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static xlcfg_doc *alloc(xlcfg_doc_type type, size_t count, size_t payload)
{
    xlcfg_doc *doc;

    if (payload > SIZE_MAX - sizeof(*doc))
        return NULL;
    doc = malloc(sizeof(*doc) + payload);
    if (!doc)
        return NULL;
    atomic_init(&doc->refs, 1);
    doc->type = type;
    doc->truth = 0;
    doc->count = count;
    doc->text = payload ? (char *)(doc + 1) : NULL;
    return doc;
}

xlcfg_doc *xlcfg_doc_ref(const xlcfg_doc *doc)
{
    xlcfg_doc *mine = (xlcfg_doc *)doc;

    if (mine)
        atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
    return mine;
}

void xlcfg_doc_free(xlcfg_doc *doc)
{
    if (!doc)
        return;
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

xlcfg_doc *xlcfg__doc_null(void)
{
    return alloc(XLCFG_DOC_NULL, 0, 0);
}

xlcfg_doc *xlcfg__doc_bool(bool truth)
{
    xlcfg_doc *doc = alloc(XLCFG_DOC_BOOL, 0, 0);

    if (doc)
        doc->truth = truth;
    return doc;
}

static xlcfg_doc *text_doc(xlcfg_doc_type type, const char *s, size_t len)
{
    xlcfg_doc *doc;

    if (len == SIZE_MAX)
        return NULL;
    doc = alloc(type, len, len + 1);
    if (!doc)
        return NULL;
    if (len)
        memcpy(doc->text, s, len);
    doc->text[len] = '\0';
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

xlcfg_doc *xlcfg__doc_numn(const char *s, size_t len)
{
    return text_doc(XLCFG_DOC_NUMBER, s, len);
}

xlcfg_doc *xlcfg__doc_int(int64_t n)
{
    char s[32];
    int len = snprintf(s, sizeof(s), "%" PRId64, n);

    return xlcfg__doc_numn(s, (size_t)len);
}

xlcfg_doc *xlcfg__doc_uint(uint64_t n)
{
    char s[32];
    int len = snprintf(s, sizeof(s), "%" PRIu64, n);

    return xlcfg__doc_numn(s, (size_t)len);
}

static void free_all(xlcfg_doc **items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        xlcfg_doc_free(items[i]);
}

xlcfg_doc *xlcfg__doc_items(xlcfg_doc **items, size_t count)
{
    xlcfg_doc *doc = NULL;
    bool whole = count <= SIZE_MAX / sizeof(*items);

    for (size_t i = 0; i < count; i++)
        whole = whole && items[i];
    if (whole)
        doc = alloc(XLCFG_DOC_ARRAY, count, count * sizeof(*items));
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
    bool whole = count <= SIZE_MAX / sizeof(*members);

    for (size_t i = 0; i < count; i++)
        whole = whole && members[i].name && members[i].value;
    if (whole)
        doc = alloc(XLCFG_DOC_OBJECT, count, count * sizeof(*members));
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
    xlcfg_doc *key = value ? xlcfg__doc_str(name) : NULL;

    if (m->failed || !key ||
        !grow((void **)&m->v, m->count, &m->room, sizeof(*m->v))) {
        xlcfg_doc_free(key);
        xlcfg_doc_free(value);
        m->failed = true;
        return;
    }
    m->v[m->count++] = (struct xlcfg_member){ key, value };
}

void xlcfg__members_set(xlcfg__members *m, const char *name,
                        xlcfg_doc *value)
{
    for (size_t i = 0; value && i < m->count; i++)
        if (!strcmp(m->v[i].name->text, name)) {
            xlcfg_doc_free(m->v[i].value);
            m->v[i].value = value;
            return;
        }
    xlcfg__members_add(m, name, value);
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
    for (size_t i = 0; i < m->count; i++)
        if (!strcmp(m->v[i].name->text, name)) {
            xlcfg_doc_free(m->v[i].name);
            xlcfg_doc_free(m->v[i].value);
            memmove(m->v + i, m->v + i + 1,
                    (m->count - i - 1) * sizeof(*m->v));
            m->count--;
            return;
        }
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

/* ---- walking ---- */

xlcfg_doc_type xlcfg_doc_kind(const xlcfg_doc *doc)
{
    return doc ? (xlcfg_doc_type)doc->type : XLCFG_DOC_NULL;
}

const char *xlcfg_doc_string(const xlcfg_doc *doc)
{
    if (!doc || (doc->type != XLCFG_DOC_STRING &&
                 doc->type != XLCFG_DOC_NUMBER))
        return NULL;
    return doc->text;
}

bool xlcfg_doc_is_true(const xlcfg_doc *doc)
{
    return doc && doc->type == XLCFG_DOC_BOOL && doc->truth;
}

size_t xlcfg_doc_count(const xlcfg_doc *doc)
{
    if (!doc || (doc->type != XLCFG_DOC_ARRAY &&
                 doc->type != XLCFG_DOC_OBJECT))
        return 0;
    return doc->count;
}

const xlcfg_doc *xlcfg_doc_at(const xlcfg_doc *doc, size_t i)
{
    if (i >= xlcfg_doc_count(doc))
        return NULL;
    return doc->type == XLCFG_DOC_ARRAY ? doc->items[i]
                                        : doc->members[i].value;
}

const char *xlcfg_doc_name(const xlcfg_doc *doc, size_t i)
{
    if (!doc || doc->type != XLCFG_DOC_OBJECT || i >= doc->count)
        return NULL;
    return doc->members[i].name->text;
}

const xlcfg_doc *xlcfg_doc_get(const xlcfg_doc *doc, const char *name)
{
    size_t len;

    if (!doc || doc->type != XLCFG_DOC_OBJECT)
        return NULL;
    len = strlen(name);
    for (size_t i = 0; i < doc->count; i++)
        if (doc->members[i].name->count == len &&
            !memcmp(doc->members[i].name->text, name, len))
            return doc->members[i].value;
    return NULL;
}

/* One reference token of a JSON pointer, ~1 and ~0 undone, into buf. */
static const char *token(const char *p, char *buf, size_t size)
{
    size_t n = 0;

    for (; *p && *p != '/'; p++) {
        char c = *p;

        if (c == '~' && (p[1] == '0' || p[1] == '1'))
            c = *++p == '0' ? '~' : '/';
        if (n + 1 >= size)
            return NULL;
        buf[n++] = c;
    }
    buf[n] = '\0';
    return p;
}

const xlcfg_doc *xlcfg_doc_pointer(const xlcfg_doc *doc, const char *ptr)
{
    char name[1024];

    while (doc && *ptr) {
        if (*ptr != '/')
            return NULL;
        ptr = token(ptr + 1, name, sizeof(name));
        if (!ptr)
            return NULL;
        if (doc->type == XLCFG_DOC_OBJECT) {
            doc = xlcfg_doc_get(doc, name);
        } else if (doc->type == XLCFG_DOC_ARRAY && name[0] >= '0' &&
                   name[0] <= '9' && !(name[0] == '0' && name[1])) {
            char *end;
            unsigned long long i;

            errno = 0;
            i = strtoull(name, &end, 10);
            doc = *end || errno ? NULL : xlcfg_doc_at(doc, (size_t)i);
        } else {
            return NULL;
        }
    }
    return doc;
}

bool xlcfg__doc_equal(const xlcfg_doc *a, const xlcfg_doc *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->type != b->type || a->count != b->count)
        return false;
    switch ((xlcfg_doc_type)a->type) {
    case XLCFG_DOC_NULL:
        return true;
    case XLCFG_DOC_BOOL:
        return a->truth == b->truth;
    case XLCFG_DOC_NUMBER:
    case XLCFG_DOC_STRING:
        return !memcmp(a->text, b->text, a->count);
    case XLCFG_DOC_ARRAY:
        for (size_t i = 0; i < a->count; i++)
            if (!xlcfg__doc_equal(a->items[i], b->items[i]))
                return false;
        return true;
    case XLCFG_DOC_OBJECT:
        for (size_t i = 0; i < a->count; i++)
            if (!xlcfg__doc_equal(a->members[i].value,
                                  xlcfg_doc_get(b,
                                                a->members[i].name->text)))
                return false;
        return true;
    }
    return false;
}

bool xlcfg__doc_is_int(const xlcfg_doc *doc, int64_t min, int64_t max,
                       int64_t *n_r)
{
    char *end;
    long long n;

    if (!doc || doc->type != XLCFG_DOC_NUMBER)
        return false;
    errno = 0;
    n = strtoll(doc->text, &end, 10);
    if (errno || *end || end == doc->text || n < min || n > max)
        return false;
    if (n_r)
        *n_r = n;
    return true;
}

int64_t xlcfg__doc_to_int(const xlcfg_doc *doc, int64_t def)
{
    int64_t n;

    return xlcfg__doc_is_int(doc, INT64_MIN, INT64_MAX, &n) ? n : def;
}

const char *xlcfg__doc_getstr(const xlcfg_doc *object, const char *name)
{
    const xlcfg_doc *v = xlcfg_doc_get(object, name);

    return v && v->type == XLCFG_DOC_STRING ? v->text : NULL;
}
