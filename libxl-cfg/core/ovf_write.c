/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A configuration as an OVF 1.1 envelope. */
#include "core/ovf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(s) ((const xmlChar *)(s))
#define CIM "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"

struct out {
    const xlcfg_doc *get, *config, *capacities, *copies;
    xmlNsPtr ovf, rasd, vssd, own;
    bool failed;                        /* out of memory */
    unsigned item;                      /* last InstanceID */
    xmlNodePtr files, disks, networks, hardware;
    size_t nfiles;
};

static xmlNodePtr add(struct out *o, xmlNodePtr parent, xmlNsPtr ns,
                      const char *name, const char *text)
{
    char *legible = text ? xlcfg__ovf_legible(text) : NULL;
    xmlNodePtr node = NULL;

    if (parent && !o->failed && (legible || !text))
        node = text ? xmlNewTextChild(parent, ns, X(name), X(legible))
            : xmlNewChild(parent, ns, X(name), NULL);
    free(legible);
    o->failed = o->failed || !node;
    return node;
}

static void attr(struct out *o, xmlNodePtr node, const char *name,
                 const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void attr(struct out *o, xmlNodePtr node, const char *name,
                 const char *fmt, ...)
{
    char *text = NULL, *legible;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    legible = text ? xlcfg__ovf_legible(text) : NULL;
    if (!node || !legible ||
        !xmlNewNsProp(node, o->ovf, X(name), X(legible)))
        o->failed = true;
    free(legible);
    free(text);
}

/* ---- the virtual hardware ---- */

/* rasd's members stand in alphabetical order; NULL ones are left out. */
struct item {
    const char *address, *address_on_parent, *units, *connection;
    const char *description, *name, *host, *subtype;
    int type;
    int64_t quantity;                   /* -1: none */
};

static void number(struct out *o, xmlNodePtr node, const char *name,
                   int64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, n);
    add(o, node, o->rasd, name, text);
}

static void put_item(struct out *o, const struct item *it)
{
    xmlNodePtr node = add(o, o->hardware, o->ovf, "Item", NULL);

#define MAYBE(name, text) \
    if (text) \
        add(o, node, o->rasd, name, text)
    MAYBE("Address", it->address);
    MAYBE("AddressOnParent", it->address_on_parent);
    MAYBE("AllocationUnits", it->units);
    MAYBE("Connection", it->connection);
    MAYBE("Description", it->description);
    add(o, node, o->rasd, "ElementName", it->name);
    MAYBE("HostResource", it->host);
    number(o, node, "InstanceID", ++o->item);
    MAYBE("ResourceSubType", it->subtype);
#undef MAYBE
    number(o, node, "ResourceType", it->type);
    if (it->quantity >= 0)
        number(o, node, "VirtualQuantity", it->quantity);
}

static void put_processors_and_memory(struct out *o)
{
    const xlcfg_doc *info = xlcfg_doc_get(o->config, "b_info");
    int64_t cpus = xlcfg__doc_to_int(xlcfg_doc_get(info, "max_vcpus"), 1);
    int64_t kib = xlcfg__doc_to_int(xlcfg_doc_get(info, "max_memkb"), -1);
    char name[64];

    snprintf(name, sizeof(name), "%" PRId64 " virtual processors", cpus);
    put_item(o, &(struct item){ .type = 3, .quantity = cpus, .name = name,
                                .units = "hertz * 10^6",
                                .description = "Number of processors" });
    if (kib < 0)
        return;
    snprintf(name, sizeof(name), "%" PRId64 " KiB of memory", kib);
    put_item(o, &(struct item){ .type = 4, .quantity = kib, .name = name,
                                .units = "byte * 2^10",
                                .description = "Memory size" });
}

