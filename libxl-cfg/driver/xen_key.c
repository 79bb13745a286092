/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of xenstore keys, and reading what they name. */
#include "driver/xen_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    { "type", "nictype", XLCFG__XEN_VIF_TYPE },
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

bool xlcfg__xen_is_colo(const struct xlcfg__xen_front *front,
                        const char *name)
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
    return xlcfg__xen_is_colo(front, name);
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

void xlcfg__xen_dev_init(const struct xlcfg__xen_front *front,
                         uint32_t domid, uint32_t devid,
                         struct xlcfg__xen_dev *dev)
{
    *dev = (struct xlcfg__xen_dev){
        .front = front, .domid = domid, .devid = devid,
    };
    snprintf(dev->path, sizeof(dev->path), "/libxl/%u/device/%s/%u", domid,
             front->name, devid);
}

int xlcfg__xen_dev_list(struct xlcfg__xs *xs, struct xlcfg__xen_dev *dev)
{
    int r = xlcfg__xs_list(xs, &dev->names, "%s", dev->path);

    if (r)
        return r;
    dev->wanted = calloc(dev->names.count + 1, sizeof(*dev->wanted));
    dev->values = calloc(dev->names.count + 1, sizeof(*dev->values));
    if (!dev->wanted || !dev->values) {
        xlcfg__xen_dev_dispose(dev);
        return ENOMEM;
    }
    for (unsigned i = 0; i < dev->names.count; i++)
        if (is_wanted(dev->front, dev->names.v[i]))
            dev->wanted[dev->count++] = dev->names.v[i];
    return 0;
}

void xlcfg__xen_dev_will_fill(struct xlcfg__xs *xs,
                              const struct xlcfg__xen_dev *dev)
{
    for (size_t i = 0; i < dev->count; i++)
        xlcfg__xs_will_read(xs, "%s/%s", dev->path, dev->wanted[i]);
}

void xlcfg__xen_dev_fill(struct xlcfg__xs *xs, struct xlcfg__xen_dev *dev)
{
    xlcfg__xs_read_many(xs, dev->path, dev->wanted, dev->count,
                        dev->values);
    parse_backend(dev);
}

int xlcfg__xen_dev_read(struct xlcfg__xs *xs,
                        const struct xlcfg__xen_front *front,
                        uint32_t domid, uint32_t devid,
                        struct xlcfg__xen_dev *dev)
{
    int r;

    xlcfg__xen_dev_init(front, domid, devid, dev);
    r = xlcfg__xen_dev_list(xs, dev);
    if (!r)
        xlcfg__xen_dev_fill(xs, dev);
    return r;
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
