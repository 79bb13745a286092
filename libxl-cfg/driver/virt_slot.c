/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The address that a new device is given before it is sent: free in what runs
 * and in what is kept, so that both agree and stay after a restart.  libvirt
 * would choose twice, and not the same.  A device that was there before has
 * the address that it had; those of others that have left stay theirs.
 */
#include "driver/virt_i.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCSI_UNITS 256
#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static int number(xmlNodePtr node, const char *path, int def)
{
    char *text = xlcfg__xml_get(node, path), *end;
    long n = def;

    if (text && *text) {
        n = strtol(text, &end, 0);
        if (*end || n < 0 || n > 65535)
            n = def;
    }
    xmlFree(text);
    return (int)n;
}

/* ---- what runs and what is kept ---- */

int xlcfg__virt_is_kept(virDomainPtr d, bool *kept_r, xlcfg_error *err)
{
    int kept = virDomainIsPersistent(d);

    if (kept < 0)
        return xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    *kept_r = kept;
    return 0;
}

void xlcfg__virt_place_free(struct xlcfg__virt_place *at)
{
    xmlFreeDoc(at->live);
    xmlFreeDoc(at->kept);
}

int xlcfg__virt_place_read(virDomainPtr d, struct xlcfg__virt_place *at,
                           xlcfg_error *err)
{
    bool kept = false;
    int rc;

    at->live = at->kept = NULL;
    rc = xlcfg__virt_is_kept(d, &kept, err);
    if (!rc)
        rc = xlcfg__virt_desc(d, 0, &at->live, err);
    if (!rc && kept)
        rc = xlcfg__virt_desc(d, VIR_DOMAIN_XML_INACTIVE, &at->kept, err);
    return rc;
}

static int recall_one(struct virt *v, virDomainPtr d, const char *uuid,
                      bool kept, xmlDocPtr *doc_r, xlcfg_error *err)
{
    char *xml = xlcfg__virt_last(v->memo, uuid, kept);
    int rc;

    rc = xml ? xlcfg__virt_parse_desc(d, xml, doc_r, err)
        : xlcfg__virt_desc(d, kept ? VIR_DOMAIN_XML_INACTIVE : 0, doc_r,
                           err);
    free(xml);
    return rc;
}

int xlcfg__virt_place_recall(struct virt *v, virDomainPtr d, const char *uuid,
                             struct xlcfg__virt_place *at, xlcfg_error *err)
{
    bool kept = false;
    int rc;

    at->live = at->kept = NULL;
    rc = xlcfg__virt_is_kept(d, &kept, err);
    if (!rc)
        rc = recall_one(v, d, uuid, false, &at->live, err);
    if (!rc && kept)
        rc = recall_one(v, d, uuid, true, &at->kept, err);
    return rc;
}

static bool same_place(xmlNodePtr one, xmlNodePtr other)
{
    xmlNodePtr a = xlcfg__xml_child(one, "address");
    char *type = a ? xlcfg__xml_get(a, "@type") : NULL;
    bool same = type && xlcfg__xml_has(other, "address@type", type);

    xmlFree(type);
    for (xmlAttrPtr at = a ? a->properties : NULL; same && at;
         at = at->next) {
        char path[48];

        char *text;
        int n;

        snprintf(path, sizeof(path), "address@%.38s",
                 (const char *)at->name);
        n = number(one, path, -1);
        text = xlcfg__xml_get(one, path);
        /* "1.2", a port behind a hub, is no number */
        same = n >= 0 ? number(other, path, -1) == n
            : text && xlcfg__xml_has(other, path, text);
        xmlFree(text);
    }
    return same;
}

