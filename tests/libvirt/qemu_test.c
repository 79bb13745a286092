/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plugging through libvirt, on real QEMU guests: what libvirt's calls return
 * is never taken for what happened, so each claim looks at libvirt's own XML
 * of what runs and of what is kept.
 *
 *     qemu_test [MACHINE...]
 */
#include "host.h"
#include "libxl_cfg.h"

#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT VIR_DOMAIN_XML_INACTIVE
#define SHORT_MS 700

static struct host host;

static xlcfg_doc *doc_of(const char *fmt, const char *a, const char *b)
{
    xlcfg_doc *doc = NULL;
    char *text;

    if (asprintf(&text, fmt, a, b) < 0)
        return NULL;
    xlcfg_doc_parse(text, strlen(text), &doc, NULL);
    free(text);
    return doc;
}

static const char *text_at(const xlcfg_doc *doc, const char *pointer)
{
    const char *s = xlcfg_doc_string(xlcfg_doc_pointer(doc, pointer));

    return s ? s : "";
}

/* The state that `get` gives a device; "" when it has none. */
static const char *state_of(xlcfg_ctx *ctx, const char *dom,
                            const char *key, char state[32])
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    const xlcfg_doc *list;

    state[0] = '\0';
    if (xlcfg_domain_get(ctx, dom, NULL, &doc, &err)) {
        snprintf(state, 32, "%.31s", err.message);
        return state;
    }
    list = xlcfg_doc_get(doc, "devices");
    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(list, i);

        if (!strcmp(text_at(dev, "/key"), key))
            snprintf(state, 32, "%.31s", text_at(dev, "/state"));
    }
    xlcfg_doc_free(doc);
    return state;
}

static bool is_state(xlcfg_ctx *ctx, const char *dom, const char *key,
                     const char *want)
{
    char state[32];
    bool same = !strcmp(state_of(ctx, dom, key, state), want);

    return claim(same, "%s of %s is %s (%s)", key, dom,
                 *want ? want : "not there", state);
}

static int attach(xlcfg_ctx *ctx, const char *dom, const char *kind,
                  xlcfg_doc *body, xlcfg_error *err)
{
    xlcfg_doc *doc = NULL;
    int rc;

    *err = (xlcfg_error)XLCFG_ERROR_INIT;
    rc = xlcfg_device_attach(ctx, dom, kind, body, NULL, &doc, err);
    xlcfg_doc_free(doc);
    xlcfg_doc_free(body);
    return rc;
}

static int attach_disk(xlcfg_ctx *ctx, const char *dom, const char *vdev,
                       const char *path, xlcfg_error *err)
{
    return attach(ctx, dom, "disk",
                  doc_of("{\"vdev\": \"%s\", \"pdev_path\": \"%s\", "
                         "\"format\": \"raw\"}", vdev, path), err);
}

static int detach(xlcfg_ctx *ctx, const char *dom, const char *key,
                  xlcfg_error *err)
{
    xlcfg_plug_options opt = XLCFG_PLUG_OPTIONS_INIT;
    xlcfg_doc *doc = NULL;
    int rc;

    *err = (xlcfg_error)XLCFG_ERROR_INIT;
    opt.wait_ms = SHORT_MS;
    rc = xlcfg_device_detach(ctx, dom, key, &opt, &doc, err);
    xlcfg_doc_free(doc);
    return rc;
}

/* How many changes the next start would bring. */
static int pending_count(xlcfg_ctx *ctx, const char *dom)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *doc = NULL;
    int n;

    if (xlcfg_domain_pending(ctx, dom, &doc, &err)) {
        claim(false, "pending: %s", err.message);
        return -1;
    }
    n = (int)xlcfg_doc_count(xlcfg_doc_get(doc, "changes"));
    xlcfg_doc_free(doc);
    return n;
}

static bool same_xml(virDomainPtr d, unsigned flags, const char *before)
{
    char *now = host_xml(d, flags);
    bool same = !strcmp(now, before);

    free(now);
    return same;
}

/* ---- what must hold ---- */

static const char vdc_at_2[] =
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
    "<source file='%s'/><target dev='vdc' bus='virtio'/><address type='pci' "
    "domain='0x0000' bus='%s' slot='%s' function='0x0'/></disk>";

/* Where it is in what runs and in what is kept: the same, and not where
 * something that is only kept has its place. */
