/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The in-memory driver: domains from a JSON file, which is the machine that
 * all who open it share, or from JSON text, kept in the handle alone; and a
 * script of calls that fail or come late.  It is the worked example: a new
 * driver is these files with its own backend behind each call.
 *
 *     xlcfg -c mem:guests.json list
 *
 * Every call begins with `enter` (mem_keep.c), which only this driver needs.
 */
#include "driver/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void sleep_ms(int64_t ms)
{
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

/* What the script has for this call: late, failing, or nothing. */
int xlcfg__mem_scripted(struct mem *mem, enum mem_call call,
                        xlcfg_error *err)
{
    int64_t nth = ++mem->calls[call];

    for (size_t i = 0; i < mem->fail_count; i++) {
        const struct mem_fail *f = &mem->fails[i];

        if (f->call != call || (f->nth && f->nth != nth))
            continue;
        if (f->delay_ms)
            sleep_ms(f->delay_ms);
        if (f->code)
            return xlcfg__err(err, f->code, "mem:", "%s",
                              f->message ? f->message
                              : "the script makes this call fail");
    }
    return 0;
}

/* ---- what is kept ---- */

struct mem_domain *xlcfg__mem_add(struct mem *mem)
{
    struct mem_domain *md;

    if (mem->count == mem->room) {
        size_t more = mem->room ? mem->room * 2 : 8;

        md = realloc(mem->doms, more * sizeof(*md));
        if (!md)
            return NULL;
        mem->doms = md;
        mem->room = more;
    }
    md = &mem->doms[mem->count++];
    *md = (struct mem_domain){ .dom = { .domid = -1, .state = "unknown" } };
    xlcfg__view_init(&md->view);
    return md;
}

void xlcfg__mem_domain_dispose(struct mem_domain *md)
{
    xlcfg__domain_dispose(&md->dom);
    xlcfg__view_dispose(&md->view);
    xlcfg_doc_free(md->stored);
    xlcfg_doc_free(md->devices);
    xlcfg_doc_free(md->source);
    md->stored = md->devices = md->source = NULL;
}

void xlcfg__mem_dispose(struct mem *mem)
{
    for (size_t i = 0; i < mem->count; i++)
        xlcfg__mem_domain_dispose(&mem->doms[i]);
    for (size_t i = 0; i < mem->fail_count; i++)
        free(mem->fails[i].message);
    free(mem->doms);
    free(mem->fails);
    free(mem->path);
    xlcfg_doc_free(mem->script);
    if (mem->fd >= 0)
        close(mem->fd);
    if (mem->file >= 0)
        close(mem->file);
    if (mem->lock >= 0)
        close(mem->lock);
    *mem = (struct mem){ .fd = -1, .file = -1, .lock = -1 };
}

struct mem_domain *xlcfg__mem_domain(struct mem *mem,
                                     const struct xlcfg_domain *dom,
                                     xlcfg_error *err)
{
    for (size_t i = 0; i < mem->count; i++)
        if (!strcmp(mem->doms[i].dom.uuid, dom->uuid))
            return &mem->doms[i];
    xlcfg__err(err, XLCFG_ERROR_DOMAIN_NOTFOUND, dom->uuid,
               "there is no such domain");
    return NULL;
}

/* ---- open, close ---- */

static void mem_close(void *handle)
{
    xlcfg__mem_dispose(handle);
    free(handle);
}

static int mem_open(const char *uri, const struct xlcfg_driver_options *opt,
                    void **handle_r, xlcfg_error *err)
{
    struct mem *mem;
    int rc;

    (void)opt;
    if (strncmp(uri, "mem:", 4))
        return XLCFG_DECLINED;
    if (!uri[4])
        return xlcfg__err(err, XLCFG_ERROR_INVAL, uri,
                          "expected mem:FILE, or a JSON object behind mem:");
    mem = calloc(1, sizeof(*mem));
    if (!mem)
        return xlcfg__nomem(err);
    mem->fd = mem->file = mem->lock = -1;
    rc = xlcfg__mem_load(mem, uri + 4, err);
    if (!rc)
        rc = xlcfg__mem_scripted(mem, MEM_OPEN, err);
    if (rc) {
        mem_close(mem);
        return rc;
    }
    *handle_r = mem;
    return 0;
}

/* ---- looking ---- */

static int mem_list(void *handle, struct xlcfg_domains *list,
                    xlcfg_error *err)
{
    struct mem *mem = handle;
    struct xlcfg_domain dom;
    int rc;

    rc = xlcfg__mem_enter(mem, MEM_LIST, err);
    for (size_t i = 0; !rc && i < mem->count; i++) {
        rc = xlcfg__domain_copy(&dom, &mem->doms[i].dom);
        if (!rc)
            rc = xlcfg__domains_add(list, &dom);
        if (rc)
            rc = xlcfg__nomem(err);
    }
    return rc;
}

static bool is_named(const struct xlcfg_domain *dom, const char *name,
                     int how)
{
    char uuid[37], id[24];

    if (how == 0)
        return xlcfg__mem_uuid(name, uuid) && !strcmp(uuid, dom->uuid);
    if (how == 1)
        return dom->name && !strcmp(name, dom->name);
    snprintf(id, sizeof(id), "%" PRId64, dom->domid);
    return dom->domid >= 0 && !strcmp(name, id);
}

static int mem_find(void *handle, const char *name,
                    struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    struct mem *mem = handle;
    int rc;

    rc = xlcfg__mem_enter(mem, MEM_FIND, err);
    if (rc)
        return rc;
    for (int how = 0; how < 3; how++)
        for (size_t i = 0; i < mem->count; i++)
            if (is_named(&mem->doms[i].dom, name, how)) {
                rc = xlcfg__domain_copy(dom_r, &mem->doms[i].dom);
                return rc ? xlcfg__nomem(err) : 0;
            }
    return xlcfg__err(err, XLCFG_ERROR_DOMAIN_NOTFOUND, name,
                      "there is no such domain");
}

static int mem_index(void *handle, const struct xlcfg_domain *dom,
                     char **text_r, xlcfg_error *err)
{
    struct mem *mem = handle;
    struct mem_domain *md;
    char *text;
    int rc;

    rc = xlcfg__mem_enter(mem, MEM_INDEX, err);
    if (rc)
        return rc;
    md = xlcfg__mem_domain(mem, dom, err);
    if (!md)
        return XLCFG_ERROR_DOMAIN_NOTFOUND;
    if (asprintf(&text, "%" PRIu64, md->generation) < 0)
        return xlcfg__nomem(err);
    *text_r = text;
    return 0;
}

static int copy_dev(struct xlcfg_view *view, const struct xlcfg_dev *dev)
{
    struct xlcfg_dev *mine;
    int rc;

    rc = xlcfg__view_add(view, dev->kind, xlcfg_doc_ref(dev->body),
                         dev->key, dev->live, &mine);
    if (!rc && mine && dev->reason)
        rc = xlcfg__dev_because(mine, "%s", dev->reason);
    return rc;
}

static int mem_live(void *handle, const struct xlcfg_domain *dom,
                    struct xlcfg_view *view, xlcfg_error *err)
{
    struct mem *mem = handle;
    struct mem_domain *md;
    int rc;

    rc = xlcfg__mem_enter(mem, MEM_LIVE, err);
    if (rc)
        return rc;
    md = xlcfg__mem_domain(mem, dom, err);
    if (!md)
        return XLCFG_ERROR_DOMAIN_NOTFOUND;
    if (md->dom.domid < 0)
        return xlcfg__err(err, XLCFG_ERROR_DOMAIN_NOTFOUND, dom->uuid,
                          "this domain is not running");
    memcpy(view->sees, md->view.sees, sizeof(view->sees));
    view->rest = xlcfg_doc_ref(md->view.rest);
    for (size_t i = 0; !rc && i < md->view.count; i++)
        if (view->sees[md->view.devs[i].kind])
            rc = copy_dev(view, &md->view.devs[i]);
    for (size_t i = 0; i < md->view.unknown.count; i++)
        xlcfg__items_add(&view->unknown,
                         xlcfg_doc_ref(md->view.unknown.v[i]));
    return rc || view->unknown.failed ? xlcfg__nomem(err) : 0;
}

static int mem_stored(void *handle, const struct xlcfg_domain *dom,
                      xlcfg_doc **config_r, xlcfg_error *err)
{
    struct mem *mem = handle;
    struct mem_domain *md;
    int rc;

    rc = xlcfg__mem_enter(mem, MEM_STORED, err);
    if (rc)
        return rc;
    md = xlcfg__mem_domain(mem, dom, err);
    if (!md)
        return XLCFG_ERROR_DOMAIN_NOTFOUND;
    if (!md->stored)
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, dom->uuid,
                          "nothing is kept for its next start");
    *config_r = xlcfg_doc_ref(md->stored);
    return 0;
}

