/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is asked of a body before anything is touched, and what is chosen
 * where it says nothing: device numbers, a USB device's port, a PCI device's
 * slot.
 *
 * libxl takes the last number of a listing and adds one, which is taken when
 * the store lists by name or a low number came back; here a device has the
 * number that the book has for it, else the lowest that nothing in the view
 * has and no other in the book.
 */
#include "driver/xen_plug.h"
#include "driver/xen_plug_node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_PORTS 8         /* libxl's, of a USB controller */

static bool is_free(const struct xlcfg_view *live, const char *match)
{
    for (size_t i = 0; i < live->count; i++)
        if (!strcmp(live->devs[i].match, match) &&
            live->devs[i].live != XLCFG_LIVE_ABSENT)
            return false;
    return true;
}

/* libxl itself looks at the image of a disk in dom0 only when it has to find
 * out what backend to take; QEMU fails without a word. */
static int check_disk(const xlcfg_doc *body, xlcfg_error *err)
{
    const char *path = xlcfg__doc_getstr(body, "pdev_path");
    const char *backend = xlcfg__doc_getstr(body, "backend");
    const char *domname = xlcfg__doc_getstr(body, "backend_domname");
    const char *script = xlcfg__doc_getstr(body, "script");
    struct stat st;

    if (!path || *path != '/' || (script && *script) ||
        (domname && strcmp(domname, "0") && strcmp(domname, "Domain-0")) ||
        xlcfg__doc_to_int(xlcfg_doc_get(body, "backend_domid"), 0) ||
        (backend && strcmp(backend, "phy") && strcmp(backend, "qdisk")))
        return 0;
    if (stat(path, &st))
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, "/pdev_path",
                          "%.300s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode) &&
        !S_ISCHR(st.st_mode))
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, "/pdev_path",
                          "%.300s: expected a file or a block device",
                          path);
    return 0;
}

static int prepare_disk(const xlcfg_doc *body, xlcfg_doc **body_r,
                        xlcfg_error *err)
{
    int rc;

    if (xlcfg__xen_devid(XLCFG_KIND_DISK, body) < 0)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/vdev",
                          "expected the disk's name, such as xvdb");
    rc = check_disk(body, err);
    if (!rc)
        *body_r = xlcfg_doc_ref(body);
    return rc;
}

/* ---- PCI ---- */

/* The slots of a guest's only bus, as QEMU numbers devices and functions:
 * the first are the machine's own and those of its emulated cards. */
#define FIRST_SLOT 8
#define LAST_SLOT 31

static bool slot_is_free(const struct xlcfg_view *live,
                         const struct xlcfg__addresses *book,
                         const struct xlcfg__address *own, int64_t vdevfn)
{
    for (size_t i = 0; i < live->count; i++)
        if (live->devs[i].kind == XLCFG_KIND_PCI &&
            live->devs[i].live != XLCFG_LIVE_ABSENT &&
            xlcfg__doc_to_int(xlcfg_doc_get(live->devs[i].body, "vdevfn"),
                              0) >> 3 == vdevfn >> 3)
            return false;
    for (size_t i = 0; i < book->count; i++)
        if (book->v[i].kind == XLCFG_KIND_PCI && &book->v[i] != own &&
            xlcfg__doc_to_int(xlcfg_doc_get(book->v[i].address, "vdevfn"),
                              0) >> 3 == vdevfn >> 3)
            return false;
    return true;
}

/* Are there slots that nobody has and that are somebody's all the same?
 * QEMU, which chooses, knows nothing of them. */
static bool are_kept(const struct xlcfg__addresses *book)
{
    for (size_t i = 0; book->choice >= XLCFG__CHOICE_KEPT &&
         i < book->count; i++)
        if (book->v[i].kind == XLCFG_KIND_PCI &&
            xlcfg_doc_get(book->v[i].address, "vdevfn"))
            return true;
    return false;
}

static int prepare_slot(const struct xlcfg_ident *id, const xlcfg_doc *body,
                        const struct xlcfg_view *live,
                        const struct xlcfg__addresses *book,
                        xlcfg_doc **body_r, xlcfg_error *err)
{
    const struct xlcfg__address *own;
    int64_t vdevfn = xlcfg__doc_to_int(xlcfg_doc_get(body, "vdevfn"), 0);

    own = xlcfg__addresses_own(book, XLCFG_KIND_PCI, id);
    if (!vdevfn && own) {
        vdevfn = xlcfg__doc_to_int(xlcfg_doc_get(own->address, "vdevfn"),
                                   0);
        if (vdevfn && !slot_is_free(live, book, own, vdevfn))
            vdevfn = 0;
    } else if (vdevfn) {
        *body_r = xlcfg_doc_ref(body);  /* asked for */
        return 0;
    }
    for (int slot = LAST_SLOT; !vdevfn && are_kept(book) &&
         slot >= FIRST_SLOT; slot--)
        if (slot_is_free(live, book, own, slot << 3))
            vdevfn = slot << 3;
    *body_r = vdevfn ? xlcfg__doc_with(body, "vdevfn",
                                       xlcfg__doc_int(vdevfn))
                     : xlcfg_doc_ref(body);
    return *body_r ? 0 : xlcfg__nomem(err);
}

