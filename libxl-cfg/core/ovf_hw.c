/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The virtual hardware of an OVF of somebody else, as a configuration.  What
 * there is no word for is noted, with its line.
 */
#include "core/key.h"
#include "core/ovf_hw.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sections of old writers are <Section xsi:type="ovf:NAME_Type">. */
static xmlNodePtr find_section(xmlNodePtr in, const char *name)
{
    xmlNodePtr n = xlcfg__ovf_child(in, name);

    if (n)
        return n;
    for (n = in->children; n; n = n->next) {
        char *type = xlcfg__ovf_is(n, "Section") ? xlcfg__ovf_attr(n, "type")
            : NULL;
        bool found = type && strstr(type, name);

        xmlFree(type);
        if (found)
            return n;
    }
    return NULL;
}

int64_t xlcfg__hw_number(const char *text, int64_t most)
{
    int64_t n = 0;

    while (isspace((unsigned char)*text))
        text++;
    if (!isdigit((unsigned char)*text))
        return -1;
    for (; isdigit((unsigned char)*text); text++) {
        n = n * 10 + (*text - '0');
        if (n > most)
            return -1;
    }
    while (isspace((unsigned char)*text))
        text++;
    return *text ? -1 : n;
}

int xlcfg__hw_type(xmlNodePtr item)
{
    char *text = xlcfg__ovf_text(item, "ResourceType");
    int type = text ? (int)xlcfg__hw_number(text, 65535) : -1;

    xmlFree(text);
    return type;
}

bool xlcfg__hw_is_item(xmlNodePtr n)
{
    return xlcfg__ovf_is(n, "Item") || xlcfg__ovf_is(n, "StorageItem") ||
        xlcfg__ovf_is(n, "EthernetPortItem");
}

xmlNodePtr xlcfg__hw_parent(struct xlcfg__hw *hw, xmlNodePtr item)
{
    char *parent = xlcfg__ovf_text(item, "Parent");
    xmlNodePtr found = NULL;

    for (xmlNodePtr n = hw->section->children; parent && n && !found;
         n = n->next) {
        char *id = xlcfg__hw_is_item(n) ? xlcfg__ovf_text(n, "InstanceID")
            : NULL;

        if (!id && xlcfg__hw_is_item(n))
            id = xlcfg__ovf_text(n, "InstanceId");
        if (id && !strcmp(id, parent))
            found = n;
        xmlFree(id);
    }
    xmlFree(parent);
    return found;
}

/* A whole number from 1 to most; 0: it is none. */
static int64_t amount(const char *text, int64_t most)
{
    int64_t n = text ? xlcfg__hw_number(text, most) : 0;

    return n < 0 ? 0 : n;
}

/* ---- processors and memory ---- */

static void take_cpus(struct xlcfg__hw *hw, xmlNodePtr item)
{
    char *text = xlcfg__ovf_text(item, "VirtualQuantity");
    char *sockets = xlcfg__ovf_text(item, "num_of_sockets");
    char *cores = xlcfg__ovf_text(item, "cpu_per_socket");
    int64_t n = amount(text, 4096);

    /* oVirt says it in these alone, in its old form. */
    if (!text && sockets && cores)
        n = amount(sockets, 512) * amount(cores, 8);
    if (!n)
        xlcfg__ovf_note(hw->in, item, "expected a number of processors from "
                        "1 to 4096");
    else if (hw->cpus)
        xlcfg__ovf_note(hw->in, item, "%d processors more: not taken",
                        (int)n);
    else
        hw->cpus = n;
    xmlFree(text);
    xmlFree(sockets);
    xmlFree(cores);
}

/* "byte * 2^20" and the words that came before it: bytes, 0: unknown. */
static int64_t unit_of(const char *text)
{
    static const struct { const char *word; int64_t bytes; } words[] = {
        { "byte", 1 }, { "bytes", 1 },
        { "kilobytes", 1 << 10 }, { "kb", 1 << 10 },
        { "megabytes", 1 << 20 }, { "mb", 1 << 20 },
        { "gigabytes", 1 << 30 }, { "gb", 1 << 30 },
    };
    char plain[40];
    size_t n = 0;
    unsigned base, power;
    int end = 0;
    int64_t bytes = 1;

    for (; *text && n < sizeof(plain) - 1; text++)
        if (!isspace((unsigned char)*text))
            plain[n++] = (char)tolower((unsigned char)*text);
    plain[n] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(plain, words[i].word))
            return words[i].bytes;
    if (sscanf(plain, "byte*%2u^%2u%n", &base, &power, &end) != 2 || !end)
        return 0;
    if (plain[end] || (base != 2 && base != 10) || power > 40 ||
        (base == 10 && power > 12))
        return 0;
    while (power--)
        bytes *= base;
    return bytes;
}