bool xlcfg__virt_is_taken(const struct xlcfg__virt_place *at, xmlNodePtr dev)
{
    char *alias = xlcfg__xml_get(dev, "alias@name");
    bool taken = false;

    for (int i = 0; i < 2; i++)
        for (xmlNodePtr n = xlcfg__virt_first(i ? at->kept : at->live); n;
             n = n->next)
            taken = taken || (n->type == XML_ELEMENT_NODE &&
                              same_place(dev, n) &&
                              !xlcfg__xml_has(n, "alias@name",
                                              alias ? alias : ""));
    xmlFree(alias);
    return taken;
}

/* Has a device of the document these two texts at these two paths? */
static bool taken_in(xmlDocPtr doc, const char *element, const char *type,
                     const char *a, int x, const char *b, int y)
{
    for (xmlNodePtr n = xlcfg__virt_first(doc); n; n = n->next)
        if (n->type == XML_ELEMENT_NODE &&
            (!element || xlcfg__xml_is(n, element)) &&
            xlcfg__xml_has(n, "address@type", type) &&
            number(n, a, -1) == x && (!b || number(n, b, -1) == y))
            return true;
    return false;
}

static bool taken(const struct xlcfg__virt_place *at, const char *element,
                  const char *type, const char *a, int x, const char *b,
                  int y)
{
    return taken_in(at->live, element, type, a, x, b, y) ||
        taken_in(at->kept, element, type, a, x, b, y) ||
        xlcfg__virt_is_anothers(at, element, type, a, x, b, y);
}

static xmlNodePtr controller(xmlDocPtr doc, const char *type, int index)
{
    for (xmlNodePtr n = xlcfg__virt_first(doc); n; n = n->next)
        if (xlcfg__xml_is(n, "controller") &&
            xlcfg__xml_has(n, "@type", type) &&
            number(n, "@index", 0) == index)
            return n;
    return NULL;
}

static bool set_number(xmlNodePtr dev, const char *path, const char *fmt,
                       int n)
{
    char text[24];

    snprintf(text, sizeof(text), fmt, n);
    return xlcfg__xml_set(dev, path, text);
}

/* ---- PCI ---- */

/* Buses that take a device while the guest runs, best first, and the slots
 * that they have.  Slots 1 and 2 of the old machine are its own. */
static const struct {
    const char *model;
    int from, to;
} buses[] = {
    { "pcie-root-port", 0, 0 },
    { "pcie-switch-downstream-port", 0, 0 },
    { "pcie-to-pci-bridge", 1, 31 },
    { "pci-bridge", 1, 31 },
    { "pci-root", 3, 31 },
};

static bool set_pci(xmlNodePtr dev, int bus, int slot)
{
    return xlcfg__xml_set(dev, "address@type", "pci") &&
        xlcfg__xml_set(dev, "address@domain", "0x0000") &&
        set_number(dev, "address@bus", "0x%02x", bus) &&
        set_number(dev, "address@slot", "0x%02x", slot) &&
        xlcfg__xml_set(dev, "address@function", "0x0");
}

static bool may_hotplug(const struct xlcfg__virt_place *at, xmlNodePtr bus,
                        const char *model)
{
    int index = number(bus, "@index", 0);
    xmlNodePtr kept = at->kept ? controller(at->kept, "pci", index) : bus;

    return xlcfg__xml_is(bus, "controller") &&
        xlcfg__xml_has(bus, "@type", "pci") &&
        xlcfg__xml_has(bus, "@model", model) &&
        !xlcfg__xml_has(bus, "target@hotplug", "off") &&
        kept && xlcfg__xml_has(kept, "@model", model);
}

