/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of xenstore keys, and bodies made by them. */
#include "driver/xen_body.h"
#include "core/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the tables ---- */

static const struct xlcfg__xen_key disk_keys[] = {
    { "dev", NULL, XLCFG__XEN_BESIDE },
    { "type", NULL, XLCFG__XEN_BESIDE },
    { "params", NULL, XLCFG__XEN_BESIDE },
    { "script", "script", XLCFG__XEN_STRING },
    { "removable", "removable", XLCFG__XEN_ONE },
    { "mode", "readwrite", XLCFG__XEN_IS_W },
    { "device-type", "is_cdrom", XLCFG__XEN_IS_CDROM },
    { "direct-io-safe", "direct_io_safe", XLCFG__XEN_BOOL },
    { "discard-enable", "discard_enable", XLCFG__XEN_DEFBOOL },
    { "colo-host", "colo_host", XLCFG__XEN_STRING },
    { "colo-port", "colo_port", XLCFG__XEN_NUMBER },
    { "colo-export", "colo_export", XLCFG__XEN_STRING },
    { "active-disk", "active_disk", XLCFG__XEN_STRING },
    { "hidden-disk", "hidden_disk", XLCFG__XEN_STRING },
    { NULL, NULL, XLCFG__XEN_BESIDE },
};

static const struct xlcfg__xen_key virtio_disk_keys[] = {
    { "dev", NULL, XLCFG__XEN_BESIDE },
    { "type", NULL, XLCFG__XEN_BESIDE },
    { "params", NULL, XLCFG__XEN_BESIDE },
    { "script", "script", XLCFG__XEN_STRING },
    { "removable", "removable", XLCFG__XEN_ONE },
    { "mode", "readwrite", XLCFG__XEN_IS_W },
    { "device-type", "is_cdrom", XLCFG__XEN_IS_CDROM },
    { "discard-enable", "discard_enable", XLCFG__XEN_DEFBOOL },
    { "specification", "specification", XLCFG__XEN_STRING },
    { "transport", "transport", XLCFG__XEN_STRING },
    { "irq", "irq", XLCFG__XEN_NUMBER },
    { "base", "base", XLCFG__XEN_NUMBER },
    { NULL, NULL, XLCFG__XEN_BESIDE },
};

static const struct xlcfg__xen_key nic_keys[] = {
    { "mtu", "mtu", XLCFG__XEN_NUMBER },
    { "mac", "mac", XLCFG__XEN_MAC },
    { "ip", "ip", XLCFG__XEN_STRING },
    { "bridge", "bridge", XLCFG__XEN_STRING },
    { "vifname", "ifname", XLCFG__XEN_STRING },
    { "script", "script", XLCFG__XEN_STRING },
    { "type", "nictype", XLCFG__XEN_STRING },
    { "rate", NULL, XLCFG__XEN_BESIDE },
    { "gatewaydev", "gatewaydev", XLCFG__XEN_STRING },
    { "forwarddev", "coloft_forwarddev", XLCFG__XEN_STRING },
    { NULL, NULL, XLCFG__XEN_BESIDE },
};

static const struct xlcfg__xen_key vtpm_keys[] = {
    { "uuid", "uuid", XLCFG__XEN_UUID },
    { NULL, NULL, XLCFG__XEN_BESIDE },
};

static const struct xlcfg__xen_key usbctrl_keys[] = {
    { "type", NULL, XLCFG__XEN_BESIDE },
    { "usb-ver", "version", XLCFG__XEN_NUMBER },
    { "num-ports", "ports", XLCFG__XEN_NUMBER },
    { NULL, NULL, XLCFG__XEN_BESIDE },
};

static const struct xlcfg__xen_key vfb_keys[] = {
    { "vnc", "vnc/enable", XLCFG__XEN_DEFBOOL },
    { "vnclisten", "vnc/listen", XLCFG__XEN_STRING },
    { "vncpasswd", "vnc/passwd", XLCFG__XEN_STRING },
    { "vncdisplay", "vnc/display", XLCFG__XEN_NUMBER },
    { "vncunused", "vnc/findunused", XLCFG__XEN_DEFBOOL },
    { "sdl", "sdl/enable", XLCFG__XEN_DEFBOOL },
    { "opengl", "sdl/opengl", XLCFG__XEN_DEFBOOL },
    { "display", "sdl/display", XLCFG__XEN_STRING },
    { "xauthority", "sdl/xauthority", XLCFG__XEN_STRING },
    { NULL, NULL, XLCFG__XEN_BESIDE },
};

