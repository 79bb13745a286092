/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON text to documents, all of one text in one arena.  The only file that
 * knows yajl, of which the streaming parser alone is used; numbers stay text.
 *
 * yajl does not check its allocations, so it gets an allocator of ours that
 * leaves by longjmp when memory runs out and then frees what yajl held.
 */
#include "core/doc.h"
#include "core/json.h"
#include "core/number.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

/* ---- an allocator that never answers NULL ---- */

struct block {
    struct block *next, **prev;
};

struct pool {
    struct block *blocks;
    jmp_buf out;
};

static void link_in(struct pool *pool, struct block *b)
{
    b->next = pool->blocks;
    b->prev = &pool->blocks;
    if (b->next)
        b->next->prev = &b->next;
    pool->blocks = b;
}

static void unlink_block(struct block *b)
{
    *b->prev = b->next;
    if (b->next)
        b->next->prev = b->prev;
}

static void *pool_malloc(void *ctx, size_t size)
{
    struct pool *pool = ctx;
    struct block *b = NULL;

    if (size <= SIZE_MAX - sizeof(*b))
        b = malloc(sizeof(*b) + size);
    if (!b)
        longjmp(pool->out, 1);
    link_in(pool, b);
    return b + 1;
}

static void pool_free(void *ctx, void *p)
{
    (void)ctx;
    if (!p)
        return;
    unlink_block((struct block *)p - 1);
    free((struct block *)p - 1);
}

static void *pool_realloc(void *ctx, void *p, size_t size)
{
    struct pool *pool = ctx;
    struct block *b, *was;

    if (!p)
        return pool_malloc(ctx, size);
    was = (struct block *)p - 1;
    unlink_block(was);
    b = size <= SIZE_MAX - sizeof(*b) ? realloc(was, sizeof(*b) + size) : NULL;
    if (!b) {
        link_in(pool, was);
        longjmp(pool->out, 1);
    }
    link_in(pool, b);
    return b + 1;
}

static void pool_dispose(struct pool *pool)
{
    while (pool->blocks) {
        struct block *b = pool->blocks;

        unlink_block(b);
        free(b);
    }
}

static yajl_alloc_funcs pool_funcs(struct pool *pool)
{
    return (yajl_alloc_funcs){ pool_malloc, pool_realloc, pool_free, pool };
}

/* ---- parsing ---- */

#define KNOWN 512               /* slots of the cache of short texts */
#define SHORT 32                /* a value of up to so many bytes is in it */

struct reader {
    const char *text;
    size_t len;
    struct xlcfg__arena *arena;
    size_t frames[XLCFG__JSON_DEPTH];   /* where each begins on the stack */
    size_t depth;
    xlcfg_doc **stack;
    size_t count, room;
    xlcfg_doc *known[KNOWN];    /* names and values come again and again */
    const xlcfg_doc *last;      /* the object that was closed last */
    xlcfg_doc *root;
    size_t at;                  /* bytes taken when it ended */
    int code;                   /* why a callback stopped the parser */
    char why[160];
};

static int stop(struct reader *rd, int code, const char *why)
{
    rd->code = code;
    snprintf(rd->why, sizeof(rd->why), "%s", why);
    return 0;
}

static int no_memory(struct reader *rd)
{
    return stop(rd, XLCFG_ERROR_NOMEM, "out of memory");
}

static int push(struct reader *rd, xlcfg_doc *doc)
{
    if (!doc)
        return no_memory(rd);
    if (!rd->depth) {
        rd->root = doc;
        return 1;
    }
    if (rd->count == rd->room) {
        size_t more = rd->room ? rd->room * 2 : 64;
        xlcfg_doc **bigger = realloc(rd->stack, more * sizeof(*bigger));

        if (!bigger)
            return no_memory(rd);
        rd->stack = bigger;
        rd->room = more;
    }
    rd->stack[rd->count++] = doc;
    return 1;
}

/* yajl hands out the text itself where a string has no escapes, and takes
 * no control characters. */
static bool is_plain(const struct reader *rd, xlcfg_doc_type type,
                     const char *s, size_t len)
{
    uintptr_t from = (uintptr_t)rd->text, at = (uintptr_t)s;

    if (type == XLCFG_DOC_NUMBER)
        return xlcfg__number_is_plain(s, len);
    return (at >= from && at - from < rd->len) ||
        xlcfg__text_is_plain(s, len);
}

static xlcfg_doc *text_doc(struct reader *rd, xlcfg_doc_type type,
                           const char *s, size_t len)
{
    xlcfg_doc *doc = xlcfg__doc_in(rd->arena, type, len);

    if (!doc)
        return NULL;
    memcpy(doc->text, s, len);
    doc->text[len] = '\0';
    doc->plain = is_plain(rd, type, s, len);
    return doc;
}

