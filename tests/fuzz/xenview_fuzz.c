/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as what a xenstore answers: the Xen driver lists, finds, looks,
 * and what it saw is merged with a template and printed.
 *
 * The input is text.  A line is PATH=VALUE; the folders above PATH are there
 * as well.  "!PATH" cannot be read (EACCES), "?PATH" is an I/O error.  A
 * value is taken up to the line's end, \n in it as a line break.  A line
 * that begins with "{" is the template, "#STATE TYPE" what the hypervisor
 * says of every domain (without one, no hypervisor answers).
 *
 * libxenstore's own functions are defined here, so the driver's reading of
 * them (xen_xs.c) is run as well.
 */
#include "core/scalar.h"
#include "driver/driver.h"
#include "driver/xen_hv.h"
#include "fuzz.h"

#include <errno.h>
#include <string.h>
#include <xenstore.h>

struct entry {
    const char *path, *value;
    size_t path_len, value_len;
    int error;
};

#define ENTRIES 2048

static struct entry entries[ENTRIES];
static size_t count;
static const char *template_text, *hv_text;
static size_t template_len;
static char *input;

/* ---- libxenstore ---- */

struct xs_handle {
    int unused;
};

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    return calloc(1, sizeof(struct xs_handle));
}

void xs_close(struct xs_handle *h)
{
    free(h);
}

/* Is path the entry's own, or (below_r) a folder above it? */
static bool covers(const char *path, size_t len, const struct entry *e,
                   bool *below_r)
{
    if (len > e->path_len || memcmp(path, e->path, len))
        return false;
    *below_r = e->path_len > len && e->path[len] == '/';
    return e->path_len == len || *below_r;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
              unsigned int *len)
{
    size_t n = strlen(path);
    bool folder = false, below;
    char *text;

    (void)h, (void)t;
    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &entries[i];

        if (!covers(path, n, e, &below))
            continue;
        folder = true;
        if (below)
            continue;
        if (e->error) {
            errno = e->error;
            return NULL;
        }
        text = malloc(e->value_len + 1);
        must(text);
        memcpy(text, e->value, e->value_len);
        text[e->value_len] = '\0';
        *len = (unsigned)e->value_len;
        return text;
    }
    *len = 0;
    if (folder)
        return calloc(1, 1);
    errno = ENOENT;
    return NULL;
}

/* One block, names behind the pointers, as libxenstore makes it. */
static char **one_block(const char *const *names, const size_t *lens,
                        unsigned n)
{
    size_t room = n * sizeof(char *) + 1;
    char **v, *at;

    for (unsigned i = 0; i < n; i++)
        room += lens[i] + 1;
    v = malloc(room);
    must(v);
    at = (char *)&v[n];
    for (unsigned i = 0; i < n; i++) {
        v[i] = at;
        memcpy(at, names[i], lens[i]);
        at[lens[i]] = '\0';
        at += lens[i] + 1;
    }
    return v;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t,
                    const char *path, unsigned int *num)
{
    static const char *names[ENTRIES];
    static size_t lens[ENTRIES];
    size_t n = strlen(path);
    bool there = false, below;
    unsigned found = 0;

    (void)h, (void)t;
    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &entries[i];
        const char *name, *end;
        unsigned j;

        if (!covers(path, n, e, &below))
            continue;
        if (!below && e->error) {
            errno = e->error;
            return NULL;
        }
        there = true;
        if (!below)
            continue;
        name = e->path + n + 1;
        end = memchr(name, '/', (size_t)(e->path + e->path_len - name));
        lens[found] = (size_t)((end ? end : e->path + e->path_len) - name);
        names[found] = name;
        for (j = 0; j < found; j++)
            if (lens[j] == lens[found] && !memcmp(names[j], name, lens[j]))
                break;
        found += j == found;
    }
    if (!there) {
        errno = ENOENT;
        return NULL;
    }
    *num = found;
    return one_block(names, lens, found);
}

/* ---- the hypervisor ---- */

struct xlcfg__hv {
    int unused;
};

struct xlcfg__hv *xlcfg__hv_new(void)
{
    return calloc(1, sizeof(struct xlcfg__hv));
}

void xlcfg__hv_free(struct xlcfg__hv *hv)
{
    free(hv);
}

static const char *word_of(const char *const *words, const char *def)
{
    for (; *words; words++)
        if (strstr(hv_text, *words))
            return *words;
    return def;
}

int xlcfg__hv_info(struct xlcfg__hv *hv, uint32_t domid,
                   struct xlcfg__hv_info *info_r)
{
    static const char *const states[] = {
        "running", "paused", "shutdown", "crashed", "dying", NULL,
    };
    static const char *const types[] = { "pvh", "hvm", "pv", NULL };

