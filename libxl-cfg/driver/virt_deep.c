/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU behind libvirt.  libvirt compares the two when it starts, and looks
 * only for what is missing.  Here both ways:
 *
 *   listed by libvirt, not in QEMU    leaving: a detach makes libvirt see it
 *   in QEMU, not listed by libvirt    leaked: an attach that was cut off, as
 *                                     a device, a block node or a netdev
 *
 * A command to the monitor waits for a hotplug that is under way; the XML is
 * read before and after, so that one in between is not taken for either.
 */
#include "driver/virt_qmp.h"
#include "core/key.h"
#include "driver/virt_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long a node is seen that nobody has, before it is called leaked. */
#define SEEN_STEPS 5
#define SEEN_STEP_MS 150

struct deep {
    struct virt *v;
    virDomainPtr d;
    struct xlcfg_view *view;
    xmlDocPtr before, after;
    xlcfg_doc *devices;         /* [{"name", "type"}] */
    char *cmdline;              /* what the owner gave QEMU himself */
    unsigned char own[4096];    /* node numbers that are accounted for */
};

static const struct {
    const char *type;           /* "...": begins so */
    enum xlcfg_kind kind;
} types[] = {
    { "child<virtio-blk-", XLCFG_KIND_DISK },
    { "child<scsi-hd", XLCFG_KIND_DISK },
    { "child<scsi-cd", XLCFG_KIND_DISK },
    { "child<scsi-block", XLCFG_KIND_DISK },
    { "child<usb-storage", XLCFG_KIND_DISK },
    { "child<ide-", XLCFG_KIND_DISK },
    { "child<virtio-net-", XLCFG_KIND_NIC },
    { "child<e1000", XLCFG_KIND_NIC },
    { "child<rtl8139", XLCFG_KIND_NIC },
    { "child<usb-net", XLCFG_KIND_NIC },
    { "child<vfio-pci", XLCFG_KIND_PCI },
    { "child<usb-host", XLCFG_KIND_USBDEV },
};

static enum xlcfg_kind kind_of(const char *type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (!strncmp(type, types[i].type, strlen(types[i].type)))
            return types[i].kind;
    return XLCFG_KINDS;
}

/* ---- listed, and not in QEMU ---- */

static int find_phantoms(struct deep *deep)
{
    for (size_t i = 0; i < deep->view->count; i++) {
        struct xlcfg_dev *dev = &deep->view->devs[i];
        xmlNodePtr node = NULL;
        char *alias;
        bool gone;
        int rc;

        if (dev->kind != XLCFG_KIND_DISK && dev->kind != XLCFG_KIND_NIC &&
            dev->kind != XLCFG_KIND_PCI && dev->kind != XLCFG_KIND_USBDEV)
            continue;
        rc = xlcfg__virt_device(deep->before, dev->kind, dev->body, &node);
        if (rc)
            return rc;
        alias = node ? xlcfg__xml_get(node, "alias@name") : NULL;
        gone = alias && !xlcfg__qmp_has(deep->devices, alias) &&
            xlcfg__virt_by_alias(deep->after, alias);
        rc = 0;
        if (gone) {
            dev->live = XLCFG_LIVE_LEAVING;
            rc = xlcfg__dev_because(dev, "libvirt lists it, QEMU has no %s "
                                    "any more", alias);
        }
        xmlFree(alias);
        if (rc)
            return rc;
    }
    return 0;
}

/* ---- in QEMU, and not listed ---- */

/* The key that an alias was made from, "" if it tells none: ua-disk-vdb is
 * ours, virtio-disk1 libvirt's for vdb. */
static void key_of(enum xlcfg_kind kind, const char *id, const char *mac,
                   char key[XLCFG_KEY_MAX])
{
    static const struct {
        const char *prefix, *disk;
    } rows[] = {
        { "virtio-disk", "vd" }, { "usb-disk", "sd" },
    };
    char *end;
    unsigned long n;

    key[0] = '\0';
    if (kind == XLCFG_KIND_NIC && mac)
        snprintf(key, XLCFG_KEY_MAX, "nic/%.20s", mac);
    if (kind != XLCFG_KIND_DISK)
        return;
    if (!strncmp(id, "ua-disk-", 8))
        snprintf(key, XLCFG_KEY_MAX, "disk/%.100s", id + 8);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].prefix);

        if (strncmp(id, rows[i].prefix, len) || !id[len])
            continue;
        n = strtoul(id + len, &end, 10);
        if (!*end && n < 26)
            snprintf(key, XLCFG_KEY_MAX, "disk/%s%c", rows[i].disk,
                     (int)('a' + n));
    }
}

static bool has_key(const struct xlcfg_view *view, const char *key)
{
    for (size_t i = 0; i < view->count; i++)
        if (!strcmp(view->devs[i].key, key))
            return true;
    return false;
}

