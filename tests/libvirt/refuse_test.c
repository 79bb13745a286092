/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unplugs that are refused, on real QEMU guests: by libvirt, for a device in
 * a slot that is not for hotplug; and by the guest, whose no is an event.  Of
 * what libxl has a kind for, no guest on x86 can send one (memory and
 * processors alone have a way to), so there the event is ours, in the place of
 * the call.
 */
#include "driver/virt_lib.h"
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef virConnectDomainEventRegisterAny
#undef virDomainDetachDeviceAlias
#undef virDomainGetConnect

static struct host host;

static xlcfg_doc *device(xlcfg_ctx *ctx, const char *name, const char *key,
                         xlcfg_doc **get_r)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    const xlcfg_doc *list;

    *get_r = NULL;
    if (xlcfg_domain_get(ctx, name, NULL, get_r, &err))
        return claim(false, "%s: get: %s", name, err.message), NULL;
    list = xlcfg_doc_get(*get_r, "devices");
    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(list, i);

        if (!strcmp(xlcfg_doc_string(xlcfg_doc_get(dev, "key")), key))
            return (xlcfg_doc *)dev;
    }
    return NULL;
}

/* The state, with these words in its reason; it stays in the configuration,
 * and settle closes the unplug. */
static void is_refused(xlcfg_ctx *ctx, const char *name, const char *words)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    const char *state, *reason;
    xlcfg_doc *get, *dev, *doc = NULL;
    int rc;

    rc = xlcfg_device_detach(ctx, name, "disk/vdb", NULL, &doc, &err);
    claim(rc == XLCFG_ERROR_REFUSED && strstr(err.message, words),
          "%s: refused: %d %s", name, rc, err.message);
    dev = device(ctx, name, "disk/vdb", &get);
    state = xlcfg_doc_string(xlcfg_doc_get(dev, "state"));
    reason = xlcfg_doc_string(xlcfg_doc_get(dev, "reason"));
    claim(state && !strcmp(state, "refused") && reason &&
          strstr(reason, words), "%s: %s: %s", name, state ? state : "none",
          reason ? reason : "no reason");
    xlcfg_doc_free(get);
    claim(!host_settle(ctx, name), "%s: settled", name);
    dev = device(ctx, name, "disk/vdb", &get);
    state = xlcfg_doc_string(xlcfg_doc_get(dev, "state"));
    claim(state && !strcmp(state, "attached"), "%s: it is attached: %s",
          name, state ? state : "none");
    xlcfg_doc_free(get);
}

/* ---- by libvirt ---- */

static void by_libvirt(const char *name)
{
    char image[160], *disk;
    xlcfg_ctx *ctx = host_open(&host, false);
    virDomainPtr d;

    if (!ctx || !host_image(&host, "fixed.img", image) ||
        asprintf(&disk, "<controller type='pci' index='9' "
                 "model='pcie-root-port'><target hotplug='off'/>"
                 "</controller><disk type='file' device='disk'>"
                 "<driver name='qemu' type='raw'/><source file='%s'/>"
                 "<target dev='vdb' bus='virtio'/><address type='pci' "
                 "bus='0x09' slot='0x00' function='0x0'/></disk>", image) < 0)
        return;
    d = host_guest(&host, name, "q35", disk, true);
    if (d) {
        is_refused(ctx, name, "cannot hot unplug");
        claim(host_shows(d, 0, "vdb") &&
              host_shows(d, VIR_DOMAIN_XML_INACTIVE, "vdb"),
              "%s: it runs and is kept", name);
        host_drop(d);
    }
    xlcfg_ctx_close(ctx);
    free(disk);
}

/* ---- by the guest ---- */

static struct {
    virConnectDomainEventDeviceRemovalFailedCallback stays;
    void *opaque;
    __typeof__(virConnectDomainEventRegisterAny) *listen;
    __typeof__(virDomainDetachDeviceAlias) *detach;
} real;

static int listen_too(virConnectPtr conn, virDomainPtr d, int id,
                      virConnectDomainEventGenericCallback cb, void *opaque,
                      virFreeCallback done)
{
    if (id == VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED) {
        real.stays = (virConnectDomainEventDeviceRemovalFailedCallback)
            (void (*)(void))cb;
        real.opaque = opaque;
    }
    return real.listen(conn, d, id, cb, opaque, done);
}

static int says_no(virDomainPtr d, const char *alias, unsigned flags)
{
    (void)flags;
    if (real.stays)
        real.stays(virDomainGetConnect(d), d, alias, real.opaque);
    return real.stays ? 0 : -1;
}

static void by_guest(const char *name)
{
    char image[160], *body = NULL;
    xlcfg_ctx *ctx = host_open(&host, false);
    virDomainPtr d = host_guest(&host, name, "pc-q35-6.0", "", true);
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *disk = NULL, *doc = NULL;
    bool there;

    if (!ctx || !d || !host_image(&host, "held.img", image) ||
        asprintf(&body, "{\"vdev\": \"vdb\", \"pdev_path\": \"%s\", "
                 "\"format\": \"raw\"}", image) < 0)
        return;
    there = !xlcfg_doc_parse(body, strlen(body), &disk, &err) &&
        !xlcfg_device_attach(ctx, name, "disk", disk, NULL, &doc, &err);
    claim(there, "%s: vdb %s", name, err.message);
    real.listen = xlcfg__vir.virConnectDomainEventRegisterAny;
    real.detach = xlcfg__vir.virDomainDetachDeviceAlias;
    xlcfg__vir.virConnectDomainEventRegisterAny = listen_too;
    xlcfg__vir.virDomainDetachDeviceAlias = says_no;
    if (there)
        is_refused(ctx, name, "the guest refused");
    xlcfg__vir.virConnectDomainEventRegisterAny = real.listen;
    xlcfg__vir.virDomainDetachDeviceAlias = real.detach;
    xlcfg_doc_free(doc);
    doc = NULL;
    claim(!xlcfg_device_detach(ctx, name, "disk/vdb", NULL, &doc, &err) &&
          !host_shows(d, 0, "vdb"), "%s: it may be asked again %s", name,
          err.message);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(disk);
    free(body);
    xlcfg_ctx_close(ctx);
    host_drop(d);
}

int main(void)
{
    if (!host_begin(&host))
        return claims();
    if (host_join(&host)) {
        by_libvirt("in-a-fixed-slot");
        by_guest("that-holds-on");
    }
    host_end(&host);
    return claims();
}