    (void)hv;
    if (!hv_text)
        return XLCFG_ERROR_UNREACHABLE;
    if (strstr(hv_text, "gone"))
        return XLCFG_ERROR_DOMAIN_NOTFOUND;
    memset(info_r, 0, sizeof(*info_r));
    snprintf(info_r->uuid, sizeof(info_r->uuid),
             "5a3c0d52-3ab1-4a2f-9a50-%012x", (unsigned)domid);
    info_r->state = word_of(states, "unknown");
    info_r->type = word_of(types, NULL);
    return 0;
}

xlcfg_doc *xlcfg__hv_sched(struct xlcfg__hv *hv, uint32_t domid,
                           const char **why_r)
{
    xlcfg_error err;
    xlcfg_doc *doc = NULL;

    (void)hv, (void)domid;
    *why_r = "nothing said";
    if (hv_text && strstr(hv_text, "sched"))
        must(xlcfg_doc_parse("{\"weight\": 256}", 15, &doc, &err) == 0);
    return doc;
}

/* ---- input ---- */

static void take_line(char *line, size_t len)
{
    struct entry *e = &entries[count];
    char *eq;

    if (!len)
        return;
    if (*line == '{') {
        template_text = line;
        template_len = len;
        return;
    }
    if (*line == '#') {
        hv_text = line;
        return;
    }
    if (count == ENTRIES)
        return;
    e->error = *line == '!' ? EACCES : *line == '?' ? EIO : 0;
    if (e->error) {
        line++;
        len--;
    }
    eq = memchr(line, '=', len);
    e->path = line;
    e->path_len = eq ? (size_t)(eq - line) : len;
    /* A path has no NUL: xenstored sees to that. */
    if (!e->path_len || memchr(line, '\0', e->path_len))
        return;
    e->value = eq ? eq + 1 : "";
    e->value_len = 0;
    for (char *at = eq ? eq + 1 : line + len; at < line + len; at++) {
        if (at[0] == '\\' && at + 1 < line + len && at[1] == 'n')
            *++at = '\n';
        eq[1 + e->value_len++] = *at;
    }
    count++;
}

static void take_input(const uint8_t *data, size_t size)
{
    count = 0;
    template_text = hv_text = NULL;
    template_len = 0;
    input = malloc(size + 1);
    must(input);
    memcpy(input, data, size);
    input[size] = '\0';
    for (char *at = input; at < input + size;) {
        char *end = memchr(at, '\n', (size_t)(input + size - at));

        end = end ? end : input + size;
        *end = '\0';
        take_line(at, (size_t)(end - at));
        at = end + 1;
    }
}

static bool take_template(struct xlcfg_view *tmpl)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc;
    int rc;

    if (!template_text ||
        xlcfg_doc_parse(template_text, template_len, &doc, &err))
        return false;
    rc = xlcfg__view_from_config(doc, tmpl, &err);
    xlcfg_doc_free(doc);
    return rc == 0;
}

/* ---- what is tried ---- */

static void merge(struct xlcfg_view *live)
{
    struct xlcfg_intents none = { 0 };
    struct xlcfg_answer answer = { 0 };
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xlcfg_view tmpl;
    xlcfg_doc *finished;
    bool have;

    xlcfg__view_init(&tmpl);
    have = take_template(&tmpl);
    finished = xlcfg__scalars_finish(have ? tmpl.rest : NULL, live->rest);
    xlcfg_doc_free(live->rest);
    live->rest = finished;
    must(xlcfg__merge(have ? &tmpl : NULL, &none, live, &answer, &err) == 0);
    must(answer.count >= live->count);
    fuzz_check_answer(&answer);
    xlcfg__answer_dispose(&answer);
    xlcfg__view_dispose(&tmpl);
}

static void look(struct xlcfg_conn *conn, const struct xlcfg_domain *dom)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xlcfg_view live;
    char *before, *after;
    int rc;

    if (conn->drv.index(conn->handle, dom, &before, &err) == 0) {
        must(conn->drv.index(conn->handle, dom, &after, &err) == 0);
        must(!strcmp(before, after));
        free(before);
        free(after);
    }
    xlcfg__view_init(&live);
    rc = conn->drv.live(conn->handle, dom, &live, &err);
    must(rc == 0 || err.message[0]);
    if (!rc)
        merge(&live);
    xlcfg__view_dispose(&live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "7", "guest1" };
    struct xlcfg_driver_options opt = {
        .xen_lib_dir = "/nonexistent", .state_dir = "/nonexistent",
        .deadline_ms = 1000,
    };
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xlcfg_domains list = { 0 };
    struct xlcfg_conn *conn;
    struct xlcfg_domain dom;

    take_input(data, size);
    must(xlcfg__conn_open("xen:///", &opt, &conn, &err) == 0);
    if (conn->drv.list(conn->handle, &list, &err))
        must(err.message[0]);
    xlcfg__domains_dispose(&list);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (conn->drv.find(conn->handle, names[i], &dom, &err))
            continue;
        look(conn, &dom);
        xlcfg__domain_dispose(&dom);
        break;
    }
    xlcfg__conn_free(conn);
    free(input);
    return 0;
}