static int choose_pci(const struct xlcfg__virt_place *at, xmlNodePtr dev,
                      xlcfg_error *err)
{
    char kept[500];
    int seen = 0;

    for (size_t i = 0; i < COUNT(buses); i++)
        for (xmlNodePtr n = xlcfg__virt_first(at->live); n; n = n->next) {
            int bus = number(n, "@index", 0);

            if (!may_hotplug(at, n, buses[i].model))
                continue;
            seen++;
            for (int slot = buses[i].from; slot <= buses[i].to; slot++)
                if (!taken(at, NULL, "pci", "address@bus", bus,
                           "address@slot", slot))
                    return set_pci(dev, bus, slot) ? 0 : xlcfg__nomem(err);
        }
    xlcfg__virt_keepers(at, "pci", kept, sizeof(kept));
    return xlcfg__err(err, XLCFG_ERROR_REFUSED, (const char *)dev->name,
                      "no PCI slot is free for a hotplug: %d bus%s that "
                      "could take one %s full%s", seen,
                      seen == 1 ? "" : "es", seen == 1 ? "is" : "are", kept);
}

/* ---- SCSI, USB, channels ---- */

static int no_room(const struct xlcfg__virt_place *at, xmlNodePtr dev,
                   const char *type, const char *what, xlcfg_error *err)
{
    char kept[500];

    xlcfg__virt_keepers(at, type, kept, sizeof(kept));
    return xlcfg__err(err, XLCFG_ERROR_REFUSED, (const char *)dev->name,
                      "%s%s", what, kept);
}

static int choose_scsi(const struct xlcfg__virt_place *at, xmlNodePtr dev,
                       xlcfg_error *err)
{
    for (int c = 0; c < 16; c++) {
        if (!controller(at->live, "scsi", c) ||
            (at->kept && !controller(at->kept, "scsi", c)))
            continue;
        for (int unit = 0; unit < SCSI_UNITS; unit++) {
            /* 7 is the controller itself on the old kinds */
            if (unit == 7 || taken(at, "disk", "drive",
                                   "address@controller", c, "address@unit",
                                   unit))
                continue;
            if (!xlcfg__xml_set(dev, "address@type", "drive") ||
                !set_number(dev, "address@controller", "%d", c) ||
                !xlcfg__xml_set(dev, "address@bus", "0") ||
                !xlcfg__xml_set(dev, "address@target", "0") ||
                !set_number(dev, "address@unit", "%d", unit))
                return xlcfg__nomem(err);
            return 0;
        }
    }
    return no_room(at, dev, "drive", "no SCSI controller has a place for it",
                   err);
}

/* How many ports of its own a USB controller has. */
static int usb_ports(xmlNodePtr ctl)
{
    char *model = xlcfg__xml_get(ctl, "@model");
    int most = !model ? 2 : strstr(model, "none") ? 0
        : strstr(model, "xhci") ? 4 : strstr(model, "ehci") ? 6 : 2;

    xmlFree(model);
    return number(ctl, "@ports", most);
}

static int choose_usb(const struct xlcfg__virt_place *at, xmlNodePtr dev,
                      xlcfg_error *err)
{
    for (int bus = 0; bus < 16; bus++) {
        xmlNodePtr ctl = controller(at->live, "usb", bus);

        for (int port = 1; ctl && port <= usb_ports(ctl); port++) {
            if (taken(at, NULL, "usb", "address@bus", bus, "address@port",
                      port))
                continue;
            if (!xlcfg__xml_set(dev, "address@type", "usb") ||
                !set_number(dev, "address@bus", "%d", bus) ||
                !set_number(dev, "address@port", "%d", port))
                return xlcfg__nomem(err);
            return 0;
        }
    }
    return no_room(at, dev, "usb", "no USB controller has a free port", err);
}

static int choose_port(const struct xlcfg__virt_place *at, xmlNodePtr dev,
                       xlcfg_error *err)
{
    for (int c = 0; c < 16; c++) {
        xmlNodePtr ctl = controller(at->live, "virtio-serial", c);

        if (!ctl || (at->kept && !controller(at->kept, "virtio-serial", c)))
            continue;
        for (int port = 1; port < number(ctl, "@ports", 31); port++) {
            if (taken(at, NULL, "virtio-serial", "address@controller", c,
                      "address@port", port))
                continue;
            if (!xlcfg__xml_set(dev, "address@type", "virtio-serial") ||
                !set_number(dev, "address@controller", "%d", c) ||
                !xlcfg__xml_set(dev, "address@bus", "0") ||
                !set_number(dev, "address@port", "%d", port))
                return xlcfg__nomem(err);
            return 0;
        }
    }
    return no_room(at, dev, "virtio-serial",
                   "no virtio-serial controller has a free port", err);
}