/* "libvirt-7-format" is 7; 0: no node of libvirt's. */
static unsigned node_number(const char *name)
{
    unsigned n;
    char rest[16];

    if (sscanf(name, "libvirt-%u-%15s", &n, rest) != 2 ||
        n >= sizeof(((struct deep *)0)->own))
        return 0;
    return n;
}

static int add_leaked(struct deep *deep, enum xlcfg_kind kind,
                      const char *key, xlcfg__members *qemu,
                      const char *what)
{
    const char *name = xlcfg__kinds[kind].name;
    xlcfg__members m = { 0 };
    struct xlcfg_dev *dev;
    char text[XLCFG_KEY_MAX];
    int rc;

    snprintf(text, sizeof(text), "%s/%.100s", name, what);
    if (!*key || has_key(deep->view, key))
        key = text;
    if (kind == XLCFG_KIND_DISK)
        xlcfg__members_add(&m, "vdev", xlcfg__doc_str(key + 5));
    if (kind == XLCFG_KIND_NIC && strlen(key) == 21)
        xlcfg__members_add(&m, "mac", xlcfg__doc_str(key + 4));
    xlcfg__members_add(&m, "x-qemu", xlcfg__members_end(qemu));
    rc = xlcfg__view_add(deep->view, kind, xlcfg__members_end(&m), key,
                         XLCFG_LIVE_LEAKED, &dev);
    if (!rc && dev)
        rc = xlcfg__dev_because(dev, "QEMU has %s, libvirt does not list it",
                                what);
    return rc;
}

static int leaked_device(struct deep *deep, const char *id,
                         const char *type)
{
    enum xlcfg_kind kind = kind_of(type);
    xlcfg__members qemu = { 0 };
    char key[XLCFG_KEY_MAX];
    xlcfg_doc *mac, *drive;
    unsigned n;

    if (kind == XLCFG_KINDS) {
        xlcfg__view_note(deep->view, "QEMU has %.60s (%.60s), libvirt does "
                         "not list it", id, type);
        return deep->view->unknown.failed ? XLCFG_ERROR_NOMEM : 0;
    }
    mac = kind == XLCFG_KIND_NIC
        ? xlcfg__qmp_property(deep->v, deep->d, id, "mac") : NULL;
    drive = kind == XLCFG_KIND_DISK
        ? xlcfg__qmp_property(deep->v, deep->d, id, "drive") : NULL;
    key_of(kind, id, xlcfg_doc_string(mac), key);
    xlcfg__members_add(&qemu, "id", xlcfg__doc_str(id));
    if (kind == XLCFG_KIND_NIC)
        xlcfg__members_add(&qemu, "netdev", xlcfg__doc_strf("host%s", id));
    n = drive && xlcfg_doc_string(drive)
        ? node_number(xlcfg_doc_string(drive)) : 0;
    if (n) {
        xlcfg__members_add(&qemu, "node", xlcfg__doc_uint(n));
        deep->own[n] = 1;
    }
    xlcfg_doc_free(mac);
    xlcfg_doc_free(drive);
    return add_leaked(deep, kind, key, &qemu, id);
}

static bool is_listed(const struct deep *deep, const char *id)
{
    return xlcfg__virt_by_alias(deep->before, id) ||
        xlcfg__virt_by_alias(deep->after, id) ||
        (deep->cmdline && strstr(deep->cmdline, id));
}

/* Of a sound device that is listed: "sound0-codec0". */
static bool is_part(const struct deep *deep, const char *id)
{
    const char *part = strstr(id, "-codec");
    char whole[64];

    if (!part || (size_t)(part - id) >= sizeof(whole))
        return false;
    snprintf(whole, sizeof(whole), "%.*s", (int)(part - id), id);
    return is_listed(deep, whole);
}

static int find_orphans(struct deep *deep)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < xlcfg_doc_count(deep->devices); i++) {
        const xlcfg_doc *one = xlcfg_doc_at(deep->devices, i);
        const char *id = xlcfg__doc_getstr(one, "name");
        const char *type = xlcfg__doc_getstr(one, "type");

        if (id && type && !strncmp(type, "child<", 6) &&
            !is_listed(deep, id) && !is_part(deep, id))
            rc = leaked_device(deep, id, type);
    }
    return rc;
}

/* ---- block nodes ---- */

/* Each index="N" of a disk is nodes libvirt-N-*: of sources, of backing
 * chains, of mirrors. */
static void own_disk(struct deep *deep, xmlNodePtr root)
{
    for (xmlNodePtr n = root; n;) {
        char *text = xlcfg__xml_get(n, "@index");
        long index = text ? strtol(text, NULL, 10) : 0;

        xmlFree(text);
        if (index > 0 && index < (long)sizeof(deep->own))
            deep->own[index] = 1;
        if (n->type == XML_ELEMENT_NODE && n->children) {
            n = n->children;
            continue;
        }
        while (n && n != root && !n->next)
            n = n->parent;
        n = n && n != root ? n->next : NULL;
    }
}

