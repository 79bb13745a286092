/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A template against the schema that is given out for it.  Of JSON Schema
 * this reads what those files say of single values: $ref, type, enum,
 * minimum, maximum, pattern, properties, items.  Which members there must be
 * is judged elsewhere, device by device.
 */
#include "ops/sift.h"
#include "core/number.h"
#include "libxl_cfg.h"

#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMAS 24
#define PATTERNS 16
#define DEEP 64                 /* nobody's template is deeper; refs end */

/* ---- the schemas, taken apart once ---- */

struct schema {
    const xlcfg_doc *root, *at;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { char name[32]; xlcfg_doc *doc; } roots[SCHEMAS];
static struct { const xlcfg_doc *of; regex_t re; bool fine; }
    patterns[PATTERNS];

/* NULL: no such schema, or no memory. */
static const xlcfg_doc *root_of(const char *name, size_t len)
{
    const xlcfg_doc *found = NULL;
    char key[32];
    size_t i;

    if (len >= sizeof(key))
        return NULL;
    snprintf(key, sizeof(key), "%.*s", (int)len, name);
    pthread_mutex_lock(&lock);
    for (i = 0; i < SCHEMAS && roots[i].doc; i++)
        if (!strcmp(roots[i].name, key))
            break;
    if (i < SCHEMAS && !roots[i].doc) {
        const char *text = xlcfg_schema(key);

        if (text && !xlcfg_doc_parse(text, strlen(text), &roots[i].doc,
                                     NULL))
            strcpy(roots[i].name, key);
    }
    if (i < SCHEMAS)
        found = roots[i].doc;
    pthread_mutex_unlock(&lock);
    return found;
}

/* Follow $ref: "types.json#/$defs/mac", "#/$defs/x", "device-nic.json". */
static struct schema resolve(struct schema s)
{
    for (int i = 0; s.at && i < DEEP; i++) {
        const char *ref = xlcfg__doc_getstr(s.at, "$ref");
        size_t file, name;

        if (!ref)
            return s;
        file = strcspn(ref, "#");
        name = file > 5 && !strncmp(ref + file - 5, ".json", 5) ? file - 5
            : file;
        if (file)
            s.root = root_of(ref, name);
        s.at = s.root ? xlcfg_doc_pointer(s.root, ref[file] ? ref + file + 1
                                          : "") : NULL;
    }
    return s;
}

/* Does the text match?  A pattern that cannot be had says nothing. */
static bool matches(const xlcfg_doc *pattern, const char *text)
{
    regex_t *re = NULL;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < PATTERNS && !re; i++) {
        if (!patterns[i].of) {
            patterns[i].of = pattern;
            patterns[i].fine = !regcomp(&patterns[i].re,
                                        xlcfg_doc_string(pattern),
                                        REG_EXTENDED | REG_NOSUB);
        }
        if (patterns[i].of == pattern && patterns[i].fine)
            re = &patterns[i].re;
    }
    pthread_mutex_unlock(&lock);
    return !re || !regexec(re, text, 0, NULL, 0);
}

/* ---- one value ---- */

/* <0, 0, >0 of whole numbers written plainly, of any length. */
static int order(const char *a, const char *b)
{
    bool minus = *a == '-';
    size_t la, lb;
    int r;

    if (minus != (*b == '-'))
        return minus ? -1 : 1;
    a += minus;
    b += minus;
    la = strlen(a);
    lb = strlen(b);
    r = la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
    return minus ? -r : r;
}

static bool is_whole(const char *text)
{
    text += *text == '-';
    return *text && !text[strspn(text, "0123456789")];
}

static bool is_type(const char *type, const xlcfg_doc *doc)
{
    switch (xlcfg_doc_kind(doc)) {
    case XLCFG_DOC_NULL:
        return true;            /* says nothing, as libxl has it too */
    case XLCFG_DOC_BOOL:
        return !strcmp(type, "boolean");
    case XLCFG_DOC_NUMBER:
        return !strcmp(type, "number") ||
            (!strcmp(type, "integer") && is_whole(doc->text));
    case XLCFG_DOC_STRING:
        return !strcmp(type, "string");
    case XLCFG_DOC_ARRAY:
        return !strcmp(type, "array");
    case XLCFG_DOC_OBJECT:
        return !strcmp(type, "object");
    }
    return false;
}

