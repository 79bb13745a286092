/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drivers: choosing one, and filling what it leaves out. */
#include "driver/driver.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct xlcfg_driver *const drivers[] = {
    &xlcfg__driver_xen, &xlcfg__driver_mem, &xlcfg__driver_virt,
};

static const char *const actions[XLCFG_ACTS] = {
    [XLCFG_ACT_ATTACH] = "attach",
    [XLCFG_ACT_DETACH] = "detach",
    [XLCFG_ACT_UPDATE] = "update",
    [XLCFG_ACT_CREATE] = "create",
    [XLCFG_ACT_WATCH] = "watch",
    [XLCFG_ACT_XML] = "xml",
    [XLCFG_ACT_SNAPSHOT] = "snapshot",
    [XLCFG_ACT_CHECKPOINT] = "checkpoint",
    [XLCFG_ACT_EXPORT] = "export-disk",
};

const char *xlcfg__action_name(enum xlcfg_action act)
{
    return actions[act];
}

/* ---- lists of domains ---- */

void xlcfg__domain_dispose(struct xlcfg_domain *dom)
{
    free(dom->name);
    free(dom->run);
    *dom = (struct xlcfg_domain){ .domid = -1, .state = "unknown" };
}

int xlcfg__domain_copy(struct xlcfg_domain *to,
                       const struct xlcfg_domain *from)
{
    *to = *from;
    to->name = from->name ? strdup(from->name) : NULL;
    to->run = from->run ? strdup(from->run) : NULL;
    if ((from->name && !to->name) || (from->run && !to->run)) {
        xlcfg__domain_dispose(to);
        return XLCFG_ERROR_NOMEM;
    }
    return 0;
}

int xlcfg__domains_add(struct xlcfg_domains *list, struct xlcfg_domain *dom)
{
    if (list->count == list->room) {
        size_t more = list->room ? list->room * 2 : 16;
        struct xlcfg_domain *bigger;

        bigger = realloc(list->v, more * sizeof(*bigger));
        if (!bigger) {
            xlcfg__domain_dispose(dom);
            return XLCFG_ERROR_NOMEM;
        }
        list->v = bigger;
        list->room = more;
    }
    list->v[list->count++] = *dom;
    return 0;
}

void xlcfg__domains_dispose(struct xlcfg_domains *list)
{
    for (size_t i = 0; i < list->count; i++)
        xlcfg__domain_dispose(&list->v[i]);
    free(list->v);
    *list = (struct xlcfg_domains){ 0 };
}

/* ---- what a driver leaves out ---- */

static int not_able(xlcfg_error *err, const char *what)
{
    return xlcfg__err(err, XLCFG_ERROR_NI, NULL,
                      "this driver cannot %s", what);
}

static int no_index(void *h, const struct xlcfg_domain *dom, char **text_r,
                    xlcfg_error *err)
{
    (void)h; (void)dom;
    *text_r = strdup("");
    return *text_r ? 0 : xlcfg__nomem(err);
}

static int no_stored(void *h, const struct xlcfg_domain *dom,
                     xlcfg_doc **config_r, xlcfg_error *err)
{
    (void)h; (void)dom; (void)config_r;
    return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, NULL,
                      "this backend keeps no configuration of its own");
}

static bool no_can(void *h, enum xlcfg_kind kind, enum xlcfg_action act,
                   char *reason, size_t size)
{
    (void)h; (void)kind;
    snprintf(reason, size, "this driver cannot %s", actions[act]);
    return false;
}

static int same_prepare(void *h, const struct xlcfg_domain *dom,
                        enum xlcfg_kind kind, const xlcfg_doc *body,
                        const struct xlcfg_view *live,
                        const struct xlcfg__addresses *book,
                        xlcfg_doc **body_r, xlcfg_error *err)
{
    (void)h; (void)dom; (void)kind; (void)live; (void)book; (void)err;
    *body_r = xlcfg_doc_ref(body);
    return 0;
}

static int no_attach(void *h, const struct xlcfg_domain *dom,
                     enum xlcfg_kind kind, const xlcfg_doc *body,
                     xlcfg_error *err)
{
    (void)h; (void)dom; (void)kind; (void)body;
    return not_able(err, "attach devices");
}