static void take_memory(struct xlcfg__hw *hw, xmlNodePtr item)
{
    char *text = xlcfg__ovf_text(item, "VirtualQuantity");
    char *units = xlcfg__ovf_text(item, "AllocationUnits");
    int64_t unit = units ? unit_of(units) : 1 << 20;
    int64_t n = amount(text, (int64_t)1 << 50);

    if (!units)
        xlcfg__ovf_note(hw->in, item, "no unit of memory: taken for byte * "
                        "2^20");
    if (!n || !unit || n > ((int64_t)1 << 50) / unit || n * unit < 1024)
        xlcfg__ovf_note(hw->in, item, "%.40s of %.60s is no size of memory",
                        text ? text : "nothing", units ? units : "no unit");
    else if (hw->kib)
        xlcfg__ovf_note(hw->in, item, "memory once more: not taken");
    else
        hw->kib = n * unit / 1024;
    xmlFree(text);
    xmlFree(units);
}

/* ---- network cards ---- */

static void take_nic(struct xlcfg__hw *hw, xmlNodePtr item)
{
    char *mac = xlcfg__ovf_text(item, "Address");
    char *bridge = xlcfg__ovf_text(item, "Connection");
    char *model = xlcfg__ovf_text(item, "ResourceSubType");
    xlcfg__members m = { 0 };

    if (!mac)
        mac = xlcfg__ovf_text(item, "MACAddress");
    xlcfg__members_add(&m, "devid",
                       xlcfg__doc_int((int64_t)hw->nic_list.count));
    if (mac && xlcfg__is_mac(mac)) {
        for (char *p = mac; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        xlcfg__members_add(&m, "mac", xlcfg__doc_str(mac));
    } else if (mac && *mac) {
        xlcfg__ovf_note(hw->in, item, "%.40s is no MAC address", mac);
    }
    if (bridge && *bridge)
        xlcfg__members_add(&m, "bridge", xlcfg__doc_str(bridge));
    if (model && (!strcasecmp(model, "e1000") || !strcasecmp(model, "rtl8139")
                  || !strcasecmp(model, "virtio"))) {
        for (char *p = model; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        xlcfg__members_add(&m, "model", xlcfg__doc_str(
            strcmp(model, "virtio") ? model : "virtio-net"));
    } else if (model && *model) {
        xlcfg__ovf_note(hw->in, item, "the model %.60s: not taken", model);
    }
    xlcfg__items_add(&hw->nic_list, xlcfg__members_end(&m));
    xmlFree(mac);
    xmlFree(bridge);
    xmlFree(model);
}

/* ---- all of it ---- */

static bool has_children(struct xlcfg__hw *hw, xmlNodePtr controller)
{
    for (xmlNodePtr n = hw->section->children; n; n = n->next)
        if (xlcfg__hw_is_item(n) && xlcfg__hw_parent(hw, n) == controller)
            return true;
    return false;
}

/* Of another deployment than the one taken, or one end of a range? */
static bool is_aside(struct xlcfg__hw *hw, xmlNodePtr item)
{
    char *bound = xlcfg__ovf_attr(item, "bound");
    char *names = xlcfg__ovf_attr(item, "configuration");
    bool aside = bound && strcmp(bound, "normal");

    if (aside)
        xlcfg__ovf_note(hw->in, item, "bound=\"%.20s\": not taken", bound);
    if (!aside && names) {
        char *save, *name = strtok_r(names, " \t\n", &save);

        while (name && (!hw->option || strcmp(name, hw->option)))
            name = strtok_r(NULL, " \t\n", &save);
        aside = !name;
        if (aside)
            xlcfg__ovf_note(hw->in, item, "of a deployment other than %.60s",
                            hw->option ? hw->option : "the default");
    }
    xmlFree(bound);
    xmlFree(names);
    return aside;
}

static bool take_item(struct xlcfg__hw *hw, xmlNodePtr item)
{
    int type = xlcfg__hw_type(item);
    char *caption, *kind;

    if (is_aside(hw, item))
        return true;
    switch (type) {
    case CPU:
        take_cpus(hw, item);
        return true;
    case MEMORY:
        take_memory(hw, item);
        return true;
    case NIC:
        take_nic(hw, item);
        return true;
    case CD:
    case DVD:
        return xlcfg__hw_take_disk(hw, item, true);
    case DISK:
        return xlcfg__hw_take_disk(hw, item, false);
    }
    if ((type == IDE || type == SCSI || type == OTHER_STORAGE) &&
        has_children(hw, item))
        return true;            /* said by the disks' names */
    caption = xlcfg__ovf_text(item, "ElementName");
    if (!caption)
        caption = xlcfg__ovf_text(item, "Caption");
    kind = xlcfg__ovf_text(item, "ResourceType");
    xlcfg__ovf_note(hw->in, item, "resource type %.40s (%.80s): not taken",
                    kind ? kind : "none", caption ? caption : "no name");
    xmlFree(kind);
    xmlFree(caption);
    return true;
}

static void choose_option(struct xlcfg__hw *hw)
{
    xmlNodePtr section = find_section(hw->in->envelope,
                                      "DeploymentOptionSection");

    for (xmlNodePtr n = section ? section->children : NULL; n; n = n->next) {
        char *first = xlcfg__ovf_is(n, "Configuration")
            ? xlcfg__ovf_attr(n, "default") : NULL;
        bool yes = first && (!strcmp(first, "true") || !strcmp(first, "1"));

        xmlFree(first);
        if (!xlcfg__ovf_is(n, "Configuration") || (hw->option && !yes))
            continue;
        xmlFree(hw->option);
        hw->option = xlcfg__ovf_attr(n, "id");
        if (yes)
            return;
    }
}

/* VMware's <Config>, VirtualBox's <StorageController>: by their names. */
static void note_extra(struct xlcfg__hw *hw, xmlNodePtr node)
{
    char *key = xlcfg__ovf_attr(node, "key");

    if (!key)
        key = xlcfg__ovf_attr(node, "name");
    if (key)
        xlcfg__ovf_note(hw->in, node, "%.120s: not taken", key);
    else
        xlcfg__ovf_note(hw->in, node, "not taken");
    xmlFree(key);
}

static bool take_section(struct xlcfg__hw *hw)
{
    for (xmlNodePtr n = hw->section->children; n; n = n->next) {
        if (n->type != XML_ELEMENT_NODE || xlcfg__ovf_is(n, "Info") ||
            xlcfg__ovf_is(n, "System"))
            continue;
        if (!xlcfg__hw_is_item(n))
            note_extra(hw, n);
        else if (!take_item(hw, n))
            return false;
    }
    return true;
}

static xlcfg_doc *c_info(struct xlcfg__hw *hw)
{
    xmlNodePtr system = hw->in->system;
    char *name = xlcfg__ovf_text(system, "Name");
    xlcfg__members m = { 0 };

    if (!name || !*name) {
        xmlFree(name);
        name = xlcfg__ovf_attr(system, "id");
    }
    xlcfg__members_add(&m, "type", xlcfg__doc_str("hvm"));
    if (name && *name)
        xlcfg__members_add(&m, "name", xlcfg__doc_str(name));
    else
        xlcfg__ovf_note(hw->in, system, "it has no name");
    xmlFree(name);
    return xlcfg__members_end(&m);
}

static xlcfg_doc *b_info(const struct xlcfg__hw *hw)
{
    xlcfg__members m = { 0 };
    xlcfg__items cpus = { 0 };

    if (hw->cpus) {
        for (int64_t i = 0; i < hw->cpus; i++)
            xlcfg__items_add(&cpus, xlcfg__doc_int(i));
        xlcfg__members_add(&m, "max_vcpus", xlcfg__doc_int(hw->cpus));
        xlcfg__members_add(&m, "avail_vcpus", xlcfg__items_end(&cpus));
    }
    if (hw->kib) {
        xlcfg__members_add(&m, "max_memkb", xlcfg__doc_int(hw->kib));
        xlcfg__members_add(&m, "target_memkb", xlcfg__doc_int(hw->kib));
    }
    return xlcfg__members_end(&m);
}

static void note_system(struct xlcfg__ovf_in *in, xmlNodePtr hardware)
{
    for (xmlNodePtr n = in->system->children; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE && n != hardware &&
            !xlcfg__ovf_is(n, "Info") && !xlcfg__ovf_is(n, "Name"))
            xlcfg__ovf_note(in, n, "not taken");
}

int xlcfg__ovf_hardware(struct xlcfg__ovf_in *in, xlcfg_doc **config_r,
                        xlcfg_error *err)
{
    struct xlcfg__hw hw = { .in = in };
    xlcfg__members m = { 0 };
    bool ok;

    hw.section = find_section(in->system, "VirtualHardwareSection");
    if (!hw.section)
        return xlcfg__xml_bad(err, in->system, "expected a "
                              "<VirtualHardwareSection> in it");
    hw.disks = find_section(in->envelope, "DiskSection");
    choose_option(&hw);
    ok = take_section(&hw);
    note_system(in, hw.section);
    xlcfg__members_add(&m, "c_info", c_info(&hw));
    xlcfg__members_add(&m, "b_info", b_info(&hw));
    xlcfg__members_add(&m, "disks", xlcfg__items_end(&hw.disk_list));
    xlcfg__members_add(&m, "nics", xlcfg__items_end(&hw.nic_list));
    xmlFree(hw.option);
    if (!ok) {
        xlcfg__members_dispose(&m);
        return xlcfg__nomem(err);
    }
    *config_r = xlcfg__members_end(&m);
    return *config_r ? 0 : xlcfg__nomem(err);
}
