/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl's functions that plug, by kind of device: which there are, and one
 * way to call them: in another process, with a libxl context of its own.
 */
#ifndef XLCFG_DRIVER_XEN_PLUG_KIND_H
#define XLCFG_DRIVER_XEN_PLUG_KIND_H

#include "core/kind.h"
#include "driver/xen_child.h"
#include "driver/xen_plug_words.h"
#include "driver/xen_xs.h"

/* libxl waits 10 s for a backend and 40 s for its script. */
#define XLCFG__XEN_LIBXL_MS 65000
#define XLCFG__XEN_READ_MS 10000

enum xlcfg__xen_verb {
    XLCFG__XEN_ADD,
    XLCFG__XEN_REMOVE,          /* after ten seconds most of them force */
    XLCFG__XEN_DESTROY,         /* without the guest */
    XLCFG__XEN_INSERT,          /* another medium */
    XLCFG__XEN_VERBS,
    XLCFG__XEN_READ = XLCFG__XEN_VERBS, /* the body as libxl reads it: nothing
                                           is touched */
};

bool xlcfg__xen_has(enum xlcfg_kind kind, enum xlcfg__xen_verb verb);
/* What is missing, for a message: "libxl_device_p9_add". */
void xlcfg__xen_verb_name(enum xlcfg_kind kind, enum xlcfg__xen_verb verb,
                          char *text, size_t size);

/* One call, as it goes to the child; the body's text comes behind it. */
struct xlcfg__xen_order {
    enum xlcfg_kind kind;
    enum xlcfg__xen_verb verb;
    uint32_t domid;
};

/*
 * Do it in another process, which waits for the next.  json is the body.
 * INVAL: libxl does not read it; DEVICE_EXISTS, DOMAIN_NOTFOUND, NOMEM; NI:
 * there is no such function; REFUSED with what libxl logged; UNREACHABLE: there
 * is no libxl to be had; PENDING: it was not done within its time.
 */
int xlcfg__xen_call(struct xlcfg__xen_hand *hand,
                    const struct xlcfg__xen_order *order, const char *json,
                    xlcfg_error *err);
int xlcfg__xen_call_body(struct xlcfg__xen_hand *hand,
                         const struct xlcfg__xen_order *order,
                         const xlcfg_doc *body, xlcfg_error *err);
/* A call comes soon, by whoever holds the lock: a process begins if none
 * waits. */
void xlcfg__xen_call_ready(struct xlcfg__xen_hand *hand);

/* ---- in that process ---- */

/* libxl, and what it complains of; of that process, until its end. */
struct xlcfg__xen_call {
    struct libxl__ctx *ctx;
    struct xlcfg__xen_words words;
};

/* UNREACHABLE. */
int xlcfg__xen_call_open(struct xlcfg__xen_call *c, xlcfg_error *err);

#endif
