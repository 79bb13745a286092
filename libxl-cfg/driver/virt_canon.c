/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a domain's XML belongs to one run of the guest, and goes: numbers
 * and names that libvirt makes up at each start.  In the XML of a domain that
 * does not run the same words are somebody's wish, and stay.  And the one
 * order of the devices, which is the order libvirt itself writes them in.
 */
#include "driver/virt_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const order[] = {
    "emulator", "disk", "controller", "lease", "filesystem", "interface",
    "smartcard", "serial", "parallel", "console", "channel", "input", "tpm",
    "graphics", "sound", "audio", "video", "hostdev", "redirdev",
    "redirfilter", "hub", "watchdog", "memballoon", "rng", "nvram", "panic",
    "shmem", "memory", "iommu", "vsock", "crypto",
};

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

int xlcfg__virt_rank(const char *device)
{
    size_t i;

    for (i = 0; i < COUNT(order) && strcmp(order[i], device); i++)
        ;
    return (int)i;
}

static void drop_attr(xmlNodePtr node, const char *name)
{
    if (node)
        xmlUnsetProp(node, (const xmlChar *)name);
}

bool xlcfg__virt_set_behind(xmlNodePtr node, const char *const *first,
                            const char *name, const char *value)
{
    xmlAttrPtr a = node->properties, next, last;
    bool own;

    for (own = true; a && own; a = own ? a->next : a) {
        own = false;
        for (size_t i = 0; first[i]; i++)
            own = own || !strcmp((const char *)a->name, first[i]);
    }
    last = xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value);
    if (!last)
        return false;
    for (; a && a != last; a = next) {
        next = a->next;
        xmlUnlinkNode((xmlNodePtr)a);
        if (!xmlAddChild(node, (xmlNodePtr)a)) {
            xmlFreeProp(a);
            return false;
        }
    }
    return true;
}

bool xlcfg__virt_set_type(xmlNodePtr driver, const char *type)
{
    static const char *const first[] = { "name", NULL };

    return xlcfg__virt_set_behind(driver, first, "type", type);
}

static void drop_all(xmlNodePtr node, const char *name)
{
    xmlNodePtr n;

    while ((n = xlcfg__xml_child(node, name)))
        xlcfg__xml_drop(n);
}

static bool begins(xmlNodePtr node, const char *path, const char *with)
{
    char *have = xlcfg__xml_get(node, path);
    bool yes = have && !strncmp(have, with, strlen(with));

    xmlFree(have);
    return yes;
}

/* A running interface of a network is shown as what the network led it to, with
 * that one's name beside it. */
static void canon_network(xmlNodePtr dev, xmlNodePtr source)
{
    static const char *const found[] = { "portid", "bridge", "dev", "mode" };

    if (!xmlHasProp(source, (const xmlChar *)"network"))
        return;
    if (!xlcfg__xml_has(dev, "@type", "network"))
        xmlSetProp(dev, (const xmlChar *)"type", (const xmlChar *)"network");
    for (size_t i = 0; i < COUNT(found); i++)
        drop_attr(source, found[i]);
}

static void canon_target(xmlNodePtr target)
{
    static const char *const made[] = { "vnet", "macvtap", "macvlan" };

    /* a device that libvirt does not manage is somebody's, by any name */
    for (size_t i = 0; i < COUNT(made); i++)
        if (begins(target, "@dev", made[i]) &&
            !xlcfg__xml_has(target, "@managed", "no"))
            drop_attr(target, "dev");
    if (!target->properties && !target->children)
        xlcfg__xml_drop(target);
}

/* libvirt writes one of each; what has more is the same when it is read again,
 * too. */
static void canon_interface(xmlNodePtr dev, bool running)
{
    xmlNodePtr next;

    for (xmlNodePtr n = dev->children; n; n = next) {
        next = n->next;
        if (running && xlcfg__xml_is(n, "source"))
            canon_network(dev, n);
        else if (xlcfg__xml_is(n, "target"))
            canon_target(n);
    }
}

/* What is written to a transient disk is in a file that the start made; the
 * disk is what is under it. */
