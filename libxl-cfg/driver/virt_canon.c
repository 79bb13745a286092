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

static void canon_interface(xmlNodePtr dev, bool running)
{
    static const char *const made[] = { "vnet", "macvtap", "macvlan" };
    xmlNodePtr source = xlcfg__xml_child(dev, "source");
    xmlNodePtr target = xlcfg__xml_child(dev, "target");

    if (running && xlcfg__xml_has(dev, "@type", "network")) {
        drop_attr(source, "portid");
        drop_attr(source, "bridge");
    }
    for (size_t i = 0; i < COUNT(made); i++)
        if (begins(target, "@dev", made[i]))
            drop_attr(target, "dev");
    if (target && !target->properties && !target->children)
        xlcfg__xml_drop(target);
}

static void canon_disk(xmlNodePtr dev)
{
    xmlNodePtr source = xlcfg__xml_child(dev, "source");
    xmlNodePtr driver = xlcfg__xml_child(dev, "driver");

    drop_attr(source, "index");
    drop_attr(xlcfg__xml_child(dev, "target"), "tray");
    drop_all(dev, "backingStore");
    drop_all(dev, "mirror");
    /* an ejected medium leaves an empty element behind, and a libvirtd that
     * was started anew forgets the format that an empty drive has by default */
    if (source && !source->properties && !source->children)
        xlcfg__xml_drop(source);
    if (!xlcfg__xml_child(dev, "source") && driver &&
        !xmlHasProp(driver, (const xmlChar *)"type"))
        xmlNewProp(driver, (const xmlChar *)"type", (const xmlChar *)"raw");
}

static void canon_graphics(xmlNodePtr dev)
{
    if (xlcfg__xml_has(dev, "@autoport", "yes")) {
        drop_attr(dev, "port");
        drop_attr(dev, "tlsPort");
    }
}

/* A socket whose path nobody chose is in a folder named by the number of the
 * run: .../channel/target/domain-N-NAME/TARGET, or .../channel/N-NAME/TARGET
 * with newer ones. */
static bool is_made_socket(xmlNodePtr dev)
{
    char *path = xlcfg__xml_get(dev, "source@path");
    char *target = xlcfg__xml_get(dev, "target@name");
    const char *file = path ? strrchr(path, '/') : NULL;
    const char *run = path ? strstr(path, "/channel/") : NULL;
    bool made = false;

    if (run && target && !strcmp(file + 1, target)) {
        run += strlen("/channel/");
        if (!strncmp(run, "target/domain-", 14))
            run += 14;
        made = strspn(run, "0123456789") > 0 &&
            run[strspn(run, "0123456789")] == '-' &&
            strchr(run, '/') == file;
    }
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
    if (xlcfg__xml_has(dev, "@type", "unix") && is_made_socket(dev))
        xlcfg__xml_drop(xlcfg__xml_child(dev, "source"));
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
        canon_graphics(dev);
    } else if (!strcmp(name, "serial") || !strcmp(name, "parallel") ||
               !strcmp(name, "console") || !strcmp(name, "channel")) {
        canon_chardev(dev, running);
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

static void canon_running(xmlNodePtr domain)
{
    xmlNodePtr next;

    drop_attr(domain, "id");
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

bool xlcfg__virt_canon(xmlNodePtr domain)
{
    xmlNodePtr devices = xlcfg__xml_child(domain, "devices");
    bool running = xmlHasProp(domain, (const xmlChar *)"id");

    if (running)
        canon_running(domain);
    if (!devices)
        return true;
    for (xmlNodePtr n = devices->children; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE)
            xlcfg__virt_canon_device(n, running);
    return count_consoles(devices) && sort_devices(devices);
}
