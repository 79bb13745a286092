/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libxl makes of a configuration, compared with what was given.  There
 * is no list of libxl's members here: whether it knows one, and of what type,
 * is seen by giving it a value there and looking at what it prints.
 */
#include "driver/xen_plug_config.h"

#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_DEPTH 16

struct step {
    const char *name;           /* NULL: an element of an array */
    size_t at;
};

struct search {
    libxl_ctx *ctx;
    struct step path[MAX_DEPTH];
    size_t depth;
    bool failed;                /* no memory */
};

static bool enter(struct search *s, const char *name, size_t at)
{
    if (s->depth == MAX_DEPTH)
        return false;
    s->path[s->depth++] = (struct step){ name, at };
    return true;
}

static int blame(const struct search *s, xlcfg_error *err, const char *what)
{
    char where[512] = "";
    size_t len = 0;

    for (size_t i = 0; i < s->depth && len < sizeof(where); i++) {
        int n = s->path[i].name
            ? snprintf(where + len, sizeof(where) - len, "/%s",
                       s->path[i].name)
            : snprintf(where + len, sizeof(where) - len, "/%zu",
                       s->path[i].at);

        len += (size_t)n;
    }
    return xlcfg__err(err, XLCFG_ERROR_INVAL, *where ? where : "/", "%s",
                      what);
}

/* The configuration that holds this value alone, where it stands. */
static xlcfg_doc *alone(const struct search *s, const xlcfg_doc *value)
{
    xlcfg_doc *doc = xlcfg_doc_ref(value);

    for (size_t i = s->depth; i-- > 0;) {
        xlcfg__members m = { 0 };
        xlcfg__items it = { 0 };

        if (s->path[i].name) {
            xlcfg__members_add(&m, s->path[i].name, doc);
            doc = xlcfg__members_end(&m);
        } else {
            xlcfg__items_add(&it, doc);
            doc = xlcfg__items_end(&it);
        }
    }
    return doc;
}

/* What libxl does with this value, alone where it stands. */
enum taken { NOT_READ, LEFT_OUT, TAKEN };

/* Is there anything at the path?  An array has the one element there. */
static bool is_there(const struct search *s, const xlcfg_doc *doc)
{
    for (size_t i = 0; i < s->depth; i++)
        doc = s->path[i].name ? xlcfg_doc_get(doc, s->path[i].name)
                              : xlcfg_doc_at(doc, 0);
    return doc;
}

static enum taken take(struct search *s, const xlcfg_doc *value)
{
    xlcfg_doc *doc = alone(s, value), *got = NULL;
    enum taken taken = NOT_READ;
    libxl_domain_config config;
    char *json = NULL, *text = NULL;

    libxl_domain_config_init(&config);
    if (!doc || xlcfg_doc_print(doc, 0, &json, NULL, NULL)) {
        s->failed = true;
    } else if (!libxl_domain_config_from_json(s->ctx, &config, json)) {
        text = libxl_domain_config_to_json(s->ctx, &config);
        if (!text || xlcfg_doc_parse(text, strlen(text), &got, NULL))
            s->failed = true;
        taken = got && is_there(s, got) ? TAKEN : LEFT_OUT;
    }
    libxl_domain_config_dispose(&config);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(got);
    free(json);
    free(text);
    return taken;
}

/* Go down to the smallest value that libxl does not read by itself. */
static void find_bad(struct search *s, const xlcfg_doc *value)
{
    bool object = xlcfg_doc_kind(value) == XLCFG_DOC_OBJECT;

    if (!object && xlcfg_doc_kind(value) != XLCFG_DOC_ARRAY)
        return;
    for (size_t i = 0; i < xlcfg_doc_count(value); i++) {
        const xlcfg_doc *inner = object ? value->members[i].value
                                        : value->items[i];

        if (!enter(s, object ? value->members[i].name->text : NULL, i))
            return;
        if (take(s, inner) == NOT_READ && !s->failed) {
            find_bad(s, inner);
            return;
        }
        s->depth--;
    }
}

/* ---- what was read, against what was given ---- */

bool xlcfg__xen_is_silence(const xlcfg_doc *doc)
{
    switch (xlcfg_doc_kind(doc)) {
    case XLCFG_DOC_NULL:
        return true;
    case XLCFG_DOC_BOOL:
        return !doc->truth;
    case XLCFG_DOC_NUMBER:
        return !strcmp(doc->text, "0");
    case XLCFG_DOC_STRING:
    case XLCFG_DOC_ARRAY:
    case XLCFG_DOC_OBJECT:
        return !doc->count;
    }
    return false;
}

static bool is_taken(struct search *s, const char *json)
{
    xlcfg_doc *doc = NULL;
    enum taken taken;

    if (xlcfg_doc_parse(json, strlen(json), &doc, NULL)) {
        s->failed = true;
        return true;
    }
    taken = take(s, doc);
    xlcfg_doc_free(doc);
    /* a word that it refuses is one where it wants a word */
    return taken == TAKEN || taken == NOT_READ;
}

