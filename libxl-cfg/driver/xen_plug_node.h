/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes of one device, for those who plug: where they are, asking for
 * its unplug, and taking away what is left.
 */
#ifndef XLCFG_DRIVER_XEN_PLUG_NODE_H
#define XLCFG_DRIVER_XEN_PLUG_NODE_H

#include "driver/xen_look.h"

struct xlcfg__wire;

struct xlcfg__xen_nodes {
    enum xlcfg_kind kind;
    uint32_t domid, devid;
    char path[2][XLCFG__XS_PATH_MAX];   /* L-dir, frontend; "": none */
    char back[XLCFG__XS_PATH_MAX];      /* "": there is none */
    char *json;                 /* the body as it is now; NULL: it is only
                                   half there */
    bool emulated;              /* QEMU's own: without a backend by design */
};

/* The number a body's device has below /libxl; -1: none. */
int xlcfg__xen_devid(enum xlcfg_kind kind, const xlcfg_doc *body);

/* NOMEM.  path[0] "": there is nothing of it. */
int xlcfg__xen_nodes_find(struct xlcfg__xen *xen, enum xlcfg_kind kind,
                          uint32_t domid, unsigned devid,
                          struct xlcfg__xen_nodes *nodes);
void xlcfg__xen_nodes_dispose(struct xlcfg__xen_nodes *nodes);

bool xlcfg__xen_node_exists(struct xlcfg__xs *xs, const char *path);
/* How many of a USB controller's ports hold a device. */
unsigned xlcfg__xen_ports_used(struct xlcfg__xs *xs,
                               const struct xlcfg__xen_nodes *nodes);

/*
 * Over a connection of its own.  ask: the backend gets online 0 and state 5 in
 * one transaction.  wait, which takes that connection: both again when it
 * connects after that, for the guest was about to and did not see it.  0: asked
 * for; the guest has let go; PENDING: it has not in wait_ms; UNREACHABLE.
 */
int xlcfg__xen_nodes_ask(const struct xlcfg__xen_nodes *nodes,
                         struct xlcfg__wire **wire_r, xlcfg_error *err);
int xlcfg__xen_nodes_wait(const struct xlcfg__xen_nodes *nodes,
                          struct xlcfg__wire *wire, unsigned wait_ms,
                          xlcfg_error *err);
/* Remove them all, in one transaction, in a child.  UNREACHABLE. */
int xlcfg__xen_nodes_remove(const struct xlcfg__xen_nodes *nodes,
                            xlcfg_error *err);

#endif
