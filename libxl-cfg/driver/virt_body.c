/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device elements and libxl bodies: one table of fields, read both ways. */
#include "driver/virt_body.h"
#include "core/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum how {
    TEXT,
    NUMBER,                     /* decimal */
    HEX,                        /* written as 0x.. */
    FORMAT,                     /* of a disk's image */
    SOURCE,                     /* of a disk: where depends on its type */
    WRITABLE,                   /* no <readonly/> */
    CDROM,
    USB_VERSION,                /* from the model; never written */
    ON,                         /* "True" because the element is there */
    EMPTY,                      /* an object without members */
};

struct row {
    const char *field;          /* "outer/inner" for one in an object */
    const char *path;
    enum how how;
    const char *only;           /* @type it needs; NULL: any */
};

static const struct row disk_rows[] = {
    { "pdev_path", "", SOURCE, NULL },
    { "vdev", "target@dev", TEXT, NULL },
    { "format", "driver@type", FORMAT, NULL },
    { "readwrite", "readonly", WRITABLE, NULL },
    { "is_cdrom", "@device", CDROM, NULL },
    { NULL, NULL, TEXT, NULL },
};

static const struct row nic_rows[] = {
    { "mac", "mac@address", TEXT, NULL },
    { "model", "model@type", TEXT, NULL },
    { "bridge", "source@bridge", TEXT, "bridge" },
    { "ifname", "target@dev", TEXT, NULL },
    { "script", "script@path", TEXT, NULL },
    { "mtu", "mtu@size", NUMBER, NULL },
    { NULL, NULL, TEXT, NULL },
};

static const struct row pci_rows[] = {
    { "func", "source/address@function", HEX, NULL },
    { "dev", "source/address@slot", HEX, NULL },
    { "bus", "source/address@bus", HEX, NULL },
    { "domain", "source/address@domain", HEX, NULL },
    { NULL, NULL, TEXT, NULL },
};

static const struct row usbctrl_rows[] = {
    { "devid", "@index", NUMBER, NULL },
    { "version", "@model", USB_VERSION, NULL },
    { "ports", "@ports", NUMBER, NULL },
    { NULL, NULL, TEXT, NULL },
};

static const struct row usbdev_rows[] = {
    { "ctrl", "address@bus", NUMBER, NULL },
    { "port", "address@port", NUMBER, NULL },
    { "type.hostdev/hostbus", "source/address@bus", NUMBER, NULL },
    { "type.hostdev/hostaddr", "source/address@device", NUMBER, NULL },
    { NULL, NULL, TEXT, NULL },
};

static const struct row vfb_rows[] = {
    { "vnc/enable", "", ON, "vnc" },
    { "vnc/listen", "@listen", TEXT, "vnc" },
    { "vnc/passwd", "@passwd", TEXT, "vnc" },
    { "sdl/enable", "", ON, "sdl" },
    { "sdl/display", "@display", TEXT, "sdl" },
    { "sdl/xauthority", "@xauth", TEXT, "sdl" },
    { "keymap", "@keymap", TEXT, "vnc" },
    { NULL, NULL, TEXT, NULL },
};

static const struct row channel_rows[] = {
    { "name", "target@name", TEXT, NULL },
    { "connection.pty", "", EMPTY, "pty" },
    { "connection.socket/path", "source@path", TEXT, "unix" },
    { NULL, NULL, TEXT, NULL },
};