/* The same document for the same text, if that was seen lately. */
static xlcfg_doc *known_doc(struct reader *rd, xlcfg_doc_type type,
                            const char *s, size_t len)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t slot = !len ? type : (type * 131u + len * 7 + u[0] * 31u +
                                 u[len / 2] * 61u + u[len - 1] * 17u) % KNOWN;
    xlcfg_doc *doc = rd->known[slot];

    if (!doc || doc->count != len || doc->type != type ||
        memcmp(doc->text, s, len))
        doc = rd->known[slot] = text_doc(rd, type, s, len);
    return doc;
}

static xlcfg_doc *value_doc(struct reader *rd, xlcfg_doc_type type,
                            const char *s, size_t len)
{
    return len > SHORT ? text_doc(rd, type, s, len)
        : known_doc(rd, type, s, len);
}

static int on_null(void *ctx)
{
    return push(ctx, xlcfg__doc_null());
}

static int on_bool(void *ctx, int truth)
{
    return push(ctx, xlcfg__doc_bool(truth));
}

/* Its canonical text can be some characters longer than the number, and
 * must be one that is read again. */
static bool too_long(const char *s, size_t len)
{
    char text[XLCFG__NUMBER_ROOM];

    return len > XLCFG__NUMBER_MAX ||
        (len > XLCFG__NUMBER_MAX - 16 &&
         xlcfg__number_text(s, len, text) > XLCFG__NUMBER_MAX);
}

static int on_number(void *ctx, const char *s, size_t len)
{
    if (too_long(s, len))
        return stop(ctx, XLCFG_ERROR_PARSE, "a number of over 1024 digits");
    return push(ctx, value_doc(ctx, XLCFG_DOC_NUMBER, s, len));
}

static int on_string(void *ctx, const unsigned char *s, size_t len)
{
    return push(ctx, value_doc(ctx, XLCFG_DOC_STRING, (const char *)s, len));
}

static int on_name(void *ctx, const unsigned char *s, size_t len)
{
    return push(ctx, known_doc(ctx, XLCFG_DOC_STRING, (const char *)s, len));
}

static int on_open(void *ctx)
{
    struct reader *rd = ctx;

    if (rd->depth == XLCFG__JSON_DEPTH)
        return stop(rd, XLCFG_ERROR_PARSE, "nested deeper than 64");
    rd->frames[rd->depth++] = rd->count;
    return 1;
}

static int by_name(const void *a, const void *b)
{
    const xlcfg_doc *x = *(xlcfg_doc *const *)a, *y = *(xlcfg_doc *const *)b;

    return strcmp(x->text, y->text);
}