static void canon_transient(xmlNodePtr dev)
{
    xmlNodePtr source = xlcfg__xml_child(dev, "source");
    xmlNodePtr under = xlcfg__xml_child(dev, "backingStore");
    xmlNodePtr real = under ? xlcfg__xml_child(under, "source") : NULL;
    char *path = xlcfg__xml_get(dev, "source@file");
    char *format = under ? xlcfg__xml_get(under, "format@type") : NULL;

    if (path && strstr(path, ".TRANSIENT-") && real && format &&
        xlcfg__xml_child(dev, "driver")) {
        xmlSetProp(xlcfg__xml_child(dev, "driver"), (const xmlChar *)"type",
                   (const xmlChar *)format);
        xmlUnlinkNode(real);
        xmlFreeNode(xmlReplaceNode(source, real));
    }
    xmlFree(path);
    xmlFree(format);
}

/* That a source has no TLS is written by a start where nobody chose. */
static void canon_tls(xmlNodePtr source)
{
    if (source && xlcfg__xml_has(source, "@tls", "no"))
        drop_attr(source, "tls");
}

static void canon_disk(xmlNodePtr dev)
{
    xmlNodePtr driver = xlcfg__xml_child(dev, "driver"), source;

    if (xlcfg__xml_child(dev, "transient"))
        canon_transient(dev);
    source = xlcfg__xml_child(dev, "source");
    drop_attr(source, "index");
    canon_tls(source);
    drop_attr(xlcfg__xml_child(dev, "target"), "tray");
    drop_all(dev, "backingStore");
    drop_all(dev, "mirror");
    /* an ejected medium leaves an empty element behind, and a libvirtd that
     * was started anew forgets the format that an empty drive has by default */
    if (source && !source->properties && !source->children)
        xlcfg__xml_drop(source);
    if (!xlcfg__xml_child(dev, "source") && driver &&
        !xmlHasProp(driver, (const xmlChar *)"type"))
        (void)xlcfg__virt_set_type(driver, "raw");
}

/* Is this N-NAME, the number of the run of the guest that has the device, and
 * its name, or as much of it as goes into a path? */
static bool is_run(xmlNodePtr dev, const char *text, size_t len)
{
    xmlNodePtr domain = xmlDocGetRootElement(dev->doc);
    char *id = xlcfg__xml_get(domain, "@id");
    char *name = xlcfg__xml_get(domain, "name");
    size_t n = id ? strlen(id) : 0;
    bool so = n && name && len > n + 1 && !strncmp(text, id, n) &&
        text[n] == '-' && len - n - 1 <= strlen(name) &&
        !strncmp(text + n + 1, name, len - n - 1);

    xmlFree(id);
    xmlFree(name);
    return so;
}

/* A socket whose path nobody chose is in a folder named by the run: .../ then
 * one of these, then N-NAME, and in it a file of this name. */
static bool is_made_socket(xmlNodePtr dev, const char *path,
                           const char *const *folders, const char *name)
{
    const char *file = path ? strrchr(path, '/') : NULL;

    if (!file || !name || strcmp(file + 1, name))
        return false;
    for (; *folders; folders++) {
        size_t len = strlen(*folders);

        for (const char *at = strstr(path, *folders); at;
             at = strstr(at + 1, *folders))
            if (at + len < file && !memchr(at + len, '/',
                                           (size_t)(file - at) - len) &&
                is_run(dev, at + len, (size_t)(file - at) - len))
                return true;
    }
    return false;
}

static bool is_made_screen(xmlNodePtr node, xmlNodePtr dev)
{
    static const char *const folders[] = { "/domain-", "/qemu/", NULL };
    char *path = xlcfg__xml_get(node, "@socket");
    bool made = is_made_socket(dev, path, folders, "vnc.sock") ||
        is_made_socket(dev, path, folders, "spice.sock");

    xmlFree(path);
    return made;
}

