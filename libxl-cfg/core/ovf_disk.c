/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The disks of an OVF of somebody else: their files, formats and names. */
#include "core/ovf_hw.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static xmlNodePtr by_attr(xmlNodePtr in, const char *element,
                          const char *attr, const char *value)
{
    for (xmlNodePtr n = in ? in->children : NULL; n; n = n->next) {
        char *have = xlcfg__ovf_is(n, element) ? xlcfg__ovf_attr(n, attr)
            : NULL;
        bool found = have && !strcmp(have, value);

        xmlFree(have);
        if (found)
            return n;
    }
    return NULL;
}

/* How many controllers of its type stand before this one. */
static int nth_controller(struct xlcfg__hw *hw, xmlNodePtr controller,
                          int type)
{
    int nth = 0;

    for (xmlNodePtr n = hw->section->children; n && n != controller;
         n = n->next)
        nth += xlcfg__hw_is_item(n) && xlcfg__hw_type(n) == type;
    return nth;
}

static bool taken(const struct xlcfg__hw *hw, const char *vdev)
{
    for (size_t i = 0; i < hw->disk_list.count; i++) {
        const char *have = xlcfg__doc_getstr(hw->disk_list.v[i], "vdev");

        if (have && !strcmp(have, vdev))
            return true;
    }
    return false;
}

static void name_of(char name[16], const char *prefix, unsigned nth)
{
    if (nth < 26)
        snprintf(name, 16, "%s%c", prefix, 'a' + nth);
    else
        snprintf(name, 16, "%s%c%c", prefix, 'a' + nth / 26 - 1,
                 'a' + nth % 26);
}

/* The place on its controller; -1: it says none, or none that there is. */
static int place_of(struct xlcfg__hw *hw, xmlNodePtr item, unsigned most)
{
    char *text = xlcfg__ovf_text(item, "AddressOnParent");
    int64_t on = text ? xlcfg__hw_number(text, most - 1) : -1;

    if (text && on < 0)
        xlcfg__ovf_note(hw->in, item, "the place %.40s: expected one from 0 "
                        "to %u", text, most - 1);
    xmlFree(text);
    return (int)on;
}

/* The controller and the place on it are the disk's address. */
static void choose_vdev(struct xlcfg__hw *hw, xmlNodePtr item, char vdev[16])
{
    xmlNodePtr controller = xlcfg__hw_parent(hw, item);
    int type = controller ? xlcfg__hw_type(controller) : -1;
    const char *prefix = type == IDE ? "hd" : type == SCSI ? "sd" : "xvd";
    unsigned most = type == IDE ? 4 : type == SCSI ? 16 : 676, nth = 0;
    int on = -1;

    if (type == IDE || type == SCSI)
        on = place_of(hw, item, type == IDE ? 2 : 16);
    if (on >= 0 && type == IDE)
        nth = 2 * (unsigned)nth_controller(hw, controller, type) +
            (unsigned)on;
    else if (on >= 0)
        nth = (unsigned)on;
    for (unsigned i = 0; i < most; i++) {
        name_of(vdev, prefix, (nth + i) % most);
        if (taken(hw, vdev))
            continue;
        if (on >= 0 && (i || nth >= most))
            xlcfg__ovf_note(hw->in, item, "its place has another disk or no "
                            "name: it is called %s", vdev);
        return;
    }
    for (unsigned i = 0; i < 676; i++) {
        name_of(vdev, "xvd", i);
        if (taken(hw, vdev))
            continue;
        if (on >= 0)
            xlcfg__ovf_note(hw->in, item, "its place has another disk: it is "
                            "called %s", vdev);
        return;
    }
    vdev[0] = '\0';
}

/* The <File> that the item's disk is in; NULL: none, and it is noted. */
static xmlNodePtr find_file(struct xlcfg__hw *hw, xmlNodePtr item,
                            xmlNodePtr *disk_r)
{
    char *host = xlcfg__ovf_text(item, "HostResource");
    const char *id = host ? strrchr(host, '/') : NULL;
    xmlNodePtr files = xlcfg__ovf_child(hw->in->envelope, "References");
    xmlNodePtr file = NULL;
    char *ref = NULL;

    id = id ? id + 1 : host;
    *disk_r = NULL;
    if (id && !strstr(host, "/file/")) {
        *disk_r = by_attr(hw->disks, "Disk", "diskId", id);
        if (!*disk_r)
            xlcfg__ovf_note(hw->in, item, "there is no disk %.80s", id);
        ref = *disk_r ? xlcfg__ovf_attr(*disk_r, "fileRef") : NULL;
    } else if (id) {
        ref = strdup(id);
    }
    if (ref)
        file = by_attr(files, "File", "id", ref);
    if (ref && !file)
        xlcfg__ovf_note(hw->in, item, "there is no file %.80s", ref);
    xmlFree(ref);
    xmlFree(host);
    return file;
}