/* Controllers have an index too, which is none of these. */
static void own_indexes(struct deep *deep, xmlDocPtr doc)
{
    xmlNodePtr devices = xlcfg__xml_child(xmlDocGetRootElement(doc),
                                           "devices");

    for (xmlNodePtr n = devices ? devices->children : NULL; n; n = n->next)
        if (xlcfg__xml_is(n, "disk"))
            own_disk(deep, n);
}

/* The number of a node that nobody has; 0: of one that somebody has, or that
 * is none of libvirt's. */
static unsigned nobodys(const struct deep *deep, const xlcfg_doc *node)
{
    const char *name = xlcfg__doc_getstr(node, "node-name");
    unsigned n = name ? node_number(name) : 0;

    return n && !deep->own[n] &&
        !xlcfg_doc_is_true(xlcfg_doc_get(node, "used")) ? n : 0;
}

/* Are the nodes of this number there, and none of them used? */
static bool is_nobodys(const struct deep *deep, const xlcfg_doc *list,
                       unsigned n)
{
    bool there = false;

    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        const xlcfg_doc *node = xlcfg_doc_at(list, i);
        const char *name = xlcfg__doc_getstr(node, "node-name");

        if (!name || node_number(name) != n)
            continue;
        if (nobodys(deep, node) != n)
            return false;
        there = true;
    }
    return there;
}

static bool has_nobodys(const struct deep *deep, const xlcfg_doc *list)
{
    for (size_t i = 0; i < xlcfg_doc_count(list); i++) {
        unsigned n = nobodys(deep, xlcfg_doc_at(list, i));

        if (n && is_nobodys(deep, list, n))
            return true;
    }
    return false;
}

/* What a backup writes to is in its XML alone. */
static int own_backup(struct deep *deep)
{
    char *xml = virDomainBackupGetXMLDesc(deep->d, 0);
    xmlDocPtr doc = NULL;
    int rc = 0;

    if (xml)
        rc = xlcfg__virt_parse(xml, strlen(xml), "domainbackup", &doc, NULL);
    if (doc)
        own_disk(deep, xmlDocGetRootElement(doc));
    xmlFreeDoc(doc);
    free(xml);
    return rc == XLCFG_ERROR_NOMEM ? rc : 0;
}

static int leaked_node(struct deep *deep, unsigned n)
{
    xlcfg__members qemu = { 0 };
    char what[40];

    deep->own[n] = 1;
    snprintf(what, sizeof(what), "libvirt-%u", n);
    xlcfg__members_add(&qemu, "node", xlcfg__doc_uint(n));
    return add_leaked(deep, XLCFG_KIND_DISK, "", &qemu, what);
}

/* Those of list that nobody has now, either; the rest are gone or a disk's. */
static int see_again(struct deep *deep, xlcfg_doc **list, xlcfg_error *err)
{
    xlcfg__items still = { 0 };
    xlcfg_doc *again = NULL;
    xmlDocPtr now = NULL;
    int rc;

    rc = own_backup(deep);
    if (!rc)
        rc = xlcfg__qmp_nodes(deep->v, deep->d, &again, err);
    if (!rc)
        rc = xlcfg__virt_desc(deep->d, 0, &now, err);
    if (!rc)
        own_indexes(deep, now);
    for (size_t i = 0; !rc && i < xlcfg_doc_count(*list); i++) {
        unsigned n = nobodys(deep, xlcfg_doc_at(*list, i));

        if (n && is_nobodys(deep, again, n))
            xlcfg__items_add(&still, xlcfg_doc_ref(xlcfg_doc_at(*list, i)));
    }
    xmlFreeDoc(now);
    xlcfg_doc_free(again);
    if (rc) {
        xlcfg__items_dispose(&still);
        return rc;
    }
    xlcfg_doc_free(*list);
    *list = xlcfg__items_end(&still);
    return *list ? 0 : xlcfg__nomem(err);
}

/*
 * A disk that comes or goes, a medium that is changed and a job that ends have
 * nodes for a moment that no XML lists: what is leaked is there for longer.
 */
static int find_nodes(struct deep *deep, xlcfg_error *err)
{
    static const struct timespec step = { 0, SEEN_STEP_MS * 1000000 };
    xlcfg_doc *list = NULL;
    int rc;

    own_indexes(deep, deep->before);
    own_indexes(deep, deep->after);
    rc = xlcfg__qmp_nodes(deep->v, deep->d, &list, err);
    for (int i = 0; !rc && i < SEEN_STEPS && has_nobodys(deep, list); i++) {
        nanosleep(&step, NULL);
        rc = see_again(deep, &list, err);
    }
    for (size_t i = 0; !rc && i < xlcfg_doc_count(list); i++) {
        unsigned n = nobodys(deep, xlcfg_doc_at(list, i));

        if (n && is_nobodys(deep, list, n))
            rc = leaked_node(deep, n);
    }
    xlcfg_doc_free(list);
    return rc;
}