static void agreement(virDomainPtr d, const char *name, bool pcie)
{
    char *live = host_xml(d, 0), *kept = host_xml(d, KEPT);
    char *a = strstr(live, "ua-disk-vdb"), *b = strstr(kept, "ua-disk-vdb");
    char at_a[160] = "", at_b[160] = "";

    if (a && b) {
        a = strstr(a, "<address");
        b = strstr(b, "<address");
        snprintf(at_a, sizeof(at_a), "%.*s", (int)strcspn(a, ">"), a);
        snprintf(at_b, sizeof(at_b), "%.*s", (int)strcspn(b, ">"), b);
    }
    claim(a && b && !strcmp(at_a, at_b),
          "%s: what runs and what is kept agree: %s", name, at_a);
    claim(!strstr(at_a, pcie ? "bus='0x01'" : "slot='0x03'"),
          "%s: the place of a disk that is only kept is not taken", name);
    free(live);
    free(kept);
}

static void keep_one(virDomainPtr d, const char *path, bool pcie)
{
    char xml[600];

    snprintf(xml, sizeof(xml), vdc_at_2, path, pcie ? "0x01" : "0x00",
             pcie ? "0x00" : "0x03");
    claim(!virDomainAttachDeviceFlags(d, xml, VIR_DOMAIN_AFFECT_CONFIG),
          "a disk that is only kept");
}

static void refusals(xlcfg_ctx *ctx, virDomainPtr d, const char *name,
                     const char *image)
{
    char *live = host_xml(d, 0), *kept = host_xml(d, KEPT);
    xlcfg_error err;
    int rc;

    rc = attach_disk(ctx, name, "vdb", image, &err);
    claim(rc == XLCFG_ERROR_DEVICE_EXISTS, "%s: twice is refused: %s", name,
          err.message);
    rc = attach_disk(ctx, name, "vde", "/nowhere/at-all", &err);
    claim(rc == XLCFG_ERROR_REFUSED &&
          strstr(err.message, "/nowhere/at-all"),
          "%s: a missing image is refused: %s", name, err.message);
    rc = attach(ctx, name, "vfb", doc_of("{\"devid\": 3}", "", ""), &err);
    claim(rc == XLCFG_ERROR_NI, "%s: not able: %s", name, err.message);
    claim(same_xml(d, 0, live) && same_xml(d, KEPT, kept),
          "%s: ... and nothing is changed by them", name);
    is_state(ctx, name, "disk/vde", "");
    free(live);
    free(kept);
}

static void pending(xlcfg_ctx *ctx, virDomainPtr d, const char *name)
{
    xlcfg_error err;
    int rc;

    rc = detach(ctx, name, "disk/vdb", &err);
    claim(rc == XLCFG_ERROR_PENDING, "%s: an unplug that the guest does not "
          "let go of is not done: %d %s", name, rc, err.message);
    claim(host_shows(d, 0, "ua-disk-vdb") &&
          host_shows(d, KEPT, "ua-disk-vdb"),
          "%s: it runs and is kept", name);
    is_state(ctx, name, "disk/vdb", "detaching");
    rc = detach(ctx, name, "disk/vdb", &err);
    claim(rc == XLCFG_ERROR_PENDING, "%s: asked again: %s", name,
          err.message);
}

/* Another one goes on where the first stopped. */
static void handed_over(xlcfg_ctx *ctx, virDomainPtr d, const char *name)
{
    claim(host_settle(ctx, name) == 1, "%s: settled by another: one is open",
          name);
    is_state(ctx, name, "disk/vdb", "detaching");
    claim(host_reset(&host, d, "ua-disk-vdb"), "%s: a reset lets it go",
          name);
    claim(host_shows(d, KEPT, "ua-disk-vdb"),
          "%s: ... of what is kept nobody has thought yet", name);
    claim(host_settle(ctx, name) == 0, "%s: nothing is open", name);
    claim(!host_shows(d, KEPT, "ua-disk-vdb"),
          "%s: what is kept has lost it", name);
    is_state(ctx, name, "disk/vdb", "");
    claim(host_settle(ctx, name) == 0, "%s: settled twice is settled", name);
}