static const char *format_of(struct xlcfg__hw *hw, xmlNodePtr disk,
                             const char *href)
{
    static const char *const known[][2] = {
        { "qcow2", "qcow2" }, { "vhd", "vhd" }, { "vpc", "vhd" },
        { "raw", "raw" }, { "img_", "raw" },
    };
    char *format = disk ? xlcfg__ovf_attr(disk, "format") : NULL;
    char *volume = disk ? xlcfg__ovf_attr(disk, "volume-format") : NULL;
    const char *say = volume ? volume : format;
    const char *found = NULL;

    for (size_t i = 0; say && i < sizeof(known) / sizeof(known[0]); i++)
        if (strcasestr(say, known[i][0]) && !found)
            found = known[i][1];
    if (!found && href && strlen(href) > 4 &&
        !strcasecmp(href + strlen(href) - 4, ".iso"))
        found = "raw";
    if (!found && say)
        xlcfg__ovf_note(hw->in, disk, "the format %.120s: libxl has none of "
                        "this name", say);
    xmlFree(format);
    xmlFree(volume);
    return found;
}

/* A relative reference as a path; NULL: out of memory, "": it is none. */
static char *path_of(struct xlcfg__hw *hw, xmlNodePtr file, const char *href)
{
    const char *folder = hw->in->folder;
    size_t colon = strcspn(href, ":/?#");
    char *path, *name;

    if (href[colon] == ':') {
        xlcfg__ovf_note(hw->in, file, "%.200s is no file beside the "
                        "envelope: the disk is left without", href);
        return strdup("");
    }
    name = xlcfg__ovf_unquote(href);
    if (!name || asprintf(&path, "%s%s%s", folder ? folder : "",
                          folder ? "/" : "", name) < 0)
        path = NULL;
    free(name);
    if (path && !xmlCheckUTF8((const unsigned char *)path)) {
        xlcfg__ovf_note(hw->in, file, "%.200s is no name in UTF-8: the disk "
                        "is left without", href);
        path[0] = '\0';
    }
    return path;
}

static void note_file(struct xlcfg__hw *hw, xmlNodePtr file)
{
    static const char *const words[] = { "compression", "chunkSize" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char *text = xlcfg__ovf_attr(file, words[i]);

        if (text)
            xlcfg__ovf_note(hw->in, file, "%s=\"%.40s\": unpack it before "
                            "the disk is used", words[i], text);
        xmlFree(text);
    }
}

static bool tell_disk(struct xlcfg__hw *hw, const char *href,
                      const char *vdev, const char *path)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, "href", xlcfg__doc_str(href));
    xlcfg__members_add(&m, "vdev", xlcfg__doc_str(vdev));
    xlcfg__members_add(&m, "path", xlcfg__doc_str(path));
    xlcfg__items_add(&hw->in->disks, xlcfg__members_end(&m));
    return !hw->in->disks.failed;
}

bool xlcfg__hw_take_disk(struct xlcfg__hw *hw, xmlNodePtr item, bool cd)
{
    xlcfg__members m = { 0 };
    xmlNodePtr disk, file = find_file(hw, item, &disk);
    char *href = file ? xlcfg__ovf_attr(file, "href") : NULL;
    char *path = href ? path_of(hw, file, href) : NULL;
    const char *format = format_of(hw, disk, href);
    char vdev[16];
    bool ok = !href || path;

    choose_vdev(hw, item, vdev);
    if (!*vdev) {
        xlcfg__ovf_note(hw->in, item, "more disks than can be named");
        goto out;
    }
    if (!href && !cd)
        xlcfg__ovf_note(hw->in, item, "a disk without a file: %s is left "
                        "without", vdev);
    if (file)
        note_file(hw, file);
    if (path && *path && !tell_disk(hw, href, vdev, path))
        ok = false;
    xlcfg__members_add(&m, "pdev_path", xlcfg__doc_str(path ? path : ""));
    xlcfg__members_add(&m, "vdev", xlcfg__doc_str(vdev));
    if (format || cd)
        xlcfg__members_add(&m, "format", xlcfg__doc_str(
            cd && !(path && *path) ? "empty" : format ? format : "raw"));
    xlcfg__members_add(&m, "removable", xlcfg__doc_int(cd));
    xlcfg__members_add(&m, "readwrite", xlcfg__doc_int(!cd));
    xlcfg__members_add(&m, "is_cdrom", xlcfg__doc_int(cd));
    xlcfg__items_add(&hw->disk_list, xlcfg__members_end(&m));
out:
    xmlFree(href);
    free(path);
    return ok;
}

