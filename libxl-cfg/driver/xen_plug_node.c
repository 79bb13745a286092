/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding and removing one device's nodes. */
#include "driver/xen_plug_node.h"
#include "driver/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xenstore.h>

#define STEP_MS 50              /* when xenstore takes no watch */

bool xlcfg__xen_node_exists(struct xlcfg__xs *xs, const char *path)
{
    struct xlcfg__xs_names names;
    int r = xlcfg__xs_list(xs, &names, "%s", path);

    xlcfg__xs_names_dispose(&names);
    return !r;
}

int xlcfg__xen_devid(enum xlcfg_kind kind, const xlcfg_doc *body)
{
    const char *vdev = xlcfg__doc_getstr(body, "vdev");
    int64_t devid;

    if (kind == XLCFG_KIND_DISK)
        return vdev ? xlcfg__vdev_number(vdev) : -1;
    devid = xlcfg__doc_to_int(xlcfg_doc_get(body, "devid"), -1);
    return devid < 0 || devid > INT32_MAX ? -1 : (int)devid;
}

/* ---- finding ---- */

/* A backend that no L-dir names: dom0's, and it names our frontend. */
static void find_leaked(struct xlcfg__xs *xs, struct xlcfg__xen_nodes *nodes,
                        const struct xlcfg__xen_front *f)
{
    for (int i = 0; i < 4 && f->backends[i] && !nodes->back[0]; i++) {
        struct xlcfg__xs_value v;
        char back[128];

        snprintf(back, sizeof(back), "/local/domain/0/backend/%s/%u/%u",
                 f->backends[i], nodes->domid, nodes->devid);
        xlcfg__xs_read(xs, &v, "%s/frontend", back);
        if (!strcmp(xlcfg__xs_text(&v), nodes->path[1]))
            strcpy(nodes->back, back);
        xlcfg__xs_value_dispose(&v, 1);
    }
}

/* What stands in the device's directory. */
static int read_found(struct xlcfg__xen *xen,
                      const struct xlcfg__xen_front *f,
                      struct xlcfg__xen_nodes *nodes)
{
    struct xlcfg__xen_dev dev;
    xlcfg_doc *body;
    int r, rc = 0;

    r = xlcfg__xen_dev_read(xen->xs, f, nodes->domid, nodes->devid, &dev);
    if (!r) {
        nodes->emulated = f->kind == XLCFG_KIND_USBCTRL &&
            !*dev.bekind &&
            !strcmp(xlcfg__xen_usb_type(&dev), "devicemodel");
        strcpy(nodes->back, *dev.bekind ? dev.backend : "");
    }
    if (!r && (*dev.bekind || nodes->emulated)) {
        body = xlcfg__xen_body(&dev, NULL);
        if (!body || xlcfg_doc_print(body, 0, &nodes->json, NULL, NULL))
            rc = XLCFG_ERROR_NOMEM;
        xlcfg_doc_free(body);
    }
    xlcfg__xen_dev_dispose(&dev);
    return r == ENOMEM ? XLCFG_ERROR_NOMEM : rc;
}

int xlcfg__xen_nodes_find(struct xlcfg__xen *xen, enum xlcfg_kind kind,
                          uint32_t domid, unsigned devid,
                          struct xlcfg__xen_nodes *nodes)
{
    const struct xlcfg__xen_front *f;

    *nodes = (struct xlcfg__xen_nodes){
        .kind = kind, .domid = domid, .devid = devid,
    };
    for (f = xlcfg__xen_fronts; f->name; f++) {
        if (f->kind != kind)
            continue;
        snprintf(nodes->path[0], sizeof(nodes->path[0]),
                 "/libxl/%u/device/%s/%u", domid, f->name, devid);
        snprintf(nodes->path[1], sizeof(nodes->path[1]),
                 "/local/domain/%u/device/%s/%u", domid, f->name, devid);
        if (xlcfg__xen_node_exists(xen->xs, nodes->path[0]))
            return read_found(xen, f, nodes);
        find_leaked(xen->xs, nodes, f);
        if (nodes->back[0] ||
            xlcfg__xen_node_exists(xen->xs, nodes->path[1]))
            return 0;
    }
    nodes->path[0][0] = nodes->path[1][0] = '\0';
    return 0;
}

void xlcfg__xen_nodes_dispose(struct xlcfg__xen_nodes *nodes)
{
    free(nodes->json);
    nodes->json = NULL;
}

unsigned xlcfg__xen_ports_used(struct xlcfg__xs *xs,
                               const struct xlcfg__xen_nodes *nodes)
{
    const char *where = nodes->back[0] ? nodes->back : nodes->path[0];
    struct xlcfg__xs_names ports;
    unsigned used = 0;

    if (xlcfg__xs_list(xs, &ports, "%s/port", where))
        return 0;
    for (unsigned i = 0; i < ports.count; i++) {
        struct xlcfg__xs_value v;

        xlcfg__xs_read(xs, &v, "%s/port/%s", where, ports.v[i]);
        used += *xlcfg__xs_text(&v) != '\0';
        xlcfg__xs_value_dispose(&v, 1);
    }
    xlcfg__xs_names_dispose(&ports);
    return used;
}