static void persistent(const char *name, const char *machine)
{
    bool pcie = strstr(machine, "q35") != NULL;
    char image[160], other[160];
    xlcfg_ctx *ctx = host_open(&host, false);
    virDomainPtr d = host_guest(&host, name, machine, "", true);
    xlcfg_error err;

    if (!ctx || !d || !host_image(&host, "b.img", image) ||
        !host_image(&host, "c.img", other))
        return;
    claim(pending_count(ctx, name) == 0, "%s: the next start is as this "
          "one", name);
    keep_one(d, other, pcie);
    claim(!attach_disk(ctx, name, "vdb", image, &err), "%s: vdb %s", name,
          err.message);
    is_state(ctx, name, "disk/vdb", "attached");
    claim(pending_count(ctx, name) == 1, "%s: ... but for one disk", name);
    agreement(d, name, pcie);
    refusals(ctx, d, name, image);
    pending(ctx, d, name);
    xlcfg_ctx_close(ctx);
    ctx = host_open(&host, false);
    handed_over(ctx, d, name);
    claim(!attach_disk(ctx, name, "vdb", image, &err), "%s: vdb again %s",
          name, err.message);
    is_state(ctx, name, "disk/vdb", "attached");
    xlcfg_ctx_close(ctx);
    host_drop(d);
}

static void transient(const char *name)
{
    char image[160];
    xlcfg_ctx *ctx = host_open(&host, false);
    virDomainPtr d = host_guest(&host, name, "q35", "", false);
    xlcfg_error err;

    if (!ctx || !d || !host_image(&host, "t.img", image))
        return;
    claim(!attach_disk(ctx, name, "vdb", image, &err), "%s: vdb %s", name,
          err.message);
    claim(!attach(ctx, name, "nic", doc_of(
              "{\"mac\": \"52:54:00:00:00:%s\", \"model\": \"virtio\"}",
              "07", ""), &err), "%s: a nic %s", name, err.message);
    is_state(ctx, name, "disk/vdb", "attached");
    is_state(ctx, name, "nic/52:54:00:00:00:07", "attached");
    claim(host_shows(d, 0, "ua-nic-52-54-00-00-00-07"), "%s: its alias",
          name);
    claim(detach(ctx, name, "nic/52:54:00:00:00:07", &err) ==
          XLCFG_ERROR_PENDING, "%s: asked: %s", name, err.message);
    claim(host_reset(&host, d, "ua-nic-52-54"), "%s: reset", name);
    claim(host_settle(ctx, name) == 0, "%s: settled", name);
    is_state(ctx, name, "nic/52:54:00:00:00:07", "");
    is_state(ctx, name, "disk/vdb", "attached");
    xlcfg_ctx_close(ctx);
    host_drop(d);
}

/* Native PCIe hotplug: the slot is switched off, no guest is asked. */
static void native(const char *name)
{
    char image[160];
    xlcfg_ctx *ctx = host_open(&host, false);
    virDomainPtr d = host_guest(&host, name, "pc-q35-6.0", "", true);
    xlcfg_error err;
    int rc;

    if (!ctx || !d || !host_image(&host, "n.img", image))
        return;
    claim(!attach_disk(ctx, name, "vdb", image, &err), "%s: vdb %s", name,
          err.message);
    rc = detach(ctx, name, "disk/vdb", &err);
    claim(!rc, "%s: gone at once: %d %s", name, rc, err.message);
    claim(!host_shows(d, 0, "vdb") && !host_shows(d, KEPT, "vdb"),
          "%s: neither runs nor is kept", name);
    is_state(ctx, name, "disk/vdb", "");
    xlcfg_ctx_close(ctx);
    host_drop(d);
}

static void full(const char *name)
{
    char image[160], vdev[4] = "vdb";
    xlcfg_ctx *ctx = host_open(&host, false);
    virDomainPtr d = host_guest(&host, name, "q35", "", false);
    xlcfg_error err;
    int rc = 0;

    if (!ctx || !d)
        return;
    for (; !rc && vdev[2] < 'h'; vdev[2]++)
        if (host_image(&host, vdev, image))
            rc = attach_disk(ctx, name, vdev, image, &err);
    claim(rc == XLCFG_ERROR_REFUSED && vdev[2] == 'g' &&
          strstr(err.message, "slot"), "%s: no room after vd%c: %s", name,
          vdev[2] - 2, err.message);
    xlcfg_ctx_close(ctx);
    host_drop(d);
}

