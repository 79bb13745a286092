/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole domain: libvirt's XML and libxl's shape. */
#include "driver/virt_xml.h"
#include "core/key.h"
#include "core/map.h"
#include "driver/virt_body.h"
#include "driver/virt_info.h"
#include "driver/virt_part.h"

#include <stdio.h>
#include <string.h>

/* ---- XML to configuration ---- */

/* What was read of the devices so far. */
struct devices {
    xlcfg__items arrays[XLCFG_KINDS];
    xlcfg__items addresses[XLCFG_KINDS];
    bool nameless[XLCFG_KINDS]; /* one says not which it is: all stay */
    xlcfg__items names;         /* what the map borrows */
    xlcfg__map map;
};

static void dispose_devices(struct devices *d)
{
    for (int k = 0; k < XLCFG_KINDS; k++) {
        xlcfg__items_dispose(&d->arrays[k]);
        xlcfg__items_dispose(&d->addresses[k]);
    }
    xlcfg__items_dispose(&d->names);
    xlcfg__map_dispose(&d->map);
}

static int claim(struct devices *d, const char *name, xmlNodePtr dev,
                 xlcfg_error *err)
{
    xlcfg_doc *text = xlcfg__doc_str(name);

    xlcfg__items_add(&d->names, text);
    if (d->names.failed)
        return xlcfg__nomem(err);
    if (xlcfg__map_put(&d->map, text->text, 0) != XLCFG__MAP_NONE)
        return xlcfg__xml_bad(err, dev, "a second %s", name);
    return 0;
}

/* Two devices of one alias. */
static int check_alias(struct devices *d, const char *alias, xmlNodePtr dev,
                       xlcfg_error *err)
{
    char name[300];

    if (!alias)
        return 0;
    snprintf(name, sizeof(name), "alias %s", alias);
    return claim(d, name, dev, err);
}

/* Two devices of one identity; a MAC may stand twice.  libvirt will give a
 * MAC or an index where there is none; a disk without target it refuses. */
static int check_name(struct devices *d, enum xlcfg_kind kind,
                      const xlcfg_doc *body, xmlNodePtr dev,
                      xlcfg_error *err)
{
    struct xlcfg_ident id;

    xlcfg__key_of(kind, body, &id);
    if (!id.key[0] && kind == XLCFG_KIND_DISK)
        return xlcfg__xml_bad(err, dev, "nothing says which %s this is",
                               xlcfg__kinds[kind].title);
    if (!id.key[0])
        d->nameless[kind] = true;
    return id.key[0] && kind != XLCFG_KIND_NIC ? claim(d, id.key, dev, err)
        : 0;
}

static enum xlcfg_kind kind_of(xmlNodePtr dev)
{
    const struct xlcfg__virt_part *part = xlcfg__virt_part_of(dev);

    return part && part->body ? part->kind : xlcfg__virt_kind(dev);
}

/* Takes the body. */
static int put_device(struct devices *d, enum xlcfg_kind kind,
                      xlcfg_doc *body, xlcfg_doc *address, xmlNodePtr dev,
                      xlcfg_error *err)
{
    int rc = check_name(d, kind, body, dev, err);

    xlcfg__items_add(&d->arrays[kind], body);
    xlcfg__items_add(&d->addresses[kind], address);
    return rc;
}

static int read_device(struct devices *d, xmlNodePtr dev, const char *alias,
                       xlcfg_error *err)
{
    struct xlcfg__virt_part *part = xlcfg__virt_part_of(dev);
    enum xlcfg_kind kind = xlcfg__virt_kind(dev);
    xlcfg_doc *body, *address;
    int rc;

    rc = check_alias(d, alias, dev, err);
    if (rc || kind == XLCFG_KINDS)
        return rc;
    rc = xlcfg__virt_body(kind, dev, d->arrays[kind].count, &body, err);
    if (rc)
        return rc;
    address = xlcfg__virt_address_of(dev);
    if (part && address &&
        !xlcfg__virt_part_is(part, kind, body, address, alias))
        rc = xlcfg__nomem(err);
    if (rc) {
        xlcfg_doc_free(body);
        xlcfg_doc_free(address);
        return rc;
    }
    return put_device(d, kind, body, address, dev, err);
}

/* One that was understood before. */
static int recall_device(struct devices *d, xmlNodePtr dev,
                         const struct xlcfg__virt_part *part,
                         xlcfg_error *err)
{
    int rc = check_alias(d, part->alias, dev, err);

    return rc ? rc : put_device(d, part->kind, xlcfg_doc_ref(part->body),
                                xlcfg_doc_ref(part->address), dev, err);
}