static const struct xlcfg__xen_key vkb_keys[] = {
    { "unique-id", "unique_id", XLCFG__XEN_STRING },
    { "feature-disable-keyboard", "feature_disable_keyboard",
      XLCFG__XEN_BOOL },
    { "feature-disable-pointer", "feature_disable_pointer",
      XLCFG__XEN_BOOL },
    { "feature-abs-pointer", "feature_abs_pointer", XLCFG__XEN_BOOL },
    { "feature-raw-pointer", "feature_raw_pointer", XLCFG__XEN_BOOL },
    { "feature-multi-touch", "feature_multi_touch", XLCFG__XEN_BOOL },
    { "width", "width", XLCFG__XEN_NUMBER },
    { "height", "height", XLCFG__XEN_NUMBER },
    { "multi-touch-width", "multi_touch_width", XLCFG__XEN_NUMBER },
    { "multi-touch-height", "multi_touch_height", XLCFG__XEN_NUMBER },
    { "multi-touch-num-contacts", "multi_touch_num_contacts",
      XLCFG__XEN_NUMBER },
    { NULL, NULL, XLCFG__XEN_BESIDE },
};

/* The tag is in the guest's own directory alone: it stays unknown. */
static const struct xlcfg__xen_key p9_keys[] = {
    { "path", "path", XLCFG__XEN_STRING },
    { "security_model", "security_model", XLCFG__XEN_STRING },
    { NULL, NULL, XLCFG__XEN_BESIDE },
};

static const struct xlcfg__xen_key channel_keys[] = {
    { "name", "name", XLCFG__XEN_STRING },
    { "connection", NULL, XLCFG__XEN_BESIDE },
    { "path", NULL, XLCFG__XEN_BESIDE },
    { NULL, NULL, XLCFG__XEN_BESIDE },
};

static const struct xlcfg__xen_key virtio_keys[] = {
    { "type", "type", XLCFG__XEN_STRING },
    { "transport", "transport", XLCFG__XEN_STRING },
    { "grant_usage", "grant_usage", XLCFG__XEN_DEFBOOL },
    { "irq", "irq", XLCFG__XEN_NUMBER },
    { "base", "base", XLCFG__XEN_HEX },
    { NULL, NULL, XLCFG__XEN_BESIDE },
};

static const struct xlcfg__xen_key no_keys[] = {
    { NULL, NULL, XLCFG__XEN_BESIDE },
};

const struct xlcfg__xen_front xlcfg__xen_fronts[] = {
    { "vbd", XLCFG_KIND_DISK, disk_keys, { "vbd", "qdisk", "vbd3" } },
    { "virtio_disk", XLCFG_KIND_DISK, virtio_disk_keys, { "virtio_disk" } },
    { "vif", XLCFG_KIND_NIC, nic_keys, { "vif" } },
    { "vfb", XLCFG_KIND_VFB, vfb_keys, { "vfb" } },
    { "vkbd", XLCFG_KIND_VKB, vkb_keys, { "vkbd", "vinput" } },
    { "virtio", XLCFG_KIND_VIRTIO, virtio_keys, { "virtio" } },
    { "vtpm", XLCFG_KIND_VTPM, vtpm_keys, { "vtpm" } },
    { "9pfs", XLCFG_KIND_P9, p9_keys, { "9pfs", "xen_9pfs" } },
    { "pvcalls", XLCFG_KIND_PVCALLSIF, no_keys, { "pvcalls" } },
    { "vdispl", XLCFG_KIND_VDISPL, no_keys, { "vdispl" } },
    { "vsnd", XLCFG_KIND_VSND, no_keys, { "vsnd" } },
    { "console", XLCFG_KIND_CHANNEL, channel_keys, { "console" } },
    { "vusb", XLCFG_KIND_USBCTRL, usbctrl_keys, { "vusb", "qusb" } },
    { NULL, XLCFG_KINDS, NULL, { NULL } },
};

const struct xlcfg__xen_front *xlcfg__xen_front(const char *name)
{
    const struct xlcfg__xen_front *f;

    for (f = xlcfg__xen_fronts; f->name; f++)
        if (!strcmp(f->name, name))
            return f;
    return NULL;
}

const struct xlcfg__xen_front *xlcfg__xen_front_of(const char *bekind)
{
    const struct xlcfg__xen_front *f;

    for (f = xlcfg__xen_fronts; f->name; f++)
        for (size_t i = 0; i < 4 && f->backends[i]; i++)
            if (!strcmp(f->backends[i], bekind))
                return f;
    return NULL;
}

/* ---- reading ---- */

/* COLO's keys are named as libxl's members are. */
static bool is_colo(const struct xlcfg__xen_front *front, const char *name)
{
    const struct xlcfg_field *f = xlcfg__kinds[front->kind].fields;

    if (front->kind != XLCFG_KIND_NIC || strncmp(name, "colo_", 5))
        return false;
    for (; f->name; f++)
        if (!strcmp(f->name, name))
            return true;
    return false;
}

