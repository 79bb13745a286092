/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Documents to JSON text: as written, indented, or canonical - names sorted
 * by their bytes, no blanks, one text for each number.
 */
#include "core/doc.h"
#include "core/json.h"
#include "core/number.h"

#include <stdlib.h>
#include <string.h>

#define FEW 32                  /* members sorted without an allocation */
#define SHAPES 8
#define PIECE 8192              /* bytes given away at once */
#define WORD 8                  /* text is copied by words: room behind it */

/* Objects of one kind have the same names: the order is worked out once. */
struct shape {
    size_t count;
    const xlcfg_doc *names[FEW];
    unsigned char order[FEW];
};

struct writer {
    char *buf;
    size_t len, room;
    void (*take)(void *arg, const char *text, size_t len);  /* NULL: grow */
    void *arg;
    bool canonical, pretty, failed;
    unsigned depth;
    struct shape shapes[SHAPES];
};

/* Room that is not there: give the text away, or get more. */
static bool make_room(struct writer *w, size_t size)
{
    size_t more = w->room;
    char *bigger;

    if (w->take) {
        w->take(w->arg, w->buf, w->len);
        w->len = 0;
        w->failed = w->failed || size > w->room;
        return !w->failed;
    }
    while (!w->failed && more - w->len < size) {
        w->failed = more > SIZE_MAX / 2;
        more *= 2;
    }
    bigger = w->failed ? NULL : realloc(w->buf, more);
    if (!bigger) {
        w->failed = true;
        w->len = 0;
        return false;
    }
    w->buf = bigger;
    w->room = more;
    return true;
}

static inline bool have_room(struct writer *w, size_t size)
{
    return size <= w->room - w->len || make_room(w, size);
}

static void put(struct writer *w, const char *s, size_t len)
{
    while (len && !w->failed) {
        size_t part = len < PIECE / 2 ? len : PIECE / 2;

        if (!have_room(w, part))
            return;
        memcpy(w->buf + w->len, s, part);
        w->len += part;
        s += part;
        len -= part;
    }
}

static void put_char(struct writer *w, char c)
{
    if (have_room(w, 1))
        w->buf[w->len++] = c;
}

/* A quoted text without escapes, and `end` behind it unless that is 0. */
static void put_plain(struct writer *w, const xlcfg_doc *doc, char end)
{
    size_t len = doc->count;
    char *p;

    if (len > 256) {
        put_char(w, '"');
        put(w, doc->text, len);
        put_char(w, '"');
        if (end)
            put_char(w, end);
        return;
    }
    if (!have_room(w, len + 3 + WORD))
        return;
    p = w->buf + w->len;
    *p++ = '"';
    for (size_t i = 0; i < len; i += WORD)
        memcpy(p + i, doc->text + i, WORD);
    p[len] = '"';
    p[len + 1] = end;
    w->len += len + 2 + (end != 0);
}

/* The letter after the backslash; 'u' when there is none of its own; 0. */
static const char escape_of[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b', 't', 'n', 'u', 'f', 'r', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u',
    'u', 'u', ['"'] = '"', ['\\'] = '\\',
};

#define STRETCH (PIECE / 8)     /* of a text, six bytes for each at most */

static void put_stretch(struct writer *w, const char *s, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    char *p;

    if (!have_room(w, 6 * len))
        return;
    p = w->buf + w->len;
    for (const char *end = s + len; s < end; s++) {
        unsigned char c = (unsigned char)*s;
        char letter = escape_of[c];

        if (!letter) {
            *p++ = (char)c;
            continue;
        }
        *p++ = '\\';
        *p++ = letter;
        if (letter != 'u')
            continue;
        *p++ = '0';
        *p++ = '0';
        *p++ = digits[c >> 4];
        *p++ = digits[c & 15];
    }
    w->len = (size_t)(p - w->buf);
}

static void put_escaped(struct writer *w, const xlcfg_doc *doc, char end)
{
    put_char(w, '"');
    for (size_t from = 0; from < doc->count && !w->failed; from += STRETCH)
        put_stretch(w, doc->text + from, doc->count - from < STRETCH
                    ? doc->count - from : STRETCH);
    put_char(w, '"');
    if (end)
        put_char(w, end);
}

/* A string, and `end` behind it unless that is 0. */
static inline void put_string(struct writer *w, const xlcfg_doc *doc,
                              char end)
{
    if (doc->plain)
        put_plain(w, doc, end);
    else
        put_escaped(w, doc, end);
}

static void put_line(struct writer *w)
{
    size_t blanks = 2 * (size_t)w->depth;

    if (!have_room(w, blanks + 1))
        return;
    w->buf[w->len++] = '\n';
    memset(w->buf + w->len, ' ', blanks);
    w->len += blanks;
}

/* ---- members in order ---- */

/* Insertion: names are few, and nearly in order as often as not. */
static void sort_shape(struct shape *sh)
{
    for (size_t i = 0; i < sh->count; i++) {
        size_t j = i;

        for (; j && strcmp(sh->names[sh->order[j - 1]]->text,
                           sh->names[i]->text) > 0; j--)
            sh->order[j] = sh->order[j - 1];
        sh->order[j] = (unsigned char)i;
    }
}