/* Bodies of the devices that have a kind; the tree is as it was. */
static int read_devices(xmlNodePtr devices, struct devices *d,
                        xlcfg_error *err)
{
    size_t count = 0;
    int rc = 0;

    for (xmlNodePtr n = devices->children; n; n = n->next)
        count++;
    if (!xlcfg__map_init(&d->map, 2 * count))
        return xlcfg__nomem(err);
    for (xmlNodePtr n = devices->children; n && !rc; n = n->next) {
        const struct xlcfg__virt_part *part = xlcfg__virt_part_of(n);
        char *alias;

        if (part && part->body) {
            rc = recall_device(d, n, part, err);
            continue;
        }
        alias = xlcfg__xml_get(n, "alias@name");
        rc = read_device(d, n, alias, err);
        xmlFree(alias);
    }
    return rc;
}

/* Those that are named leave the tree, and with them what stands for one; one
 * that stays is needed whole. */
static bool is_whole(const struct devices *d, xmlNodePtr devices)
{
    for (xmlNodePtr n = devices->children; n; n = n->next) {
        const struct xlcfg__virt_part *part = xlcfg__virt_part_of(n);

        if (part && part->body && !n->properties && d->nameless[part->kind])
            return false;
    }
    return true;
}

/* What has a body leaves the tree.  If one of a kind has no name, all of the
 * kind stay, for their order is the order of their addresses. */
static void take_devices(xmlNodePtr devices, struct devices *d,
                         xlcfg__members *m, xlcfg__members *addresses)
{
    xmlNodePtr next;

    for (xmlNodePtr n = devices->children; n; n = next) {
        enum xlcfg_kind kind = kind_of(n);

        next = n->next;
        if (kind != XLCFG_KINDS && !d->nameless[kind])
            xlcfg__xml_drop(n);
    }
    for (int k = 0; k < XLCFG_KINDS; k++)
        if (!d->nameless[k] && (d->arrays[k].count || d->arrays[k].failed)) {
            xlcfg__members_add(m, xlcfg__kinds[k].array,
                               xlcfg__items_end(&d->arrays[k]));
            xlcfg__members_add(addresses, xlcfg__kinds[k].array,
                               xlcfg__items_end(&d->addresses[k]));
        }
}

int xlcfg__virt_from_tree(xmlDocPtr doc, xlcfg_doc **config_r,
                          xlcfg_doc **addresses_r, xlcfg_error *err)
{
    struct devices d = { 0 };
    xlcfg__members m = { 0 }, at = { 0 };
    xlcfg_doc *config = NULL, *addresses = NULL;
    xmlNodePtr domain, devices;
    int rc;

    domain = xmlDocGetRootElement(doc);
    if (!xlcfg__virt_canon(domain)) {
        rc = xlcfg__nomem(err);
        goto out;
    }
    rc = xlcfg__virt_read_info(domain, &m, err);
    if (rc)
        goto out;
    devices = xlcfg__xml_child(domain, "devices");
    rc = devices ? read_devices(devices, &d, err) : 0;
    if (rc)
        goto out;
    if (devices && !is_whole(&d, devices)) {
        rc = xlcfg__xml_bad(err, devices, "devices without a name");
        goto out;
    }
    if (devices)
        take_devices(devices, &d, &m, &at);
    xlcfg__members_add(&m, "x-libvirt", xlcfg__xml_text(domain));
    config = xlcfg__members_end(&m);
    addresses = xlcfg__members_end(&at);
    rc = config && addresses ? 0 : xlcfg__nomem(err);
    if (!rc) {
        *config_r = xlcfg_doc_ref(config);
        if (addresses_r)
            *addresses_r = xlcfg_doc_ref(addresses);
    }
out:
    xlcfg_doc_free(config);
    xlcfg_doc_free(addresses);
    dispose_devices(&d);
    xlcfg__members_dispose(&m);
    xlcfg__members_dispose(&at);
    return rc;
}