static bool is_wanted(const struct xlcfg__xen_front *front, const char *name)
{
    if (!strcmp(name, "backend"))
        return true;
    for (const struct xlcfg__xen_key *k = front->keys; k->key; k++)
        if (!strcmp(k->key, name))
            return true;
    return is_colo(front, name);
}

/* Only the path that belongs to this very device counts. */
static void parse_backend(struct xlcfg__xen_dev *dev)
{
    unsigned bedom, domid, devid;
    char kind[32];
    int n = 0;

    snprintf(dev->backend, sizeof(dev->backend), "%s",
             xlcfg__xen_text(dev, "backend"));
    if (sscanf(dev->backend, "/local/domain/%5u/backend/%31[a-z0-9_]/%5u"
               "/%10u%n", &bedom, kind, &domid, &devid, &n) != 4 ||
        dev->backend[n] || domid != dev->domid || devid != dev->devid ||
        xlcfg__xen_front_of(kind) != dev->front)
        return;
    dev->bedom = bedom;
    memcpy(dev->bekind, kind, sizeof(kind));
}

int xlcfg__xen_dev_read(struct xlcfg__xs *xs,
                        const struct xlcfg__xen_front *front,
                        uint32_t domid, uint32_t devid,
                        struct xlcfg__xen_dev *dev)
{
    int r;

    *dev = (struct xlcfg__xen_dev){
        .front = front, .domid = domid, .devid = devid,
    };
    snprintf(dev->path, sizeof(dev->path), "/libxl/%u/device/%s/%u", domid,
             front->name, devid);
    r = xlcfg__xs_list(xs, &dev->names, "%s", dev->path);
    if (r)
        return r;
    dev->wanted = calloc(dev->names.count + 1, sizeof(*dev->wanted));
    dev->values = calloc(dev->names.count + 1, sizeof(*dev->values));
    if (!dev->wanted || !dev->values) {
        xlcfg__xen_dev_dispose(dev);
        return ENOMEM;
    }
    for (unsigned i = 0; i < dev->names.count; i++)
        if (is_wanted(front, dev->names.v[i]))
            dev->wanted[dev->count++] = dev->names.v[i];
    xlcfg__xs_read_many(xs, dev->path, dev->wanted, dev->count,
                        dev->values);
    parse_backend(dev);
    return 0;
}

void xlcfg__xen_dev_dispose(struct xlcfg__xen_dev *dev)
{
    if (dev->values)
        xlcfg__xs_value_dispose(dev->values, dev->count);
    xlcfg__xs_names_dispose(&dev->names);
    free(dev->values);
    free(dev->wanted);
    dev->values = NULL;
    dev->wanted = NULL;
    dev->count = 0;
}

const struct xlcfg__xs_value *xlcfg__xen_value(
    const struct xlcfg__xen_dev *dev, const char *key)
{
    for (size_t i = 0; i < dev->count; i++)
        if (!strcmp(dev->wanted[i], key))
            return &dev->values[i];
    return NULL;
}

const char *xlcfg__xen_text(const struct xlcfg__xen_dev *dev,
                            const char *key)
{
    const struct xlcfg__xs_value *v = xlcfg__xen_value(dev, key);

    return v ? xlcfg__xs_text(v) : "";
}

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
        if (is_colo(dev->front, dev->wanted[i]) && dev->values[i].text)
            xlcfg__members_add(m, dev->wanted[i],
                               xlcfg__doc_str(dev->values[i].text));
}

static const char *disk_backend(const struct xlcfg__xen_dev *dev)
{
    static const char *const pairs[][2] = {
        { "vbd", "phy" }, { "qdisk", "qdisk" }, { "vbd3", "tap" },
        { "virtio_disk", "standalone" },
    };
    const char *type = xlcfg__xen_text(dev, "type");

    if (!strcmp(type, "vbd3"))
        return "tap";
    if (*type)
        return type;
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

static void nic_body(const struct xlcfg__xen_dev *dev, xlcfg__members *m)
{
    const char *rate = xlcfg__xen_text(dev, "rate");
    const char *comma = strchr(rate, ',');
    uint64_t bytes, usecs;
    char first[24];

    if (!comma || (size_t)(comma - rate) >= sizeof(first))
        return;
    snprintf(first, sizeof(first), "%.*s", (int)(comma - rate), rate);
    if (!xlcfg__xs_number(first, INT64_MAX, &bytes) ||
        !xlcfg__xs_number(comma + 1, UINT32_MAX, &usecs))
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

const char *xlcfg__xen_usb_type(const struct xlcfg__xen_dev *dev)
{
    const char *type = xlcfg__xen_text(dev, "type");

    if (*type)
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
