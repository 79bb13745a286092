/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The in-memory driver: domains from a JSON file, kept in the handle alone,
 * and a script of calls that fail or come late.  It is the worked example:
 * a new driver is this file with its own backend behind each call.
 *
 *     xlcfg -c mem:guests.json list
 *
 * Every call begins with `scripted`, which only this driver needs.
 */
#include "driver/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static void sleep_ms(int64_t ms)
{
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

/* What the script has for this call: late, failing, or nothing. */
static int scripted(struct mem *mem, enum mem_call call, xlcfg_error *err)
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
    md->stored = md->devices = NULL;
}

void xlcfg__mem_dispose(struct mem *mem)
{
    for (size_t i = 0; i < mem->count; i++)
        xlcfg__mem_domain_dispose(&mem->doms[i]);
    for (size_t i = 0; i < mem->fail_count; i++)
        free(mem->fails[i].message);
    free(mem->doms);
    free(mem->fails);
    if (mem->fd >= 0)
        close(mem->fd);
    *mem = (struct mem){ .fd = -1 };
}

static struct mem_domain *domain_of(struct mem *mem,
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

/* A device came, went or changed: the index moves, the watch is told. */
static void changed(struct mem *mem, struct mem_domain *md)
{
    md->generation++;
    if (mem->fd < 0)
        return;
    md->changed = true;
    /* fails only when the counter is full, and then it is readable */
    (void)!write(mem->fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static struct xlcfg_dev *dev_at(struct xlcfg_view *view, const char *match)
{
    for (size_t i = 0; i < view->count; i++)
        if (!strcmp(view->devs[i].match, match))
            return &view->devs[i];
    return NULL;
}

/* The device a body speaks of, by its second name if need be. */
static struct xlcfg_dev *dev_for(struct mem_domain *md,
                                 const struct xlcfg_ident *id)
{
    struct xlcfg_dev *dev = dev_at(&md->view, id->match);

    for (size_t i = 0; !dev && id->alt[0] && i < md->view.count; i++)
        if (md->view.devs[i].alt && !strcmp(id->key, id->alt) &&
            !strcmp(md->view.devs[i].alt, id->alt))
            dev = &md->view.devs[i];
    return dev && dev->live != XLCFG_LIVE_ABSENT ? dev : NULL;
}

static void drop_dev(struct mem_domain *md, const struct xlcfg_dev *dev)
{
    struct xlcfg_view *view = &md->view;
    size_t i = (size_t)(dev - view->devs);

    free(dev->key);
    free(dev->match);
    free(dev->alt);
    free(dev->reason);
    xlcfg_doc_free(dev->body);
    xlcfg_doc_free(dev->address);
    memmove(view->devs + i, view->devs + i + 1,
            (view->count - i - 1) * sizeof(*dev));
    view->count--;
}

static const xlcfg_doc *override_of(const struct mem_domain *md,
                                    const char *key)
{
    return xlcfg_doc_get(md->devices, key);
}

static int no_device(xlcfg_error *err, const struct xlcfg_ident *id)
{
    if (!id->key[0])
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL,
                          "the body does not say which device it is");
    return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, id->key,
                      "there is no such device");
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
    mem->fd = -1;
    rc = xlcfg__mem_load(mem, uri + 4, err);
    if (!rc)
        rc = scripted(mem, MEM_OPEN, err);
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

    rc = scripted(mem, MEM_LIST, err);
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

    rc = scripted(mem, MEM_FIND, err);
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

    rc = scripted(mem, MEM_INDEX, err);
    if (rc)
        return rc;
    md = domain_of(mem, dom, err);
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

    rc = scripted(mem, MEM_LIVE, err);
    if (rc)
        return rc;
    md = domain_of(mem, dom, err);
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

    rc = scripted(mem, MEM_STORED, err);
    if (rc)
        return rc;
    md = domain_of(mem, dom, err);
    if (!md)
        return XLCFG_ERROR_DOMAIN_NOTFOUND;
    if (!md->stored)
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, dom->uuid,
                          "nothing is kept for its next start");
    *config_r = xlcfg_doc_ref(md->stored);
    return 0;
}

/* ---- acting ---- */

static bool mem_can(void *handle, enum xlcfg_kind kind,
                    enum xlcfg_action act, char *reason, size_t size)
{
    xlcfg_error err = XLCFG_ERROR_INIT;