static int prepare_pci(const xlcfg_doc *body, const struct xlcfg_view *live,
                       const struct xlcfg__addresses *book,
                       xlcfg_doc **body_r, xlcfg_error *err)
{
    struct xlcfg_ident id;

    xlcfg__key_of(XLCFG_KIND_PCI, body, &id);
    if (!id.key[0])
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/bus",
                          "expected domain, bus, dev and func of a device "
                          "of the host");
    return prepare_slot(&id, body, live, book, body_r, err);
}

/* ---- USB ---- */

static int no_port(xlcfg_error *err)
{
    return xlcfg__err(err, XLCFG_ERROR_INVAL, "/ctrl",
                      "no USB controller has a free port: attach a usbctrl "
                      "first");
}

static int kept_ports(const struct xlcfg_view *live,
                      const struct xlcfg__addresses *book, xlcfg_error *err)
{
    char kept[400];

    xlcfg__addresses_named(book, XLCFG_KIND_USBDEV, live, kept,
                           sizeof(kept));
    return xlcfg__err(err, XLCFG_ERROR_REFUSED, "/ctrl",
                      "each free port of a USB controller is kept for "
                      "another: %s; give one up, or let one be taken",
                      kept);
}

/* The port that it had, if it is free still. */
static const struct xlcfg__address *
own_port(const struct xlcfg_view *live, const struct xlcfg__addresses *book,
         const struct xlcfg_ident *id, const xlcfg_doc *body)
{
    const struct xlcfg__address *own;
    const xlcfg_doc *ctrl = xlcfg_doc_get(body, "ctrl"), *had;

    own = xlcfg__addresses_own(book, XLCFG_KIND_USBDEV, id);
    had = own ? xlcfg_doc_get(own->address, "ctrl") : NULL;
    if (!own || !is_free(live, own->match) ||
        (ctrl && !xlcfg__doc_equal(ctrl, had)))
        return NULL;
    for (size_t i = 0; i < live->count; i++)
        if (live->devs[i].kind == XLCFG_KIND_USBCTRL &&
            live->devs[i].live == XLCFG_LIVE_PRESENT &&
            xlcfg__doc_to_int(xlcfg_doc_get(live->devs[i].body, "devid"), -1)
            == xlcfg__doc_to_int(had, -2))
            return own;
    return NULL;
}

/* A free port of this controller; 0: it has none. */
static int free_port(const struct xlcfg_view *live,
                     const struct xlcfg__addresses *book,
                     const struct xlcfg_ident *id, const xlcfg_doc *ctrl,
                     int64_t devid)
{
    int64_t ports = xlcfg__doc_to_int(xlcfg_doc_get(ctrl, "ports"),
                                      DEFAULT_PORTS);
    char match[64];

    for (int port = 1; port <= ports && port < 256; port++) {
        snprintf(match, sizeof(match), "usbdev/%lld.%d", (long long)devid,
                 port);
        if (is_free(live, match) &&
            !xlcfg__addresses_holder(book, XLCFG_KIND_USBDEV, match, id))
            return port;
    }
    return 0;
}

/* The controller asked for (-1: the first that has a free port). */
static int find_port(const struct xlcfg_view *live,
                     const struct xlcfg__addresses *book,
                     const struct xlcfg_ident *id, int64_t asked,
                     int64_t *ctrl_r, int *port_r)
{
    for (size_t i = 0; i < live->count; i++) {
        const struct xlcfg_dev *dev = &live->devs[i];
        int64_t devid = xlcfg__doc_to_int(xlcfg_doc_get(dev->body, "devid"),
                                          -1);

        if (dev->kind != XLCFG_KIND_USBCTRL || devid < 0 ||
            dev->live != XLCFG_LIVE_PRESENT ||
            (asked >= 0 && asked != devid))
            continue;
        *ctrl_r = devid;
        *port_r = free_port(live, book, id, dev->body, devid);
        if (*port_r)
            return 0;
    }
    return XLCFG_ERROR_NOTFOUND;
}