static void canon_graphics(xmlNodePtr dev, bool running)
{
    if (xlcfg__xml_has(dev, "@autoport", "yes")) {
        drop_attr(dev, "port");
        drop_attr(dev, "tlsPort");
    }
    if (!running)
        return;
    if (is_made_screen(dev, dev))
        drop_attr(dev, "socket");
    for (xmlNodePtr n = dev->children; n; n = n->next) {
        if (!xlcfg__xml_is(n, "listen"))
            continue;
        if (is_made_screen(n, dev))
            drop_attr(n, "socket");
        /* the address that the network has now */
        if (xlcfg__xml_has(n, "@type", "network")) {
            drop_attr(n, "address");
            drop_attr(dev, "listen");
        }
    }
}

static bool is_made_channel(xmlNodePtr dev)
{
    static const char *const folders[] = {
        "/channel/target/domain-", "/channel/", NULL
    };
    char *path = xlcfg__xml_get(dev, "source@path");
    char *target = xlcfg__xml_get(dev, "target@name");
    bool made = is_made_socket(dev, path, folders, target);

    xmlFree(path);
    xmlFree(target);
    return made;
}

static void canon_chardev(xmlNodePtr dev, bool running)
{
    if (xlcfg__xml_has(dev, "@type", "pty") &&
        begins(dev, "source@path", "/dev/pts/"))
        xlcfg__xml_drop(xlcfg__xml_child(dev, "source"));
    if (!running)
        return;
    if (xlcfg__xml_has(dev, "@type", "unix") && is_made_channel(dev))
        xlcfg__xml_drop(xlcfg__xml_child(dev, "source"));
    canon_tls(xlcfg__xml_child(dev, "source"));
    drop_attr(dev, "tty");
    drop_attr(xlcfg__xml_child(dev, "target"), "state");
}

void xlcfg__virt_canon_device(xmlNodePtr dev, bool running)
{
    const char *name = (const char *)dev->name;
    xmlNodePtr next;

    for (xmlNodePtr n = dev->children; n; n = next) {
        next = n->next;
        if (xlcfg__xml_is(n, "alias") && !begins(n, "@name", "ua-"))
            xlcfg__xml_drop(n);
    }
    if (!strcmp(name, "disk")) {
        if (running)
            canon_disk(dev);
    } else if (!strcmp(name, "interface")) {
        canon_interface(dev, running);
    } else if (!strcmp(name, "graphics")) {
        canon_graphics(dev, running);
    } else if (!strcmp(name, "serial") || !strcmp(name, "parallel") ||
               !strcmp(name, "console") || !strcmp(name, "channel")) {
        canon_chardev(dev, running);
    } else if (!strcmp(name, "redirdev") || !strcmp(name, "smartcard")) {
        if (running)
            canon_tls(xlcfg__xml_child(dev, "source"));
    } else if (!strcmp(name, "memory") && running) {
        /* how much of it the guest has taken so far */
        drop_all(xlcfg__xml_child(dev, "target"), "current");
    }
}

/* libvirt adds the controllers that a guest lacks in another order to what
 * runs than to what is kept: by type they are the same. */
static int controller_place(xmlNodePtr dev)
{
    static const char *const types[] = {
        "pci", "ide", "fdc", "sata", "scsi", "virtio-serial", "ccid",
        "xenbus", "isa",
    };
    size_t i;

    if (xlcfg__xml_has(dev, "@type", "usb"))
        return 0;
    for (i = 0; i < COUNT(types); i++)
        if (xlcfg__xml_has(dev, "@type", types[i]))
            break;
    return 1 + (int)i;
}

/* Within one name, those that have a kind of ours come first, by kind. */
static int place(xmlNodePtr dev)
{
    int rank = xlcfg__virt_rank((const char *)dev->name) * 16;

    if (xlcfg__xml_is(dev, "hostdev"))
        return rank + (xlcfg__xml_has(dev, "@type", "pci") ? 0
                       : xlcfg__xml_has(dev, "@type", "usb") &&
                       xlcfg__xml_child(dev, "address") ? 1 : 2);
    if (xlcfg__xml_is(dev, "controller"))
        return rank + controller_place(dev);
    if (xlcfg__xml_is(dev, "graphics"))
        return rank + (xlcfg__xml_has(dev, "@type", "vnc") ||
                       xlcfg__xml_has(dev, "@type", "sdl") ? 0 : 1);
    return rank;
}

