/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libxl makes of a configuration, compared with what was given.  There
 * is no list of libxl's members here: whether it knows one, and of what type,
 * is seen by giving it a value there and looking at what it prints
 * (xen_plug_take.c).
 */
#include "driver/xen_plug_config.h"
#include "driver/xen_plug_take.h"

#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int blame(const struct xlcfg__search *s, xlcfg_error *err,
                 const char *what)
{
    char where[512] = "";
    size_t len = 0;

    for (size_t i = s->hidden; i < s->depth && len < sizeof(where) - 1; i++) {
        const char *name = s->path[i].name;

        if (!name)
            len += (size_t)snprintf(where + len, sizeof(where) - len, "/%zu",
                                    s->path[i].at);
        else
            len += xlcfg__pointer_step(where + len, sizeof(where) - len,
                                       name);
    }
    return xlcfg__err(err, XLCFG_ERROR_INVAL, *where ? where : "/", "%s",
                      what);
}

/* Go down to the smallest value that libxl does not read by itself. */
static const xlcfg_doc *find_bad(struct xlcfg__search *s,
                                 const xlcfg_doc *value)
{
    bool object = xlcfg_doc_kind(value) == XLCFG_DOC_OBJECT;

    if (!object && xlcfg_doc_kind(value) != XLCFG_DOC_ARRAY)
        return value;
    for (size_t i = 0; i < xlcfg_doc_count(value); i++) {
        const xlcfg_doc *inner = object ? value->members[i].value
                                        : value->items[i];

        if (!xlcfg__search_enter(s, object ? value->members[i].name->text
                                 : NULL, i))
            return value;
        if (xlcfg__search_take(s, inner) == XLCFG__NOT_READ && !s->failed)
            return find_bad(s, inner);
        s->depth--;
    }
    return value;
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

/* A whole number that libxl has room for, or its mark for none. */
static bool is_whole(const xlcfg_doc *given)
{
    int64_t n;

    return xlcfg__doc_is_int(given, INT64_MIN, INT64_MAX, &n) ||
        !strcmp(given->text, "18446744073709551615");
}

/* Given, and not among what libxl has read: its own default, or of another
 * type than the member's, which libxl passes over, or no member at all. */
static int judge_absent(struct xlcfg__search *s, const xlcfg_doc *given,
                        xlcfg_error *err)
{
    enum xlcfg_doc_type want, is = xlcfg_doc_kind(given);
    bool known = xlcfg__search_type(s, &want);
    char words[400];

    if (is == XLCFG_DOC_NULL)
        return 0;
    if (!known)                 /* a struct that says nothing is not printed */
        return is >= XLCFG_DOC_ARRAY && !xlcfg_doc_count(given) ? 0
            : blame(s, err, "libxl knows no such member");
    if (is == want && is == XLCFG_DOC_ARRAY ? !xlcfg_doc_count(given)
        : is == want && (is != XLCFG_DOC_NUMBER || is_whole(given)))
        return 0;
    xlcfg__search_expected(s, want, given, words, sizeof(words));
    return blame(s, err, words);
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

static int compare(struct xlcfg__search *s, const xlcfg_doc *given,
                   const xlcfg_doc *got, xlcfg_error *err);

/* Element by element; got NULL: libxl has read nothing here. */
static int compare_inner(struct xlcfg__search *s, const xlcfg_doc *given,
                         const xlcfg_doc *got, xlcfg_error *err)
{
    bool object = xlcfg_doc_kind(given) == XLCFG_DOC_OBJECT;
    int rc = 0;

    for (size_t i = 0; i < xlcfg_doc_count(given) && !rc; i++) {
        const char *name = object ? given->members[i].name->text : NULL;
        const xlcfg_doc *inner = object ? given->members[i].value
                                        : given->items[i];

        if ((name && !strncmp(name, "x-", 2)) || !xlcfg__search_enter(s, name, i))
            continue;
        rc = compare(s, inner, !got ? NULL : object
                     ? xlcfg_doc_get(got, name) : xlcfg_doc_at(got, i), err);
        if (!rc)
            s->depth--;
    }
    return rc;
}

static bool has_objects(const xlcfg_doc *doc)
{
    return xlcfg_doc_kind(doc) == XLCFG_DOC_ARRAY && xlcfg_doc_count(doc) &&
        xlcfg_doc_kind(xlcfg_doc_at(doc, 0)) == XLCFG_DOC_OBJECT;
}

static int compare_absent(struct xlcfg__search *s, const xlcfg_doc *given,
                          xlcfg_error *err)
{
    bool inner = xlcfg_doc_kind(given) == XLCFG_DOC_OBJECT
        ? xlcfg_doc_count(given) > 0 : has_objects(given);

    return inner ? compare_inner(s, given, NULL, err)
                 : judge_absent(s, given, err);
}

static int compare(struct xlcfg__search *s, const xlcfg_doc *given,
                   const xlcfg_doc *got, xlcfg_error *err)
{
    enum xlcfg_doc_type is = xlcfg_doc_kind(given);
    bool element = s->depth && !s->path[s->depth - 1].name;
    int64_t n;

    if (is == XLCFG_DOC_NULL && !element)
        return 0;
    if (!got)
        return compare_absent(s, given, err);
    if (xlcfg_doc_kind(got) == XLCFG_DOC_OBJECT)
        return is != XLCFG_DOC_OBJECT ? blame(s, err, "expected an object")
            : compare_inner(s, given, got, err);
    if (xlcfg_doc_kind(got) == XLCFG_DOC_ARRAY && is != XLCFG_DOC_ARRAY)
        return blame(s, err, "expected a list");
    if (is == XLCFG_DOC_ARRAY)          /* of numbers libxl keeps the set */
        return has_objects(given) || has_objects(got)
            ? compare_inner(s, given, got, err) : 0;
    if (!is_same(given, got))
        return blame(s, err, "libxl reads another value here");
    /* below zero libxl has defaults alone, and those it does not print */
    if (is == XLCFG_DOC_NUMBER && xlcfg__doc_is_int(given, INT64_MIN, -1, &n))
        return blame(s, err, "expected a number from 0 on");
    return 0;
}

static int read_doc(libxl_ctx *ctx, struct xlcfg__search *s,
                    const xlcfg_doc *doc, libxl_domain_config *config,
                    xlcfg_error *err)
{
    char *json = NULL, *text = NULL, words[400];
    xlcfg_doc *got = NULL;
    int rc;

    rc = xlcfg_doc_print(doc, 0, &json, NULL, err);
    if (rc)
        return rc;
    if (libxl_domain_config_from_json(ctx, config, json)) {
        xlcfg__search_expected(s, XLCFG_DOC_NULL, find_bad(s, doc), words,
                               sizeof(words));
        rc = blame(s, err, words);
    } else {
        text = libxl_domain_config_to_json(ctx, config);
        rc = text ? xlcfg_doc_parse(text, strlen(text), &got, err)
                  : xlcfg__nomem(err);
    }
    if (!rc)
        rc = compare(s, doc, got, err);
    if (s->failed)
        rc = xlcfg__nomem(err);
    xlcfg_doc_free(got);
    free(json);
    free(text);
    return rc;
}

int xlcfg__xen_config_read(libxl_ctx *ctx, const xlcfg_doc *doc,
                           libxl_domain_config *config, xlcfg_error *err)
{
    struct xlcfg__search s = { .ctx = ctx };

    return read_doc(ctx, &s, doc, config, err);
}

int xlcfg__xen_body_read(libxl_ctx *ctx, const char *array,
                         const xlcfg_doc *body, xlcfg_error *err)
{
    struct xlcfg__search s = { .ctx = ctx, .hidden = 2 };
    libxl_domain_config config;
    xlcfg__members m = { 0 };
    xlcfg__items it = { 0 };
    xlcfg_doc *whole;
    int rc;

    xlcfg__items_add(&it, xlcfg_doc_ref(body));
    xlcfg__members_add(&m, array, xlcfg__items_end(&it));
    whole = xlcfg__members_end(&m);
    if (!whole)
        return xlcfg__nomem(err);
    libxl_domain_config_init(&config);
    rc = read_doc(ctx, &s, whole, &config, err);
    libxl_domain_config_dispose(&config);
    xlcfg_doc_free(whole);
    return rc;
}
