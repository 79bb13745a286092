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
 * Answers are given in place of the connection (xen_wire.c), so what the
 * driver makes of them (xen_xs.c) is run as well; a folder of more than a few
 * names comes in pieces.
 */
#include "core/scalar.h"
#include "driver/driver.h"
#include "driver/xen_hv.h"
#include "driver/xen_wire.h"
#include "fuzz.h"

#include <errno.h>
#include <string.h>
#include <xen/io/xs_wire.h>

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
static size_t input_len;

/* ---- the connection ---- */

#define FOLDER_MOST 64
#define PIECE 40

struct xlcfg__wire {
    int unused;
};

const char *xlcfg__wire_path(char path[XLCFG_WIRE_PATH])
{
    strcpy(path, "the fuzzer");
    return path;
}

int xlcfg__wire_open(unsigned ms, struct xlcfg__wire **wire_r)
{
    (void)ms;
    *wire_r = calloc(1, sizeof(**wire_r));
    return *wire_r ? 0 : ENOMEM;
}

void xlcfg__wire_close(struct xlcfg__wire *wire)
{
    free(wire);
}

int xlcfg__wire_lost(const struct xlcfg__wire *wire)
{
    (void)wire;
    return 0;
}

/* Nobody is asked to leave here, so nobody waits for a hint. */
bool xlcfg__wire_hint(struct xlcfg__wire *wire, unsigned ms)
{
    (void)wire;
    (void)ms;
    return false;
}

static void answer(struct xlcfg__wire_ask *ask, const char *data, size_t len)
{
    ask->data = malloc(len + 1);
    must(ask->data);
    memcpy(ask->data, data, len);
    ask->data[len] = '\0';
    ask->len = len;
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

static void answer_read(struct xlcfg__wire_ask *ask)
{
    size_t n = strlen(ask->path);
    bool folder = false, below;

    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &entries[i];

        if (!covers(ask->path, n, e, &below))
            continue;
        folder = true;
        if (below)
            continue;
        ask->error = e->error;
        if (!e->error)
            answer(ask, e->value, e->value_len);
        return;
    }
    if (folder)
        answer(ask, "", 0);
    else
        ask->error = ENOENT;
}

/* The names in a folder, a NUL behind each; -1: there is no such. */
static int put_names(const char *path, char *text, size_t *len_r,
                     int *error_r)
{
    static const char *names[ENTRIES];
    static size_t lens[ENTRIES];
    size_t n = strlen(path), found = 0;
    bool there = false, below;

    *len_r = 0;
    *error_r = 0;
    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &entries[i];
        const char *name, *end;
        size_t j;

        if (!covers(path, n, e, &below))
            continue;
        if (!below && e->error)
            *error_r = e->error;
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
        if (j < found)
            continue;
        memcpy(text + *len_r, name, lens[found]);
        *len_r += lens[found++];
        text[(*len_r)++] = '\0';
    }
    return there ? 0 : -1;
}

static void answer_folder(struct xlcfg__wire_ask *ask)
{
    char *text = malloc(input_len + ENTRIES + 1);
    size_t len, from;
    int error;

    must(text);
    if (put_names(ask->path, text, &len, &error))
        error = ENOENT;
    ask->error = error;
    if (!error && ask->type == XS_DIRECTORY && len > FOLDER_MOST)
        ask->error = E2BIG;
    else if (!error && ask->type == XS_DIRECTORY)
        answer(ask, text, len);
    else if (!error) {
        char piece[PIECE + 8] = "7";

        from = strtoul(ask->more, NULL, 10);
        must(from <= len);
        /* an empty name ends them: the NUL that is not counted in len */
        text[len] = '\0';
        len = len + 1 - from < PIECE ? len + 1 - from : PIECE;
        memcpy(piece + 2, text + from, len);
        answer(ask, piece, len + 2);
    }
    free(text);
}

void xlcfg__wire_ask(struct xlcfg__wire *wire, struct xlcfg__wire_ask *asks,
                     size_t n)
{
    (void)wire;
    for (size_t i = 0; i < n; i++) {
        asks[i].data = NULL;
        asks[i].len = 0;
        asks[i].error = 0;
        if (asks[i].type == XS_READ)
            answer_read(&asks[i]);
        else
            answer_folder(&asks[i]);
    }
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

/* Only a watcher asks for these. */
int xlcfg__hv_rows(struct xlcfg__hv *hv, struct xlcfg__hv_rows *rows_r)
{
    (void)hv;
    *rows_r = (struct xlcfg__hv_rows){ NULL, 0 };
    return XLCFG_ERROR_UNREACHABLE;
}

char *xlcfg__hv_text(struct xlcfg__hv *hv, uint32_t domid,
                     const struct xlcfg__hv_info *info)
{
    (void)hv, (void)domid, (void)info;
    return NULL;
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
    input_len = size;
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