/* ---- the one that it had ---- */

/* Where its members stand in an element, and the controller that must be
 * there for it. */
static const struct {
    const char *type, *element, *a, *b, *controller;
} places[] = {
    { "pci", NULL, "address@bus", "address@slot", "pci" },
    { "usb", NULL, "address@bus", "address@port", "usb" },
    { "virtio-serial", NULL, "address@controller", "address@port",
      "virtio-serial" },
    { "drive", "disk", "address@controller", "address@unit", NULL },
};

static bool is_there(const struct xlcfg__virt_place *at, xmlNodePtr dev,
                     const char *type, int index)
{
    char *bus = type ? NULL : xlcfg__xml_get(dev, "target@bus");
    bool there;

    type = type ? type : bus ? bus : "scsi";
    there = controller(at->live, type, index) &&
        (!at->kept || controller(at->kept, type, index));
    xmlFree(bus);
    return there;
}

/* The address of before, when it is free.  *done_r false: it is not. */
static int have_own(const struct xlcfg__virt_place *at, xmlNodePtr dev,
                    bool *done_r, xlcfg_error *err)
{
    const xlcfg_doc *address = at->own ? at->own->address : NULL;
    const char *type = xlcfg__doc_getstr(address, "type");

    *done_r = false;
    for (size_t i = 0; type && i < COUNT(places); i++) {
        int x, y;

        if (strcmp(type, places[i].type))
            continue;
        if (!xlcfg__virt_put_address(dev, address))
            return xlcfg__nomem(err);
        x = number(dev, places[i].a, -1);
        y = number(dev, places[i].b, -1);
        *done_r = x >= 0 && y >= 0 &&
            is_there(at, dev, places[i].controller, x) &&
            !taken(at, places[i].element, type, places[i].a, x, places[i].b,
                   y);
        if (!*done_r) {
            xmlNodePtr node = xlcfg__xml_child(dev, "address");

            xmlUnlinkNode(node);
            xmlFreeNode(node);
        }
    }
    return 0;
}

static int choose_free(const struct xlcfg__virt_place *at,
                       enum xlcfg_kind kind, xmlNodePtr dev,
                       xlcfg_error *err)
{
    if (kind == XLCFG_KIND_USBDEV ||
        xlcfg__xml_has(dev, "target@bus", "usb"))
        return choose_usb(at, dev, err);
    if (kind == XLCFG_KIND_CHANNEL)
        return choose_port(at, dev, err);
    if (kind == XLCFG_KIND_DISK && xlcfg__xml_has(dev, "target@bus", "scsi"))
        return choose_scsi(at, dev, err);
    if (kind == XLCFG_KIND_DISK &&
        !xlcfg__xml_has(dev, "target@bus", "virtio"))
        return 0;               /* libvirt says why it cannot */
    return choose_pci(at, dev, err);
}

int xlcfg__virt_choose_address(const struct xlcfg__virt_place *at,
                               enum xlcfg_kind kind, xmlNodePtr dev,
                               xlcfg_error *err)
{
    struct xlcfg__virt_place anybody = { .live = at->live,
                                         .kept = at->kept };
    bool done = false;
    int rc = 0;

    if (xlcfg__xml_child(dev, "address"))
        return 0;
    rc = have_own(at, dev, &done, err);
    if (rc || done)
        return rc;
    rc = choose_free(at, kind, dev, err);
    if (rc == XLCFG_ERROR_REFUSED && at->book && at->book->any)
        rc = choose_free(&anybody, kind, dev, err);
    return rc;
}
