/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents: what is in them, and whether two say the same. */
#include "core/doc.h"
#include "core/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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

const struct xlcfg_member *xlcfg__doc_member(const xlcfg_doc *object,
                                             const char *name)
{
    size_t len;

    if (!object || object->type != XLCFG_DOC_OBJECT)
        return NULL;
    len = strlen(name);
    for (size_t i = 0; i < object->count; i++) {
        const xlcfg_doc *own = object->members[i].name;

        if (own->count == len && !memcmp(own->text, name, len))
            return &object->members[i];
    }
    return NULL;
}

const xlcfg_doc *xlcfg_doc_get(const xlcfg_doc *doc, const char *name)
{
    const struct xlcfg_member *m = xlcfg__doc_member(doc, name);

    return m ? m->value : NULL;
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

static bool same_number(const xlcfg_doc *a, const xlcfg_doc *b)
{
    char one[XLCFG__NUMBER_ROOM], other[XLCFG__NUMBER_ROOM];
    size_t len;

    if (a->count == b->count && !memcmp(a->text, b->text, a->count))
        return true;
    if (a->plain && b->plain)
        return false;
    len = xlcfg__number_text(a->text, a->count, one);
    return len == xlcfg__number_text(b->text, b->count, other) &&
        !memcmp(one, other, len);
}

bool xlcfg__doc_equal(const xlcfg_doc *a, const xlcfg_doc *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->type != b->type)
        return false;
    if (a->type == XLCFG_DOC_NUMBER)
        return same_number(a, b);
    if (a->count != b->count)
        return false;
    switch ((xlcfg_doc_type)a->type) {
    case XLCFG_DOC_NULL: case XLCFG_DOC_NUMBER:
        return true;
    case XLCFG_DOC_BOOL:
        return a->truth == b->truth;
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

/* Up to 18 digits and nothing else, which is nearly every number. */
static bool few_digits(const xlcfg_doc *doc, int64_t *n_r)
{
    int64_t n = 0;

    if (doc->count > 18)
        return false;
    for (size_t i = 0; i < doc->count; i++) {
        if (doc->text[i] < '0' || doc->text[i] > '9')
            return false;
        n = n * 10 + (doc->text[i] - '0');
    }
    *n_r = n;
    return true;
}

bool xlcfg__doc_is_int(const xlcfg_doc *doc, int64_t min, int64_t max,
                       int64_t *n_r)
{
    char text[XLCFG__NUMBER_ROOM + 1], *end;
    int64_t n;

    if (!doc || doc->type != XLCFG_DOC_NUMBER)
        return false;
    if (!few_digits(doc, &n)) {
        text[xlcfg__number_text(doc->text, doc->count, text)] = '\0';
        errno = 0;
        n = strtoll(text, &end, 10);
        if (errno || *end)
            return false;
    }
    if (n < min || n > max)
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
