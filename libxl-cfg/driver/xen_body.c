/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bodies, made of what was read by the tables of xen_key.c. */
#include "driver/xen_body.h"
#include "core/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

static bool is_shape(const char *s, const char *shape)
{
    for (; *shape; s++, shape++)
        if (*shape == 'x' ? !strchr("0123456789abcdefABCDEF", *s) || !*s
                          : *s != *shape)
            return false;
    return !*s;
}

static bool hex_number(const char *s, uint64_t *n_r)
{
    char *end;

    if (strncmp(s, "0x", 2) || strlen(s) > 18)
        return false;
    *n_r = strtoull(s, &end, 16);
    return !*end;
}

/* *ok false: no memory.  NULL otherwise: left out. */
static xlcfg_doc *member(enum xlcfg__xen_as as, const char *s, bool *ok)
{
    xlcfg_doc *doc = NULL;
    bool say = false;
    uint64_t n;

    switch (as) {
    case XLCFG__XEN_STRING:
        say = *s;
        break;
    case XLCFG__XEN_NUMBER:
    case XLCFG__XEN_HEX:
        if (!(as == XLCFG__XEN_HEX ? hex_number(s, &n)
              : xlcfg__xs_number(s, INT64_MAX, &n)) || !n)
            return NULL;
        doc = xlcfg__doc_uint(n);
        *ok = *ok && doc;
        return doc;
    case XLCFG__XEN_ONE:
    case XLCFG__XEN_IS_W:
    case XLCFG__XEN_IS_CDROM:
        if (strcmp(s, as == XLCFG__XEN_ONE ? "1"
                   : as == XLCFG__XEN_IS_W ? "w" : "cdrom"))
            return NULL;
        doc = xlcfg__doc_int(1);
        *ok = *ok && doc;
        return doc;
    case XLCFG__XEN_BOOL:
        if (strcmp(s, "1"))
            return NULL;
        doc = xlcfg__doc_bool(true);
        *ok = *ok && doc;
        return doc;
    case XLCFG__XEN_DEFBOOL:
        if (strcmp(s, "0") && strcmp(s, "1"))
            return NULL;
        s = *s == '1' ? "True" : "False";
        say = true;
        break;
    case XLCFG__XEN_MAC:
        say = is_shape(s, "xx:xx:xx:xx:xx:xx");
        break;
    case XLCFG__XEN_VIF_TYPE:
        say = !strcmp(s, "vif") || !strcmp(s, "vif_ioemu");
        break;
    case XLCFG__XEN_UUID:
        say = is_shape(s, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
        break;
    case XLCFG__XEN_BESIDE:
        break;
    }
    if (say)
        doc = xlcfg__doc_str(s);
    *ok = *ok && (!say || doc);
    return doc;
}

/* ---- bodies ---- */

/* Members of one sub-object stand together in the tables. */
static void flush(xlcfg__members *m, xlcfg__members *sub, const char *group,
                  size_t len)
{
    char name[32];

    if (sub->count || sub->failed) {
        snprintf(name, sizeof(name), "%.*s", (int)len, group);
        xlcfg__members_add(m, name, xlcfg__members_end(sub));
    }
    xlcfg__members_dispose(sub);
    *sub = (xlcfg__members){ 0 };
}

static void by_table(const struct xlcfg__xen_dev *dev, xlcfg__members *m)
{
    xlcfg__members sub = { 0 };
    const char *group = "";
    size_t len = 0;

    for (const struct xlcfg__xen_key *k = dev->front->keys; k->key; k++) {
        const struct xlcfg__xs_value *v = xlcfg__xen_value(dev, k->key);
        const char *slash = k->field ? strchr(k->field, '/') : NULL;
        size_t length = slash ? (size_t)(slash - k->field) : 0;
        bool ok = true;
        xlcfg_doc *doc;

        if (length != len || strncmp(group, k->field ? k->field : "", len)) {
            flush(m, &sub, group, len);
            group = k->field;
            len = length;
        }
        if (!k->field || !v || !v->text)
            continue;
        doc = member(k->as, v->text, &ok);
        if (!doc && ok)
            continue;
        if (slash)
            xlcfg__members_add(&sub, slash + 1, doc);
        else
            xlcfg__members_add(m, k->field, doc);
    }
    flush(m, &sub, group, len);
    for (size_t i = 0; i < dev->count; i++)
        if (xlcfg__xen_is_colo(dev->front, dev->wanted[i]) &&
            dev->values[i].text)
            xlcfg__members_add(m, dev->wanted[i],
                               xlcfg__doc_str(dev->values[i].text));
}

static const char *disk_backend(const struct xlcfg__xen_dev *dev)
{
    static const char *const pairs[][2] = {
        { "vbd", "phy" }, { "qdisk", "qdisk" }, { "vbd3", "tap" },
        { "virtio_disk", "standalone" },
    };
    static const char *const words[] = {
        "phy", "qdisk", "tap", "standalone",
    };
    const char *type = xlcfg__xen_text(dev, "type");

    if (!strcmp(type, "vbd3"))
        return "tap";
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(type, words[i]))
            return words[i];
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (!strcmp(dev->bekind, pairs[i][0]))
            return pairs[i][1];
    return "";
}

