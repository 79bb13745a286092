/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices that sit in something: USB devices in a controller's ports, PCI
 * devices in slots of the one `pci` backend.
 *
 * A PCI device has two traces: its slot, and a mark /libxl/pci/<bdf>/domid.
 * A mark without a slot is an attach or unplug that was interrupted, or a
 * slot that another attach overwrote: which, xenstore does not tell.
 */
#include "core/key.h"
#include "driver/xen_look.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- USB ---- */

#define PORT_MOST 255           /* a hub has no more */

static bool is_busid(const char *s)
{
    size_t n = strspn(s, "0123456789-.");

    return n && n < 32 && !s[n] && strchr(s, '-') && !strstr(s, "..");
}

/* A number in sysfs; 0 when there is none. */
static unsigned sysfs_number(const char *busid, const char *name)
{
    char path[128];
    unsigned n = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/%s", busid, name);
    file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%3u", &n) != 1 || n > 255)
        n = 0;
    fclose(file);
    return n;
}

/* A bus name of a driver domain is no device of this host. */
static xlcfg_doc *usbdev_body(const struct xlcfg__xen_dev *ctrl,
                              unsigned port, const char *busid)
{
    unsigned bus = 0, addr = 0;
    xlcfg__members m = { 0 };

    if (!ctrl->bedom && is_busid(busid)) {
        bus = sysfs_number(busid, "busnum");
        addr = sysfs_number(busid, "devnum");
    }
    xlcfg__members_add(&m, "ctrl", xlcfg__doc_uint(ctrl->devid));
    xlcfg__members_add(&m, "port", xlcfg__doc_uint(port));
    if (bus && addr) {
        xlcfg__members host = { 0 };

        xlcfg__members_add(&host, "hostbus", xlcfg__doc_uint(bus));
        xlcfg__members_add(&host, "hostaddr", xlcfg__doc_uint(addr));
        xlcfg__members_add(&m, "type.hostdev", xlcfg__members_end(&host));
    }
    return xlcfg__members_end(&m);
}

static int add_port(struct xlcfg__look *look,
                    const struct xlcfg__xen_dev *ctrl, const char *name,
                    const struct xlcfg__xs_value *value,
                    const struct xlcfg__verdict *of_ctrl)
{
    struct xlcfg__verdict v = *of_ctrl;
    const char *busid = xlcfg__xs_text(value);
    struct xlcfg_dev *dev;
    uint64_t port = 0;
    int rc;

    (void)xlcfg__xs_number(name, PORT_MOST, &port);
    if (xlcfg__xs_absent(value) || (value->text && !*value->text))
        return 0;               /* an empty port */
    if (!value->text)
        xlcfg__verdict(&v, XLCFG_LIVE_UNKNOWN, "its port: %s",
                       strerror(value->error));
    else if (v.live != XLCFG_LIVE_PRESENT)
        snprintf(v.reason, sizeof(v.reason), "%s, its controller: %.400s",
                 busid, of_ctrl->reason);
    else
        snprintf(v.reason, sizeof(v.reason), "USB device %s", busid);
    rc = xlcfg__view_add(look->view, XLCFG_KIND_USBDEV,
                         usbdev_body(ctrl, (unsigned)port, busid),
                         NULL, v.live, &dev);
    return !rc && dev ? xlcfg__dev_because(dev, "%s", v.reason) : rc;
}

/* The folder may be a backend domain's, with anything in it. */
static void only_ports(struct xlcfg__xs_names *names)
{
    unsigned kept = 0;
    uint64_t port;

    for (unsigned i = 0; i < names->count; i++)
        if (xlcfg__xs_number(names->v[i], PORT_MOST, &port) && port)
            names->v[kept++] = names->v[i];
    names->count = kept;
}

int xlcfg__xen_usb_ports(struct xlcfg__look *look,
                         const struct xlcfg__xen_dev *ctrl,
                         const struct xlcfg__verdict *of_ctrl)
{
    const char *where = *ctrl->bekind ? ctrl->backend : ctrl->path;
    struct xlcfg__xs_value *values;
    struct xlcfg__xs_names ports;
    char base[XLCFG__XS_PATH_MAX + 8];
    int rc = 0;
    int r;

    r = xlcfg__xs_list(look->xs, &ports, "%s/port", where);
    if (r && r != ENOENT) {
        look->view->sees[XLCFG_KIND_USBDEV] = false;
        xlcfg__view_note(look->view, "/usbdevs: cannot list %s/port: %s",
                         where, strerror(r));
    }
    only_ports(&ports);
    values = calloc(ports.count + 1, sizeof(*values));
    if (!values)
        rc = XLCFG_ERROR_NOMEM;
    snprintf(base, sizeof(base), "%s/port", where);
    if (values)
        xlcfg__xs_read_many(look->xs, base,
                            (const char *const *)ports.v, ports.count,
                            values);
    for (unsigned i = 0; i < ports.count && !rc; i++)
        rc = add_port(look, ctrl, ports.v[i], &values[i], of_ctrl);
    if (values)
        xlcfg__xs_value_dispose(values, ports.count);
    free(values);
    xlcfg__xs_names_dispose(&ports);
    return rc;
}

