/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The in-memory driver: what it can do, and plugging. */
#include "driver/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void drop_dev(struct mem_domain *md, struct xlcfg_dev *dev)
{
    struct xlcfg_view *view = &md->view;
    size_t i = (size_t)(dev - view->devs);

    xlcfg__dev_dispose(dev);
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

/* ---- acting ---- */

bool xlcfg__mem_can(void *handle, enum xlcfg_kind kind,
                    enum xlcfg_action act, char *reason, size_t size)
{
    xlcfg_error err = XLCFG_ERROR_INIT;

    (void)kind;                 /* memory holds every kind alike */
    if (xlcfg__mem_scripted(handle, MEM_CAN, &err)) {
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

/* Free in memory, and no other's in the book. */
static bool may_have(const struct xlcfg_view *live,
                     const struct xlcfg__addresses *book,
                     enum xlcfg_kind kind, const char *match,
                     const struct xlcfg_ident *id)
{
    return is_free(live, match) &&
        !xlcfg__addresses_holder(book, kind, match, id);
}

/* What the book has of a device that is known by its second name; NULL:
 * nothing that is free still. */
static const struct xlcfg__address *
own_of(enum xlcfg_kind kind, const struct xlcfg_ident *id,
       const struct xlcfg_view *live, const struct xlcfg__addresses *book)
{
    const struct xlcfg__address *own = xlcfg__addresses_own(book, kind, id);

    return own && is_free(live, own->match) ? own : NULL;
}

/* The body with its own number of before, or with the first free number or
 * disk name put in. */
static xlcfg_doc *choose(enum xlcfg_kind kind, const xlcfg_doc *body,
                         const struct xlcfg_view *live,
                         const struct xlcfg__addresses *book)
{
    const struct xlcfg__address *own;
    char match[64], name[32];
    struct xlcfg_ident id;
    int n = 0;

    xlcfg__key_of(kind, body, &id);
    own = own_of(kind, &id, live, book);
    if (own)
        return xlcfg__address_fill(body, own->address);

    if (kind == XLCFG_KIND_DISK) {
        do {
            xlcfg__vdev_name(n < 16 ? 202 << 8 | n << 4 : 1 << 28 | n << 8,
                             name, sizeof(name));
            snprintf(match, sizeof(match), "disk/#%d",
                     xlcfg__vdev_number(name));
            n++;
        } while (!may_have(live, book, kind, match, &id));
        return xlcfg__doc_with(body, "vdev", xlcfg__doc_str(name));
    }
    do {
        snprintf(match, sizeof(match), "%s/%d", xlcfg__kinds[kind].name,
                 n++);
    } while (!may_have(live, book, kind, match, &id));
    return xlcfg__doc_with(body, "devid", xlcfg__doc_int(n - 1));
}

/* It takes any members. */
int xlcfg__mem_check(void *handle, enum xlcfg_kind kind,
                     const xlcfg_doc *body, xlcfg_error *err)
{
    (void)kind; (void)body;
    return xlcfg__mem_scripted(handle, MEM_CHECK, err);
}

int xlcfg__mem_prepare(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       const struct xlcfg_view *live,
                       const struct xlcfg__addresses *book,
                       xlcfg_doc **body_r, xlcfg_error *err)
{
    struct xlcfg_ident id;
    bool open_left;
    int rc;

    (void)dom;
    rc = xlcfg__mem_scripted(handle, MEM_PREPARE, err);
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
    *body_r = open_left ? choose(kind, body, live, book)
                        : xlcfg_doc_ref(body);
    return *body_r ? 0 : xlcfg__nomem(err);
}

static int attach(struct mem *mem, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      xlcfg_error *err)
{
    struct mem_domain *md;
    struct xlcfg_ident id;
    struct xlcfg_dev *old;
    const char *words;
    int rc;

    md = xlcfg__mem_domain(mem, dom, err);
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
    xlcfg__mem_changed(mem, md);
    return 0;
}

int xlcfg__mem_attach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      xlcfg_error *err)
{
    int rc = xlcfg__mem_enter_write(handle, MEM_ATTACH, err);

    if (!rc)
        rc = attach(handle, dom, kind, body, err);
    return xlcfg__mem_leave_write(handle, rc, err);
}

static int detach(struct mem *mem, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                  unsigned flags, xlcfg_error *err)
{
    struct mem_domain *md;
    struct xlcfg_ident id;
    struct xlcfg_dev *dev;
    const xlcfg_doc *over;
    const char *words;

    md = xlcfg__mem_domain(mem, dom, err);
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
            xlcfg__mem_changed(mem, md);
        }
        return xlcfg__err(err, XLCFG_ERROR_PENDING, dev->key, "%s",
                          dev->reason ? dev->reason
                          : "the guest has not let go of it");
    }
    drop_dev(md, dev);
    xlcfg__mem_changed(mem, md);
    return 0;
}

int xlcfg__mem_detach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      unsigned flags, unsigned wait_ms, xlcfg_error *err)
{
    int rc = xlcfg__mem_enter_write(handle, MEM_DETACH, err);

    (void)wait_ms;              /* nothing here lets go later */
    if (!rc)
        rc = detach(handle, dom, kind, body, flags, err);
    return xlcfg__mem_leave_write(handle, rc, err);
}

static int update(struct mem *mem, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *before,
                      const xlcfg_doc *after, xlcfg_error *err)
{
    struct mem_domain *md;
    struct xlcfg_ident id, to;
    struct xlcfg_dev *dev;
    const char *words;

    md = xlcfg__mem_domain(mem, dom, err);
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
    xlcfg__mem_changed(mem, md);
    return 0;
}

int xlcfg__mem_update(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *before,
                      const xlcfg_doc *after, xlcfg_error *err)
{
    int rc = xlcfg__mem_enter_write(handle, MEM_UPDATE, err);

    if (!rc)
        rc = update(handle, dom, kind, before, after, err);
    return xlcfg__mem_leave_write(handle, rc, err);
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

static int clean(struct mem *mem, const struct xlcfg_domain *dom,
                     const struct xlcfg_dev *what, bool dry_run,
                     xlcfg__items *steps, xlcfg_error *err)
{
    struct mem_domain *md;
    struct xlcfg_dev *dev;

    md = xlcfg__mem_domain(mem, dom, err);
    if (!md)
        return XLCFG_ERROR_DOMAIN_NOTFOUND;
    dev = dev_at(&md->view, what->match);
    if (!dev || dev->live == XLCFG_LIVE_ABSENT)
        return 0;               /* clean already */
    /* who asks may know better, of one that never said a word */
    if (!is_litter(dev->live) && !is_litter(what->live))
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
    xlcfg__mem_changed(mem, md);
    return 0;
}

int xlcfg__mem_clean(void *handle, const struct xlcfg_domain *dom,
                     const struct xlcfg_dev *what, bool dry_run,
                     xlcfg__items *steps, xlcfg_error *err)
{
    int rc = xlcfg__mem_enter_write(handle, MEM_CLEAN, err);

    if (!rc)
        rc = clean(handle, dom, what, dry_run, steps, err);
    return xlcfg__mem_leave_write(handle, rc, err);
}

