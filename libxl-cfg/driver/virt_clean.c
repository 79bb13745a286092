/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking away what libvirt has lost in QEMU, in the order that QEMU needs:
 * the device, then its block nodes from the top, or its netdev. */
#include "driver/virt_qmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 5000
#define STEP_MS 100

static void step(xlcfg__items *steps, const char *what, const char *name)
{
    xlcfg__items_add(steps, xlcfg__doc_strf("%s %s", what, name));
}

/* 0: it has left QEMU.  PENDING: the guest has not let go. */
static int remove_device(struct virt *v, virDomainPtr d, const char *id,
                         xlcfg_error *err)
{
    static const struct timespec nap = { 0, STEP_MS * 1000000 };
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc;

    rc = xlcfg__qmp(v, d, "device_del", xlcfg__qmp_one("id", id), NULL,
                    &why);
    if (rc && !xlcfg__virt_is_leaving(why.message) &&
        !strstr(why.message, "not found")) {
        if (err)
            *err = why;
        return rc;
    }
    for (int ms = 0; ms < WAIT_MS; ms += STEP_MS) {
        xlcfg_doc *list = NULL;
        bool there;

        rc = xlcfg__qmp_devices(v, d, &list, err);
        if (rc)
            return rc;
        there = xlcfg__qmp_has(list, id);
        xlcfg_doc_free(list);
        if (!there)
            return 0;
        nanosleep(&nap, NULL);
    }
    return xlcfg__err(err, XLCFG_ERROR_PENDING, id,
                      "QEMU was asked to take it away, the guest has not "
                      "let go of it");
}

/* A device that has just left holds its nodes for a moment longer. */
static int remove_node(struct virt *v, virDomainPtr d, const char *name,
                       xlcfg_error *err)
{
    static const struct timespec nap = { 0, STEP_MS * 1000000 };
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc = 0;

    for (int ms = 0; ms < WAIT_MS; ms += STEP_MS) {
        rc = xlcfg__qmp(v, d, "blockdev-del",
                        xlcfg__qmp_one("node-name", name), NULL, &why);
        if (!rc || !strstr(why.message, "in use"))
            break;
        rc = xlcfg__err(&why, XLCFG_ERROR_PENDING, name,
                        "QEMU still has it in use");
        nanosleep(&nap, NULL);
    }
    if (rc && err)
        *err = why;
    return rc;
}

/* The nodes of one number, those that others stand on last. */
static int remove_nodes(struct virt *v, virDomainPtr d, int64_t number,
                        bool dry_run, xlcfg__items *steps, xlcfg_error *err)
{
    static const char *const layers[] = { "format", "slice", "storage" };
    xlcfg_doc *list = NULL;
    int rc;

    rc = xlcfg__qmp_nodes(v, d, &list, err);
    for (size_t l = 0; !rc && l < 3; l++) {
        char name[64];

        snprintf(name, sizeof(name), "libvirt-%lld-%s", (long long)number,
                 layers[l]);
        for (size_t i = 0; !rc && i < xlcfg_doc_count(list); i++) {
            const char *have = xlcfg__doc_getstr(xlcfg_doc_at(list, i),
                                                 "node-name");

            if (!have || strcmp(have, name))
                continue;
            step(steps, "QEMU: blockdev-del", name);
            if (!dry_run)
                rc = remove_node(v, d, name, err);
        }
    }
    xlcfg_doc_free(list);
    return rc;
}

static int remove_netdev(struct virt *v, virDomainPtr d, const char *id,
                         xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc;

    rc = xlcfg__qmp(v, d, "netdev_del", xlcfg__qmp_one("id", id), NULL,
                    &why);
    if (rc && strstr(why.message, "not found"))
        return 0;
    if (rc && err)
        *err = why;
    return rc;
}

static int clean_leaked(struct virt *v, virDomainPtr d,
                        const xlcfg_doc *qemu, bool dry_run,
                        xlcfg__items *steps, xlcfg_error *err)
{
    const char *id = xlcfg__doc_getstr(qemu, "id");
    const char *netdev = xlcfg__doc_getstr(qemu, "netdev");
    int64_t node = xlcfg__doc_to_int(xlcfg_doc_get(qemu, "node"), 0);
    int rc = 0;

    if (id)
        step(steps, "QEMU: device_del", id);
    if (id && !dry_run)
        rc = remove_device(v, d, id, err);
    if (!rc && node)
        rc = remove_nodes(v, d, node, dry_run, steps, err);
    if (!rc && netdev)
        step(steps, "QEMU: netdev_del", netdev);
    if (!rc && netdev && !dry_run)
        rc = remove_netdev(v, d, netdev, err);
    return steps->failed ? xlcfg__nomem(err) : rc;
}

int xlcfg__virt_clean(void *handle, const struct xlcfg_domain *dom,
                      const struct xlcfg_dev *dev, bool dry_run,
                      xlcfg__items *steps, xlcfg_error *err)
{
    const xlcfg_doc *qemu = xlcfg_doc_get(dev->body, "x-qemu");
    struct virt *v = handle;
    virDomainPtr d;
    int rc;

    if (!qemu) {
        rc = dry_run ? 0 : xlcfg__virt_detach(v, dom, dev->kind, dev->body,
                                              0, WAIT_MS, err);
        rc = rc == XLCFG_LEFT ? 0 : rc;
        if (!rc)
            step(steps, "libvirt: detach", dev->key);
        return rc || dry_run ? rc : xlcfg__virt_forget(v, dom, dev->kind,
                                                       dev->body, err);
    }
    rc = xlcfg__virt_reach(v, dom, &d, err);
    if (rc)
        return rc;
    rc = clean_leaked(v, d, qemu, dry_run, steps, err);
    virDomainFree(d);
    return rc;
}