/* ---- netdevs ---- */

/* A netdev that no NIC has stands at the beginning of a line of its own;
 * those in use are indented under their NIC. */
static int find_netdevs(struct deep *deep, xlcfg_error *err)
{
    xlcfg_doc *said = NULL;
    const char *p;
    int rc;

    rc = xlcfg__qmp(deep->v, deep->d, "human-monitor-command",
                    xlcfg__qmp_one("command-line", "info network"), &said,
                    err);
    p = rc ? NULL : xlcfg_doc_string(said);
    for (; p && *p && !rc;
         p += strcspn(p, "\n"), p += *p == '\n') {
        size_t len = strcspn(p, ":\r\n");
        xlcfg__members qemu = { 0 };
        char id[100];

        if (strncmp(p, "host", 4) || p[len] != ':' || len >= sizeof(id) ||
            strncmp(p + len, ": index=", 8))
            continue;
        snprintf(id, sizeof(id), "%.*s", (int)len, p);
        /* its NIC may be one that is leaked itself */
        if (xlcfg__qmp_has(deep->devices, id + 4) || is_listed(deep, id + 4))
            continue;
        xlcfg__members_add(&qemu, "netdev", xlcfg__doc_str(id));
        rc = add_leaked(deep, XLCFG_KIND_NIC, "", &qemu, id);
    }
    xlcfg_doc_free(said);
    return rc;
}

/* ---- all of it ---- */

static int read_sides(struct deep *deep, const char *xml, xlcfg_error *err)
{
    xmlNodePtr line;
    int rc;

    rc = xml ? xlcfg__virt_parse_desc(deep->d, xml, &deep->before, err)
        : xlcfg__virt_desc(deep->d, 0, &deep->before, err);
    if (!rc)
        rc = xlcfg__qmp_devices(deep->v, deep->d, &deep->devices, err);
    if (!rc)
        rc = xlcfg__virt_desc(deep->d, 0, &deep->after, err);
    if (rc)
        return rc;
    for (line = xmlDocGetRootElement(deep->before)->children; line;
         line = line->next)
        if (line->type == XML_ELEMENT_NODE &&
            !strcmp((const char *)line->name, "commandline")) {
            xlcfg_doc *text = xlcfg__xml_text(line);

            deep->cmdline = text ? strdup(xlcfg_doc_string(text)) : NULL;
            xlcfg_doc_free(text);
            if (!deep->cmdline)
                return xlcfg__nomem(err);
        }
    return 0;
}

int xlcfg__virt_deep(struct virt *v, virDomainPtr d, const char *xml,
                     struct xlcfg_view *view, xlcfg_error *err)
{
    struct deep deep = { .v = v, .d = d, .view = view };
    xlcfg_error why = XLCFG_ERROR_INIT;
    virDomainControlInfo info;
    virDomainJobInfo job;
    int rc;

    if (virDomainGetControlInfo(d, &info, 0) == 0 &&
        info.state != VIR_DOMAIN_CONTROL_OK) {
        view->queued = true;
        xlcfg__view_note(view, "QEMU: somebody is in its monitor for %llu "
                         "ms, it was not asked", info.stateTime);
        return view->unknown.failed ? xlcfg__nomem(err) : 0;
    }
    /* a migration's, a dump's, a backup's */
    view->queued = virDomainGetJobInfo(d, &job) == 0 &&
        job.type != VIR_DOMAIN_JOB_NONE;
    rc = read_sides(&deep, xml, &why);
    if (!rc)
        rc = find_phantoms(&deep);
    if (!rc)
        rc = find_orphans(&deep);
    if (!rc)
        rc = find_nodes(&deep, &why);
    if (!rc)
        rc = find_netdevs(&deep, &why);
    if (rc == XLCFG_ERROR_NOMEM) {
        xlcfg__nomem(err);
    } else if (rc == XLCFG_ERROR_UNREACHABLE ||
               rc == XLCFG_ERROR_DOMAIN_NOTFOUND) {
        if (err)
            *err = why;
    } else if (rc) {
        /* a no of any other class: what was not seen is not known */
        xlcfg__view_note(view, "QEMU: %s: %s", why.where, why.message);
        rc = view->unknown.failed ? xlcfg__nomem(err) : 0;
    }
    xmlFreeDoc(deep.before);
    xmlFreeDoc(deep.after);
    xlcfg_doc_free(deep.devices);
    free(deep.cmdline);
    return rc;
}