/* skeleton: what a body without x-libvirt begins from */
static const struct kind_rows {
    const struct row *rows;
    const char *element, *skeleton;
} kinds[XLCFG_KINDS] = {
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

/* Fields that say how Xen serves a device, or that are made up for it. */
static const char *const without_meaning[] = {
    "x-libvirt", "backend", "backend_domid", "removable", "devid", "nictype",
    "type", "connection.unknown",
};

static const struct {
    const char *libvirt, *libxl;
} formats[] = {
    { "raw", "raw" }, { "qcow2", "qcow2" }, { "qcow", "qcow" },
    { "vpc", "vhd" }, { "qed", "qed" },
};

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

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

static const char *source_path(xmlNodePtr dev)
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

/* A source that says no more than what to do when it is missing. */
static bool is_empty(xmlNodePtr dev)
{
    xmlNodePtr source = xlcfg__xml_child(dev, "source");
    xmlAttrPtr a = source ? source->properties : NULL;

    return !source || (!source->children && (!a || (!a->next &&
        !strcmp((const char *)a->name, "startupPolicy"))));
}

static xlcfg_doc *read_format(xmlNodePtr dev, const char *path)
{
    char *text = xlcfg__xml_get(dev, path);
    const char *format = text ? "unknown" : "raw";

    if (is_cdrom(dev) && is_empty(dev))
        format = "empty";
    else if (text)
        for (size_t i = 0; i < COUNT(formats); i++)
            if (!strcmp(formats[i].libvirt, text))
                format = formats[i].libxl;
    xmlFree(text);
    return xlcfg__doc_str(format);
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

static bool fits(const struct row *row, xmlNodePtr dev)
{
    return !row->only || xlcfg__xml_has(dev, "@type", row->only);
}

/* The value of a row; *there_r false: the element is silent about it. */
static int read_row(const struct row *row, xmlNodePtr dev,
                    xlcfg_doc **value_r, bool *there_r, xlcfg_error *err)
{
    const char *path = row->how == SOURCE ? source_path(dev) : row->path;
    char *text = *path ? xlcfg__xml_get(dev, path) : NULL;
    xlcfg_doc *value = NULL;
    bool there = true, bad = false;

    switch (row->how) {
    case TEXT: case SOURCE:
        there = text;
        value = text ? xlcfg__doc_str(text) : NULL;
        break;
    case NUMBER: case HEX:
        /* a port behind a hub, "1.2", is no number libxl knows */
        there = text && !strchr(text, '.');
        value = there ? read_number(text, &bad) : NULL;
        break;
    case FORMAT:
        value = read_format(dev, path);
        break;
    case WRITABLE:
        value = xlcfg__doc_int(!xlcfg__xml_child(dev, path) &&
                               !is_cdrom(dev));
        break;
    case CDROM:
        value = xlcfg__doc_int(is_cdrom(dev));
        break;
    case USB_VERSION:
        value = xlcfg__doc_int(usb_version(dev));
        break;
    case ON:
        value = xlcfg__doc_str("True");
        break;
    case EMPTY:
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

/* All rows as members; those of an object are gathered behind the rest. */
static int read_rows(enum xlcfg_kind kind, xmlNodePtr dev,
                     xlcfg__members *m, xlcfg_error *err)
{
    xlcfg__members inner = { 0 };
    char outer[32] = "";
    int rc = 0;

    for (const struct row *row = kinds[kind].rows; row->field; row++) {
        const char *slash = strchr(row->field, '/');
        xlcfg_doc *value;
        bool there;

        if (!fits(row, dev))
            continue;
        rc = read_row(row, dev, &value, &there, err);
        if (rc)
            break;
        if (!there)
            continue;
        if (slash)
            snprintf(outer, sizeof(outer), "%.*s",
                     (int)(slash - row->field), row->field);
        xlcfg__members_add(slash ? &inner : m,
                           slash ? slash + 1 : row->field, value);
    }
    if (!rc && *outer)
        xlcfg__members_add(m, outer, xlcfg__members_end(&inner));
    xlcfg__members_dispose(&inner);
    return rc;
}

/* Is a prefix declared around it, that it may use?  A copy takes along those
 * that it does. */
static bool has_prefixes(xmlNodePtr dev)
{
    for (xmlNodePtr n = dev->parent; n; n = n->parent)
        if (n->type == XML_ELEMENT_NODE && n->nsDef)
            return true;
    return false;
}

/* The element without what the body alone is to hold: a password. */
static xlcfg_doc *verbatim(enum xlcfg_kind kind, xmlNodePtr dev)
{
    xmlNodePtr copy;
    xlcfg_doc *text;

    if (kind != XLCFG_KIND_VFB && !has_prefixes(dev))
        return xlcfg__xml_text(dev);
    copy = xmlDocCopyNode(dev, dev->doc, 1);
    if (!copy)
        return NULL;
    xmlUnsetProp(copy, (const xmlChar *)"passwd");
    text = xlcfg__xml_text(copy);
    xmlFreeNode(copy);
    return text;
}

int xlcfg__virt_body(enum xlcfg_kind kind, xmlNodePtr dev, size_t nth,
                     xlcfg_doc **body_r, xlcfg_error *err)
{
    xlcfg__members m = { 0 };
    xlcfg_doc *body;
    int rc;

    rc = read_rows(kind, dev, &m, err);
    if (rc) {
        xlcfg__members_dispose(&m);
        return rc;
    }
    if (kind == XLCFG_KIND_VFB || kind == XLCFG_KIND_CHANNEL)
        xlcfg__members_set(&m, "devid", xlcfg__doc_int((int64_t)nth));
    xlcfg__members_add(&m, "x-libvirt", verbatim(kind, dev));
    body = xlcfg__members_end(&m);
    if (!body)
        return xlcfg__nomem(err);
    *body_r = body;
    return 0;
}

/* ---- writing ---- */

static int no_word(xlcfg_error *err, enum xlcfg_kind kind, const char *field)
{
    return xlcfg__err(err, XLCFG_ERROR_INVAL, field,
                      "libvirt's <%s> has no word for this value",
                      kinds[kind].element);
}

static const xlcfg_doc *lookup(const xlcfg_doc *body, const char *field)
{
    const char *slash = strchr(field, '/');
    char outer[32];

    if (!slash)
        return xlcfg_doc_get(body, field);
    snprintf(outer, sizeof(outer), "%.*s", (int)(slash - field), field);
    return xlcfg_doc_get(xlcfg_doc_get(body, outer), slash + 1);
}

/* The text a value is written as; NULL: it has none. */
static const char *text_for(const struct row *row, const xlcfg_doc *want,
                            char *buf, size_t size)
{
    const char *s = xlcfg_doc_string(want);
    bool is_text = xlcfg_doc_kind(want) == XLCFG_DOC_STRING;
    int64_t n;

    switch (row->how) {
    case TEXT: case SOURCE:
        return is_text ? s : NULL;
    case NUMBER: case HEX:
        if (!xlcfg__doc_is_int(want, 0, INT32_MAX, &n))
            return NULL;
        snprintf(buf, size, row->how == HEX ? "0x%02" PRIx64 : "%" PRId64,
                 n);
        return buf;
    case FORMAT:
        for (size_t i = 0; is_text && i < COUNT(formats); i++)
            if (!strcmp(formats[i].libxl, s))
                return formats[i].libvirt;
        return NULL;
    case CDROM:
        return xlcfg__doc_to_int(want, 0) ? "cdrom" : "disk";
    case WRITABLE: case USB_VERSION: case ON: case EMPTY:
        break;
    }
    return NULL;
}

static int write_row(enum xlcfg_kind kind, const struct row *row,
                     xmlNodePtr dev, const xlcfg_doc *want, xlcfg_error *err)
{
    const char *path = row->how == SOURCE ? source_path(dev) : row->path;
    const char *text;
    char buf[32];

    if (row->how == FORMAT && xlcfg_doc_string(want) &&
        !strcmp(xlcfg_doc_string(want), "empty")) {
        xlcfg__xml_drop(xlcfg__xml_child(dev, "source"));
        return 0;
    }
    if (row->how == WRITABLE) {
        if (!xlcfg__doc_to_int(want, 1))
            return xlcfg__xml_make(dev, path) ? 0 : xlcfg__nomem(err);
        xlcfg__xml_drop(xlcfg__xml_child(dev, path));
        return 0;
    }
    text = text_for(row, want, buf, sizeof(buf));
    if (!text)
        return no_word(err, kind, row->field);
    return xlcfg__xml_set(dev, path, text) ? 0 : xlcfg__nomem(err);
}

/* A member that no row speaks of must be what libvirt would say anyway. */
static int check_rest(enum xlcfg_kind kind, const xlcfg_doc *body,
                      xmlNodePtr dev, xlcfg_error *err)
{
    for (size_t i = 0; i < xlcfg_doc_count(body); i++) {
        const char *name = xlcfg_doc_name(body, i);
        size_t len = strlen(name);
        bool known = false;

        for (size_t j = 0; j < COUNT(without_meaning); j++)
            known = known || !strcmp(without_meaning[j], name);
        for (const struct row *r = kinds[kind].rows; !known && r->field; r++)
            known = fits(r, dev) && !strncmp(r->field, name, len) &&
                (!r->field[len] || r->field[len] == '/');
        if (!known)
            return no_word(err, kind, name);
    }
    return 0;
}

static int apply(enum xlcfg_kind kind, const xlcfg_doc *body,
                 xmlNodePtr dev, xlcfg_error *err)
{
    int rc;

    for (const struct row *row = kinds[kind].rows; row->field; row++) {
        const xlcfg_doc *want = lookup(body, row->field);
        xlcfg_doc *have = NULL;
        bool there, same;

        if (!want || !fits(row, dev))
            continue;
        rc = read_row(row, dev, &have, &there, err);
        if (rc)
            return rc;
        same = there && xlcfg__doc_equal(have, want);
        xlcfg_doc_free(have);
        /* made up where the element has none */
        if (!there && !strcmp(row->field, "devid"))
            same = true;
        if (!same)
            rc = write_row(kind, row, dev, want, err);
        if (rc)
            return rc;
    }
    return check_rest(kind, body, dev, err);
}

/* Which type of element a body without one needs. */
static bool shape(enum xlcfg_kind kind, const xlcfg_doc *body, xmlNodePtr dev)
{
    const char *path = xlcfg__doc_getstr(body, "pdev_path");

    if (kind == XLCFG_KIND_DISK && path && !strncmp(path, "/dev/", 5))
        return xlcfg__xml_set(dev, "@type", "block");
    if (kind == XLCFG_KIND_NIC && !xlcfg_doc_get(body, "bridge"))
        return xlcfg__xml_set(dev, "@type", "user");
    if (kind == XLCFG_KIND_VFB && !xlcfg_doc_get(body, "vnc"))
        return xlcfg__xml_set(dev, "@type", "sdl");
    if (kind == XLCFG_KIND_CHANNEL &&
        xlcfg_doc_get(body, "connection.socket"))
        return xlcfg__xml_set(dev, "@type", "unix");
    return true;
}

int xlcfg__virt_element(enum xlcfg_kind kind, const xlcfg_doc *body,
                        xmlNodePtr parent, xlcfg_error *err)
{
    const char *text = xlcfg__doc_getstr(body, "x-libvirt");
    const struct kind_rows *k = &kinds[kind];
    xmlDocPtr doc = NULL;
    xmlNodePtr dev;
    int rc;

    if (!k->rows)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, xlcfg__kinds[kind].array,
                          "libvirt has no such device");
    rc = xlcfg__virt_parse(text ? text : k->skeleton,
                           strlen(text ? text : k->skeleton), k->element,
                           &doc, err);
    if (rc)
        return rc;
    dev = xmlDocCopyNode(xmlDocGetRootElement(doc), parent->doc, 1);
    xmlFreeDoc(doc);
    if (!dev)
        return xlcfg__nomem(err);
    if (!xmlAddChild(parent, dev)) {
        xmlFreeNode(dev);
        return xlcfg__nomem(err);
    }
    if (!text && !shape(kind, body, dev))
        return xlcfg__nomem(err);
    return apply(kind, body, dev, err);
}

xlcfg_doc *xlcfg__virt_address_of(xmlNodePtr dev)
{
    xmlNodePtr at = xlcfg__xml_child(dev, "address");
    xlcfg__members m = { 0 };

    if (!at)
        return xlcfg__doc_null();
    for (xmlAttrPtr a = at->properties; a; a = a->next) {
        char *value = (char *)xmlNodeGetContent((xmlNodePtr)a);

        xlcfg__members_set(&m, (const char *)a->name,
                           value ? xlcfg__doc_str(value) : NULL);
        xmlFree(value);
    }
    return xlcfg__members_end(&m);
}

xlcfg_doc *xlcfg__virt_address(const xlcfg_doc *body, bool *nomem_r)
{
    const char *text = xlcfg__doc_getstr(body, "x-libvirt");
    xlcfg_doc *address;
    xmlDocPtr doc;

    if (!text || xlcfg__virt_parse(text, strlen(text), NULL, &doc, NULL))
        return NULL;
    address = xlcfg__virt_address_of(xmlDocGetRootElement(doc));
    xmlFreeDoc(doc);
    *nomem_r = *nomem_r || !address;
    return xlcfg_doc_kind(address) == XLCFG_DOC_OBJECT ? address : NULL;
}
