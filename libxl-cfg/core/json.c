/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON text to documents and back.  The only file that knows yajl; its
 * streaming parser and generator alone are used, numbers stay text.
 *
 * yajl does not check its allocations, so it gets an allocator of ours that
 * leaves by longjmp when memory runs out and then frees what yajl held.
 */
#include "core/doc.h"
#include "core/json.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>
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

struct frame {
    xlcfg_doc_type type;
    size_t start;               /* of its values on the stack */
};

#define NAMES 64                /* slots of the cache of member names */

struct reader {
    struct frame frames[XLCFG__JSON_DEPTH];
    size_t depth;
    xlcfg_doc **stack;
    size_t count, room;
    xlcfg_doc *names[NAMES];    /* the same names come again and again */
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

static int push(struct reader *rd, xlcfg_doc *doc)
{
    if (!doc)
        return stop(rd, XLCFG_ERROR_NOMEM, "out of memory");
    if (!rd->depth) {
        rd->root = doc;
        return 1;
    }
    if (rd->count == rd->room) {
        size_t more = rd->room ? rd->room * 2 : 64;
        xlcfg_doc **bigger = realloc(rd->stack, more * sizeof(*bigger));

        if (!bigger) {
            xlcfg_doc_free(doc);
            return stop(rd, XLCFG_ERROR_NOMEM, "out of memory");
        }
        rd->stack = bigger;
        rd->room = more;
    }
    rd->stack[rd->count++] = doc;
    return 1;
}

/* Length of one UTF-8 sequence at s, 0 if it is none. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
    static const unsigned min[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf8 ? 0 : s[0] >= 0xf0 ? 4 :
        s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
    unsigned cp;

    if (n < 2 || n > left)
        return n == 1;
    cp = s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (s[i] & 0x3fu);
    }
    if (cp < min[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        return 0;
    return n;
}

bool xlcfg__utf8_ok(const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;

    while (len) {
        size_t n = utf8_len(p, len);

        if (!n)
            return false;
        p += n;
        len -= n;
    }
    return true;
}

static int check_text(struct reader *rd, const unsigned char *s, size_t len)
{
    if (memchr(s, 0, len))
        return stop(rd, XLCFG_ERROR_PARSE, "NUL in a string");
    if (!xlcfg__utf8_ok((const char *)s, len))
        return stop(rd, XLCFG_ERROR_PARSE, "invalid UTF-8 in a string");
    return 1;
}

static int on_null(void *ctx)
{
    return push(ctx, xlcfg__doc_null());
}

static int on_bool(void *ctx, int truth)
{
    return push(ctx, xlcfg__doc_bool(truth));
}

static int on_number(void *ctx, const char *s, size_t len)
{
    if (len > XLCFG__JSON_NUMBER)
        return stop(ctx, XLCFG_ERROR_PARSE, "a number of over 1024 digits");
    return push(ctx, xlcfg__doc_numn(s, len));
}

static int on_string(void *ctx, const unsigned char *s, size_t len)
{
    return check_text(ctx, s, len) &&
        push(ctx, xlcfg__doc_strn((const char *)s, len));
}

static int on_name(void *ctx, const unsigned char *s, size_t len)
{
    struct reader *rd = ctx;
    unsigned slot = (unsigned)len;
    xlcfg_doc *name;

    if (!check_text(rd, s, len))
        return 0;
    for (size_t i = 0; i < len; i++)
        slot = slot * 31 + s[i];
    slot %= NAMES;
    name = rd->names[slot];
    if (name && name->count == len && !memcmp(name->text, s, len))
        return push(rd, xlcfg_doc_ref(name));
    name = xlcfg__doc_strn((const char *)s, len);
    if (name) {
        xlcfg_doc_free(rd->names[slot]);
        rd->names[slot] = xlcfg_doc_ref(name);
    }
    return push(rd, name);
}

static int open_frame(struct reader *rd, xlcfg_doc_type type)
{
    if (rd->depth == XLCFG__JSON_DEPTH)
        return stop(rd, XLCFG_ERROR_PARSE, "nested deeper than 64");
    rd->frames[rd->depth++] = (struct frame){ type, rd->count };
    return 1;
}

static int on_map_open(void *ctx)
{
    return open_frame(ctx, XLCFG_DOC_OBJECT);
}

static int on_array_open(void *ctx)
{
    return open_frame(ctx, XLCFG_DOC_ARRAY);
}

static int by_name(const void *a, const void *b)
{
    const xlcfg_doc *x = *(xlcfg_doc *const *)a, *y = *(xlcfg_doc *const *)b;

    return strcmp(x->text, y->text);
}

/* A name that stands twice among the count names, or NULL. */
static const char *twice(struct xlcfg_member *m, size_t count,
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

/* What was pushed from start on; the stack is NULL until the first push. */
static xlcfg_doc **pushed(struct reader *rd, size_t start)
{
    return rd->stack ? rd->stack + start : NULL;
}

static int on_map_close(void *ctx)
{
    struct reader *rd = ctx;
    size_t start = rd->frames[--rd->depth].start;
    /* name, value, name, value: the very shape of struct xlcfg_member */
    struct xlcfg_member *m = (struct xlcfg_member *)pushed(rd, start);
    size_t count = (rd->count - start) / 2;
    bool nomem = false;
    const char *again = count ? twice(m, count, &nomem) : NULL;
    char why[160];

    if (again) {
        snprintf(why, sizeof(why), "the key \"%.100s\" stands twice", again);
        return stop(rd, XLCFG_ERROR_PARSE, why);
    }
    if (nomem)
        return stop(rd, XLCFG_ERROR_NOMEM, "out of memory");
    rd->count = start;
    return push(rd, xlcfg__doc_object(m, count));
}

static int on_array_close(void *ctx)
{
    struct reader *rd = ctx;
    size_t start = rd->frames[--rd->depth].start;
    size_t count = rd->count - start;

    rd->count = start;
    return push(rd, xlcfg__doc_items(pushed(rd, start), count));
}

_Static_assert(sizeof(struct xlcfg_member) == 2 * sizeof(xlcfg_doc *),
               "a member is two pointers");

static void position(const char *text, size_t at, char *buf, size_t size)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < at; i++) {
        column++;
        if (text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    snprintf(buf, size, "line %zu column %zu", line, column);
}

static int hex4(const char *s, size_t left)
{
    int n = 0;

    if (left < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int d = c >= '0' && c <= '9' ? c - '0' :
            c >= 'a' && c <= 'f' ? c - 'a' + 10 :
            c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

        if (d < 0)
            return -1;
        n = n << 4 | d;
    }
    return n;
}

/*
 * Where half a surrogate pair is escaped, or len.  yajl would put a question
 * mark in its place, which is a change of the data.
 */
static size_t lone_surrogate(const char *s, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        int hi, lo;

        if (s[i] != '\\')
            continue;
        if (s[i + 1] != 'u') {
            i++;
            continue;
        }
        hi = hex4(s + i + 2, len - i - 2);
        if (hi >= 0xdc00 && hi < 0xe000)
            return i;
        if (hi < 0xd800 || hi >= 0xe000) {
            i++;
            continue;
        }
        lo = -1;
        if (i + 12 <= len && s[i + 6] == '\\' && s[i + 7] == 'u')
            lo = hex4(s + i + 8, len - i - 8);
        if (lo < 0xdc00 || lo >= 0xe000)
            return i;
        i += 11;
    }
    return len;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null, .yajl_boolean = on_bool,
    .yajl_number = on_number, .yajl_string = on_string,
    .yajl_start_map = on_map_open, .yajl_map_key = on_name,
    .yajl_end_map = on_map_close, .yajl_start_array = on_array_open,
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

static void run(struct reader *rd, struct pool *pool, const char *text,
                size_t len)
{
    yajl_alloc_funcs funcs = pool_funcs(pool);
    yajl_handle h = yajl_alloc(&callbacks, &funcs, rd);
    yajl_status st;

    st = yajl_parse(h, (const unsigned char *)text, len);
    rd->at = yajl_get_bytes_consumed(h);
    if (st == yajl_status_ok) {
        st = yajl_complete_parse(h);
        rd->at = len;
    }
    if (st == yajl_status_error && !rd->code) {
        rd->code = XLCFG_ERROR_PARSE;
        syntax_words(h, rd->why, sizeof(rd->why));
    }
    if (!rd->code && (st != yajl_status_ok || !rd->root))
        stop(rd, XLCFG_ERROR_PARSE, "not JSON: the text ends too early");
    yajl_free(h);
}

int xlcfg_doc_parse(const char *text, size_t len, xlcfg_doc **doc_r,
                    xlcfg_error *err)
{
    struct reader *rd;
    struct pool pool = { 0 };
    size_t half;
    char where[64];
    int rc;

    if (len > XLCFG__JSON_SIZE)
        return xlcfg__err(err, XLCFG_ERROR_PARSE, NULL,
                          "%zu bytes of JSON: expected 64 MiB at most", len);
    half = lone_surrogate(text, len);
    if (half != len) {
        position(text, half, where, sizeof(where));
        return xlcfg__err(err, XLCFG_ERROR_PARSE, where,
                          "half a UTF-16 surrogate pair");
    }
    rd = calloc(1, sizeof(*rd));
    if (!rd)
        return xlcfg__nomem(err);
    if (!setjmp(pool.out))
        run(rd, &pool, text, len);
    else
        stop(rd, XLCFG_ERROR_NOMEM, "out of memory");
    pool_dispose(&pool);

    rc = rd->code;
    if (rc) {
        where[0] = '\0';
        if (rc == XLCFG_ERROR_PARSE)
            position(text, rd->at < len ? rd->at : len, where, sizeof(where));
        xlcfg__err(err, rc, where, "%s", rd->why);
        xlcfg_doc_free(rd->root);
    } else {
        *doc_r = rd->root;
    }
    for (size_t i = 0; i < rd->count; i++)
        xlcfg_doc_free(rd->stack[i]);
    for (size_t i = 0; i < NAMES; i++)
        xlcfg_doc_free(rd->names[i]);
    free(rd->stack);
    free(rd);
    return rc;
}

/* ---- printing ---- */

struct writer {
    yajl_gen gen;
    struct pool *pool;
    bool canonical;
    yajl_gen_status st;
};

/*
 * A number's one text: integers plain (1e3 is 1000), others as shortest
 * digits with an exponent.  buf holds XLCFG__JSON_NUMBER + 64 bytes.
 */
static size_t plain_number(const char *s, size_t len, char *buf)
{
    char digits[XLCFG__JSON_NUMBER + 1];
    size_t n = 0, out = 0, i = 0;
    long exp = 0;
    bool minus = s[0] == '-', point = false;

    for (i = minus; i < len && s[i] != 'e' && s[i] != 'E'; i++) {
        if (s[i] == '.') {
            point = true;
            continue;
        }
        if (point)
            exp--;
        if (n || s[i] != '0')
            digits[n++] = s[i];
    }
    if (!n) {
        buf[0] = '0';
        return 1;
    }
    if (i < len) {
        /* strtol saturates, which keeps absurd exponents apart from sane */
        long e = strtol(s + i + 1, NULL, 10);

        if (e > 1000000 || e < -1000000) {
            memcpy(buf, s, len);
            return len;
        }
        exp += e;
    }
    while (n && digits[n - 1] == '0') {
        n--;
        exp++;
    }
    if (minus)
        buf[out++] = '-';
    memcpy(buf + out, digits, n);
    out += n;
    if (exp >= 0 && exp <= 40) {
        memset(buf + out, '0', (size_t)exp);
        return out + (size_t)exp;
    }
    return out + (size_t)sprintf(buf + out, "e%ld", exp);
}

/* Short enough that plain_number would write it out in full, too. */
static bool is_plain(const char *s, size_t len)
{
    if (len > 40)
        return false;
    for (size_t i = 0; i < len; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

static int by_member(const void *a, const void *b)
{
    const struct xlcfg_member *x = a, *y = b;

    return strcmp(x->name->text, y->name->text);
}

static void emit(struct writer *w, const xlcfg_doc *doc);

static void emit_member(struct writer *w, const struct xlcfg_member *m)
{
    w->st = yajl_gen_string(w->gen, (const unsigned char *)m->name->text,
                            m->name->count);
    emit(w, m->value);
}

static void emit_object(struct writer *w, const xlcfg_doc *doc)
{
    struct xlcfg_member few[64], *v = doc->members;

    if (w->canonical && doc->count) {
        /* from the pool, so that a longjmp out of yajl frees it too */
        if (doc->count <= 64)
            v = few;
        else
            v = pool_malloc(w->pool, doc->count * sizeof(*v));
        memcpy(v, doc->members, doc->count * sizeof(*v));
        qsort(v, doc->count, sizeof(*v), by_member);
    }
    w->st = yajl_gen_map_open(w->gen);
    for (size_t i = 0; i < doc->count && w->st == yajl_gen_status_ok; i++)
        emit_member(w, &v[i]);
    if (w->st == yajl_gen_status_ok)
        w->st = yajl_gen_map_close(w->gen);
    if (v != few && v != doc->members)
        pool_free(w->pool, v);
}

static void emit_number(struct writer *w, const xlcfg_doc *doc)
{
    char buf[XLCFG__JSON_NUMBER + 64];
    const char *s = doc->text;
    size_t len = doc->count;

    if (w->canonical && !is_plain(s, len)) {
        len = plain_number(doc->text, doc->count, buf);
        s = buf;
    }
    w->st = yajl_gen_number(w->gen, s, len);
}

static void emit(struct writer *w, const xlcfg_doc *doc)
{
    if (w->st != yajl_gen_status_ok)
        return;
    switch (xlcfg_doc_kind(doc)) {
    case XLCFG_DOC_NULL:
        w->st = yajl_gen_null(w->gen);
        return;
    case XLCFG_DOC_BOOL:
        w->st = yajl_gen_bool(w->gen, doc->truth);
        return;
    case XLCFG_DOC_NUMBER:
        emit_number(w, doc);
        return;
    case XLCFG_DOC_STRING:
        w->st = yajl_gen_string(w->gen, (const unsigned char *)doc->text,
                                doc->count);
        return;
    case XLCFG_DOC_ARRAY:
        w->st = yajl_gen_array_open(w->gen);
        for (size_t i = 0; i < doc->count; i++)
            emit(w, doc->items[i]);
        if (w->st == yajl_gen_status_ok)
            w->st = yajl_gen_array_close(w->gen);
        return;
    case XLCFG_DOC_OBJECT:
        emit_object(w, doc);
        return;
    }
}

/* Run the generator; the text stays yajl's until yajl_gen_free. */
static int generate(struct writer *w, const xlcfg_doc *doc, unsigned flags,
                    const unsigned char **text_r, size_t *len_r)
{
    w->canonical = flags & XLCFG_PRINT_CANONICAL;
    if (flags & XLCFG_PRINT_PRETTY) {
        yajl_gen_config(w->gen, yajl_gen_beautify, 1);
        yajl_gen_config(w->gen, yajl_gen_indent_string, "  ");
    }
    emit(w, doc);
    if (w->st == yajl_gen_status_ok)
        w->st = yajl_gen_get_buf(w->gen, text_r, len_r);
    return w->st == yajl_gen_status_ok ? 0 : XLCFG_ERROR_FAIL;
}

int xlcfg__json_emit(const xlcfg_doc *doc, unsigned flags,
                     int (*take)(void *arg, const char *text, size_t len),
                     void *arg, xlcfg_error *err)
{
    struct pool pool = { 0 };
    yajl_alloc_funcs funcs = pool_funcs(&pool);
    const unsigned char *text;
    size_t len;
    volatile int rc;

    if (setjmp(pool.out)) {
        rc = XLCFG_ERROR_NOMEM;
    } else {
        struct writer w = { yajl_gen_alloc(&funcs), &pool, false, 0 };

        rc = generate(&w, doc, flags, &text, &len);
        if (!rc)
            rc = take(arg, (const char *)text, len);
    }
    pool_dispose(&pool);
    if (rc == XLCFG_ERROR_NOMEM)
        return xlcfg__nomem(err);
    if (rc)
        return xlcfg__err(err, rc, NULL, "the document cannot be printed");
    return 0;
}

struct copy {
    char *text;
    size_t len;
};

static int take_copy(void *arg, const char *text, size_t len)
{
    struct copy *c = arg;

    c->text = malloc(len + 1);
    if (!c->text)
        return XLCFG_ERROR_NOMEM;
    memcpy(c->text, text, len);
    c->text[len] = '\0';
    c->len = len;
    return 0;
}

int xlcfg_doc_print(const xlcfg_doc *doc, unsigned flags, char **text_r,
                    size_t *len_r, xlcfg_error *err)
{
    struct copy c = { 0 };
    int rc;

    rc = xlcfg__json_emit(doc, flags, take_copy, &c, err);
    if (rc)
        return rc;
    *text_r = c.text;
    if (len_r)
        *len_r = c.len;
    return 0;
}