/* ---- PCI ---- */

struct slot {
    unsigned bdf[4];
    struct xlcfg__verdict v;
    char name[128], options[256];
    unsigned vdevfn;
    bool has_slot, marked;
};

struct slots {
    struct slot *v;
    size_t count, room;
};

static struct slot *slot_of(struct slots *s, const unsigned bdf[4])
{
    for (size_t i = 0; i < s->count; i++)
        if (!memcmp(s->v[i].bdf, bdf, sizeof(s->v[i].bdf)))
            return &s->v[i];
    if (s->count == s->room) {
        size_t more = s->room ? s->room * 2 : 8;
        struct slot *bigger = realloc(s->v, more * sizeof(*bigger));

        if (!bigger)
            return NULL;
        s->v = bigger;
        s->room = more;
    }
    s->v[s->count] = (struct slot){ .v = { XLCFG_LIVE_PRESENT, "" } };
    memcpy(s->v[s->count].bdf, bdf, sizeof(s->v[0].bdf));
    return &s->v[s->count++];
}

uint32_t xlcfg__xen_pci_guest(struct xlcfg__xs *xs, uint32_t domid)
{
    struct xlcfg__xs_value stub;
    uint64_t n = domid;

    xlcfg__xs_read(xs, &stub, "/local/domain/%u/image/"
                   "device-model-domid", domid);
    xlcfg__xs_number(xlcfg__xs_text(&stub), 0x7fef, &n);
    xlcfg__xs_value_dispose(&stub, 1);
    return (uint32_t)n;
}

/* One slot; the keys are dom0's own. */
static int read_slot(struct xlcfg__look *look, const char *back,
                     unsigned n, struct slots *slots)
{
    static const char *const stems[] = {
        "dev", "key", "state", "name", "opts", "vdevfn",
    };
    enum { COUNT = sizeof(stems) / sizeof(stems[0]) };
    struct xlcfg__xs_value v[COUNT];
    char text[COUNT][32];
    const char *names[COUNT];
    struct slot *slot;
    unsigned bdf[4];
    int rc = 0;

    for (int i = 0; i < COUNT; i++) {
        snprintf(text[i], sizeof(text[i]), "%s-%u", stems[i], n);
        names[i] = text[i];
    }
    xlcfg__xs_read_many(look->xs, back, names, COUNT, v);
    if (!xlcfg__bdf_parse(xlcfg__xs_text(&v[0]), bdf) &&
        !xlcfg__bdf_parse(xlcfg__xs_text(&v[1]), bdf)) {
        /* renumbered away meanwhile, or without an address */
        if (!xlcfg__xs_absent(&v[0]) || !xlcfg__xs_absent(&v[1]) ||
            !xlcfg__xs_absent(&v[2])) {
            /* whose it is cannot be told: any of them may be in it */
            look->view->sees[XLCFG_KIND_PCI] = false;
            xlcfg__view_note(look->view, "/pcidevs: slot %u of %s has no "
                             "address that can be read", n, back);
        }
        goto out;
    }
    slot = slot_of(slots, bdf);
    if (!slot) {
        rc = XLCFG_ERROR_NOMEM;
        goto out;
    }
    slot->has_slot = true;
    snprintf(slot->name, sizeof(slot->name), "%s", xlcfg__xs_text(&v[3]));
    snprintf(slot->options, sizeof(slot->options), "%s",
             xlcfg__xs_text(&v[4]));
    slot->vdevfn = (unsigned)strtoul(xlcfg__xs_text(&v[5]), NULL, 16);
    if (!strcmp(xlcfg__xs_text(&v[2]), "5") ||
        !strcmp(xlcfg__xs_text(&v[2]), "6"))
        xlcfg__verdict(&slot->v, XLCFG_LIVE_LEAVING,
                       "its unplug was asked for, slot state %s",
                       v[2].text);
    else if (!v[2].text && !xlcfg__xs_absent(&v[2]))
        xlcfg__verdict(&slot->v, XLCFG_LIVE_UNKNOWN, "%s/state-%u: %s",
                       back, n, strerror(v[2].error));
    rc = 0;
out:
    xlcfg__xs_value_dispose(v, COUNT);
    return rc;
}

static int read_slots(struct xlcfg__look *look, struct slots *slots)
{
    uint32_t guest = xlcfg__xen_pci_guest(look->xs, look->domid);
    struct xlcfg__xs_names keys;
    bool seen[256] = { false };
    char back[64];
    int rc = 0;
    int r;

    snprintf(back, sizeof(back), "/local/domain/0/backend/pci/%u/0", guest);
    r = xlcfg__xs_list(look->xs, &keys, "%s", back);
    if (r && r != ENOENT) {
        look->view->sees[XLCFG_KIND_PCI] = false;
        xlcfg__view_note(look->view, "/pcidevs: cannot list %s: %s", back,
                         strerror(r));
    }
    for (unsigned i = 0; i < keys.count && !rc; i++) {
        uint64_t n;

        if ((strncmp(keys.v[i], "dev-", 4) &&
             strncmp(keys.v[i], "key-", 4)) ||
            !xlcfg__xs_number(keys.v[i] + 4, 255, &n) || seen[n])
            continue;
        seen[n] = true;
        rc = read_slot(look, back, (unsigned)n, slots);
    }
    xlcfg__xs_names_dispose(&keys);
    return rc;
}