/* The backends whose `params` is format:path; of any other a colon belongs
 * to the path. */
static bool has_format(const char *backend)
{
    return !strcmp(backend, "qdisk") || !strcmp(backend, "tap");
}

static void disk_medium(const struct xlcfg__xen_dev *dev,
                        const char *backend, xlcfg__members *m)
{
    static const char *const formats[][2] = {
        { "aio", "raw" }, { "qcow", "qcow" }, { "qcow2", "qcow2" },
        { "vhd", "vhd" }, { "qed", "qed" },
    };
    const struct xlcfg__xs_value *v = xlcfg__xen_value(dev, "params");
    const char *colon, *path;
    size_t len;

    if (!v || !v->text)
        return;                 /* not known; "" would say ejected */
    path = v->text;
    if (!*path) {
        xlcfg__members_add(m, "pdev_path", xlcfg__doc_str(""));
        xlcfg__members_add(m, "format", xlcfg__doc_str("empty"));
        return;
    }
    colon = has_format(backend) ? strchr(path, ':') : NULL;
    len = colon ? (size_t)(colon - path) : 0;
    xlcfg__members_add(m, "pdev_path",
                       xlcfg__doc_str(colon ? colon + 1 : path));
    if (!strcmp(backend, "phy"))
        xlcfg__members_add(m, "format", xlcfg__doc_str("raw"));
    for (size_t i = 0; colon && i < 5; i++)
        if (strlen(formats[i][0]) == len &&
            !strncmp(formats[i][0], path, len))
            xlcfg__members_add(m, "format", xlcfg__doc_str(formats[i][1]));
}

static void disk_body(const struct xlcfg__xen_dev *dev, xlcfg__members *m)
{
    const char *vdev = xlcfg__xen_text(dev, "dev");
    const char *backend = disk_backend(dev);
    char name[32];

    /* The directory's number is the disk; a name that is another's is not
     * believed. */
    if (xlcfg__vdev_number(vdev) != (int)dev->devid) {
        xlcfg__vdev_name((int)dev->devid, name, sizeof(name));
        if (!*name)
            snprintf(name, sizeof(name), "%u", dev->devid);
        vdev = name;
    }
    disk_medium(dev, backend, m);
    xlcfg__members_add(m, "vdev", xlcfg__doc_str(vdev));
    if (*backend)
        xlcfg__members_add(m, "backend", xlcfg__doc_str(backend));
    if (*xlcfg__xen_text(dev, "colo-host"))
        xlcfg__members_add(m, "colo_enable", xlcfg__doc_str("True"));
}

static bool parse_rate(const char *rate, uint64_t *bytes_r,
                       uint64_t *usecs_r)
{
    const char *comma = strchr(rate, ',');
    char first[24];

    if (!comma || (size_t)(comma - rate) >= sizeof(first))
        return false;
    snprintf(first, sizeof(first), "%.*s", (int)(comma - rate), rate);
    return xlcfg__xs_number(first, INT64_MAX, bytes_r) &&
        xlcfg__xs_number(comma + 1, UINT32_MAX, usecs_r);
}