    (void)kind;                 /* memory holds every kind alike */
    if (scripted(handle, MEM_CAN, &err)) {
        snprintf(reason, size, "%s", err.message);
        return false;
    }
    switch (act) {
    case XLCFG_ACT_ATTACH:
    case XLCFG_ACT_DETACH:
    case XLCFG_ACT_UPDATE:
    case XLCFG_ACT_CREATE:
    case XLCFG_ACT_WATCH:
        return true;
    case XLCFG_ACT_XML:
    case XLCFG_ACT_SNAPSHOT:
    case XLCFG_ACT_CHECKPOINT:
    case XLCFG_ACT_EXPORT:
    case XLCFG_ACTS:
        break;
    }
    snprintf(reason, size, "the in-memory driver has no %s",
             act < XLCFG_ACTS ? xlcfg__action_name(act) : "such action");
    return false;
}

static const char *number_field(enum xlcfg_kind kind)
{
    const struct xlcfg_field *f = xlcfg__kinds[kind].fields;

    for (; f->name; f++)
        if (!strcmp(f->name, "devid"))
            return f->name;
    return NULL;
}

static bool is_free(const struct xlcfg_view *live, const char *match)
{
    for (size_t i = 0; i < live->count; i++)
        if (!strcmp(live->devs[i].match, match) &&
            live->devs[i].live != XLCFG_LIVE_ABSENT)
            return false;
    return true;
}

/* The body with the first free number or disk name put in. */
static xlcfg_doc *choose(enum xlcfg_kind kind, const xlcfg_doc *body,
                         const struct xlcfg_view *live)
{
    char match[64], name[32];
    int n = 0;

    if (kind == XLCFG_KIND_DISK) {
        do {
            xlcfg__vdev_name(n < 16 ? 202 << 8 | n << 4 : 1 << 28 | n << 8,
                             name, sizeof(name));
            snprintf(match, sizeof(match), "disk/#%d",
                     xlcfg__vdev_number(name));
            n++;
        } while (!is_free(live, match));
        return xlcfg__doc_with(body, "vdev", xlcfg__doc_str(name));
    }
    do {
        snprintf(match, sizeof(match), "%s/%d", xlcfg__kinds[kind].name,
                 n++);
    } while (!is_free(live, match));
    return xlcfg__doc_with(body, "devid", xlcfg__doc_int(n - 1));
}

static int mem_prepare(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       const struct xlcfg_view *live, xlcfg_doc **body_r,
                       xlcfg_error *err)
{
    struct xlcfg_ident id;
    bool open_left;
    int rc;

    (void)dom;
    rc = scripted(handle, MEM_PREPARE, err);
    if (rc)
        return rc;
    if (xlcfg_doc_kind(body) != XLCFG_DOC_OBJECT)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "",
                          "expected an object: the body of a %s",
                          xlcfg__kinds[kind].name);
    xlcfg__key_of(kind, body, &id);
    open_left = kind == XLCFG_KIND_DISK ? !xlcfg_doc_get(body, "vdev")
        : number_field(kind) && !xlcfg_doc_get(body, "devid");
    if (!open_left && !id.key[0])
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "",
                          "the body does not say which %s it is",
                          xlcfg__kinds[kind].name);
    if (!open_left && !is_free(live, id.match))
        return xlcfg__err(err, XLCFG_ERROR_DEVICE_EXISTS, id.key,
                          "there is such a device already");
    *body_r = open_left ? choose(kind, body, live) : xlcfg_doc_ref(body);
    return *body_r ? 0 : xlcfg__nomem(err);
}

static int mem_attach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      xlcfg_error *err)
{
    struct mem *mem = handle;
    struct mem_domain *md;
    struct xlcfg_ident id;
    struct xlcfg_dev *old;
    const char *words;
    int rc;

    rc = scripted(mem, MEM_ATTACH, err);
    if (rc)
        return rc;
    md = domain_of(mem, dom, err);
    if (!md)
        return XLCFG_ERROR_DOMAIN_NOTFOUND;
    xlcfg__key_of(kind, body, &id);
    if (!id.key[0])
        return no_device(err, &id);
    if (dev_for(md, &id))
        return xlcfg__err(err, XLCFG_ERROR_DEVICE_EXISTS, id.key,
                          "there is such a device already");
    words = xlcfg__doc_getstr(override_of(md, id.key), "refuses");
    if (words)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, id.key, "%s", words);
    rc = xlcfg__view_add(&md->view, kind, xlcfg_doc_ref(body), NULL,
                         XLCFG_LIVE_PRESENT, NULL);
    if (rc)
        return xlcfg__nomem(err);
    old = dev_at(&md->view, id.match);
    if (old->live == XLCFG_LIVE_ABSENT)
        drop_dev(md, old);
    changed(mem, md);
    return 0;
}

