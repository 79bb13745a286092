/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fields of device elements and libxl's bodies, as a table; read. */
#include "driver/virt_field.h"
#include "driver/virt_body.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct xlcfg__virt_row disk_rows[] = {
    { "pdev_path", "", XLCFG__AS_SOURCE, NULL },
    { "vdev", "target@dev", XLCFG__AS_TEXT, NULL },
    { "format", "driver@type", XLCFG__AS_FORMAT, NULL },
    { "readwrite", "readonly", XLCFG__AS_WRITABLE, NULL },
    { "is_cdrom", "@device", XLCFG__AS_CDROM, NULL },
    { NULL, NULL, XLCFG__AS_TEXT, NULL },
};

static const struct xlcfg__virt_row nic_rows[] = {
    { "mac", "mac@address", XLCFG__AS_TEXT, NULL },
    { "model", "model@type", XLCFG__AS_TEXT, NULL },
    { "bridge", "source@bridge", XLCFG__AS_TEXT, "bridge" },
    { "ifname", "target@dev", XLCFG__AS_TEXT, NULL },
    { "script", "script@path", XLCFG__AS_TEXT, NULL },
    { "mtu", "mtu@size", XLCFG__AS_NUMBER, NULL },
    { NULL, NULL, XLCFG__AS_TEXT, NULL },
};

static const struct xlcfg__virt_row pci_rows[] = {
    { "func", "source/address@function", XLCFG__AS_HEX, NULL },
    { "dev", "source/address@slot", XLCFG__AS_HEX, NULL },
    { "bus", "source/address@bus", XLCFG__AS_HEX, NULL },
    { "domain", "source/address@domain", XLCFG__AS_HEX, NULL },
    { NULL, NULL, XLCFG__AS_TEXT, NULL },
};

static const struct xlcfg__virt_row usbctrl_rows[] = {
    { "devid", "@index", XLCFG__AS_NUMBER, NULL },
    { "version", "@model", XLCFG__AS_USB_VERSION, NULL },
    { "ports", "@ports", XLCFG__AS_NUMBER, NULL },
    { NULL, NULL, XLCFG__AS_TEXT, NULL },
};

static const struct xlcfg__virt_row usbdev_rows[] = {
    { "ctrl", "address@bus", XLCFG__AS_NUMBER, NULL },
    { "port", "address@port", XLCFG__AS_NUMBER, NULL },
    { "type.hostdev/hostbus", "source/address@bus", XLCFG__AS_NUMBER, NULL },
    { "type.hostdev/hostaddr", "source/address@device", XLCFG__AS_NUMBER,
      NULL },
    { NULL, NULL, XLCFG__AS_TEXT, NULL },
};

static const struct xlcfg__virt_row vfb_rows[] = {
    { "vnc/enable", "", XLCFG__AS_ON, "vnc" },
    { "vnc/listen", "@listen", XLCFG__AS_TEXT, "vnc" },
    { "vnc/passwd", "@passwd", XLCFG__AS_TEXT, "vnc" },
    { "sdl/enable", "", XLCFG__AS_ON, "sdl" },
    { "sdl/display", "@display", XLCFG__AS_TEXT, "sdl" },
    { "sdl/xauthority", "@xauth", XLCFG__AS_TEXT, "sdl" },
    { "keymap", "@keymap", XLCFG__AS_TEXT, "vnc" },
    { NULL, NULL, XLCFG__AS_TEXT, NULL },
};

static const struct xlcfg__virt_row channel_rows[] = {
    { "name", "target@name", XLCFG__AS_TEXT, NULL },
    { "connection.pty", "", XLCFG__AS_EMPTY, "pty" },
    { "connection.socket/path", "source@path", XLCFG__AS_TEXT, "unix" },
    { NULL, NULL, XLCFG__AS_TEXT, NULL },
};

const struct xlcfg__virt_kind_rows xlcfg__virt_kinds[XLCFG_KINDS] = {
    [XLCFG_KIND_DISK] = { disk_rows, "disk",
        "<disk type='file' device='disk'/>" },
    [XLCFG_KIND_NIC] = { nic_rows, "interface",
        "<interface type='bridge'/>" },
    [XLCFG_KIND_PCI] = { pci_rows, "hostdev",
        "<hostdev mode='subsystem' type='pci' managed='yes'/>" },
    [XLCFG_KIND_USBCTRL] = { usbctrl_rows, "controller",
        "<controller type='usb'/>" },
    [XLCFG_KIND_USBDEV] = { usbdev_rows, "hostdev",
        "<hostdev mode='subsystem' type='usb'/>" },
    [XLCFG_KIND_VFB] = { vfb_rows, "graphics", "<graphics type='vnc'/>" },
    [XLCFG_KIND_CHANNEL] = { channel_rows, "channel",
        "<channel type='pty'><target type='virtio'/></channel>" },
};

static const struct {
    const char *libvirt, *libxl;
} formats[] = {
    { "raw", "raw" }, { "qcow2", "qcow2" }, { "qcow", "qcow" },
    { "vpc", "vhd" }, { "qed", "qed" },
};