/* file:///a%20path, or name; NULL: out of memory. */
static char *uri_of(const char *scheme, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    char *uri = malloc(strlen(scheme) + 3 * strlen(path) + 1), *p;

    if (!uri)
        return NULL;
    p = stpcpy(uri, scheme);
    for (; *path; path++) {
        if (strchr(plain, *path))
            *p++ = *path;
        else
            p += sprintf(p, "%%%02X", (unsigned char)*path);
    }
    *p = '\0';
    return uri;
}

static const char *format_uri(const char *format)
{
    if (format && !strcmp(format, "qcow2"))
        return "https://www.qemu.org/docs/master/interop/qcow2.html";
    if (format && !strcmp(format, "vhd"))
        return "https://learn.microsoft.com/windows/win32/vstor/about-vhd";
    return "https://en.wikipedia.org/wiki/IMG_(file_format)";
}

/* References and DiskSection; the number of the disk, 0: it has no file. */
static size_t put_file(struct out *o, const char *key, const xlcfg_doc *disk)
{
    const char *path = xlcfg__doc_getstr(disk, "pdev_path");
    const xlcfg_doc *size = xlcfg_doc_get(o->capacities, key);
    const xlcfg_doc *copy = xlcfg_doc_get(o->copies, key);
    const char *format = xlcfg__doc_getstr(disk, "format");
    xmlNodePtr file, entry;
    char *uri;

    /* A target with a script is no path but words for that script. */
    if (!copy && (!path || *path != '/'))
        return 0;
    uri = copy ? uri_of("", xlcfg__doc_getstr(copy, "name"))
        : uri_of("file://", path);
    if (!uri) {
        o->failed = true;
        return 0;
    }
    o->nfiles++;
    file = add(o, o->files, o->ovf, "File", NULL);
    attr(o, file, "id", "file%zu", o->nfiles);
    attr(o, file, "href", "%s", uri);
    if (copy)
        attr(o, file, "size", "%" PRId64,
             xlcfg__doc_to_int(xlcfg_doc_get(copy, "size"), 0));
    free(uri);
    entry = add(o, o->disks, o->ovf, "Disk", NULL);
    attr(o, entry, "diskId", "disk%zu", o->nfiles);
    attr(o, entry, "fileRef", "file%zu", o->nfiles);
    if (!size && copy && (!format || !strcmp(format, "raw")))
        size = xlcfg_doc_get(copy, "size");
    if (size)
        attr(o, entry, "capacity", "%s", xlcfg_doc_string(size));
    attr(o, entry, "format", "%s", format_uri(format));
    return o->nfiles;
}

static bool is_yes(const xlcfg_doc *value)
{
    return xlcfg_doc_is_true(value) || xlcfg__doc_to_int(value, 0) != 0;
}

static void put_disk(struct out *o, const char *key, const xlcfg_doc *disk)
{
    bool cd = is_yes(xlcfg_doc_get(disk, "is_cdrom"));
    size_t nth = put_file(o, key, disk);
    char host[48];

    snprintf(host, sizeof(host), "ovf:/disk/disk%zu", nth);
    put_item(o, &(struct item){ .type = cd ? 15 : 17, .quantity = -1,
                                .name = key, .host = nth ? host : NULL,
                                .description = cd ? "CD drive"
                                                  : "Disk drive" });
}

static bool has_network(const struct out *o, const char *name)
{
    bool has = false;

    for (xmlNodePtr n = o->networks->children; n && !has; n = n->next) {
        char *have = (char *)xmlGetNsProp(n, X("name"), o->ovf->href);

        has = have && !strcmp(have, name);
        xmlFree(have);
    }
    return has;
}

static void put_network(struct out *o, const char *bridge)
{
    char *name = xlcfg__ovf_legible(bridge);    /* as it stands there */
    xmlNodePtr n;

    if (!name) {
        o->failed = true;
    } else if (!has_network(o, name)) {
        n = add(o, o->networks, o->ovf, "Network", NULL);
        attr(o, n, "name", "%s", name);
        add(o, n, o->ovf, "Description", name);
    }
    free(name);
}

