/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file of the in-memory driver.
 *
 *     {"domains": [{"uuid": U, "name": "guest1", "domid": 1,
 *                   "state": "running", "run": "1-1", "started": 1700000000,
 *                   "stored": {CONFIG}, "live": {CONFIG},
 *                   "devices": {"disk/xvdb": {"live": "leaving",
 *                                             "reason": "held"}},
 *                   "unknown": ["/b_info: why"], "blind": ["rdm"]}],
 *      "fail": [{"call": "live", "nth": 1, "error": "UNREACHABLE"}]}
 *
 * Of a device override all members may be left out: live, reason, holds (an
 * unplug stays pending), refuses (the words with which attach and detach
 * are).  What is not of this form is refused with its JSON pointer.  What a
 * call changes is written back, see mem_write.c.
 */
#include "driver/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const calls[MEM_CALLS] = {
    [MEM_OPEN] = "open", [MEM_LIST] = "list", [MEM_FIND] = "find",
    [MEM_INDEX] = "index", [MEM_LIVE] = "live", [MEM_STORED] = "stored",
    [MEM_CAN] = "can", [MEM_PREPARE] = "prepare", [MEM_ATTACH] = "attach",
    [MEM_DETACH] = "detach", [MEM_UPDATE] = "update",
    [MEM_CLEAN] = "clean", [MEM_CREATE] = "create",
    [MEM_WATCH_FD] = "watch_fd", [MEM_WATCH_NEXT] = "watch_next",
    [MEM_CHECK] = "check",
};

static const int codes[] = {
    XLCFG_ERROR_FAIL, XLCFG_ERROR_NI, XLCFG_ERROR_NOMEM, XLCFG_ERROR_INVAL,
    XLCFG_ERROR_TIMEDOUT, XLCFG_ERROR_LOCK_FAIL, XLCFG_ERROR_DEVICE_EXISTS,
    XLCFG_ERROR_DOMAIN_NOTFOUND, XLCFG_ERROR_NOTFOUND, XLCFG_ERROR_PARSE,
    XLCFG_ERROR_CONFLICT, XLCFG_ERROR_PENDING, XLCFG_ERROR_REFUSED,
    XLCFG_ERROR_UNREACHABLE, XLCFG_ERROR_TOO_OLD, XLCFG_ERROR_STORE,
};

static const char *const states[] = {
    "running", "paused", "shutdown", "crashed", "dying", "stopped",
    "unknown",
};

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

/* An object and the JSON pointer it stands at. */
struct spot {
    const xlcfg_doc *doc;
    char at[400];
};

static int bad(xlcfg_error *err, const struct spot *sp, const char *name,
               const char *expected)
{
    char where[512];

    snprintf(where, sizeof(where), "%s%s%s", sp->at, name ? "/" : "",
             name ? name : "");
    return xlcfg__err(err, XLCFG_ERROR_PARSE, where, "expected %s",
                      expected);
}

/* The place of a member, ~ and / of its name escaped. */
static struct spot below(const struct spot *sp, const char *name,
                         const xlcfg_doc *doc)
{
    struct spot sub = { .doc = doc };
    size_t n;

    n = (size_t)snprintf(sub.at, sizeof(sub.at), "%.380s/", sp->at);
    for (; *name && n + 3 < sizeof(sub.at); name++) {
        if (*name == '~' || *name == '/') {
            sub.at[n++] = '~';
            sub.at[n++] = *name == '~' ? '0' : '1';
        } else {
            sub.at[n++] = *name;
        }
    }
    sub.at[n] = '\0';
    return sub;
}

static struct spot item(const struct spot *sp, size_t i)
{
    char number[24];

    snprintf(number, sizeof(number), "%zu", i);
    return below(sp, number, xlcfg_doc_at(sp->doc, i));
}

/* An object with members of these names only. */
static int shape(const struct spot *sp, const char *const *names,
                 xlcfg_error *err)
{
    if (xlcfg_doc_kind(sp->doc) != XLCFG_DOC_OBJECT)
        return bad(err, sp, NULL, "an object");
    for (size_t i = 0; i < xlcfg_doc_count(sp->doc); i++) {
        const char *name = xlcfg_doc_name(sp->doc, i);
        const char *const *n = names;

        while (*n && strcmp(*n, name))
            n++;
        if (!*n) {
            struct spot sub = below(sp, name, NULL);

            return xlcfg__err(err, XLCFG_ERROR_PARSE, sub.at,
                              "a member that nobody knows");
        }
    }
    return 0;
}