/* A name that stands twice among the count names, or NULL. */
static const char *twice(const struct xlcfg_member *m, size_t count,
                         bool *nomem)
{
    xlcfg_doc **sorted;
    const char *found = NULL;

    if (count <= 24) {
        for (size_t i = 1; i < count; i++)
            for (size_t j = 0; j < i; j++)
                if (m[i].name == m[j].name ||
                    (m[i].name->count == m[j].name->count &&
                     !strcmp(m[i].name->text, m[j].name->text)))
                    return m[i].name->text;
        return NULL;
    }
    sorted = malloc(count * sizeof(*sorted));
    if (!sorted) {
        *nomem = true;
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = m[i].name;
    qsort(sorted, count, sizeof(*sorted), by_name);
    for (size_t i = 1; i < count && !found; i++)
        if (!strcmp(sorted[i]->text, sorted[i - 1]->text))
            found = sorted[i]->text;
    free(sorted);
    return found;
}

/* As in an array of devices: the very names of the object before. */
static bool same_names(const xlcfg_doc *last, const struct xlcfg_member *m,
                       size_t count)
{
    if (!last || last->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (last->members[i].name != m[i].name)
            return false;
    return true;
}

static int on_map_close(void *ctx)
{
    struct reader *rd = ctx;
    size_t start = rd->frames[--rd->depth];
    size_t count = (rd->count - start) / 2;
    /* name, value, name, value: the very shape of struct xlcfg_member */
    const struct xlcfg_member *m =
        count ? (struct xlcfg_member *)(rd->stack + start) : NULL;
    const char *again = NULL;
    bool nomem = false;
    xlcfg_doc *doc;
    char why[160];

    if (count && !same_names(rd->last, m, count))
        again = twice(m, count, &nomem);
    if (again) {
        snprintf(why, sizeof(why), "the key \"%.100s\" stands twice", again);
        return stop(rd, XLCFG_ERROR_PARSE, why);
    }
    doc = nomem ? NULL : xlcfg__doc_in(rd->arena, XLCFG_DOC_OBJECT, count);
    if (doc && count)
        memcpy(doc->members, m, count * sizeof(*m));
    rd->last = doc;
    rd->count = start;
    return push(rd, doc);
}

static int on_array_close(void *ctx)
{
    struct reader *rd = ctx;
    size_t start = rd->frames[--rd->depth];
    size_t count = rd->count - start;
    xlcfg_doc *doc = xlcfg__doc_in(rd->arena, XLCFG_DOC_ARRAY, count);

    if (doc && count)
        memcpy(doc->items, rd->stack + start, count * sizeof(*doc->items));
    rd->count = start;
    return push(rd, doc);
}

_Static_assert(sizeof(struct xlcfg_member) == 2 * sizeof(xlcfg_doc *),
               "a member is two pointers");

static const yajl_callbacks callbacks = {
    .yajl_null = on_null, .yajl_boolean = on_bool,
    .yajl_number = on_number, .yajl_string = on_string,
    .yajl_start_map = on_open, .yajl_map_key = on_name,
    .yajl_end_map = on_map_close, .yajl_start_array = on_open,
    .yajl_end_array = on_array_close,
};

/* yajl's own words for a syntax error: the first line of them. */
static void syntax_words(yajl_handle h, char *buf, size_t size)
{
    unsigned char *words = yajl_get_error(h, 0, NULL, 0);

    snprintf(buf, size, "not JSON: %s",
             words ? (const char *)words : "syntax error");
    buf[strcspn(buf, "\n")] = '\0';
    if (words)
        yajl_free_error(h, words);
}

static void run(struct reader *rd, struct pool *pool)
{
    yajl_alloc_funcs funcs = pool_funcs(pool);
    yajl_handle h = yajl_alloc(&callbacks, &funcs, rd);
    yajl_status st;

    st = yajl_parse(h, (const unsigned char *)rd->text, rd->len);
    rd->at = yajl_get_bytes_consumed(h);
    if (st == yajl_status_ok) {
        st = yajl_complete_parse(h);
        rd->at = rd->len;
    }
    if (st == yajl_status_error && !rd->code) {
        rd->code = XLCFG_ERROR_PARSE;
        syntax_words(h, rd->why, sizeof(rd->why));
    }
    if (!rd->code && (st != yajl_status_ok || !rd->root))
        stop(rd, XLCFG_ERROR_PARSE, "not JSON: the text ends too early");
    yajl_free(h);
}

/* The error of a reader, in words. */
static int failed(const struct reader *rd, xlcfg_error *err)
{
    char where[64] = "";

    if (rd->code == XLCFG_ERROR_PARSE)
        xlcfg__json_position(rd->text, rd->at < rd->len ? rd->at : rd->len,
                             where, sizeof(where));
    return xlcfg__err(err, rd->code, where, "%s", rd->why);
}

/* Documents take about twice the room of a dense text. */
static struct reader *reader_new(const char *text, size_t len)
{
    struct reader *rd = calloc(1, sizeof(*rd));

    if (!rd)
        return NULL;
    rd->text = text;
    rd->len = len;
    rd->arena = xlcfg__arena_new(len * 2);
    if (!rd->arena) {
        free(rd);
        return NULL;
    }
    return rd;
}

int xlcfg_doc_parse(const char *text, size_t len, xlcfg_doc **doc_r,
                    xlcfg_error *err)
{
    struct pool pool = { 0 };
    struct reader *rd;
    const char *why;
    char where[64];
    size_t at;
    int rc;

    if (len > XLCFG__JSON_SIZE)
        return xlcfg__err(err, XLCFG_ERROR_PARSE, NULL,
                          "%zu bytes of JSON: expected 64 MiB at most", len);
    why = xlcfg__json_bad_text(text, len, &at);
    if (why) {
        xlcfg__json_position(text, at, where, sizeof(where));
        return xlcfg__err(err, XLCFG_ERROR_PARSE, where, "%s", why);
    }
    rd = reader_new(text, len);
    if (!rd)
        return xlcfg__nomem(err);
    if (!setjmp(pool.out))
        run(rd, &pool);
    else
        no_memory(rd);
    pool_dispose(&pool);

    rc = rd->code;
    if (rc)
        failed(rd, err);
    else
        *doc_r = rd->root;
    /* the root holds the arena, unless it is outside of it */
    if (rc || rd->root->home != XLCFG__DOC_ARENA)
        xlcfg__arena_drop(rd->arena);
    free(rd->stack);
    free(rd);
    return rc;
}