int xlcfg__virt_from_xml(const char *xml, size_t len, xlcfg_doc **config_r,
                         xlcfg_error *err)
{
    xmlDocPtr doc;
    int rc;

    rc = xlcfg__virt_parse(xml, len, "domain", &doc, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_from_tree(doc, config_r, NULL, err);
    xmlFreeDoc(doc);
    return rc;
}

int xlcfg__virt_device_from_xml(const char *xml, size_t len,
                                enum xlcfg_kind *kind_r,
                                xlcfg_doc **body_r, xlcfg_error *err)
{
    struct xlcfg_ident id;
    enum xlcfg_kind kind;
    xlcfg_doc *body;
    xmlNodePtr dev;
    xmlDocPtr doc;
    int rc;

    rc = xlcfg__virt_parse(xml, len, NULL, &doc, err);
    if (rc)
        return rc;
    dev = xmlDocGetRootElement(doc);
    xlcfg__virt_canon_device(dev, false);
    kind = xlcfg__virt_kind(dev);
    if (kind == XLCFG_KINDS) {
        xlcfg__xml_bad(err, dev, "libxl has no kind for this device");
        rc = err ? err->code = XLCFG_ERROR_NI : XLCFG_ERROR_NI;
        goto out;
    }
    rc = xlcfg__virt_body(kind, dev, 0, &body, err);
    if (rc)
        goto out;
    xlcfg__key_of(kind, body, &id);
    if (!id.key[0]) {
        xlcfg_doc_free(body);
        rc = xlcfg__xml_bad(err, dev, "nothing says which %s this is",
                             xlcfg__kinds[kind].title);
        goto out;
    }
    *kind_r = kind;
    *body_r = body;
out:
    xmlFreeDoc(doc);
    return rc;
}

/* ---- configuration to XML ---- */

/* Every device of one kind. */
static int write_devices(enum xlcfg_kind kind, const xlcfg_doc *list,
                         xmlNodePtr domain, xlcfg_error *err)
{
    xmlNodePtr devices = xlcfg__xml_make(domain, "devices");
    int rc = devices ? 0 : xlcfg__nomem(err);

    if (!rc && xlcfg_doc_kind(list) != XLCFG_DOC_ARRAY)
        rc = xlcfg__err(err, XLCFG_ERROR_INVAL, NULL, "expected an array");
    for (size_t i = 0; !rc && i < xlcfg_doc_count(list); i++) {
        rc = xlcfg__virt_element(kind, xlcfg_doc_at(list, i), devices, err);
        if (rc && rc != XLCFG_ERROR_NOMEM)
            xlcfg__err_nth(err, i);
    }
    if (rc && rc != XLCFG_ERROR_NOMEM)
        xlcfg__err_step(err, xlcfg__kinds[kind].array);
    return rc;
}

static int write_members(const xlcfg_doc *config, xmlNodePtr domain,
                         xlcfg_error *err)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < xlcfg_doc_count(config); i++) {
        const char *name = xlcfg_doc_name(config, i);
        const xlcfg_doc *value = xlcfg_doc_at(config, i);
        enum xlcfg_kind kind = xlcfg__kind_by_array(name);

        if (!strcmp(name, "c_info") || !strcmp(name, "b_info")) {
            rc = xlcfg__virt_write_info(name, value, domain, err);
        } else if (kind != XLCFG_KINDS) {
            rc = write_devices(kind, value, domain, err);
        } else if (strcmp(name, "x-libvirt")) {
            rc = xlcfg__virt_without_word(err);
            xlcfg__err_step(err, name);
        }
    }
    return rc;
}

static int print(xmlNodePtr domain, char **xml_r, xlcfg_error *err)
{
    xmlBufferPtr buf = xmlBufferCreate();
    char *text = NULL;

    if (buf && xmlNodeDump(buf, domain->doc, domain, 0, 1) >= 0 &&
        asprintf(&text, "%s\n", (const char *)xmlBufferContent(buf)) < 0)
        text = NULL;
    if (buf)
        xmlBufferFree(buf);
    if (!text)
        return xlcfg__nomem(err);
    *xml_r = text;
    return 0;
}

/* Without ACPI a PC's guest lets go of no device, and cannot be asked to shut
 * down.  libxl's have it unless they say otherwise; libvirt's, only if said. */
#if defined(__x86_64__) || defined(__i386__)
#define HAS_ACPI "<features><acpi/><apic/></features>"
#else
#define HAS_ACPI ""
#endif

int xlcfg__virt_to_xml(const xlcfg_doc *config, char **xml_r,
                       xlcfg_error *err)
{
    static const char bare[] = "<domain type='kvm'><os><type>hvm</type></os>"
        HAS_ACPI "<devices/></domain>";
    const char *text = xlcfg__doc_getstr(config, "x-libvirt");
    xmlNodePtr domain;
    xmlDocPtr doc;
    int rc;

    if (xlcfg_doc_kind(config) != XLCFG_DOC_OBJECT)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "",
                          "expected an object: a domain configuration");
    if (xlcfg_doc_get(config, "x-libvirt") && !text)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/x-libvirt",
                          "expected a string: libvirt's domain XML");
    text = text ? text : bare;
    rc = xlcfg__virt_parse(text, strlen(text), "domain", &doc, err);
    if (rc) {
        xlcfg__err_step(err, "x-libvirt");
        return rc;
    }
    domain = xmlDocGetRootElement(doc);
    rc = write_members(config, domain, err);
    if (!rc && !xlcfg__virt_canon(domain))
        rc = xlcfg__nomem(err);
    if (!rc)
        rc = print(domain, xml_r, err);
    xmlFreeDoc(doc);
    return rc;
}