static int prepare_usbdev(const xlcfg_doc *body,
                          const struct xlcfg_view *live,
                          const struct xlcfg__addresses *book,
                          xlcfg_doc **body_r, xlcfg_error *err)
{
    const struct xlcfg__addresses nobody = { .choice = book->choice };
    const struct xlcfg__address *own;
    const xlcfg_doc *host = xlcfg_doc_get(body, "type.hostdev");
    int64_t ctrl = xlcfg__doc_to_int(xlcfg_doc_get(body, "ctrl"), -1);
    int64_t port = xlcfg__doc_to_int(xlcfg_doc_get(body, "port"), 0);
    int64_t bus = xlcfg__doc_to_int(xlcfg_doc_get(host, "hostbus"), 0);
    int64_t addr = xlcfg__doc_to_int(xlcfg_doc_get(host, "hostaddr"), 0);
    struct xlcfg_ident id;
    xlcfg_doc *doc;
    int chosen;

    if (bus < 1 || bus > 255 || addr < 1 || addr > 255)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/type.hostdev",
                          "expected hostbus and hostaddr of a USB device of "
                          "the host");
    xlcfg__key_of(XLCFG_KIND_USBDEV, body, &id);
    for (size_t i = 0; i < live->count; i++)
        if (live->devs[i].alt && !strcmp(live->devs[i].alt, id.alt))
            return xlcfg__err(err, XLCFG_ERROR_DEVICE_EXISTS,
                              live->devs[i].key,
                              "the guest has this USB device already");
    if (ctrl >= 0 && port > 0) {
        *body_r = xlcfg_doc_ref(body);
        return 0;
    }
    own = port > 0 ? NULL : own_port(live, book, &id, body);
    if (own) {
        *body_r = xlcfg__address_fill(body, own->address);
        return *body_r ? 0 : xlcfg__nomem(err);
    }
    if (find_port(live, book, &id, ctrl, &ctrl, &chosen)) {
        if (find_port(live, &nobody, &id, ctrl, &ctrl, &chosen))
            return no_port(err);
        if (!book->any)
            return kept_ports(live, book, err);
    }
    doc = xlcfg__doc_with(body, "ctrl", xlcfg__doc_int(ctrl));
    *body_r = doc ? xlcfg__doc_with(doc, "port", xlcfg__doc_int(chosen))
                  : NULL;
    xlcfg_doc_free(doc);
    return *body_r ? 0 : xlcfg__nomem(err);
}

/* ---- numbers ---- */

static int choose_devid(enum xlcfg_kind kind, const xlcfg_doc *body,
                        const struct xlcfg_view *live,
                        const struct xlcfg__addresses *book,
                        xlcfg_doc **body_r, xlcfg_error *err)
{
    const struct xlcfg__address *own;
    struct xlcfg_ident id;
    const xlcfg_doc *given = xlcfg_doc_get(body, "devid");
    char match[64];
    int64_t asked;
    int n = 0;

    if (given && !xlcfg__doc_is_int(given, -1, INT32_MAX, &asked))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/devid",
                          "expected a number from 0 on, or nothing");
    if (given && asked >= 0) {
        *body_r = xlcfg_doc_ref(body);
        return 0;
    }
    if (!live->sees[kind])
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, NULL,
                          "which numbers are free cannot be seen");
    xlcfg__key_of(kind, body, &id);
    own = xlcfg__addresses_own(book, kind, &id);
    if (own && is_free(live, own->match)) {
        xlcfg_doc *bare = xlcfg__doc_without(body, "devid");

        *body_r = bare ? xlcfg__address_fill(bare, own->address) : NULL;
        xlcfg_doc_free(bare);
        return *body_r ? 0 : xlcfg__nomem(err);
    }
    do
        snprintf(match, sizeof(match), "%s/%d", xlcfg__kinds[kind].name,
                 n++);
    while (!is_free(live, match) ||
           xlcfg__addresses_holder(book, kind, match, &id));
    *body_r = xlcfg__doc_with(body, "devid", xlcfg__doc_int(n - 1));
    return *body_r ? 0 : xlcfg__nomem(err);
}

int xlcfg__xen_prepare(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       const struct xlcfg_view *live,
                       const struct xlcfg__addresses *book,
                       xlcfg_doc **body_r, xlcfg_error *err)
{
    (void)handle; (void)dom;
    switch (kind) {
    case XLCFG_KIND_DISK:
        return prepare_disk(body, body_r, err);
    case XLCFG_KIND_PCI:
        return prepare_pci(body, live, book, body_r, err);
    case XLCFG_KIND_USBDEV:
        return prepare_usbdev(body, live, book, body_r, err);
    case XLCFG_KIND_NIC: case XLCFG_KIND_RDM: case XLCFG_KIND_DTDEV:
    case XLCFG_KIND_VFB: case XLCFG_KIND_VKB: case XLCFG_KIND_VIRTIO:
    case XLCFG_KIND_VTPM: case XLCFG_KIND_P9: case XLCFG_KIND_PVCALLSIF:
    case XLCFG_KIND_VDISPL: case XLCFG_KIND_VSND: case XLCFG_KIND_CHANNEL:
    case XLCFG_KIND_USBCTRL: case XLCFG_KINDS:
        break;
    }
    return choose_devid(kind, body, live, book, body_r, err);
}