static int no_detach(void *h, const struct xlcfg_domain *dom,
                     enum xlcfg_kind kind, const xlcfg_doc *body,
                     unsigned flags, unsigned wait_ms, xlcfg_error *err)
{
    (void)h; (void)dom; (void)kind; (void)body; (void)flags; (void)wait_ms;
    return not_able(err, "detach devices");
}

static int no_update(void *h, const struct xlcfg_domain *dom,
                     enum xlcfg_kind kind, const xlcfg_doc *before,
                     const xlcfg_doc *after, xlcfg_error *err)
{
    (void)h; (void)dom; (void)kind; (void)before; (void)after;
    return not_able(err, "update devices");
}

static int no_clean(void *h, const struct xlcfg_domain *dom,
                    const struct xlcfg_dev *dev, bool dry_run,
                    xlcfg__items *steps, xlcfg_error *err)
{
    (void)h; (void)dom; (void)dev; (void)dry_run; (void)steps;
    return not_able(err, "clean up after a device");
}

static int no_create(void *h, const xlcfg_doc *config, unsigned flags,
                     struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    (void)h; (void)config; (void)flags; (void)dom_r;
    return not_able(err, "create domains");
}

static int no_to_xml(void *h, const xlcfg_doc *config, char **xml_r,
                     xlcfg_error *err)
{
    (void)h; (void)config; (void)xml_r;
    return not_able(err, "write domain XML");
}

static int no_from_xml(void *h, const char *xml, size_t len,
                       xlcfg_doc **config_r, xlcfg_error *err)
{
    (void)h; (void)xml; (void)len; (void)config_r;
    return not_able(err, "read domain XML");
}

static int no_device_from_xml(void *h, const char *xml, size_t len,
                              enum xlcfg_kind *kind_r, xlcfg_doc **body_r,
                              xlcfg_error *err)
{
    (void)h; (void)xml; (void)len; (void)kind_r; (void)body_r;
    return not_able(err, "read device XML");
}

static int no_watch_fd(void *h, xlcfg_error *err)
{
    (void)h;
    return not_able(err, "watch");
}

static int no_watch_next(void *h, char uuid_r[37], xlcfg_error *err)
{
    (void)h; (void)uuid_r;
    return not_able(err, "watch");
}

static int nothing_kept(void *h, const struct xlcfg_domain *dom,
                        enum xlcfg_kind kind, const xlcfg_doc *body,
                        xlcfg_error *err)
{
    (void)h; (void)dom; (void)kind; (void)body; (void)err;
    return 0;
}

static int no_capacity(void *h, const struct xlcfg_domain *dom,
                       const xlcfg_doc *disk, uint64_t *bytes_r,
                       xlcfg_error *err)
{
    (void)h; (void)dom; (void)disk; (void)bytes_r;
    return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, NULL,
                      "this driver cannot tell the size of a disk");
}

static int plain_place(void *h, const xlcfg_doc *config,
                       const struct xlcfg__addresses *book,
                       xlcfg_doc **config_r, xlcfg_error *err)
{
    (void)h;
    *config_r = xlcfg__addresses_apply(book, config);
    return *config_r ? 0 : xlcfg__nomem(err);
}

static int any_body(void *h, enum xlcfg_kind kind, const xlcfg_doc *body,
                    xlcfg_error *err)
{
    (void)h; (void)kind; (void)body; (void)err;
    return 0;
}

static int any_update(void *h, enum xlcfg_kind kind, const xlcfg_doc *before,
                      const xlcfg_doc *after, xlcfg_error *err)
{
    (void)h; (void)kind; (void)before; (void)after; (void)err;
    return 0;
}

static int all_run(void *h, const char *uuid, bool dry_run, xlcfg_error *err)
{
    (void)h; (void)uuid; (void)dry_run; (void)err;
    return XLCFG_DECLINED;
}

static void holds_nothing(void *h, int lock)
{
    (void)h; (void)lock;
}

static void nothing_runs(void *h)
{
    (void)h;
}

static void nothing_comes(void *h)
{
    (void)h;
}

static int no_pulse(void *h, struct xlcfg_domains *list, char ***texts_r,
                    xlcfg_error *err)
{
    (void)h; (void)list; (void)texts_r;
    return not_able(err, "tell that nothing has changed");
}