/* The text of a member; NULL when it is absent. */
static int text_of(const struct spot *sp, const char *name,
                   const char **text_r, xlcfg_error *err)
{
    const xlcfg_doc *v = xlcfg_doc_get(sp->doc, name);

    *text_r = NULL;
    if (!v)
        return 0;
    if (xlcfg_doc_kind(v) != XLCFG_DOC_STRING)
        return bad(err, sp, name, "a string");
    *text_r = xlcfg_doc_string(v);
    return 0;
}

static int copy_of(const struct spot *sp, const char *name, char **text_r,
                   xlcfg_error *err)
{
    const char *text;
    int rc;

    rc = text_of(sp, name, &text, err);
    if (rc || !text)
        return rc;
    *text_r = strdup(text);
    return *text_r ? 0 : xlcfg__nomem(err);
}

static int number_of(const struct spot *sp, const char *name, int64_t min,
                     int64_t max, int64_t *n_r, xlcfg_error *err)
{
    const xlcfg_doc *v = xlcfg_doc_get(sp->doc, name);
    char expected[80];

    if (!v || xlcfg__doc_is_int(v, min, max, n_r))
        return 0;
    snprintf(expected, sizeof(expected), "an integer from %lld to %lld",
             (long long)min, (long long)max);
    return bad(err, sp, name, expected);
}

static int array_of(const struct spot *sp, const char *name,
                    struct spot *array_r, xlcfg_error *err)
{
    const xlcfg_doc *v = xlcfg_doc_get(sp->doc, name);

    *array_r = below(sp, name, v);
    if (v && xlcfg_doc_kind(v) != XLCFG_DOC_ARRAY)
        return bad(err, sp, name, "an array");
    return 0;
}

bool xlcfg__mem_uuid(const char *text, char uuid_r[37])
{
    char uuid[37];

    if (strlen(text) != 36)
        return false;
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
        uuid[i] = (char)tolower((unsigned char)text[i]);
    }
    uuid[36] = '\0';
    memcpy(uuid_r, uuid, sizeof(uuid));
    return true;
}

static int read_identity(struct mem_domain *md, const struct spot *sp,
                         xlcfg_error *err)
{
    const char *uuid, *state;
    size_t i;
    int rc;

    rc = text_of(sp, "uuid", &uuid, err);
    if (rc)
        return rc;
    if (!uuid || !xlcfg__mem_uuid(uuid, md->dom.uuid))
        return bad(err, sp, "uuid", "a uuid");
    rc = copy_of(sp, "name", &md->dom.name, err);
    if (!rc)
        rc = copy_of(sp, "run", &md->dom.run, err);
    if (!rc)
        rc = number_of(sp, "domid", -1, 32751, &md->dom.domid, err);
    if (!rc)
        rc = number_of(sp, "started", 0, INT64_MAX, &md->dom.started, err);
    if (!rc)
        rc = text_of(sp, "state", &state, err);
    if (rc)
        return rc;
    if (!state)
        state = md->dom.domid < 0 ? "stopped" : "running";
    for (i = 0; i < COUNT(states) && strcmp(states[i], state); i++)
        ;
    if (i == COUNT(states))
        return bad(err, sp, "state", "running, paused, shutdown, crashed, "
                   "dying, stopped or unknown");
    md->dom.state = states[i];
    return 0;
}

static int read_configs(struct mem_domain *md, const struct spot *sp,
                        xlcfg_error *err)
{
    const xlcfg_doc *live = xlcfg_doc_get(sp->doc, "live");
    const xlcfg_doc *stored = xlcfg_doc_get(sp->doc, "stored");
    int rc;

    if (stored && xlcfg_doc_kind(stored) != XLCFG_DOC_OBJECT)
        return bad(err, sp, "stored", "an object: a configuration");
    md->stored = xlcfg_doc_ref(stored);
    if (!live && md->dom.domid < 0)
        return 0;
    if (xlcfg_doc_kind(live) != XLCFG_DOC_OBJECT)
        return bad(err, sp, "live", "an object: a configuration");
    rc = xlcfg__view_from_config(live, &md->view, err);
    if (rc)
        return rc;
    if (md->view.unknown.count)
        return bad(err, sp, "live",
                   xlcfg_doc_string(md->view.unknown.v[0]));
    return 0;
}