static int read_marks(struct xlcfg__look *look, struct slots *slots)
{
    struct xlcfg__xs_names names;
    char id[16];
    int rc = 0;
    int r;

    snprintf(id, sizeof(id), "%u", look->domid);
    r = xlcfg__xs_list(look->xs, &names, "/libxl/pci");
    if (r && r != ENOENT)
        xlcfg__view_note(look->view, "/pcidevs: cannot list /libxl/pci: %s",
                         strerror(r));
    for (unsigned i = 0; i < names.count && !rc; i++) {
        struct xlcfg__xs_value domid;
        struct slot *slot = NULL;
        unsigned bdf[4];
        bool known;
        int n = 0;

        known = sscanf(names.v[i], "%4x-%2x-%2x-%1x%n", &bdf[0], &bdf[1],
                       &bdf[2], &bdf[3], &n) == 4 && !names.v[i][n];
        xlcfg__xs_read(look->xs, &domid, "/libxl/pci/%s/domid",
                       names.v[i]);
        if (strcmp(xlcfg__xs_text(&domid), id)) {
            /* another domain's, or nobody's */
        } else if (!known) {
            xlcfg__view_note(look->view, "/pcidevs: /libxl/pci/%s is marked "
                             "as this domain's, expected an address such as "
                             "0000-03-00-0", names.v[i]);
        } else {
            slot = slot_of(slots, bdf);
            if (slot)
                slot->marked = true;
            else
                rc = XLCFG_ERROR_NOMEM;
        }
        xlcfg__xs_value_dispose(&domid, 1);
    }
    xlcfg__xs_names_dispose(&names);
    return rc;
}

/*
 * libxl marks the function that was asked for, and with several asked for
 * at once gives a slot to another of the same device: they are one.
 */
static void join_functions(struct slots *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct slot *mark = &s->v[i];

        for (size_t j = 0; j < s->count && !mark->has_slot; j++) {
            struct slot *other = &s->v[j];

            if (other->marked || !other->has_slot ||
                memcmp(mark->bdf, other->bdf, 3 * sizeof(mark->bdf[0])))
                continue;
            mark->v = other->v;
            memcpy(mark->name, other->name, sizeof(mark->name));
            memcpy(mark->options, other->options, sizeof(mark->options));
            mark->has_slot = true;
            other->has_slot = false;
        }
    }
}

static bool has_option(const struct slot *slot, const char *option)
{
    return strstr(slot->options, option) != NULL;
}

static xlcfg_doc *pci_body(const struct slot *slot)
{
    static const char *const names[] = { "domain", "bus", "dev", "func" };
    static const char *const flags[][2] = {
        { "msitranslate", "msitranslate=1" },
        { "power_mgmt", "power_mgmt=1" }, { "permissive", "permissive=1" },
    };
    xlcfg__members m = { 0 };

    for (int i = 3; i >= 0; i--)
        if (slot->bdf[i])
            xlcfg__members_add(&m, names[i], xlcfg__doc_uint(slot->bdf[i]));
    if (slot->vdevfn && slot->vdevfn <= 0xff)
        xlcfg__members_add(&m, "vdevfn", xlcfg__doc_uint(slot->vdevfn));
    for (int i = 0; i < 3; i++)
        if (has_option(slot, flags[i][1]))
            xlcfg__members_add(&m, flags[i][0], xlcfg__doc_bool(true));
    if (has_option(slot, "rdm_policy=strict"))
        xlcfg__members_add(&m, "rdm_policy", xlcfg__doc_str("strict"));
    else if (has_option(slot, "rdm_policy=relaxed"))
        xlcfg__members_add(&m, "rdm_policy", xlcfg__doc_str("relaxed"));
    if (*slot->name)
        xlcfg__members_add(&m, "name", xlcfg__doc_str(slot->name));
    return xlcfg__members_end(&m);
}

int xlcfg__xen_pci(struct xlcfg__look *look)
{
    struct slots slots = { 0 };
    int rc;

    rc = read_slots(look, &slots);
    if (!rc)
        rc = read_marks(look, &slots);
    if (!rc)
        join_functions(&slots);
    for (size_t i = 0; i < slots.count && !rc; i++) {
        struct slot *slot = &slots.v[i];

        if (!slot->has_slot && !slot->marked)
            continue;
        if (!slot->has_slot)
            xlcfg__verdict(&slot->v, XLCFG_LIVE_UNKNOWN,
                           "marked in /libxl/pci as this domain's, and no "
                           "slot has it: whether Xen gave it to the domain "
                           "cannot be seen, its end takes it back");
        rc = xlcfg__xen_add(look, XLCFG_KIND_PCI, pci_body(slot),
                            &slot->v);
    }
    free(slots.v);
    return rc;
}