static int no_go_on(void *h, const struct xlcfg_domain *dom,
                    xlcfg_error *err)
{
    (void)h; (void)dom;
    return not_able(err, "go on with a start that was cut off");
}

static const struct xlcfg_driver filler = {
    .index = no_index, .stored = no_stored, .can = no_can,
    .prepare = same_prepare, .attach = no_attach, .detach = no_detach,
    .update = no_update, .clean = no_clean, .create = no_create,
    .to_xml = no_to_xml, .from_xml = no_from_xml,
    .device_from_xml = no_device_from_xml, .watch_fd = no_watch_fd,
    .watch_next = no_watch_next, .forget = nothing_kept,
    .capacity = no_capacity, .place = plain_place, .finish = nothing_runs,
    .ready = nothing_comes, .hold = holds_nothing,
    .keep = nothing_kept,
    .pulse = no_pulse,
    .check = any_body, .check_update = any_update,
    .unmake = all_run, .go_on = no_go_on,
};

#define FILL(in, member) \
    ((in)->member = (in)->member ? (in)->member : filler.member)

static void fill(struct xlcfg_driver *in, const struct xlcfg_driver *out)
{
    size_t size = out->size < sizeof(*in) ? out->size : sizeof(*in);

    memset(in, 0, sizeof(*in));
    memcpy(in, out, size);
    FILL(in, index);
    FILL(in, stored);
    FILL(in, can);
    FILL(in, prepare);
    FILL(in, attach);
    FILL(in, detach);
    FILL(in, update);
    FILL(in, clean);
    FILL(in, create);
    FILL(in, to_xml);
    FILL(in, from_xml);
    FILL(in, device_from_xml);
    FILL(in, watch_fd);
    FILL(in, watch_next);
    FILL(in, forget);
    FILL(in, capacity);
    FILL(in, place);
    FILL(in, finish);
    FILL(in, pulse);
    FILL(in, check);
    FILL(in, check_update);
    FILL(in, unmake);
    FILL(in, go_on);
    FILL(in, ready);
    FILL(in, hold);
    FILL(in, keep);
}

/* ---- connections ---- */

static int wrap(const struct xlcfg_driver *drv, void *handle,
                struct xlcfg_conn **conn_r, xlcfg_error *err)
{
    struct xlcfg_conn *conn = calloc(1, sizeof(*conn));

    if (!conn) {
        drv->close(handle);
        return xlcfg__nomem(err);
    }
    atomic_init(&conn->refs, 1);
    fill(&conn->drv, drv);
    conn->outside = drv;
    conn->handle = handle;
    *conn_r = conn;
    return 0;
}

int xlcfg__conn_open(const char *uri, const struct xlcfg_driver_options *opt,
                     struct xlcfg_conn **conn_r, xlcfg_error *err)
{
    static const char *const guesses[] = { "xen:///", "qemu:///system" };
    int rc = XLCFG_ERROR_UNREACHABLE;
    xlcfg_error first = XLCFG_ERROR_INIT;

    for (size_t i = 0; !uri && i < 2; i++) {
        rc = xlcfg__conn_open(guesses[i], opt, conn_r, err);
        if (rc == 0)
            return 0;
        if (err && !i)
            first = *err;
    }
    if (!uri) {
        if (err)
            *err = first;
        return rc;
    }
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        void *handle;

        rc = drivers[i]->open(uri, opt, &handle, err);
        if (rc == 0)
            return wrap(drivers[i], handle, conn_r, err);
        if (rc != XLCFG_DECLINED)
            return rc;
    }
    return xlcfg__err(err, XLCFG_ERROR_INVAL, uri,
                      "no driver knows this URI: expected xen:///, "
                      "mem:FILE, or a libvirt URI such as qemu:///system");
}

struct xlcfg_conn *xlcfg__conn_ref(struct xlcfg_conn *conn)
{
    atomic_fetch_add(&conn->refs, 1);
    return conn;
}

void xlcfg__conn_free(struct xlcfg_conn *conn)
{
    if (!conn || atomic_fetch_sub(&conn->refs, 1) != 1)
        return;
    conn->drv.close(conn->handle);
    free(conn);
}
