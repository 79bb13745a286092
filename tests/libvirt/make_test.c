/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making domains, changing devices, hints, and a look into a QEMU that has
 * lost nothing: the driver's own calls, on real QEMU guests.
 */
#include "driver/driver.h"
#include "host.h"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEPT VIR_DOMAIN_XML_INACTIVE
#define PATIENCE_MS 20000

static struct host host;
static struct xlcfg_conn *conn;

static const char machine[] =
    "<domain type='qemu'><os><type arch='x86_64' machine='q35'>hvm</type>"
    "</os><features><acpi/></features><devices><emulator>"
    "/usr/bin/qemu-system-x86_64</emulator><controller type='usb' "
    "model='none'/><controller type='pci' model='pcie-root'/><controller "
    "type='pci' model='pcie-root-port'/><controller type='pci' "
    "model='pcie-root-port'/><controller type='pci' model='pcie-root-port'/>"
    "<controller type='pci' model='pcie-root-port'/>"
    "<controller type='pci' model='pcie-root-port'/>"
    "<controller type='pci' model='pcie-root-port'/>"
    "<controller type='scsi' model='virtio-scsi'/>"
    "<controller type='virtio-serial'/><disk type='file' device='cdrom'>"
    "<target dev='sdc' bus='sata'/><readonly/></disk>"
    "<memballoon model='none'/></devices></domain>";

static xlcfg_doc *config(const char *name, const char *uuid,
                         const char *disk)
{
    xlcfg_doc *doc = NULL;
    xlcfg_error err = XLCFG_ERROR_INIT;
    char *text;

    if (asprintf(&text, "{\"c_info\": {\"name\": \"%s\", \"uuid\": \"%s\"}, "
                 "\"b_info\": {\"max_vcpus\": 1, \"max_memkb\": 32768, "
                 "\"target_memkb\": 32768}, \"disks\": [%s], "
                 "\"x-libvirt\": \"%s\"}", name, uuid, disk, machine) < 0)
        return NULL;
    if (xlcfg_doc_parse(text, strlen(text), &doc, &err))
        claim(false, "a configuration: %s", err.message);
    free(text);
    return doc;
}

static int create(const char *name, const char *uuid, const char *disk,
                  unsigned flags, struct xlcfg_domain *dom,
                  xlcfg_error *err)
{
    xlcfg_doc *doc = config(name, uuid, disk);
    int rc;

    *err = (xlcfg_error)XLCFG_ERROR_INIT;
    xlcfg__domain_dispose(dom);
    rc = conn->drv.create(conn->handle, doc, flags, dom, err);
    xlcfg_doc_free(doc);
    return rc;
}

static int count(void)
{
    return virConnectListAllDomains(host.conn, NULL, 0);
}

static virDomainPtr named(const char *name)
{
    return virDomainLookupByName(host.conn, name);
}

static void drop(const char *name)
{
    virDomainPtr d = named(name);

    if (d)
        host_drop(d);
}

/* ---- a start that was cut off ---- */

static void goes_on(void)
{
    struct xlcfg_domain dom = { .domid = -1 };
    xlcfg_error err = XLCFG_ERROR_INIT;
    virDomainPtr d = host_guest(&host, "cut-off", "q35", "", false);
    int state = 0, reason;

    if (!d)
        return;
    claim(!virDomainSuspend(d) &&
          !conn->drv.find(conn->handle, "cut-off", &dom, &err) &&
          conn->drv.go_on(conn->handle, &dom, &err) == XLCFG_ERROR_REFUSED,
          "one that has run stays paused: %s", err.message);
    claim(!virDomainGetState(d, &state, &reason, 0) &&
          state == VIR_DOMAIN_PAUSED, "and it is");
    claim(!virDomainResume(d) &&
          !conn->drv.go_on(conn->handle, &dom, &err), "one that runs, runs");
    xlcfg__domain_dispose(&dom);
    host_drop(d);
}

/* ---- create ---- */