static void nic_body(const struct xlcfg__xen_dev *dev, xlcfg__members *m)
{
    uint64_t bytes, usecs;

    if (!parse_rate(xlcfg__xen_text(dev, "rate"), &bytes, &usecs))
        return;
    xlcfg__members_add(m, "rate_bytes_per_interval",
                       xlcfg__doc_uint(bytes));
    xlcfg__members_add(m, "rate_interval_usecs", xlcfg__doc_uint(usecs));
}

static void channel_body(const struct xlcfg__xen_dev *dev,
                         xlcfg__members *m)
{
    const char *how = xlcfg__xen_text(dev, "connection");
    const char *path = xlcfg__xen_text(dev, "path");
    xlcfg__members sub = { 0 };

    if (!strcmp(how, "socket")) {
        if (*path)
            xlcfg__members_add(&sub, "path", xlcfg__doc_str(path));
        xlcfg__members_add(m, "connection.socket",
                           xlcfg__members_end(&sub));
    } else if (!strcmp(how, "pty")) {
        xlcfg__members_add(m, "connection.pty", xlcfg__members_end(&sub));
    }
}

static bool is_one_of(const char *s, const char *const words[])
{
    for (size_t i = 0; words[i]; i++)
        if (!strcmp(s, words[i]))
            return true;
    return false;
}

static const char *const usb_types[] = { "pv", "qusb", "devicemodel", NULL };

const char *xlcfg__xen_usb_type(const struct xlcfg__xen_dev *dev)
{
    const char *type = xlcfg__xen_text(dev, "type");

    if (is_one_of(type, usb_types))
        return type;
    if (!strcmp(dev->bekind, "qusb"))
        return "qusb";
    return !strcmp(dev->bekind, "vusb") ? "pv" : "";
}

static void usbctrl_body(const struct xlcfg__xen_dev *dev,
                         xlcfg__members *m)
{
    const char *type = xlcfg__xen_usb_type(dev);

    if (*type)
        xlcfg__members_add(m, "type", xlcfg__doc_str(type));
}

static void vkb_body(const struct xlcfg__xen_dev *dev, xlcfg__members *m)
{
    if (*dev->bekind)
        xlcfg__members_add(m, "backend_type", xlcfg__doc_str(
            strcmp(dev->bekind, "vinput") ? "qemu" : "linux"));
}

static void add_devid(const struct xlcfg__xen_dev *dev, xlcfg__members *m)
{
    xlcfg__members_add(m, "devid", xlcfg__doc_uint(dev->devid));
}

xlcfg_doc *xlcfg__xen_body(const struct xlcfg__xen_dev *dev,
                           const char *bedom_name)
{
    static void (*const own[XLCFG_KINDS])(const struct xlcfg__xen_dev *,
                                          xlcfg__members *) = {
        [XLCFG_KIND_DISK] = disk_body, [XLCFG_KIND_NIC] = nic_body,
        [XLCFG_KIND_CHANNEL] = channel_body,
        [XLCFG_KIND_USBCTRL] = usbctrl_body, [XLCFG_KIND_VKB] = vkb_body,
    };
    enum xlcfg_kind kind = dev->front->kind;
    xlcfg__members m = { 0 };

    if (dev->bedom) {
        xlcfg__members_add(&m, "backend_domid", xlcfg__doc_uint(dev->bedom));
        if (bedom_name)
            xlcfg__members_add(&m, "backend_domname",
                               xlcfg__doc_str(bedom_name));
    }
    if (kind != XLCFG_KIND_DISK)
        add_devid(dev, &m);
    by_table(dev, &m);
    if (own[kind])
        own[kind](dev, &m);
    return xlcfg__members_end(&m);
}

/* ---- what is none ---- */

static const char *odd_disk(const struct xlcfg__xen_dev *dev,
                            const char *key, const char *s)
{
    static const char *const types[] = {
        "phy", "qdisk", "tap", "standalone", "vbd3", NULL,
    };

    if (!strcmp(key, "dev") && xlcfg__vdev_number(s) != (int)dev->devid)
        return "the name of the disk whose number the folder has";
    if (!strcmp(key, "type") && !is_one_of(s, types))
        return "phy, qdisk, tap or standalone";
    return NULL;
}

