/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One row per kind.  A hole is a function that libxl 4.17 does not export:
 * it can take shared folders and PV calls away, and never add them; virtio
 * devices, channels, device tree nodes and reserved regions come and go with
 * their domain.
 */
#include "driver/xen_plug_kind.h"
#include "driver/xen_plug_config.h"

#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int call_fn(libxl_ctx *ctx, uint32_t domid, const char *json);

#define BAD_BODY 1              /* no number of libxl's */
#define IDLE_MS 30000

#define CALL(k, name, function)                                         \
    static int k##_##name(libxl_ctx *ctx, uint32_t domid,               \
                          const char *json)                             \
    {                                                                   \
        libxl_device_##k dev;                                           \
        int rc;                                                         \
                                                                        \
        libxl_device_##k##_init(&dev);                                  \
        rc = libxl_device_##k##_from_json(ctx, &dev, json) ? BAD_BODY   \
            : function(ctx, domid, &dev, NULL);                         \
        libxl_device_##k##_dispose(&dev);                               \
        return rc;                                                      \
    }
#define ADD(k) CALL(k, add, libxl_device_##k##_add)
#define REMOVE(k) CALL(k, remove, libxl_device_##k##_remove)
#define DESTROY(k) CALL(k, destroy, libxl_device_##k##_destroy)
#define ALL(k) ADD(k) REMOVE(k) DESTROY(k)

ADD(disk)
CALL(disk, remove, libxl_device_disk_safe_remove)
DESTROY(disk)
CALL(disk, insert, libxl_cdrom_insert)
ALL(nic)
ALL(pci)
ALL(vfb)
ALL(vkb)
ALL(vtpm)
ALL(vdispl)
ALL(vsnd)
ALL(usbctrl)
ADD(usbdev)
REMOVE(usbdev)
REMOVE(p9)
DESTROY(p9)
REMOVE(pvcallsif)
DESTROY(pvcallsif)

#define ROW(k) { k##_add, k##_remove, k##_destroy, NULL }

static call_fn *const calls[XLCFG_KINDS][XLCFG__XEN_VERBS] = {
    [XLCFG_KIND_DISK] = { disk_add, disk_remove, disk_destroy, disk_insert },
    [XLCFG_KIND_NIC] = ROW(nic),
    [XLCFG_KIND_PCI] = ROW(pci),
    [XLCFG_KIND_RDM] = { NULL },
    [XLCFG_KIND_DTDEV] = { NULL },
    [XLCFG_KIND_VFB] = ROW(vfb),
    [XLCFG_KIND_VKB] = ROW(vkb),
    [XLCFG_KIND_VIRTIO] = { NULL },
    [XLCFG_KIND_VTPM] = ROW(vtpm),
    [XLCFG_KIND_P9] = { NULL, p9_remove, p9_destroy, NULL },
    [XLCFG_KIND_PVCALLSIF] = { NULL, pvcallsif_remove, pvcallsif_destroy,
                               NULL },
    [XLCFG_KIND_VDISPL] = ROW(vdispl),
    [XLCFG_KIND_VSND] = ROW(vsnd),
    [XLCFG_KIND_CHANNEL] = { NULL },
    [XLCFG_KIND_USBCTRL] = ROW(usbctrl),
    /* it is taken from its port at once: there is nothing to force */
    [XLCFG_KIND_USBDEV] = { usbdev_add, usbdev_remove, usbdev_remove, NULL },
};

bool xlcfg__xen_has(enum xlcfg_kind kind, enum xlcfg__xen_verb verb)
{
    return kind < XLCFG_KINDS && calls[kind][verb];
}

void xlcfg__xen_verb_name(enum xlcfg_kind kind, enum xlcfg__xen_verb verb,
                          char *text, size_t size)
{
    static const char *const names[XLCFG__XEN_VERBS] = {
        "add", "remove", "destroy", "insert",
    };

    snprintf(text, size, "libxl_device_%s_%s", xlcfg__kinds[kind].name,
             names[verb]);
}

/* ---- in the child ---- */

int xlcfg__xen_call_open(struct xlcfg__xen_call *c, xlcfg_error *err)
{
    c->ctx = xlcfg__xen_ctx(&c->words, err);
    return c->ctx ? 0 : XLCFG_ERROR_UNREACHABLE;
}