static int read_blind(struct mem_domain *md, const struct spot *sp,
                      xlcfg_error *err)
{
    struct spot blind, unknown;
    int rc;

    for (int k = 0; k < XLCFG_KINDS; k++)
        md->view.sees[k] = true;
    rc = array_of(sp, "blind", &blind, err);
    if (!rc)
        rc = array_of(sp, "unknown", &unknown, err);
    for (size_t i = 0; !rc && i < xlcfg_doc_count(blind.doc); i++) {
        struct spot it = item(&blind, i);
        enum xlcfg_kind kind = XLCFG_KINDS;

        if (xlcfg_doc_kind(it.doc) == XLCFG_DOC_STRING)
            kind = xlcfg__kind_by_name(xlcfg_doc_string(it.doc));
        if (kind == XLCFG_KINDS)
            return bad(err, &it, NULL, "the name of a kind of device");
        md->view.sees[kind] = false;
    }
    for (size_t i = 0; !rc && i < xlcfg_doc_count(unknown.doc); i++) {
        struct spot it = item(&unknown, i);

        if (xlcfg_doc_kind(it.doc) != XLCFG_DOC_STRING)
            return bad(err, &it, NULL, "a string \"what: why\"");
        xlcfg__items_add(&md->view.unknown, xlcfg_doc_ref(it.doc));
        if (md->view.unknown.failed)
            return xlcfg__nomem(err);
    }
    return rc;
}

struct xlcfg_dev *xlcfg__mem_dev(struct xlcfg_view *view, const char *key)
{
    for (size_t i = 0; i < view->count; i++)
        if (!strcmp(view->devs[i].key, key))
            return &view->devs[i];
    return NULL;
}

static int read_override(struct mem_domain *md, const char *key,
                         const struct spot *sp, xlcfg_error *err)
{
    static const char *const names[] = { "live", "reason", "holds",
                                         "refuses", NULL };
    enum xlcfg_kind kind = xlcfg__key_kind(key);
    const xlcfg_doc *holds = xlcfg_doc_get(sp->doc, "holds");
    const char *word, *reason, *refuses;
    struct xlcfg_dev *dev;
    int live = XLCFG_LIVE_PRESENT;
    int rc;

    if (kind == XLCFG_KINDS)
        return bad(err, sp, NULL, "a device key such as disk/xvda");
    rc = shape(sp, names, err);
    if (!rc)
        rc = text_of(sp, "live", &word, err);
    if (!rc)
        rc = text_of(sp, "reason", &reason, err);
    if (!rc)
        rc = text_of(sp, "refuses", &refuses, err);
    if (rc)
        return rc;
    if (holds && xlcfg_doc_kind(holds) != XLCFG_DOC_BOOL)
        return bad(err, sp, "holds", "true or false");
    if (word)
        for (live = 0; live < XLCFG_LIVES; live++)
            if (!strcmp(xlcfg__live_name((enum xlcfg_live)live), word))
                break;
    if (live == XLCFG_LIVES)
        return bad(err, sp, "live", "absent, partial, coming, present, "
                   "failed, leaving, orphaned, leaked or unknown");
    dev = xlcfg__mem_dev(&md->view, key);
    /* without a word it speaks of a device that may come */
    if (!dev && !word)
        return reason ? bad(err, sp, "reason", "a live word with it") : 0;
    if (!dev)
        rc = xlcfg__view_add(&md->view, kind, NULL, key,
                             (enum xlcfg_live)live, &dev);
    else
        dev->live = (enum xlcfg_live)live;
    if (!rc && reason)
        rc = xlcfg__dev_because(dev, "%s", reason);
    return rc ? xlcfg__nomem(err) : 0;
}