/* ---- changing, in a child ---- */

/* One transaction by `fill`; 0 or an errno. */
static int transact(struct xs_handle *h,
                    const struct xlcfg__xen_nodes *nodes,
                    bool (*fill)(struct xs_handle *h, xs_transaction_t t,
                                 const struct xlcfg__xen_nodes *nodes))
{
    for (int tries = 0; tries < 100; tries++) {
        xs_transaction_t t = xs_transaction_start(h);
        bool ok;
        int why;

        if (t == XBT_NULL)
            return errno;
        ok = fill(h, t, nodes);
        why = errno;
        if (xs_transaction_end(h, t, !ok) && ok)
            return 0;
        if (!ok)
            return why ? why : EIO;
        if (errno != EAGAIN)
            return errno;
    }
    return EAGAIN;
}

static bool remove_node(struct xs_handle *h, xs_transaction_t t,
                        const char *path)
{
    return !*path || xs_rm(h, t, path) || errno == ENOENT;
}

static bool remove_nodes(struct xs_handle *h, xs_transaction_t t,
                         const struct xlcfg__xen_nodes *nodes)
{
    return remove_node(h, t, nodes->path[1]) &&
        remove_node(h, t, nodes->path[0]) && remove_node(h, t, nodes->back);
}

/* The state, '0' for none there. */
static char read_state(struct xs_handle *h, xs_transaction_t t,
                       const struct xlcfg__xen_nodes *nodes)
{
    char path[XLCFG__XS_PATH_MAX + 8];
    char *text, state;
    unsigned len;

    snprintf(path, sizeof(path), "%s/state", nodes->back);
    text = xs_read(h, t, path, &len);
    state = text && len == 1 ? *text : text || errno != ENOENT ? '?' : '0';
    free(text);
    return state;
}

static bool ask(struct xs_handle *h, xs_transaction_t t,
                const struct xlcfg__xen_nodes *nodes)
{
    char path[XLCFG__XS_PATH_MAX + 8];
    char state = read_state(h, t, nodes);

    if (state == '0')
        return true;            /* writing would make it anew */
    snprintf(path, sizeof(path), "%s/online", nodes->back);
    if (!xs_write(h, t, path, "0", 1))
        return false;
    snprintf(path, sizeof(path), "%s/state", nodes->back);
    return state == '6' || xs_write(h, t, path, "5", 1);
}

static int unreachable(xlcfg_error *err, const char *where, int why)
{
    return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, where, "xenstore: %s",
                      strerror(why));
}

/*
 * A guest that was still connecting when it was asked has its backend write
 * state 4 over our 5: it will not let go, for it has never seen that.
 */
static void ask_if_it_connected(struct xs_handle *h,
                                const struct xlcfg__xen_nodes *nodes,
                                char state)
{
    if (state == '4')
        (void)transact(h, nodes, ask);  /* it is tried again with each look */
}

/* Until it is let go of, or time is up: the last state. */
static char wait_for_guest(struct xs_handle *h,
                           const struct xlcfg__xen_nodes *nodes,
                           unsigned wait_ms)
{
    struct pollfd ready = { .fd = xs_fileno(h), .events = POLLIN };
    int64_t end = xlcfg__now_ms() + wait_ms;
    char path[XLCFG__XS_PATH_MAX + 8];
    bool told;

    snprintf(path, sizeof(path), "%s/state", nodes->back);
    told = xs_watch(h, path, "state");
    for (;;) {
        char state = read_state(h, XBT_NULL, nodes);
        int64_t left = end - xlcfg__now_ms();
        char **event;

        if (state == '6' || state == '0' || left <= 0)
            return state;
        ask_if_it_connected(h, nodes, state);
        /* a hint that is lost costs a second, and no more */
        left = left < 1000 ? left : 1000;
        (void)poll(&ready, told ? 1 : 0, (int)(told || left < STEP_MS
                                               ? left : STEP_MS));
        while (told && (event = xs_check_watch(h)))
            free(event);
    }
}

int xlcfg__xen_nodes_ask(const char *back, unsigned wait_ms,
                         xlcfg_error *err)
{
    struct xs_handle *h = xs_open(0);
    struct xlcfg__xen_nodes nodes = { .kind = XLCFG_KINDS };
    char state;
    int r;

    if (!h)
        return unreachable(err, NULL, errno);
    strcpy(nodes.back, back);
    /* h is not closed: that waits for the watch's thread, and the child
     * ends soon */
    r = transact(h, &nodes, ask);
    state = r ? '?' : wait_for_guest(h, &nodes, wait_ms);
    if (r)
        return unreachable(err, back, r);
    if (state != '6' && state != '0')
        return xlcfg__err(err, XLCFG_ERROR_PENDING, back,
                          "the guest has not let go of it: its backend is "
                          "in state %c, not 6", state);
    return 0;
}

int xlcfg__xen_nodes_remove(const struct xlcfg__xen_nodes *nodes,
                            xlcfg_error *err)
{
    struct xs_handle *h = xs_open(0);
    int r;

    if (!h)
        return unreachable(err, NULL, errno);
    r = transact(h, nodes, remove_nodes);
    return r ? unreachable(err, nodes->path[0], r) : 0;
}