static int mem_detach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      unsigned flags, unsigned wait_ms, xlcfg_error *err)
{
    struct mem *mem = handle;
    struct mem_domain *md;
    struct xlcfg_ident id;
    struct xlcfg_dev *dev;
    const xlcfg_doc *over;
    const char *words;
    int rc;

    (void)wait_ms;              /* nothing here lets go later */
    rc = scripted(mem, MEM_DETACH, err);
    if (rc)
        return rc;
    md = domain_of(mem, dom, err);
    if (!md)
        return XLCFG_ERROR_DOMAIN_NOTFOUND;
    xlcfg__key_of(kind, body, &id);
    dev = dev_for(md, &id);
    if (!dev)
        return no_device(err, &id);
    over = override_of(md, dev->key);
    words = xlcfg__doc_getstr(over, "refuses");
    if (words)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, dev->key, "%s", words);
    if (xlcfg_doc_is_true(xlcfg_doc_get(over, "holds")) &&
        !(flags & XLCFG_DETACH_FORCE)) {
        if (dev->live != XLCFG_LIVE_LEAVING) {
            if (xlcfg__dev_because(dev, "the guest has not let go of it"))
                return xlcfg__nomem(err);
            dev->live = XLCFG_LIVE_LEAVING;
            changed(mem, md);
        }
        return xlcfg__err(err, XLCFG_ERROR_PENDING, dev->key, "%s",
                          dev->reason ? dev->reason
                          : "the guest has not let go of it");
    }
    drop_dev(md, dev);
    changed(mem, md);
    return 0;
}

static int mem_update(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *before,
                      const xlcfg_doc *after, xlcfg_error *err)
{
    struct mem *mem = handle;
    struct mem_domain *md;
    struct xlcfg_ident id, to;
    struct xlcfg_dev *dev;
    const char *words;
    int rc;

    rc = scripted(mem, MEM_UPDATE, err);
    if (rc)
        return rc;
    md = domain_of(mem, dom, err);
    if (!md)
        return XLCFG_ERROR_DOMAIN_NOTFOUND;
    xlcfg__key_of(kind, before, &id);
    xlcfg__key_of(kind, after, &to);
    dev = dev_for(md, &id);
    if (!dev)
        return no_device(err, &id);
    if (strcmp(id.match, to.match))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, id.key,
                          "an update cannot make it another device (%s)",
                          to.key);
    words = xlcfg__doc_getstr(override_of(md, dev->key), "refuses");
    if (words)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, dev->key, "%s", words);
    xlcfg_doc_free(dev->body);
    dev->body = xlcfg_doc_ref(after);
    changed(mem, md);
    return 0;
}

static bool is_litter(enum xlcfg_live live)
{
    switch (live) {
    case XLCFG_LIVE_PARTIAL:
    case XLCFG_LIVE_FAILED:
    case XLCFG_LIVE_LEAVING:
    case XLCFG_LIVE_ORPHANED:
    case XLCFG_LIVE_LEAKED:
        return true;
    case XLCFG_LIVE_ABSENT:
    case XLCFG_LIVE_COMING:
    case XLCFG_LIVE_PRESENT:
    case XLCFG_LIVE_UNKNOWN:
    case XLCFG_LIVES:
        return false;
    }
    return false;
}

static int mem_clean(void *handle, const struct xlcfg_domain *dom,
                     const struct xlcfg_dev *what, bool dry_run,
                     xlcfg__items *steps, xlcfg_error *err)
{
    struct mem *mem = handle;
    struct mem_domain *md;
    struct xlcfg_dev *dev;
    int rc;

    rc = scripted(mem, MEM_CLEAN, err);
    if (rc)
        return rc;
    md = domain_of(mem, dom, err);
    if (!md)
        return XLCFG_ERROR_DOMAIN_NOTFOUND;
    dev = dev_at(&md->view, what->match);
    if (!dev || dev->live == XLCFG_LIVE_ABSENT)
        return 0;               /* clean already */
    if (!is_litter(dev->live))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, dev->key,
                          "it is %s: nothing was left behind",
                          xlcfg__live_name(dev->live));
    xlcfg__items_add(steps, xlcfg__doc_strf("remove %s (%s)", dev->key,
                                            xlcfg__live_name(dev->live)));
    if (steps->failed)
        return xlcfg__nomem(err);
    if (dry_run)
        return 0;
    drop_dev(md, dev);
    changed(mem, md);
    return 0;
}

/* ---- create ---- */

static int make_uuid(char uuid_r[37], xlcfg_error *err)
{
    unsigned char b[16];

    if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
        return xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "getrandom: %s",
                          strerror(errno));
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    snprintf(uuid_r, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
             "%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5],
             b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
    return 0;
}