static void dropped(const char *name)
{
    char image[160];
    xlcfg_ctx *ctx = host_open(&host, false);
    virDomainPtr d = host_guest(&host, name, "pc-q35-6.0", "", true);
    xlcfg_error err;
    int rc;

    if (!ctx || !d || !host_image(&host, "d.img", image))
        return;
    rc = attach(ctx, name, "disk", doc_of(
                    "{\"vdev\": \"vdb\", \"format\": \"raw\", \"x-libvirt\": "
                    "\"<disk type='file'><source file='%s'/><target dev="
                    "'vdb'/><zoo animal='%s'/></disk>\"}", image, "ape"),
                &err);
    claim(rc == XLCFG_ERROR_REFUSED && strstr(err.where, "disk/zoo"),
          "%s: what libvirt drops is said: %s %s", name, err.where,
          err.message);
    claim(!host_shows(d, 0, "vdb") && !host_shows(d, KEPT, "vdb"),
          "%s: ... and taken back", name);
    is_state(ctx, name, "disk/vdb", "");
    xlcfg_ctx_close(ctx);
    host_drop(d);
}

/* ---- what libvirt has lost in QEMU ---- */

static void lose(virDomainPtr d, const char *image)
{
    static const char *const steps[] = {
        "{\"execute\": \"blockdev-add\", \"arguments\": {\"node-name\": "
        "\"libvirt-77-storage\", \"driver\": \"file\", \"filename\": "
        "\"%s\"}}",
        "{\"execute\": \"blockdev-add\", \"arguments\": {\"node-name\": "
        "\"libvirt-77-format\", \"driver\": \"raw\", \"file\": "
        "\"libvirt-77-storage\"}}",
        "{\"execute\": \"device_add\", \"arguments\": {\"driver\": "
        "\"virtio-blk-pci\", \"id\": \"virtio-disk2\", \"drive\": "
        "\"libvirt-77-format\", \"bus\": \"pci.4\", \"addr\": \"0x0\"}}",
        "{\"execute\": \"netdev_add\", \"arguments\": {\"type\": \"user\", "
        "\"id\": \"hostnet5\"}}",
    };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        char text[600], *said;

        snprintf(text, sizeof(text), i ? "%s" : steps[0],
                 i ? steps[i] : image);
        said = host_qmp(d, text);
        claim(strstr(said, "\"return\"") != NULL, "behind libvirt's back: "
              "%s", said);
        free(said);
    }
}

static bool in_qemu(virDomainPtr d, const char *command, const char *text)
{
    char *said = host_qmp(d, command);
    bool there = strstr(said, text) != NULL;

    free(said);
    return there;
}

static void leaked(const char *name)
{
    static const char nodes[] =
        "{\"execute\": \"query-named-block-nodes\"}";
    static const char nets[] = "{\"execute\": \"human-monitor-command\", "
        "\"arguments\": {\"command-line\": \"info network\"}}";
    char image[160];
    xlcfg_ctx *ctx = host_open(&host, false), *deep = host_open(&host, true);
    virDomainPtr d = host_guest(&host, name, "q35", "", true);
    xlcfg_error err;

    if (!ctx || !deep || !d || !host_image(&host, "l.img", image))
        return;
    is_state(deep, name, "disk/vdc", "");
    lose(d, image);
    is_state(ctx, name, "disk/vdc", "");
    is_state(deep, name, "disk/vdc", "leaked");
    is_state(deep, name, "nic/hostnet5", "leaked");
    (void)host_settle(deep, name);
    claim(!in_qemu(d, nets, "hostnet5"), "%s: the netdev is gone", name);
    is_state(deep, name, "disk/vdc", "leaked");
    free(host_qmp(d, "{\"execute\": \"system_reset\"}"));
    for (int i = 0; i < 20 && in_qemu(d, nodes, "libvirt-77"); i++)
        (void)host_settle(deep, name);
    claim(!in_qemu(d, nodes, "libvirt-77"), "%s: its block nodes too", name);
    is_state(deep, name, "disk/vdc", "");
    claim(!attach_disk(deep, name, "vdc", image, &err),
          "%s: the same disk can be attached %s", name, err.message);
    is_state(deep, name, "disk/vdc", "attached");
    xlcfg_ctx_close(ctx);
    xlcfg_ctx_close(deep);
    host_drop(d);
}

int main(int argc, char **argv)
{
    static const char *const usual[] = { "q35", "pc" };
    char name[40];

    if (!host_begin(&host))
        return claims();
    if (host_join(&host)) {
        for (int i = 0; i < (argc > 1 ? argc - 1 : 2); i++) {
            const char *machine = argc > 1 ? argv[i + 1] : usual[i];

            snprintf(name, sizeof(name), "on-%.30s", machine);
            persistent(name, machine);
        }
        transient("transient");
        native("native");
        full("full");
        dropped("dropped");
        leaked("leaked");
    }
    host_end(&host);
    return claims();
}