static int read_domain(struct mem *mem, const struct spot *sp,
                       xlcfg_error *err)
{
    static const char *const names[] = {
        "uuid", "name", "domid", "state", "run", "started", "stored",
        "live", "devices", "unknown", "blind", NULL
    };
    struct mem_domain *md;
    struct spot devices;
    int rc;

    rc = shape(sp, names, err);
    if (rc)
        return rc;
    md = xlcfg__mem_add(mem);
    if (!md)
        return xlcfg__nomem(err);
    md->source = xlcfg_doc_ref(sp->doc);
    rc = read_identity(md, sp, err);
    if (!rc)
        rc = read_configs(md, sp, err);
    if (!rc)
        rc = read_blind(md, sp, err);
    if (rc)
        return rc;
    for (size_t i = 0; i + 1 < mem->count; i++)
        if (!strcmp(mem->doms[i].dom.uuid, md->dom.uuid))
            return bad(err, sp, "uuid", "a uuid that stands here once");
    devices = below(sp, "devices", xlcfg_doc_get(sp->doc, "devices"));
    if (devices.doc && xlcfg_doc_kind(devices.doc) != XLCFG_DOC_OBJECT)
        return bad(err, sp, "devices", "an object by device key");
    md->devices = xlcfg_doc_ref(devices.doc);
    for (size_t i = 0; !rc && i < xlcfg_doc_count(devices.doc); i++) {
        const char *key = xlcfg_doc_name(devices.doc, i);
        struct spot sub = below(&devices, key, xlcfg_doc_at(devices.doc, i));

        rc = read_override(md, key, &sub, err);
    }
    return rc;
}

static int read_fail(struct mem *mem, const struct spot *sp,
                     xlcfg_error *err)
{
    static const char *const names[] = { "call", "nth", "error", "message",
                                         "delay_ms", NULL };
    struct mem_fail *f = &mem->fails[mem->fail_count];
    const char *call, *error;
    int c, rc;

    rc = shape(sp, names, err);
    if (!rc)
        rc = text_of(sp, "call", &call, err);
    if (!rc)
        rc = text_of(sp, "error", &error, err);
    if (!rc)
        rc = number_of(sp, "nth", 0, INT32_MAX, &f->nth, err);
    if (!rc)
        rc = number_of(sp, "delay_ms", 0, 600000, &f->delay_ms, err);
    if (rc)
        return rc;
    for (c = 0; call && c < MEM_CALLS && strcmp(calls[c], call); c++)
        ;
    if (!call || c == MEM_CALLS)
        return bad(err, sp, "call", "the name of a driver's call");
    f->call = (enum mem_call)c;
    for (size_t i = 0; error && i < COUNT(codes); i++)
        if (!strcmp(xlcfg_error_name(codes[i]), error))
            f->code = codes[i];
    if (error && !f->code)
        return bad(err, sp, "error", "the name of an error");
    if (!error && !f->delay_ms)
        return bad(err, sp, NULL, "an error or a delay_ms");
    mem->fail_count++;          /* from here on it is disposed of */
    return copy_of(sp, "message", &f->message, err);
}

int xlcfg__mem_read(struct mem *mem, const xlcfg_doc *doc, xlcfg_error *err)
{
    static const char *const names[] = { "domains", "fail", NULL };
    struct spot root = { doc, "" }, domains, fails;
    int rc;

    rc = shape(&root, names, err);
    if (!rc)
        rc = array_of(&root, "domains", &domains, err);
    if (!rc)
        rc = array_of(&root, "fail", &fails, err);
    for (size_t i = 0; !rc && i < xlcfg_doc_count(domains.doc); i++) {
        struct spot sp = item(&domains, i);

        rc = read_domain(mem, &sp, err);
    }
    if (rc || !xlcfg_doc_count(fails.doc))
        return rc;
    mem->script = xlcfg_doc_ref(fails.doc);
    mem->fails = calloc(xlcfg_doc_count(fails.doc), sizeof(*mem->fails));
    if (!mem->fails)
        return xlcfg__nomem(err);
    for (size_t i = 0; !rc && i < xlcfg_doc_count(fails.doc); i++) {
        struct spot sp = item(&fails, i);

        rc = read_fail(mem, &sp, err);
    }
    return rc;
}