/* The number of a domain's changes moves with all there is to see. */
static int mem_pulse(void *handle, struct xlcfg_domains *list,
                     char ***texts_r, xlcfg_error *err)
{
    struct mem *mem = handle;
    char **texts;
    int rc;

    rc = mem_list(handle, list, err);
    if (rc)
        return rc;
    texts = calloc(mem->count + 1, sizeof(*texts));
    for (size_t i = 0; texts && i < mem->count && !rc; i++)
        if (asprintf(&texts[i], "%" PRIu64, mem->doms[i].generation) < 0) {
            texts[i] = NULL;
            rc = XLCFG_ERROR_NOMEM;
        }
    if (texts && !rc) {
        *texts_r = texts;
        return 0;
    }
    for (size_t i = 0; texts && i < mem->count; i++)
        free(texts[i]);
    free(texts);
    xlcfg__domains_dispose(list);
    return xlcfg__nomem(err);
}

const struct xlcfg_driver xlcfg__driver_mem = {
    .size = sizeof(struct xlcfg_driver),
    .name = "mem",
    .home = XLCFG_HOME_STATE,
    .scheme = "mem:",
    .open = mem_open,
    .close = mem_close,
    .list = mem_list,
    .find = mem_find,
    .index = mem_index,
    .live = mem_live,
    .stored = mem_stored,
    .can = xlcfg__mem_can,
    .prepare = xlcfg__mem_prepare,
    .attach = xlcfg__mem_attach,
    .detach = xlcfg__mem_detach,
    .update = xlcfg__mem_update,
    .clean = xlcfg__mem_clean,
    .create = xlcfg__mem_create,
    .watch_fd = xlcfg__mem_watch_fd,
    .watch_next = xlcfg__mem_watch_next,
    .pulse = mem_pulse,
    .check = xlcfg__mem_check,
};