enum xlcfg_kind xlcfg__virt_kind(xmlNodePtr dev)
{
    if (xlcfg__xml_is(dev, "disk"))
        return XLCFG_KIND_DISK;
    if (xlcfg__xml_is(dev, "interface"))
        return XLCFG_KIND_NIC;
    if (xlcfg__xml_is(dev, "channel"))
        return XLCFG_KIND_CHANNEL;
    if (xlcfg__xml_is(dev, "hostdev") &&
        xlcfg__xml_has(dev, "@type", "pci"))
        return XLCFG_KIND_PCI;
    /* one without a place in the guest has no identity of its own */
    if (xlcfg__xml_is(dev, "hostdev") &&
        xlcfg__xml_has(dev, "@type", "usb") &&
        xlcfg__xml_child(dev, "address"))
        return XLCFG_KIND_USBDEV;
    /* a companion shares its master's index: it is part of that one */
    if (xlcfg__xml_is(dev, "controller") &&
        xlcfg__xml_has(dev, "@type", "usb") &&
        !xlcfg__virt_is_companion(dev))
        return XLCFG_KIND_USBCTRL;
    if (xlcfg__xml_is(dev, "graphics") &&
        (xlcfg__xml_has(dev, "@type", "vnc") ||
         xlcfg__xml_has(dev, "@type", "sdl")))
        return XLCFG_KIND_VFB;
    return XLCFG_KINDS;
}

/* ---- reading ---- */

const char *xlcfg__virt_source_path(xmlNodePtr dev)
{
    static const struct {
        const char *type, *path;
    } rows[] = {
        { "file", "source@file" }, { "block", "source@dev" },
        { "dir", "source@dir" }, { "network", "source@name" },
        { "volume", "source@volume" }, { "vhostuser", "source@path" },
        { "nvme", "source@namespace" },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (xlcfg__xml_has(dev, "@type", rows[i].type))
            return rows[i].path;
    return "source@file";
}

static bool is_cdrom(xmlNodePtr dev)
{
    return xlcfg__xml_has(dev, "@device", "cdrom");
}

bool xlcfg__virt_is_empty(xmlNodePtr dev)
{
    xmlNodePtr source = xlcfg__xml_child(dev, "source");
    xmlAttrPtr a = source ? source->properties : NULL;

    return !source || (!source->children && (!a || (!a->next &&
        !strcmp((const char *)a->name, "startupPolicy"))));
}

const char *xlcfg__virt_format(const char *libxl)
{
    for (size_t i = 0; i < COUNT(formats); i++)
        if (!strcmp(formats[i].libxl, libxl))
            return formats[i].libvirt;
    return NULL;
}

static xlcfg_doc *read_format(xmlNodePtr dev, const char *path)
{
    char *text = xlcfg__xml_get(dev, path);
    const char *format = text ? "unknown" : "raw";

    if (is_cdrom(dev) && xlcfg__virt_is_empty(dev))
        format = "empty";
    else if (text)
        for (size_t i = 0; i < COUNT(formats); i++)
            if (!strcmp(formats[i].libvirt, text))
                format = formats[i].libxl;
    xmlFree(text);
    return xlcfg__doc_word(format);
}

static int64_t usb_version(xmlNodePtr dev)
{
    char *model = xlcfg__xml_get(dev, "@model");
    int64_t version = !model ? 2 : strstr(model, "xhci") ? 3
        : strstr(model, "ehci") ? 2 : 1;

    xmlFree(model);
    return version;
}

static xlcfg_doc *read_number(const char *text, bool *bad_r)
{
    char *end;
    unsigned long n = strtoul(text, &end, 0);

    *bad_r = !*text || *end || *text == '-' || n > INT32_MAX;
    return *bad_r ? NULL : xlcfg__doc_int((int64_t)n);
}

bool xlcfg__virt_fits(const struct xlcfg__virt_row *row, xmlNodePtr dev)
{
    return !row->only || xlcfg__xml_has(dev, "@type", row->only);
}

int xlcfg__virt_read_row(const struct xlcfg__virt_row *row, xmlNodePtr dev,
                         xlcfg_doc **value_r, bool *there_r,
                         xlcfg_error *err)
{
    const char *path = row->how == XLCFG__AS_SOURCE
        ? xlcfg__virt_source_path(dev) : row->path;
    char *text = *path ? xlcfg__xml_get(dev, path) : NULL;
    xlcfg_doc *value = NULL;
    bool there = true, bad = false;

    switch (row->how) {
    case XLCFG__AS_TEXT: case XLCFG__AS_SOURCE:
        there = text;
        value = text ? xlcfg__doc_str(text) : NULL;
        break;
    case XLCFG__AS_NUMBER: case XLCFG__AS_HEX:
        /* a port behind a hub, "1.2", is no number libxl knows */
        there = text && !strchr(text, '.');
        value = there ? read_number(text, &bad) : NULL;
        break;
    case XLCFG__AS_FORMAT:
        value = read_format(dev, path);
        break;
    case XLCFG__AS_WRITABLE:
        value = xlcfg__doc_int(!xlcfg__xml_child(dev, path) &&
                               !is_cdrom(dev));
        break;
    case XLCFG__AS_CDROM:
        value = xlcfg__doc_int(is_cdrom(dev));
        break;
    case XLCFG__AS_USB_VERSION:
        value = xlcfg__doc_int(usb_version(dev));
        break;
    case XLCFG__AS_ON:
        value = xlcfg__doc_str("True");
        break;
    case XLCFG__AS_EMPTY:
        value = xlcfg__doc_object(NULL, 0);
        break;
    }
    xmlFree(text);
    if (bad)
        return xlcfg__xml_bad(err, dev, "expected a number at %s", path);
    *value_r = value;
    *there_r = there;
    return there && !value ? xlcfg__nomem(err) : 0;
}