/* Of the keys that the kinds' own functions take. */
static const char *odd_beside(const struct xlcfg__xen_dev *dev,
                              const char *key, const char *s)
{
    static const char *const connections[] = { "pty", "socket", NULL };
    enum xlcfg_kind kind = dev->front->kind;
    uint64_t bytes, usecs;

    if (kind == XLCFG_KIND_DISK)
        return odd_disk(dev, key, s);
    if (kind == XLCFG_KIND_NIC)
        return parse_rate(s, &bytes, &usecs) ? NULL
            : "bytes and microseconds with a comma between";
    if (kind == XLCFG_KIND_USBCTRL)
        return is_one_of(s, usb_types) ? NULL : "pv, qusb or devicemodel";
    if (kind == XLCFG_KIND_CHANNEL && !strcmp(key, "connection"))
        return is_one_of(s, connections) ? NULL : "pty or socket";
    return NULL;
}

static const char *odd(const struct xlcfg__xen_dev *dev,
                       const struct xlcfg__xen_key *k, const char *s)
{
    uint64_t n;

    switch (k->as) {
    case XLCFG__XEN_STRING:
        return NULL;
    case XLCFG__XEN_NUMBER:
        return xlcfg__xs_number(s, INT64_MAX, &n) ? NULL : "a number";
    case XLCFG__XEN_HEX:
        return hex_number(s, &n) ? NULL : "a number such as 0x1000";
    case XLCFG__XEN_ONE:
    case XLCFG__XEN_BOOL:
    case XLCFG__XEN_DEFBOOL:
        return !strcmp(s, "0") || !strcmp(s, "1") ? NULL : "0 or 1";
    case XLCFG__XEN_MAC:
        return is_shape(s, "xx:xx:xx:xx:xx:xx") ? NULL
            : "xx:xx:xx:xx:xx:xx";
    case XLCFG__XEN_UUID:
        return is_shape(s, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") ? NULL
            : "a uuid";
    case XLCFG__XEN_VIF_TYPE:
        return !strcmp(s, "vif") || !strcmp(s, "vif_ioemu") ? NULL
            : "vif or vif_ioemu";
    case XLCFG__XEN_IS_W:
        return !strcmp(s, "w") || !strcmp(s, "r") ? NULL : "w or r";
    case XLCFG__XEN_IS_CDROM:
        return !strcmp(s, "cdrom") || !strcmp(s, "disk") ? NULL
            : "cdrom or disk";
    case XLCFG__XEN_BESIDE:
        return odd_beside(dev, k->key, s);
    }
    return NULL;
}

const char *xlcfg__xen_odd(const struct xlcfg__xen_dev *dev, size_t *i,
                           const char **expected_r)
{
    const struct xlcfg__xen_key *k;

    while ((k = &dev->front->keys[*i])->key) {
        const char *s = xlcfg__xen_text(dev, k->key);

        ++*i;
        *expected_r = *s ? odd(dev, k, s) : NULL;
        if (*expected_r)
            return k->key;
    }
    return NULL;
}

const char *xlcfg__xen_must(enum xlcfg_kind kind, size_t i)
{
    static const char *const must[XLCFG_KINDS][7] = {
        [XLCFG_KIND_DISK] = { "dev", "type", "params", "mode", "removable",
                              "device-type" },
        [XLCFG_KIND_NIC] = { "mac" },
        [XLCFG_KIND_VTPM] = { "uuid" },
    };

    return must[kind][i];
}

xlcfg_doc *xlcfg__xen_stub_body(enum xlcfg_kind kind, uint32_t devid)
{
    xlcfg__members m = { 0 };
    char name[32];

    if (kind != XLCFG_KIND_DISK) {
        xlcfg__members_add(&m, "devid", xlcfg__doc_uint(devid));
        return xlcfg__members_end(&m);
    }
    xlcfg__vdev_name((int)devid, name, sizeof(name));
    if (!*name)
        snprintf(name, sizeof(name), "%u", devid);
    xlcfg__members_add(&m, "vdev", xlcfg__doc_str(name));
    return xlcfg__members_end(&m);
}