#define UUID_A "a0a0a0a0-0000-4000-8000-00000000000a"
#define UUID_B "a0a0a0a0-0000-4000-8000-00000000000b"

static void defined_and_started(const char *disk)
{
    struct xlcfg_domain dom = { .domid = -1 };
    xlcfg_error err;
    virDomainPtr d;

    claim(!create("made", UUID_A, disk, 0, &dom, &err) && dom.domid < 0 &&
          !strcmp(dom.uuid, UUID_A), "defined alone %s", err.message);
    claim(create("made", UUID_B, disk, XLCFG_CREATE_START, &dom, &err) ==
          XLCFG_ERROR_REFUSED, "its name is taken: %s", err.message);
    claim(create("other", UUID_A, disk, XLCFG_CREATE_START, &dom, &err) ==
          XLCFG_ERROR_REFUSED, "its uuid is taken: %s", err.message);
    claim(create("made", UUID_A, disk, 0, &dom, &err) ==
          XLCFG_ERROR_REFUSED, "defined twice: %s", err.message);
    claim(!create("made", UUID_A, disk, XLCFG_CREATE_START, &dom, &err) &&
          dom.domid > 0 && !strcmp(dom.state, "running"),
          "started under both %s", err.message);
    claim(create("made", UUID_A, disk, XLCFG_CREATE_START, &dom, &err) ==
          XLCFG_ERROR_REFUSED, "it runs: %s", err.message);
    d = named("made");
    claim(d && host_shows(d, KEPT, "dev='vda'") && host_shows(d, 0,
          "dev='vda'"), "it runs and is kept with its disk");
    if (d)
        virDomainFree(d);
    xlcfg__domain_dispose(&dom);
}

static void created(void)
{
    static const char bad[] =
        "{\"vdev\": \"vda\", \"format\": \"raw\", "
        "\"pdev_path\": \"/nowhere/at-all\"}";
    struct xlcfg_domain dom = { .domid = -1 };
    char path[160], disk[300];
    xlcfg_error err;
    int before;

    if (!host_image(&host, "a.img", path))
        return;
    snprintf(disk, sizeof(disk), "{\"vdev\": \"vda\", \"format\": \"raw\", "
             "\"pdev_path\": \"%s\"}", path);
    before = count();
    claim(create("bad", UUID_B, bad, XLCFG_CREATE_START, &dom, &err) ==
          XLCFG_ERROR_REFUSED && strstr(err.message, "/nowhere/at-all"),
          "one that cannot start: %s", err.message);
    claim(create("bad", UUID_B, bad, XLCFG_CREATE_START |
                 XLCFG_CREATE_TRANSIENT, &dom, &err) ==
          XLCFG_ERROR_REFUSED, "... nor as a transient one: %s",
          err.message);
    claim(count() == before, "... and nothing of it is left");
    claim(create("x", UUID_B, "{\"vdev\": \"vda\", \"colo_host\": \"h\"}",
                 0, &dom, &err) == XLCFG_ERROR_INVAL &&
          strstr(err.message, "expected one of pdev_path, vdev, format, "
                 "readwrite, is_cdrom, x-libvirt"), "no word for it: %s: %s",
          err.where, err.message);
    defined_and_started(disk);
    claim(!create("passing", UUID_B, "", XLCFG_CREATE_START |
                  XLCFG_CREATE_TRANSIENT, &dom, &err) && dom.domid > 0,
          "a transient one %s", err.message);
    drop("passing");
    claim(count() == before + 1, "... leaves nothing when it ends");
    xlcfg__domain_dispose(&dom);
}

/* ---- devices ---- */

static bool look(const struct xlcfg_domain *dom, bool deep,
                 struct xlcfg_view *view)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    int rc;

    xlcfg__view_init(view);
    view->deep = deep;
    rc = conn->drv.live(conn->handle, dom, view, &err);
    return rc ? claim(false, "a look: %s", err.message) : true;
}