static const struct shape *shape_of(struct writer *w, const xlcfg_doc *doc)
{
    uintptr_t first = (uintptr_t)doc->members[0].name;
    struct shape *sh = &w->shapes[(doc->count + (first >> 5)) % SHAPES];
    size_t i = 0;

    if (sh->count == doc->count)
        while (i < sh->count && sh->names[i] == doc->members[i].name)
            i++;
    if (sh->count == doc->count && i == sh->count)
        return sh;
    sh->count = doc->count;
    for (i = 0; i < sh->count; i++)
        sh->names[i] = doc->members[i].name;
    sort_shape(sh);
    return sh;
}

static int by_member(const void *a, const void *b)
{
    const struct xlcfg_member *x = a, *y = b;

    return strcmp(x->name->text, y->name->text);
}

static void emit(struct writer *w, const xlcfg_doc *doc);

static void emit_member(struct writer *w, const struct xlcfg_member *m,
                        bool first)
{
    if (!first)
        put_char(w, ',');
    if (w->pretty)
        put_line(w);
    put_string(w, m->name, ':');
    if (w->pretty)
        put_char(w, ' ');
    emit(w, m->value);
}

static void emit_many(struct writer *w, const xlcfg_doc *doc)
{
    struct xlcfg_member *v = malloc(doc->count * sizeof(*v));

    if (!v) {
        w->failed = true;
        return;
    }
    memcpy(v, doc->members, doc->count * sizeof(*v));
    qsort(v, doc->count, sizeof(*v), by_member);
    for (size_t i = 0; i < doc->count && !w->failed; i++)
        emit_member(w, &v[i], i == 0);
    free(v);
}

static void emit_members(struct writer *w, const xlcfg_doc *doc)
{
    unsigned char order[FEW];

    if (!w->canonical) {
        for (size_t i = 0; i < doc->count && !w->failed; i++)
            emit_member(w, &doc->members[i], i == 0);
    } else if (doc->count > FEW) {
        emit_many(w, doc);
    } else if (doc->count) {
        /* a copy: an object within may take the shape's place */
        memcpy(order, shape_of(w, doc)->order, doc->count);
        for (size_t i = 0; i < doc->count && !w->failed; i++)
            emit_member(w, &doc->members[order[i]], i == 0);
    }
}

static void emit_items(struct writer *w, const xlcfg_doc *doc)
{
    for (size_t i = 0; i < doc->count && !w->failed; i++) {
        if (i)
            put_char(w, ',');
        if (w->pretty)
            put_line(w);
        emit(w, doc->items[i]);
    }
}

static void emit_number(struct writer *w, const xlcfg_doc *doc)
{
    char text[XLCFG__NUMBER_ROOM];

    if (w->canonical && !doc->plain)
        put(w, text, xlcfg__number_text(doc->text, doc->count, text));
    else
        put(w, doc->text, doc->count);
}

static void emit_nested(struct writer *w, const xlcfg_doc *doc)
{
    bool is_object = doc->type == XLCFG_DOC_OBJECT;

    put_char(w, is_object ? '{' : '[');
    w->depth++;
    if (is_object)
        emit_members(w, doc);
    else
        emit_items(w, doc);
    w->depth--;
    if (w->pretty && doc->count)
        put_line(w);
    put_char(w, is_object ? '}' : ']');
}

static void emit(struct writer *w, const xlcfg_doc *doc)
{
    switch (doc ? (xlcfg_doc_type)doc->type : XLCFG_DOC_NULL) {
    case XLCFG_DOC_NULL:
        put(w, "null", 4);
        return;
    case XLCFG_DOC_BOOL:
        put(w, doc->truth ? "true" : "false", doc->truth ? 4 : 5);
        return;
    case XLCFG_DOC_NUMBER:
        emit_number(w, doc);
        return;
    case XLCFG_DOC_STRING:
        put_string(w, doc, 0);
        return;
    case XLCFG_DOC_ARRAY:
    case XLCFG_DOC_OBJECT:
        emit_nested(w, doc);
        return;
    }
}

static void start(struct writer *w, unsigned flags)
{
    w->len = 0;
    w->canonical = flags & XLCFG_PRINT_CANONICAL;
    w->pretty = flags & XLCFG_PRINT_PRETTY;
    w->failed = false;
    w->depth = 0;
    for (size_t i = 0; i < SHAPES; i++)
        w->shapes[i].count = 0;
}

static void print(struct writer *w, const xlcfg_doc *doc)
{
    emit(w, doc);
    if (w->pretty)
        put_char(w, '\n');
}

int xlcfg__json_emit(const xlcfg_doc *doc, unsigned flags,
                     void (*take)(void *arg, const char *text, size_t len),
                     void *arg, xlcfg_error *err)
{
    char piece[PIECE];
    struct writer w;

    start(&w, flags);
    w.take = take;
    w.arg = arg;
    w.buf = piece;
    w.room = sizeof(piece);
    print(&w, doc);
    if (w.failed)
        return xlcfg__nomem(err);
    take(arg, w.buf, w.len);
    return 0;
}

int xlcfg_doc_print(const xlcfg_doc *doc, unsigned flags, char **text_r,
                    size_t *len_r, xlcfg_error *err)
{
    struct writer w;

    start(&w, flags);
    w.take = NULL;
    w.room = 512;
    w.buf = malloc(w.room);
    w.failed = !w.buf;
    if (!w.failed)
        print(&w, doc);
    if (!w.failed)
        put_char(&w, '\0');
    if (w.failed) {
        free(w.buf);
        return xlcfg__nomem(err);
    }
    *text_r = w.buf;
    if (len_r)
        *len_r = w.len - 1;
    return 0;
}