static void put_nic(struct out *o, const char *key, const xlcfg_doc *nic)
{
    const char *bridge = xlcfg__doc_getstr(nic, "bridge");

    if (!bridge)
        bridge = xlcfg__doc_getstr(nic, "gatewaydev");
    if (bridge)
        put_network(o, bridge);
    put_item(o, &(struct item){ .type = 10, .quantity = -1, .name = key,
                                .address = xlcfg__doc_getstr(nic, "mac"),
                                .connection = bridge,
                                .subtype = xlcfg__doc_getstr(nic, "model"),
                                .description = "Network card" });
}

static void put_devices(struct out *o)
{
    const xlcfg_doc *list = xlcfg_doc_get(o->get, "devices");

    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(list, i);
        const char *path = xlcfg__doc_getstr(dev, "path");
        const char *key = xlcfg__doc_getstr(dev, "key");
        const xlcfg_doc *body = path ? xlcfg_doc_pointer(o->config, path)
            : NULL;

        if (!key || xlcfg_doc_kind(body) != XLCFG_DOC_OBJECT)
            continue;
        if (!strncmp(key, "disk/", 5))
            put_disk(o, key, body);
        else if (!strncmp(key, "nic/", 4))
            put_nic(o, key, body);
    }
}

/* ---- our own section ---- */

static void put_addresses(struct out *o, xmlNodePtr section)
{
    xmlNodePtr all = add(o, section, o->own, "Addresses", NULL);
    const xlcfg_doc *list = xlcfg_doc_get(o->get, "devices");

    for (size_t i = 0; i < xlcfg_doc_count(list) && !o->failed; i++) {
        const xlcfg_doc *dev = xlcfg_doc_at(list, i);
        const xlcfg_doc *address = xlcfg_doc_get(dev, "address");
        const char *key = xlcfg__doc_getstr(dev, "key");
        xmlNodePtr node;

        if (!key || !address || !xlcfg_doc_is_true(xlcfg_doc_get(dev,
            "in_config")) || xlcfg_doc_kind(address) == XLCFG_DOC_NULL)
            continue;
        node = add(o, all, o->own, "Device", NULL);
        if (!node || !xlcfg__ovf_name(node, "key", "json-key",
                                      xlcfg_doc_get(dev, "key")) ||
            !xlcfg__ovf_put(node, o->own, address))
            o->failed = true;
    }
}

static void put_own(struct out *o, xmlNodePtr system)
{
    static const char *const words[] = { "hash", "address_hash", "version" };
    const xlcfg_doc *domain = xlcfg_doc_get(o->get, "domain");
    xmlNodePtr s = add(o, system, o->own, "ConfigurationSection", NULL);
    xmlNodePtr config;

    attr(o, s, "required", "false");
    if (s && !xmlNewProp(s, X("version"), X("1.0")))
        o->failed = true;
    add(o, s, o->ovf, "Info", "The whole configuration, with each device's "
        "address");
    if (xlcfg__doc_getstr(domain, "driver"))
        add(o, s, o->own, "Driver", xlcfg__doc_getstr(domain, "driver"));
    if (xlcfg__doc_getstr(domain, "uuid"))
        add(o, s, o->own, "Uuid", xlcfg__doc_getstr(domain, "uuid"));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *text = xlcfg__doc_getstr(o->get, words[i]);

        if (text)
            add(o, s, o->own, i == 0 ? "Hash" : i == 1 ? "AddressHash"
                : "Version", text);
    }
    put_addresses(o, s);
    config = add(o, s, o->own, "Configuration", NULL);
    if (config && !o->failed &&
        !xlcfg__ovf_put(config, o->own, o->config))
        o->failed = true;
}

/* ---- the envelope ---- */

static xmlNodePtr section(struct out *o, xmlNodePtr parent, const char *name,
                          const char *info)
{
    xmlNodePtr node = add(o, parent, o->ovf, name, NULL);

    add(o, node, o->ovf, "Info", info);
    return node;
}