static const struct xlcfg_dev *device(const struct xlcfg_view *view,
                                      const char *key)
{
    for (size_t i = 0; i < view->count; i++)
        if (!strcmp(view->devs[i].key, key))
            return &view->devs[i];
    return NULL;
}

static xlcfg_doc *parse(const char *text)
{
    xlcfg_doc *doc = NULL;

    if (xlcfg_doc_parse(text, strlen(text), &doc, NULL))
        claim(false, "no JSON: %s", text);
    return doc;
}

/* Prepared and attached; the body is the caller's. */
static xlcfg_doc *attach(const struct xlcfg_domain *dom,
                         enum xlcfg_kind kind, const char *text)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    const struct xlcfg__addresses book = { .choice = XLCFG__CHOICE_NEWEST };
    xlcfg_doc *body = parse(text), *whole = NULL;
    struct xlcfg_view view;
    int rc;

    if (!look(dom, false, &view))
        return NULL;
    rc = conn->drv.prepare(conn->handle, dom, kind, body, &view, &book,
                           &whole, &err);
    if (!rc)
        rc = conn->drv.attach(conn->handle, dom, kind, whole, &err);
    claim(!rc, "attached: %s %s", text, err.message);
    xlcfg__view_dispose(&view);
    xlcfg_doc_free(body);
    return whole;
}

/* One member of a device is to be another; of a medium also the format. */
static int change(const struct xlcfg_domain *dom, enum xlcfg_kind kind,
                  const char *key, const char *name, xlcfg_doc *value,
                  xlcfg_error *err)
{
    bool medium = !strcmp(name, "pdev_path");
    const struct xlcfg_dev *dev;
    struct xlcfg_view view;
    xlcfg_doc *after = NULL;
    int rc = XLCFG_ERROR_NOTFOUND;

    *err = (xlcfg_error)XLCFG_ERROR_INIT;
    if (!look(dom, false, &view))
        return rc;
    dev = device(&view, key);
    if (dev) {
        xlcfg_doc *other = xlcfg__doc_with(dev->body, name, value);

        after = medium ? xlcfg__doc_with(other, "format",
                                         xlcfg__doc_str("raw"))
            : xlcfg_doc_ref(other);
        xlcfg_doc_free(other);
        rc = conn->drv.update(conn->handle, dom, kind, dev->body, after,
                              err);
        /* all of it was seen, or why not is said */
        rc = rc == XLCFG_READ_BACK ? 0 : rc ? rc : XLCFG_ERROR_FAIL;
    }
    xlcfg_doc_free(after);
    xlcfg__view_dispose(&view);
    return rc;
}

static void medium(const struct xlcfg_domain *dom, virDomainPtr d)
{
    char a[160], b[160], c[160], text[400];
    xlcfg_error err;

    if (!host_image(&host, "cd1.iso", a) ||
        !host_image(&host, "cd2.iso", b) || !host_image(&host, "cd3.iso", c))
        return;
    snprintf(text, sizeof(text), "{\"vdev\": \"sda\", \"format\": \"raw\", "
             "\"pdev_path\": \"%s\", \"is_cdrom\": 1, \"readwrite\": 0}", a);
    xlcfg_doc_free(attach(dom, XLCFG_KIND_DISK, text));
    claim(host_shows(d, 0, "type='drive'") && host_shows(d, 0, "ua-disk-sda")
          && host_shows(d, KEPT, "ua-disk-sda"), "a drive on SCSI");
    claim(!change(dom, XLCFG_KIND_DISK, "disk/sdc", "pdev_path",
                  xlcfg__doc_str(b), &err), "a medium %s", err.message);
    claim(host_shows(d, 0, "cd2.iso") && host_shows(d, KEPT, "cd2.iso"),
          "... in what runs and in what is kept");
    claim(!change(dom, XLCFG_KIND_DISK, "disk/sdc", "pdev_path",
                  xlcfg__doc_str(c), &err), "another medium %s",
          err.message);
    claim(host_shows(d, 0, "cd3.iso") && host_shows(d, KEPT, "cd3.iso") &&
          !host_shows(d, 0, "cd2.iso") && !host_shows(d, KEPT, "cd2.iso"),
          "... in what runs and in what is kept");
    claim(!change(dom, XLCFG_KIND_DISK, "disk/sdc", "format",
                  xlcfg__doc_str("empty"), &err), "ejected %s",
          err.message);
    claim(!host_shows(d, 0, "cd3.iso") && !host_shows(d, KEPT, "cd3.iso") &&
          host_shows(d, 0, "dev='sdc'"), "... and the drive stays");
    claim(change(dom, XLCFG_KIND_DISK, "disk/vda", "pdev_path",
                 xlcfg__doc_str(b), &err) < 0 && err.message[0],
          "a disk's image is not changed: %s", err.message);
    claim(!host_shows(d, 0, "cd2.iso") && !host_shows(d, KEPT, "cd2.iso"),
          "... neither running nor kept");
}