static bool fits_type(const xlcfg_doc *type, const xlcfg_doc *doc)
{
    const char *one = xlcfg_doc_string(type);

    if (!type || one)
        return !one || is_type(one, doc);
    for (size_t i = 0; i < xlcfg_doc_count(type); i++)
        if (is_type(xlcfg_doc_string(xlcfg_doc_at(type, i)), doc))
            return true;
    return false;
}

static bool fits_enum(const xlcfg_doc *words, const xlcfg_doc *doc)
{
    for (size_t i = 0; i < xlcfg_doc_count(words); i++)
        if (xlcfg__doc_equal(xlcfg_doc_at(words, i), doc))
            return true;
    return !words || xlcfg_doc_kind(doc) == XLCFG_DOC_NULL;
}

static bool fits_range(const xlcfg_doc *at, const xlcfg_doc *doc)
{
    const char *least = xlcfg_doc_string(xlcfg_doc_get(at, "minimum"));
    const char *most = xlcfg_doc_string(xlcfg_doc_get(at, "maximum"));

    if (xlcfg_doc_kind(doc) != XLCFG_DOC_NUMBER || !is_whole(doc->text))
        return true;
    return (!least || order(doc->text, least) >= 0) &&
        (!most || order(doc->text, most) <= 0);
}

static bool fits(const xlcfg_doc *at, const xlcfg_doc *doc)
{
    const xlcfg_doc *pattern = xlcfg_doc_get(at, "pattern");

    return fits_type(xlcfg_doc_get(at, "type"), doc) &&
        fits_enum(xlcfg_doc_get(at, "enum"), doc) && fits_range(at, doc) &&
        (!pattern || xlcfg_doc_kind(doc) != XLCFG_DOC_STRING ||
         matches(pattern, doc->text));
}

/* What would have been right, in words. */
static void expected(const xlcfg_doc *at, char *words, size_t size)
{
    const xlcfg_doc *list = xlcfg_doc_get(at, "enum");
    const char *type = xlcfg__doc_getstr(at, "type");
    const char *least = xlcfg_doc_string(xlcfg_doc_get(at, "minimum"));
    const char *most = xlcfg_doc_string(xlcfg_doc_get(at, "maximum"));
    const char *pattern = xlcfg__doc_getstr(at, "pattern");
    int n = 0;

    if (least && most)
        snprintf(words, size, "a whole number from %s to %s", least, most);
    else if (pattern)
        snprintf(words, size, "a text that matches %s", pattern);
    else if (!list)
        snprintf(words, size, "%s", type ? type : "another value");
    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const char *word = xlcfg_doc_string(xlcfg_doc_at(list, i));

        if (word && n < (int)size - 1)
            n += snprintf(words + n, size - (size_t)n, "%s%s", i ? ", "
                          : "one of ", word);
    }
}

/* ---- the whole ---- */

struct sifter {
    struct xlcfg_view *view;
    const char *type;           /* of the guest; NULL: not said */
    char path[512];
    bool failed;
};

static void name_it(struct sifter *s, const xlcfg_doc *at,
                    const xlcfg_doc *doc)
{
    char words[256], *text = NULL;

    expected(at, words, sizeof(words));
    if (xlcfg_doc_print(doc, XLCFG_PRINT_CANONICAL, &text, NULL, NULL)) {
        s->failed = true;
        return;
    }
    xlcfg__view_note(s->view, "%s: expected %s, found %.60s", s->path,
                     words, text);
    free(text);
}

/*
 * libxl builds a guest of one type; the parameters of another are nobody's,
 * and with two at once its reader aborts.
 */
static bool is_of_another(const struct sifter *s, const char *name)
{
    return s->type && !strcmp(s->path, "/b_info") &&
        !strncmp(name, "type.", 5) && strcmp(name + 5, s->type);
}

static xlcfg_doc *sift(struct sifter *s, struct schema at,
                       const xlcfg_doc *doc, int depth);

static xlcfg_doc *made(struct sifter *s, xlcfg_doc *doc)
{
    s->failed = s->failed || !doc;
    return doc;
}