/* Who it is to be, from c_info; refused when somebody is that already. */
static int identify(struct mem *mem, const xlcfg_doc *config,
                    struct xlcfg_domain *dom, xlcfg_error *err)
{
    const xlcfg_doc *info = xlcfg_doc_get(config, "c_info");
    const char *name = xlcfg__doc_getstr(info, "name");
    const char *uuid = xlcfg__doc_getstr(info, "uuid");
    int rc;

    if (!name || !*name)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/c_info/name",
                          "expected the domain's name");
    if (uuid && !xlcfg__mem_uuid(uuid, dom->uuid))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/c_info/uuid",
                          "expected a uuid");
    rc = uuid ? 0 : make_uuid(dom->uuid, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < mem->count; i++)
        if (!strcmp(mem->doms[i].dom.uuid, dom->uuid) ||
            (mem->doms[i].dom.name && !strcmp(mem->doms[i].dom.name, name)))
            return xlcfg__err(err, XLCFG_ERROR_REFUSED, name,
                              "a domain of this name or uuid is there");
    dom->name = strdup(name);
    return dom->name ? 0 : xlcfg__nomem(err);
}

static int start_it(struct mem *mem, struct mem_domain *md,
                    const xlcfg_doc *config, xlcfg_error *err)
{
    int64_t domid = 0;
    int rc;

    rc = xlcfg__view_from_config(config, &md->view, err);
    if (rc)
        return rc;
    if (md->view.unknown.count)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL, "%s",
                          xlcfg_doc_string(md->view.unknown.v[0]));
    for (size_t i = 0; i < mem->count; i++)
        if (mem->doms[i].dom.domid > domid)
            domid = mem->doms[i].dom.domid;
    md->dom.domid = domid + 1;
    md->dom.started = time(NULL);
    md->dom.state = "running";
    if (asprintf(&md->dom.run, "%s/%" PRId64, md->dom.uuid,
                 md->dom.domid) < 0) {
        md->dom.run = NULL;
        return xlcfg__nomem(err);
    }
    return 0;
}

static int mem_create(void *handle, const xlcfg_doc *config, unsigned flags,
                      struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    struct mem *mem = handle;
    struct xlcfg_domain dom = { .domid = -1, .state = "stopped" };
    struct mem_domain *md;
    int rc;

    rc = scripted(mem, MEM_CREATE, err);
    if (!rc)
        rc = identify(mem, config, &dom, err);
    if (rc)
        return rc;
    md = xlcfg__mem_add(mem);
    if (!md) {
        xlcfg__domain_dispose(&dom);
        return xlcfg__nomem(err);
    }
    md->dom = dom;
    md->stored = xlcfg_doc_ref(config);
    for (int k = 0; k < XLCFG_KINDS; k++)
        md->view.sees[k] = true;
    if (flags & XLCFG_CREATE_START)
        rc = start_it(mem, md, config, err);
    if (!rc && xlcfg__domain_copy(dom_r, &md->dom))
        rc = xlcfg__nomem(err);
    if (rc) {
        xlcfg__mem_domain_dispose(md);
        mem->count--;
        return rc;
    }
    changed(mem, md);
    return 0;
}

/* ---- watch ---- */

static int mem_watch_fd(void *handle, xlcfg_error *err)
{
    struct mem *mem = handle;
    int rc;

    rc = scripted(mem, MEM_WATCH_FD, err);
    if (rc)
        return rc;
    if (mem->fd < 0)
        mem->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mem->fd < 0)
        return xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "eventfd: %s",
                          strerror(errno));
    return mem->fd;
}

static int mem_watch_next(void *handle, char uuid_r[37], xlcfg_error *err)
{
    struct mem *mem = handle;
    uint64_t n;
    int rc;

    rc = scripted(mem, MEM_WATCH_NEXT, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < mem->count; i++)
        if (mem->doms[i].changed) {
            mem->doms[i].changed = false;
            memcpy(uuid_r, mem->doms[i].dom.uuid, 37);
            return 0;
        }
    /* nothing is left to tell, so it must not poll readable */
    if (mem->fd >= 0)
        (void)!read(mem->fd, &n, sizeof(n));
    return 1;
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
    .can = mem_can,
    .prepare = mem_prepare,
    .attach = mem_attach,
    .detach = mem_detach,
    .update = mem_update,
    .clean = mem_clean,
    .create = mem_create,
    .watch_fd = mem_watch_fd,
    .watch_next = mem_watch_next,
};