static void others(const struct xlcfg_domain *dom, virDomainPtr d)
{
    static const char key[] = "nic/52:54:00:00:00:21";
    const struct xlcfg_dev *dev;
    struct xlcfg_view view;
    xlcfg_error err;
    xlcfg_doc *down;
    char *at, *xml;

    xlcfg_doc_free(attach(dom, XLCFG_KIND_NIC, "{\"mac\": \"52:54:00:00:00:"
                          "21\", \"model\": \"virtio\"}"));
    xlcfg_doc_free(attach(dom, XLCFG_KIND_CHANNEL,
                          "{\"name\": \"org.example.0\"}"));
    claim(host_shows(d, 0, "org.example.0") &&
          host_shows(d, KEPT, "org.example.0"), "the channel is there");
    if (!look(dom, false, &view))
        return;
    dev = device(&view, key);
    xml = dev ? strdup(xlcfg__doc_getstr(dev->body, "x-libvirt")) : NULL;
    xlcfg__view_dispose(&view);
    at = xml ? strstr(xml, "</interface>") : NULL;
    if (!claim(at != NULL, "the nic has its element"))
        return;
    *at = '\0';
    down = xlcfg__doc_strf("%s<link state='down'/></interface>", xml);
    claim(!change(dom, XLCFG_KIND_NIC, key, "x-libvirt", down, &err),
          "link down %s", err.message);
    claim(host_shows(d, 0, "<link state='down'/>") &&
          host_shows(d, KEPT, "<link state='down'/>"),
          "... in what runs and in what is kept");
    free(xml);
}

/* ---- hints ---- */

static bool hinted(int fd, const char *uuid)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    xlcfg_error err;
    char who[37];

    while (poll(&p, 1, PATIENCE_MS) == 1)
        while (conn->drv.watch_next(conn->handle, who, &err) == 0)
            if (!strcmp(who, uuid))
                return true;
    return false;
}

static void drain(void)
{
    xlcfg_error err;
    char who[37];

    while (conn->drv.watch_next(conn->handle, who, &err) == 0)
        ;
}

static void hints(const struct xlcfg_domain *dom, virDomainPtr d)
{
    static const char rng[] =
        "<rng model='virtio'><backend model='random'>/dev/urandom</backend>"
        "</rng>";
    xlcfg_error err = XLCFG_ERROR_INIT;
    int fd = conn->drv.watch_fd(conn->handle, &err);
    struct pollfd p = { .fd = fd, .events = POLLIN };

    if (!claim(fd >= 0, "a descriptor %s", err.message))
        return;
    drain();
    claim(poll(&p, 1, 0) == 0, "silent while nothing happens");
    claim(!virDomainSuspend(d) && hinted(fd, dom->uuid), "pause is heard");
    claim(!virDomainResume(d) && hinted(fd, dom->uuid), "... and its end");
    drain();
    claim(!virDomainAttachDeviceFlags(d, rng, VIR_DOMAIN_AFFECT_LIVE),
          "somebody attaches a device %s", virGetLastErrorMessage());
    claim(hinted(fd, dom->uuid), "... and it is heard");
    claim(!virDomainReset(d, 0) && hinted(fd, dom->uuid), "reset is heard");
}

