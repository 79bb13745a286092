/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One row per kind.  A hole is a function that libxl 4.17 does not export:
 * it can take shared folders and PV calls away, and never add them; virtio
 * devices, channels, device tree nodes and reserved regions come and go with
 * their domain.
 */
#include "driver/xen_plug_kind.h"
#include "driver/xen_child.h"
#include "driver/xen_plug_words.h"

#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>

typedef int call_fn(libxl_ctx *ctx, uint32_t domid, const char *json);

#define BAD_BODY 1              /* no number of libxl's */

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

int xlcfg__xen_call_here(enum xlcfg_kind kind, enum xlcfg__xen_verb verb,
                         uint32_t domid, const char *json, xlcfg_error *err)
{
    struct xlcfg__xen_words *words;
    libxl_ctx *ctx;
    char name[64];
    int rc;

    if (!xlcfg__xen_has(kind, verb)) {
        xlcfg__xen_verb_name(kind, verb, name, sizeof(name));
        return xlcfg__err(err, XLCFG_ERROR_NI, xlcfg__kinds[kind].name,
                          "libxl has no %s", name);
    }
    words = malloc(sizeof(*words));     /* as long as the context: until the
                                           end of this process */
    if (!words)
        return xlcfg__nomem(err);
    ctx = xlcfg__xen_ctx(words, err);
    if (!ctx)
        return XLCFG_ERROR_UNREACHABLE;
    rc = calls[kind][verb](ctx, domid, json);
    if (rc == BAD_BODY)
        rc = xlcfg__err(err, XLCFG_ERROR_INVAL, "libxl",
                        "it does not read this body: %s",
                        words->len ? words->text : "it gives no reason");
    else if (rc)
        rc = xlcfg__xen_said(words, rc, err);
    return rc;
}

struct call {
    enum xlcfg_kind kind;
    enum xlcfg__xen_verb verb;
    uint32_t domid;
    const char *json;
};

static int run(void *arg, xlcfg_error *err)
{
    const struct call *c = arg;

    return xlcfg__xen_call_here(c->kind, c->verb, c->domid, c->json, err);
}

int xlcfg__xen_call(enum xlcfg_kind kind, enum xlcfg__xen_verb verb,
                    uint32_t domid, const char *json, pid_t *left,
                    xlcfg_error *err)
{
    struct call c = { kind, verb, domid, json };

    return xlcfg__xen_child(run, &c, XLCFG__XEN_LIBXL_MS, left, err);
}
