/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding and removing one device's nodes. */
#include "driver/xen_plug_node.h"
#include "driver/clock.h"
#include "driver/xen_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xs_wire.h>

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

/* What stands in the device's directory; *there says whether there is one. */
static int read_found(struct xlcfg__xen *xen,
                      const struct xlcfg__xen_front *f,
                      struct xlcfg__xen_nodes *nodes, bool *there)
{
    struct xlcfg__xen_dev dev;
    xlcfg_doc *body;
    int r, rc = 0;

    r = xlcfg__xen_dev_read(xen->xs, f, nodes->domid, nodes->devid, &dev);
    *there = !r;
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
    bool there;
    int rc;

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
        rc = read_found(xen, f, nodes, &there);
        if (rc || there)
            return rc;
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

/* ---- changing ---- */

/* Each answer is waited for so long at most, twice. */
#define WIRE_MS 30000

/* All in one go: 0, or the first error that is not `fine`. */
static int ask_all(struct xlcfg__wire *wire, struct xlcfg__wire_ask *asks,
                   size_t count, int fine)
{
    int r = 0;

    xlcfg__wire_ask(wire, asks, count);
    for (size_t i = 0; i < count; i++) {
        free(asks[i].data);
        asks[i].data = NULL;
        if (!r && asks[i].error && asks[i].error != fine)
            r = asks[i].error;
    }
    return r;
}

static int tx_begin(struct xlcfg__wire *wire, uint32_t *tx_r)
{
    struct xlcfg__wire_ask ask = { .type = XS_TRANSACTION_START, .path = "" };
    uint64_t tx;

    xlcfg__wire_ask(wire, &ask, 1);
    if (ask.error)
        return ask.error;
    if (!xlcfg__xs_number(ask.data, UINT32_MAX, &tx) || !tx)
        ask.error = EPROTO;
    else
        *tx_r = (uint32_t)tx;
    free(ask.data);
    return ask.error;
}

/* One transaction by `fill`; 0 or an errno. */
static int transact(struct xlcfg__wire *wire,
                    const struct xlcfg__xen_nodes *nodes,
                    int (*fill)(struct xlcfg__wire *wire, uint32_t tx,
                                const struct xlcfg__xen_nodes *nodes))
{
    int r = EAGAIN, ended;

    for (int tries = 0; tries < 100 && r == EAGAIN; tries++) {
        struct xlcfg__wire_ask end = { .type = XS_TRANSACTION_END };

        r = tx_begin(wire, &end.tx);
        if (r)
            return r;
        r = fill(wire, end.tx, nodes);
        end.path = r ? "F" : "T";
        ended = ask_all(wire, &end, 1, 0);
        if (r)
            return r;
        r = ended;
    }
    return r;
}

/* What is gone already is fine. */
static int remove_nodes(struct xlcfg__wire *wire, uint32_t tx,
                        const struct xlcfg__xen_nodes *nodes)
{
    const char *paths[] = { nodes->path[1], nodes->path[0], nodes->back };
    struct xlcfg__wire_ask asks[3];
    size_t n = 0;

    for (int i = 0; i < 3; i++)
        if (*paths[i])
            asks[n++] = (struct xlcfg__wire_ask){
                .type = XS_RM, .path = paths[i], .tx = tx,
            };
    return ask_all(wire, asks, n, ENOENT);
}

/* The answer: a state, '0' for none there. */
static char state_of(struct xlcfg__wire_ask *ask)
{
    char state = !ask->error && ask->len == 1 ? *ask->data
        : ask->error == ENOENT ? '0' : '?';

    free(ask->data);
    ask->data = NULL;
    return state;
}

static int ask_to_go(struct xlcfg__wire *wire, uint32_t tx,
                     const struct xlcfg__xen_nodes *nodes)
{
    char path[2][XLCFG__XS_PATH_MAX + 8];
    struct xlcfg__wire_ask asks[2] = {
        { .type = XS_READ, .path = path[0], .tx = tx },
    };
    size_t n = 0;
    char state;

    snprintf(path[0], sizeof(path[0]), "%s/state", nodes->back);
    snprintf(path[1], sizeof(path[1]), "%s/online", nodes->back);
    xlcfg__wire_ask(wire, asks, 1);
    state = state_of(&asks[0]);
    /* where there is none, writing would make it anew */
    if (state != '0')
        asks[n++] = (struct xlcfg__wire_ask){
            .type = XS_WRITE, .path = path[1], .more = "0", .tx = tx,
        };
    if (state != '0' && state != '6')
        asks[n++] = (struct xlcfg__wire_ask){
            .type = XS_WRITE, .path = path[0], .more = "5", .tx = tx,
        };
    return ask_all(wire, asks, n, 0);
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
static void ask_if_it_connected(struct xlcfg__wire *wire,
                                const struct xlcfg__xen_nodes *nodes,
                                char state)
{
    if (state == '4')   /* it is tried again with each look */
        (void)transact(wire, nodes, ask_to_go);
}

/* Until it is let go of, or time is up: the last state. */
static char wait_for_guest(struct xlcfg__wire *wire,
                           const struct xlcfg__xen_nodes *nodes,
                           unsigned wait_ms)
{
    int64_t end = xlcfg__now_ms() + wait_ms;
    char path[XLCFG__XS_PATH_MAX + 8];
    struct xlcfg__wire_ask asks[2] = {
        { .type = XS_WATCH, .path = path, .more = "state" },
        { .type = XS_READ, .path = path },
    };
    bool told;

    snprintf(path, sizeof(path), "%s/state", nodes->back);
    xlcfg__wire_ask(wire, asks, 2);
    told = !asks[0].error;
    free(asks[0].data);
    for (;;) {
        char state = state_of(&asks[1]);
        int64_t left = end - xlcfg__now_ms();

        if (state == '6' || state == '0' || left <= 0 ||
            xlcfg__wire_lost(wire))
            return state;
        ask_if_it_connected(wire, nodes, state);
        /* a hint that is lost costs a second, and no more */
        left = left < 1000 ? left : 1000;
        (void)xlcfg__wire_hint(wire, (unsigned)(told || left < STEP_MS
                                                ? left : STEP_MS));
        xlcfg__wire_ask(wire, &asks[1], 1);
    }
}

int xlcfg__xen_nodes_ask(const struct xlcfg__xen_nodes *nodes,
                         struct xlcfg__wire **wire_r, xlcfg_error *err)
{
    struct xlcfg__wire *wire;
    int r;

    r = xlcfg__wire_open(WIRE_MS, &wire);
    if (r)
        return unreachable(err, NULL, r);
    r = transact(wire, nodes, ask_to_go);
    if (!r) {
        *wire_r = wire;
        return 0;
    }
    xlcfg__wire_close(wire);
    return unreachable(err, nodes->back, r);
}

int xlcfg__xen_nodes_wait(const struct xlcfg__xen_nodes *nodes,
                          struct xlcfg__wire *wire, unsigned wait_ms,
                          xlcfg_error *err)
{
    char state = wait_for_guest(wire, nodes, wait_ms);
    int r = xlcfg__wire_lost(wire);

    xlcfg__wire_close(wire);
    if (r)
        return unreachable(err, nodes->back, r);
    if (state != '6' && state != '0')
        return xlcfg__err(err, XLCFG_ERROR_PENDING, nodes->back,
                          "the guest has not let go of it: its backend is "
                          "in state %c, not 6", state);
    return 0;
}

int xlcfg__xen_nodes_remove(const struct xlcfg__xen_nodes *nodes,
                            xlcfg_error *err)
{
    struct xlcfg__wire *wire;
    int r;

    r = xlcfg__wire_open(WIRE_MS, &wire);
    if (r)
        return unreachable(err, NULL, r);
    r = transact(wire, nodes, remove_nodes);
    xlcfg__wire_close(wire);
    return r ? unreachable(err, nodes->path[0], r) : 0;
}