/* Given, and not among what libxl has read: its own default, or of another
 * type than the member's, which libxl passes over, or no member at all. */
static int judge_absent(struct search *s, const xlcfg_doc *given,
                        xlcfg_error *err)
{
    static const struct {
        enum xlcfg_doc_type type;
        const char *tries[2];   /* one of them is not the default */
        const char *words;
    } types[] = {
        { XLCFG_DOC_NUMBER, { "7", "9" }, "expected a number" },
        { XLCFG_DOC_BOOL, { "true", "false" }, "expected true or false" },
        { XLCFG_DOC_STRING, { "\"?\"", "\"?\"" }, "expected a text" },
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!is_taken(s, types[i].tries[0]) &&
            !is_taken(s, types[i].tries[1]))
            continue;
        return types[i].type == xlcfg_doc_kind(given) ? 0
            : blame(s, err, types[i].words);
    }
    return blame(s, err, "libxl knows no such member");
}

static bool is_same(const xlcfg_doc *given, const xlcfg_doc *got)
{
    const char *a = xlcfg_doc_string(given), *b = xlcfg_doc_string(got);
    int64_t n;

    if (a && b)
        return !strcasecmp(a, b);
    if (a && xlcfg_doc_kind(got) == XLCFG_DOC_NUMBER)
        return !strcmp(a, got->text);
    if (xlcfg__doc_is_int(given, INT64_MIN, INT64_MAX, &n))
        return xlcfg__doc_to_int(got, ~n) == n;
    return xlcfg_doc_kind(given) != xlcfg_doc_kind(got) ||
        xlcfg__doc_equal(given, got);
}

static int compare(struct search *s, const xlcfg_doc *given,
                   const xlcfg_doc *got, xlcfg_error *err);

/* Element by element; got NULL: libxl has read nothing here. */
static int compare_inner(struct search *s, const xlcfg_doc *given,
                         const xlcfg_doc *got, xlcfg_error *err)
{
    bool object = xlcfg_doc_kind(given) == XLCFG_DOC_OBJECT;
    int rc = 0;

    for (size_t i = 0; i < xlcfg_doc_count(given) && !rc; i++) {
        const char *name = object ? given->members[i].name->text : NULL;
        const xlcfg_doc *inner = object ? given->members[i].value
                                        : given->items[i];

        if ((name && !strncmp(name, "x-", 2)) || !enter(s, name, i))
            continue;
        rc = compare(s, inner, !got ? NULL : object
                     ? xlcfg_doc_get(got, name) : xlcfg_doc_at(got, i), err);
        if (!rc)
            s->depth--;
    }
    return rc;
}

static bool is_list_of_objects(const xlcfg_doc *doc)
{
    return xlcfg_doc_kind(doc) == XLCFG_DOC_ARRAY && xlcfg_doc_count(doc) &&
        xlcfg_doc_kind(xlcfg_doc_at(doc, 0)) == XLCFG_DOC_OBJECT;
}

static int compare(struct search *s, const xlcfg_doc *given,
                   const xlcfg_doc *got, xlcfg_error *err)
{
    bool inner = xlcfg_doc_kind(given) == XLCFG_DOC_OBJECT ||
        is_list_of_objects(given);

    if (!got && xlcfg__xen_is_silence(given))
        return 0;
    if (inner)
        return compare_inner(s, given, got, err);
    if (!got)
        return judge_absent(s, given, err);
    /* of a list of numbers libxl keeps the set */
    if (xlcfg_doc_kind(given) == XLCFG_DOC_ARRAY || is_same(given, got))
        return 0;
    return blame(s, err, "libxl reads another value here");
}

int xlcfg__xen_config_read(libxl_ctx *ctx, const xlcfg_doc *doc,
                           libxl_domain_config *config, xlcfg_error *err)
{
    struct search s = { .ctx = ctx };
    char *json = NULL, *text = NULL;
    xlcfg_doc *got = NULL;
    int rc;

    rc = xlcfg_doc_print(doc, 0, &json, NULL, err);
    if (rc)
        return rc;
    if (libxl_domain_config_from_json(ctx, config, json)) {
        find_bad(&s, doc);
        rc = blame(&s, err, "libxl does not read this value");
    } else {
        text = libxl_domain_config_to_json(ctx, config);
        rc = text ? xlcfg_doc_parse(text, strlen(text), &got, err)
                  : xlcfg__nomem(err);
    }
    if (!rc)
        rc = compare(&s, doc, got, err);
    if (!rc && s.failed)
        rc = xlcfg__nomem(err);
    xlcfg_doc_free(got);
    free(json);
    free(text);
    return rc;
}