static xlcfg_doc *sift_object(struct sifter *s, struct schema at,
                              const xlcfg_doc *doc, int depth)
{
    const xlcfg_doc *known = xlcfg_doc_get(at.at, "properties");
    size_t len = strlen(s->path);
    xlcfg__members m = { 0 };

    for (size_t i = 0; i < xlcfg_doc_count(doc) && !s->failed; i++) {
        const char *name = doc->members[i].name->text;
        struct schema inner = { at.root, xlcfg_doc_get(known, name) };
        xlcfg_doc *value;

        if (is_of_another(s, name)) {
            xlcfg__view_note(s->view, "/b_info/%.80s: expected type.%.80s alone, "
                             "the guest's type", name, s->type);
            continue;
        }
        snprintf(s->path + len, sizeof(s->path) - len, "/%s", name);
        value = sift(s, resolve(inner), doc->members[i].value, depth + 1);
        if (value)
            xlcfg__members_add(&m, name, value);
        s->path[len] = '\0';
    }
    return made(s, xlcfg__members_end(&m));
}

static xlcfg_doc *sift_array(struct sifter *s, struct schema at,
                             const xlcfg_doc *doc, int depth)
{
    struct schema inner = resolve((struct schema){
        at.root, xlcfg_doc_get(at.at, "items") });
    size_t len = strlen(s->path);
    xlcfg__items it = { 0 };

    for (size_t i = 0; i < xlcfg_doc_count(doc) && !s->failed; i++) {
        const xlcfg_doc *one = xlcfg_doc_at(doc, i);
        xlcfg_doc *value;

        snprintf(s->path + len, sizeof(s->path) - len, "/%zu", i);
        /* a device that is none is named by who looks at devices */
        value = depth > 1 || xlcfg_doc_kind(one) == XLCFG_DOC_OBJECT
            ? sift(s, inner, one, depth + 1) : xlcfg_doc_ref(one);
        s->path[len] = '\0';
        if (!value)
            break;              /* without it, it would be another list */
        xlcfg__items_add(&it, value);
    }
    if (xlcfg_doc_count(doc) == it.count && !it.failed)
        return made(s, xlcfg__items_end(&it));
    s->failed = s->failed || it.failed;
    xlcfg__items_dispose(&it);
    return NULL;
}

/* NULL: it is left out, and named; or s->failed. */
static xlcfg_doc *sift(struct sifter *s, struct schema at,
                       const xlcfg_doc *doc, int depth)
{
    const char *type = at.at ? xlcfg__doc_getstr(at.at, "type") : NULL;

    if (!at.at || depth > DEEP)
        return xlcfg_doc_ref(doc);
    if (!fits(at.at, doc)) {
        /* a section or a list of devices: who looks at those names it */
        if (depth == 1 && type && (*type == 'o' || *type == 'a'))
            return xlcfg_doc_ref(doc);
        name_it(s, at.at, doc);
        return NULL;
    }
    if (xlcfg_doc_kind(doc) == XLCFG_DOC_OBJECT)
        return sift_object(s, at, doc, depth);
    if (xlcfg_doc_kind(doc) == XLCFG_DOC_ARRAY)
        return sift_array(s, at, doc, depth);
    return xlcfg_doc_ref(doc);
}

int xlcfg__template_view(enum xlcfg_home home, const xlcfg_doc *template,
                         struct xlcfg_view *view, xlcfg_error *err)
{
    static const char name[] = "domain-config";
    struct schema at = { root_of(name, sizeof(name) - 1), NULL };
    struct xlcfg_view notes;
    struct sifter s = { .view = &notes };
    xlcfg_doc *kept;
    int rc;

    if (home != XLCFG_HOME_LIBXL)
        return xlcfg__view_from_config(template, view, err);
    at.at = at.root;
    xlcfg__view_init(&notes);
    s.type = xlcfg_doc_string(xlcfg_doc_pointer(template, "/c_info/type"));
    kept = at.root ? sift(&s, at, template, 0) : NULL;
    rc = s.failed || !kept ? xlcfg__nomem(err)
        : xlcfg__view_from_config(kept, view, err);
    for (size_t i = 0; i < notes.unknown.count && !rc; i++)
        xlcfg__view_note(view, "%s", xlcfg_doc_string(notes.unknown.v[i]));
    xlcfg_doc_free(kept);
    xlcfg__view_dispose(&notes);
    return rc;
}