bool xlcfg__virt_is_companion(xmlNodePtr dev)
{
    /* libvirt gives one that says no master the usual one */
    return xlcfg__xml_child(dev, "master") ||
        begins(dev, "@model", "ich9-uhci");
}

/* As libvirt has controllers when it reads them again: by their index,
 * companions behind their master; those without an index get theirs by the
 * order they stand in. */
static int within(xmlNodePtr dev)
{
    char *index;
    int n;

    if (!xlcfg__xml_is(dev, "controller"))
        return 0;
    index = xlcfg__xml_get(dev, "@index");
    n = index ? (int)(strtoul(index, NULL, 10) % 65536) * 2 + 1 +
        xlcfg__virt_is_companion(dev) : 0;
    xmlFree(index);
    return n;
}

struct placed {
    xmlNodePtr node;
    int place, within;
    size_t at;
};

static int by_place(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->within != y->within)
        return x->within < y->within ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

/* Devices of one place stay as they stand.  False: out of memory. */
static bool sort_devices(xmlNodePtr devices)
{
    struct placed *all;
    size_t count = 0;

    for (xmlNodePtr n = devices->children; n; n = n->next)
        count++;
    all = calloc(count + 1, sizeof(*all));
    if (!all)
        return false;
    count = 0;
    for (xmlNodePtr n = devices->children; n; n = n->next, count++)
        all[count] = n->type == XML_ELEMENT_NODE
            ? (struct placed){ n, place(n), within(n), count }
            : (struct placed){ n, 0, 0, count };
    qsort(all, count, sizeof(*all), by_place);
    for (size_t i = 0; i < count; i++) {
        xmlUnlinkNode(all[i].node);
        xmlAddChild(devices, all[i].node);
    }
    free(all);
    return true;
}

/* libvirt counts consoles when it reads them, and adds one in front of them
 * after that: the numbers are right only the second time.  False: out of
 * memory. */
static bool count_consoles(xmlNodePtr devices)
{
    unsigned nth = 0;
    char text[16];

    for (xmlNodePtr n = devices->children; n; n = n->next) {
        xmlNodePtr target = xlcfg__xml_is(n, "console")
            ? xlcfg__xml_child(n, "target") : NULL;

        if (target && xmlHasProp(target, (const xmlChar *)"port")) {
            snprintf(text, sizeof(text), "%u", nth);
            if (!xmlSetProp(target, (const xmlChar *)"port",
                            (const xmlChar *)text))
                return false;
        }
        nth += xlcfg__xml_is(n, "console");
    }
    return true;
}

/* Labels are made at each start, but for the one that somebody chose. */
static void canon_seclabel(xmlNodePtr label)
{
    bool dynamic = xlcfg__xml_has(label, "@type", "dynamic");

    drop_all(label, "imagelabel");
    if (dynamic)
        drop_all(label, "label");
    if (dynamic && !label->children &&
        !xlcfg__xml_has(label, "@relabel", "no"))
        xlcfg__xml_drop(label);
}

void xlcfg__virt_canon_usual(xmlNodePtr domain)
{
    xmlNodePtr next;

    for (xmlNodePtr n = domain->children; n; n = next) {
        next = n->next;
        if (xlcfg__xml_is(n, "seclabel"))
            canon_seclabel(n);
        else if (xlcfg__xml_is(n, "resource") &&
                 xlcfg__xml_has(n, "partition", "/machine") &&
                 !n->children->next)
            xlcfg__xml_drop(n);
    }
}

static void canon_running(xmlNodePtr domain)
{
    drop_attr(domain, "id");
    xlcfg__virt_canon_usual(domain);
}

bool xlcfg__virt_canon(xmlNodePtr domain)
{
    xmlNodePtr devices = xlcfg__xml_child(domain, "devices");
    bool running = xmlHasProp(domain, (const xmlChar *)"id");

    for (xmlNodePtr n = devices ? devices->children : NULL; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE)
            xlcfg__virt_canon_device(n, running);
    if (running)
        canon_running(domain);
    if (!devices)
        return true;
    return count_consoles(devices) && sort_devices(devices);
}