/* ---- what was copied with an envelope of ours ---- */

/* An item of ours is called by the device's key. */
static bool take_copy(struct xlcfg__hw *hw, xmlNodePtr item)
{
    char *key = xlcfg__ovf_text(item, "ElementName");
    xmlNodePtr disk, file = NULL;
    char *href = NULL, *path = NULL;
    bool ok = true;

    if (key && !strncmp(key, "disk/", 5))
        file = find_file(hw, item, &disk);
    if (file)
        href = xlcfg__ovf_attr(file, "href");
    /* One with a scheme was not copied: the configuration says where it is. */
    if (href && href[strcspn(href, ":/?#")] != ':') {
        path = path_of(hw, file, href);
        ok = path && (!*path || tell_disk(hw, href, key + 5, path));
    }
    xmlFree(key);
    xmlFree(href);
    free(path);
    return ok;
}

bool xlcfg__ovf_copies(struct xlcfg__ovf_in *in)
{
    struct xlcfg__hw hw = {
        .in = in,
        .section = xlcfg__ovf_child(in->system, "VirtualHardwareSection"),
        .disks = xlcfg__ovf_child(in->envelope, "DiskSection"),
    };
    bool ok = true;

    for (xmlNodePtr n = hw.section ? hw.section->children : NULL; n && ok;
         n = n->next) {
        int type = xlcfg__hw_is_item(n) ? xlcfg__hw_type(n) : -1;

        if (type == DISK || type == CD)
            ok = take_copy(&hw, n);
    }
    return ok;
}

/* libvirt's element of a device is one of a file now. */
static xlcfg_doc *rebase_xml(const xlcfg_doc *text, const char *path)
{
    xmlDocPtr xml = NULL;
    xmlNodePtr disk, source, next;
    xlcfg_doc *made = NULL;

    if (xlcfg__xml_parse(xlcfg_doc_string(text), text->count, NULL,
                         XLCFG__XML_DEPTH, &xml, NULL))
        return xlcfg_doc_ref((xlcfg_doc *)text);        /* told later */
    disk = xmlDocGetRootElement(xml);
    source = xlcfg__xml_child(disk, "source");
    for (xmlNodePtr n = source ? source->children : NULL; n; n = next) {
        next = n->next;
        xlcfg__xml_drop(n);
    }
    while (source && source->properties)
        xmlUnsetProp(source, source->properties->name);
    if (xlcfg__xml_set(disk, "@type", "file") &&
        xlcfg__xml_set(disk, "source@file", path))
        made = xlcfg__xml_text(disk);
    xmlFreeDoc(xml);
    return made;
}

static xlcfg_doc *rebase_disk(const xlcfg_doc *disk, const xlcfg_doc *disks)
{
    const char *vdev = xlcfg__doc_getstr(disk, "vdev");
    const xlcfg_doc *xml = xlcfg_doc_get(disk, "x-libvirt");
    const char *path = NULL;
    xlcfg__members m = { 0 };

    for (size_t i = 0; vdev && i < xlcfg_doc_count(disks); i++) {
        const xlcfg_doc *one = xlcfg_doc_at(disks, i);

        if (!strcmp(vdev, xlcfg__doc_getstr(one, "vdev")))
            path = xlcfg__doc_getstr(one, "path");
    }
    if (!path)
        return xlcfg_doc_ref((xlcfg_doc *)disk);
    xlcfg__members_copy(&m, disk);
    xlcfg__members_set(&m, "pdev_path", xlcfg__doc_str(path));
    if (xlcfg_doc_string(xml))
        xlcfg__members_set(&m, "x-libvirt", rebase_xml(xml, path));
    return xlcfg__members_end(&m);
}

xlcfg_doc *xlcfg__ovf_rebase(const xlcfg_doc *config, const xlcfg_doc *disks)
{
    const xlcfg_doc *have = xlcfg_doc_get(config, "disks");
    xlcfg__members m = { 0 };
    xlcfg__items items = { 0 };

    if (xlcfg_doc_kind(have) != XLCFG_DOC_ARRAY || !xlcfg_doc_count(disks))
        return xlcfg_doc_ref((xlcfg_doc *)config);
    for (size_t i = 0; i < xlcfg_doc_count(have); i++)
        xlcfg__items_add(&items, rebase_disk(xlcfg_doc_at(have, i), disks));
    xlcfg__members_copy(&m, config);
    xlcfg__members_set(&m, "disks", xlcfg__items_end(&items));
    return xlcfg__members_end(&m);
}