/* ---- QEMU itself ---- */

static void nothing_lost(const struct xlcfg_domain *dom)
{
    const struct xlcfg_dev *dev;
    xlcfg_error err = XLCFG_ERROR_INIT;
    struct xlcfg_view view;
    char why[200] = "";

    if (!look(dom, true, &view))
        return;
    /* the reset may still be at work in the monitor */
    for (int i = 0; view.unknown.count && i < 100; i++) {
        struct timespec nap = { 0, 100000000 };

        nanosleep(&nap, NULL);
        xlcfg__view_dispose(&view);
        if (!look(dom, true, &view))
            return;
    }
    dev = device(&view, "disk/vda");
    claim(dev && dev->live == XLCFG_LIVE_PRESENT && !view.unknown.count,
          "QEMU has what libvirt lists %s", view.unknown.count
          ? xlcfg_doc_string(view.unknown.v[0]) : "");
    for (size_t i = 0; i < view.count; i++)
        claim(view.devs[i].live == XLCFG_LIVE_PRESENT, "%s: %s",
              view.devs[i].key, xlcfg__live_name(view.devs[i].live));
    claim(conn->drv.detach(conn->handle, dom, XLCFG_KIND_DISK, dev->body,
                           XLCFG_DETACH_FORCE, 100, &err) ==
          XLCFG_ERROR_NI, "no force: %s", err.message);
    claim(!conn->drv.can(conn->handle, XLCFG_KIND_VTPM, XLCFG_ACT_ATTACH,
                         why, sizeof(why)), "no vtpm: %s", why);
    xlcfg__view_dispose(&view);
}

/* One that has left since it was looked at. */
static void left_meanwhile(const struct xlcfg_domain *dom)
{
    static const char text[] = "{\"vdev\": \"vdq\", \"pdev_path\": \"/q\", "
        "\"format\": \"raw\"}";
    xlcfg_error err = XLCFG_ERROR_INIT;
    xlcfg_doc *body = NULL;

    if (!claim(!xlcfg_doc_parse(text, strlen(text), &body, &err), "a body"))
        return;
    claim(conn->drv.update(conn->handle, dom, XLCFG_KIND_DISK, body, body,
                           &err) == XLCFG_ERROR_REFUSED,
          "updated when it has left: %s", err.message);
    claim(!conn->drv.detach(conn->handle, dom, XLCFG_KIND_DISK, body, 0, 100,
                            &err), "detached when it has left: it is out");
    claim(!conn->drv.forget(conn->handle, dom, XLCFG_KIND_DISK, body, &err),
          "forgotten when nothing keeps it");
    xlcfg_doc_free(body);
}

int main(void)
{
    static const struct xlcfg_driver_options opt = { .deadline_ms = 20000 };
    struct xlcfg_domain dom = { .domid = -1 };
    xlcfg_error err = XLCFG_ERROR_INIT;
    virDomainPtr d;

    if (!host_begin(&host))
        return claims();
    if (!claim(!xlcfg__conn_open(host.uri, &opt, &conn, &err), "open %s",
               err.message))
        return claims();
    host.conn = virConnectOpen(host.uri);
    if (claim(host.conn != NULL, "a second connection to it")) {
        goes_on();
        created();
        d = named("made");
        if (claim(d && !conn->drv.find(conn->handle, "made", &dom, &err),
                  "found")) {
            medium(&dom, d);
            others(&dom, d);
            hints(&dom, d);
            left_meanwhile(&dom);
            nothing_lost(&dom);
            virDomainFree(d);
        }
    }
    xlcfg__domain_dispose(&dom);
    xlcfg__conn_free(conn);
    host_end(&host);
    return claims();
}