static int call(struct xlcfg__xen_call *c,
                const struct xlcfg__xen_order *order, const char *json,
                xlcfg_error *err)
{
    int rc = calls[order->kind][order->verb](c->ctx, order->domid, json);

    if (rc == BAD_BODY)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "libxl",
                          "it does not read this body: %s",
                          c->words.len ? c->words.text
                          : "it gives no reason");
    return rc ? xlcfg__xen_said(&c->words, rc, err) : 0;
}

static int read_body(struct xlcfg__xen_call *c,
                     const struct xlcfg__xen_order *order, const char *json,
                     xlcfg_error *err)
{
    xlcfg_doc *body = NULL;
    int rc = xlcfg_doc_parse(json, strlen(json), &body, err);

    if (!rc)
        rc = xlcfg__xen_body_read(c->ctx, xlcfg__kinds[order->kind].array,
                                  body, err);
    xlcfg_doc_free(body);
    return rc;
}

static int obey(void *arg, const void *data, size_t size, xlcfg_error *err)
{
    const struct xlcfg__xen_order *order = data;
    const char *json = (const char *)(order + 1);
    struct xlcfg__xen_call *c = arg;

    (void)size;
    c->words.len = 0;           /* what it said of the last order is over */
    c->words.text[0] = '\0';
    return order->verb == XLCFG__XEN_READ ? read_body(c, order, json, err)
        : call(c, order, json, err);
}

static int open_libxl(void *arg, xlcfg_error *err)
{
    return xlcfg__xen_call_open(arg, err);
}

/* ---- in the caller ---- */

static const struct xlcfg__xen_work work = { open_libxl, obey, IDLE_MS };

void xlcfg__xen_call_ready(struct xlcfg__xen_hand *hand)
{
    struct xlcfg__xen_call c;   /* the child's copy is the one in use */

    if (hand->lock >= 0)        /* else it is done by another; and the call
                                   itself will say why there is none */
        (void)xlcfg__xen_child_ready(hand, &work, &c, NULL);
}

static int open_and_obey(void *arg, xlcfg_error *err)
{
    struct xlcfg__xen_call *c = malloc(sizeof(*c));     /* as long as libxl
                                                   is open: until the end */
    int rc = c ? xlcfg__xen_call_open(c, err) : xlcfg__nomem(err);

    return rc ? rc : obey(c, arg, 0, err);
}

/* By the child that waits for orders; what changes something, without a lock
 * for that one to hold, by one of its own, which has all locks of the caller's
 * from its beginning. */
static int give(struct xlcfg__xen_hand *hand, struct xlcfg__xen_order *order,
                size_t size, xlcfg_error *err)
{
    bool reads = order->verb == XLCFG__XEN_READ;
    unsigned ms = reads ? XLCFG__XEN_READ_MS : XLCFG__XEN_LIBXL_MS;
    struct xlcfg__xen_call c;   /* the child's copy is the one in use */

    return !reads && hand->lock < 0
        ? xlcfg__xen_child(open_and_obey, order, ms, hand, err)
        : xlcfg__xen_child_order(hand, &work, &c, order, size, ms, err);
}

int xlcfg__xen_call_body(struct xlcfg__xen_hand *hand,
                         const struct xlcfg__xen_order *order,
                         const xlcfg_doc *body, xlcfg_error *err)
{
    char *json = NULL;
    int rc = xlcfg_doc_print(body, 0, &json, NULL, err);

    if (!rc)
        rc = xlcfg__xen_call(hand, order, json, err);
    free(json);
    return rc;
}

int xlcfg__xen_call(struct xlcfg__xen_hand *hand,
                    const struct xlcfg__xen_order *order, const char *json,
                    xlcfg_error *err)
{
    size_t len = strlen(json) + 1;
    struct xlcfg__xen_order *whole;
    char name[64];
    int rc;

    if (order->verb != XLCFG__XEN_READ &&
        !xlcfg__xen_has(order->kind, order->verb)) {
        xlcfg__xen_verb_name(order->kind, order->verb, name, sizeof(name));
        return xlcfg__err(err, XLCFG_ERROR_NI,
                          xlcfg__kinds[order->kind].name, "libxl has no %s",
                          name);
    }
    whole = malloc(sizeof(*whole) + len);
    if (!whole)
        return xlcfg__nomem(err);
    *whole = *order;
    memcpy(whole + 1, json, len);
    rc = give(hand, whole, sizeof(*whole) + len, err);
    free(whole);
    return rc;
}