static void put_system(struct out *o, xmlNodePtr root, const char *name)
{
    const xlcfg_doc *domain = xlcfg_doc_get(o->get, "domain");
    const char *driver = xlcfg__doc_getstr(domain, "driver");
    xmlNodePtr system = add(o, root, o->ovf, "VirtualSystem", NULL);
    xmlNodePtr about;

    attr(o, system, "id", "%s", name);
    add(o, system, o->ovf, "Info", "A virtual machine");
    add(o, system, o->ovf, "Name", name);
    o->hardware = section(o, system, "VirtualHardwareSection",
                          "Virtual hardware");
    about = add(o, o->hardware, o->ovf, "System", NULL);
    add(o, about, o->vssd, "ElementName", "Virtual Hardware Family");
    add(o, about, o->vssd, "InstanceID", "0");
    add(o, about, o->vssd, "VirtualSystemIdentifier", name);
    add(o, about, o->vssd, "VirtualSystemType", driver ? driver : "unknown");
    if (o->failed)
        return;
    put_processors_and_memory(o);
    put_devices(o);
    put_own(o, system);
}

static void put_all(struct out *o, xmlDocPtr doc)
{
    const char *name = xlcfg__doc_getstr(xlcfg_doc_get(o->config, "c_info"),
                                         "name");
    xmlNodePtr root = xmlNewDocNode(doc, NULL, X("Envelope"), NULL);

    if (!root) {
        o->failed = true;
        return;
    }
    xmlDocSetRootElement(doc, root);
    o->ovf = xmlNewNs(root, X("http://schemas.dmtf.org/ovf/envelope/1"),
                      X("ovf"));
    o->rasd = xmlNewNs(root, X(CIM "CIM_ResourceAllocationSettingData"),
                       X("rasd"));
    o->vssd = xmlNewNs(root, X(CIM "CIM_VirtualSystemSettingData"),
                       X("vssd"));
    o->own = xmlNewNs(root, X(XLCFG__OVF_NS), X("xlcfg"));
    if (!o->ovf || !o->rasd || !o->vssd || !o->own) {
        o->failed = true;
        return;
    }
    xmlSetNs(root, o->ovf);
    o->files = add(o, root, o->ovf, "References", NULL);
    o->disks = section(o, root, "DiskSection", "The disks");
    o->networks = section(o, root, "NetworkSection", "The networks");
    if (!o->failed)
        put_system(o, root, name ? name : "guest");
}

int xlcfg__ovf_write(const xlcfg_doc *get, const xlcfg_doc *capacities,
                     const xlcfg_doc *copies, char **text_r,
                     xlcfg_error *err)
{
    struct out o = { .get = get, .capacities = capacities, .copies = copies,
                     .config = xlcfg_doc_get(get, "config") };
    xmlBufferPtr buf = NULL;
    xmlDocPtr doc;
    char *text = NULL;

    if (xlcfg_doc_kind(o.config) != XLCFG_DOC_OBJECT)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/config",
                          "expected what get answers");
    doc = xmlNewDoc(X("1.0"));
    if (!doc)
        return xlcfg__nomem(err);
    put_all(&o, doc);
    buf = o.failed ? NULL : xmlBufferCreate();
    /* Blanks between the elements of ours; within x-libvirt's texts none
     * are there, and the reader takes blanks between elements for none. */
    if (buf && xmlNodeDump(buf, doc, xmlDocGetRootElement(doc), 0, 1) >= 0 &&
        asprintf(&text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n%s\n",
                 (const char *)xmlBufferContent(buf)) < 0)
        text = NULL;
    if (buf)
        xmlBufferFree(buf);
    xmlFreeDoc(doc);
    if (!text)
        return xlcfg__nomem(err);
    *text_r = text;
    return 0;
}
