/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices: those /libxl/<domid>/device has, and backends that none has. */
#include "driver/xen_look.h"
#include "driver/xen_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int xlcfg__xen_add(struct xlcfg__look *look, enum xlcfg_kind kind,
                   xlcfg_doc *body, const struct xlcfg__verdict *v)
{
    struct xlcfg_dev *dev;
    int rc;

    if (!body)
        return XLCFG_ERROR_NOMEM;
    rc = xlcfg__view_add(look->view, kind, body, NULL, v->live, &dev);
    if (!rc && dev && v->reason[0])
        rc = xlcfg__dev_because(dev, "%s", v->reason);
    return rc;
}

/* The primary console, and those a stubdomain serves: a channel always has a
 * name, and its number is one from 1 on. */
static bool is_no_channel(const struct xlcfg__xen_dev *dev)
{
    return dev->front->kind == XLCFG_KIND_CHANNEL &&
        (!dev->devid || !xlcfg__xen_value(dev, "name"));
}

/* The first keyboard without a name is every HVM guest's. */
static bool is_implicit(const struct xlcfg__look *look,
                        const struct xlcfg__xen_dev *dev)
{
    return dev->front->kind == XLCFG_KIND_VKB && !dev->devid &&
        !strcmp(look->type, "hvm") && !strcmp(dev->bekind, "vkbd") &&
        !xlcfg__xen_value(dev, "unique-id");
}

/* What could not be read of a body is named; the device stays. */
static void note_unreadable(struct xlcfg__look *look,
                            const struct xlcfg__xen_dev *dev)
{
    for (size_t i = 0; i < dev->count; i++) {
        int error = dev->values[i].text ? 0 : dev->values[i].error;

        if (error && error != ENOENT)
            xlcfg__view_note(look->view, "%s/%s: %s",
                             dev->path, dev->wanted[i],
                             error == EILSEQ ? "is no text"
                             : strerror(error));
    }
}

static bool in_view(const struct xlcfg_view *view, enum xlcfg_kind kind,
                    const xlcfg_doc *body)
{
    struct xlcfg_ident id;

    xlcfg__key_of(kind, body, &id);
    for (size_t i = 0; i < view->count; i++)
        if (!strcmp(view->devs[i].match, id.match))
            return true;
    return false;
}

/* libxl's own folder says what it would not: a rebuilt guest would get
 * something else, such as another MAC. */
static void note_odd(struct xlcfg__look *look,
                     const struct xlcfg__xen_dev *dev)
{
    const char *array = xlcfg__kinds[dev->front->kind].array;
    const char *key, *expected;
    size_t i = 0;

    while ((key = xlcfg__xen_odd(dev, &i, &expected)))
        xlcfg__view_note(look->view, "/%s: %s/%s is '%.40s', expected %s",
                         array, dev->path, key, xlcfg__xen_text(dev, key),
                         expected);
    for (i = 0; (key = xlcfg__xen_must(dev->front->kind, i)); i++)
        if (!xlcfg__xen_value(dev, key))
            xlcfg__view_note(look->view, "/%s: %s has no %s", array,
                             dev->path, key);
}

static int add_device(struct xlcfg__look *look,
                      const struct xlcfg__xen_dev *dev)
{
    struct xlcfg__xs_value name = { NULL, ENOENT };
    struct xlcfg__verdict v = { XLCFG_LIVE_PRESENT, "" };
    xlcfg_doc *body;
    size_t count;
    int rc;

    if (is_no_channel(dev) || !xlcfg__xen_judge(look, dev, &v))
        return 0;
    if (*dev->bekind && dev->bedom)
        xlcfg__xs_read(look->xs, &name, "/local/domain/%u/name",
                       dev->bedom);
    note_unreadable(look, dev);
    if (v.live != XLCFG_LIVE_PARTIAL)
        note_odd(look, dev);
    body = xlcfg__xen_body(dev, name.text);
    xlcfg__xs_value_dispose(&name, 1);
    /* a vbd of the same number came first: the table's order */
    if (body && !strcmp(dev->front->name, "virtio_disk") &&
        in_view(look->view, XLCFG_KIND_DISK, body)) {
        xlcfg__view_note(look->view, "/disks: %s has the number of another "
                         "disk", dev->path);
        xlcfg_doc_free(body);
        return 0;
    }
    count = look->view->count;
    rc = xlcfg__xen_add(look, dev->front->kind, body, &v);
    if (look->view->count > count)
        look->view->devs[count].implicit = is_implicit(look, dev);
    if (!rc && dev->front->kind == XLCFG_KIND_USBCTRL)
        rc = xlcfg__xen_usb_ports(look, dev, &v);
    return rc;
}

/* A device whose directory cannot be listed is there, and unknown. */
static int add_unlisted(struct xlcfg__look *look,
                        const struct xlcfg__xen_front *front,
                        uint32_t devid, int r)
{
    struct xlcfg__verdict v;

    xlcfg__verdict(&v, XLCFG_LIVE_UNKNOWN,
                   "/libxl/%u/device/%s/%u: cannot list: %s", look->domid,
                   front->name, devid, strerror(r));
    return xlcfg__xen_add(look, front->kind,
                          xlcfg__xen_stub_body(front->kind, devid), &v);
}

/* All devices there are, each part of them read together. */
struct found {
    struct found_one {
        struct xlcfg__xen_dev dev;
        int r;                  /* an errno of its listing */
    } *v;
    size_t count;
};

static int find_kind(struct xlcfg__look *look,
                     const struct xlcfg__xen_front *front,
                     struct found *found)
{
    struct xlcfg__xs_names ids;
    struct found_one *more;
    int r;

    r = xlcfg__xs_list(look->xs, &ids, "/libxl/%u/device/%s", look->domid,
                       front->name);
    if (r && r != ENOENT) {
        look->view->sees[front->kind] = false;
        xlcfg__view_note(look->view, "/%s: cannot list /libxl/%u/device/%s:"
                         " %s", xlcfg__kinds[front->kind].array,
                         look->domid, front->name, strerror(r));
    }
    more = reallocarray(found->v, found->count + ids.count + 1,
                        sizeof(*more));
    if (!more) {
        xlcfg__xs_names_dispose(&ids);
        return XLCFG_ERROR_NOMEM;
    }
    found->v = more;
    for (unsigned i = 0; i < ids.count; i++) {
        struct xlcfg__xen_dev *dev = &found->v[found->count].dev;
        uint64_t devid;

        if (front->kind == XLCFG_KIND_CHANNEL && !strcmp(ids.v[i], "0"))
            continue;           /* the primary console is no channel */
        if (!xlcfg__xs_number(ids.v[i], INT32_MAX, &devid)) {
            xlcfg__view_note(look->view, "/%s: /libxl/%u/device/%s/%s: "
                             "expected a device number",
                             xlcfg__kinds[front->kind].array, look->domid,
                             front->name, ids.v[i]);
            continue;
        }
        xlcfg__xen_dev_init(front, look->domid, (uint32_t)devid, dev);
        xlcfg__xs_will_list(look->xs, "%s", dev->path);
        found->count++;
    }
    xlcfg__xs_names_dispose(&ids);
    return 0;
}

static int add_found(struct xlcfg__look *look, struct found *found)
{
    int rc = xlcfg__view_reserve(look->view, found->count);

    for (size_t i = 0; i < found->count; i++) {
        struct found_one *one = &found->v[i];

        one->r = xlcfg__xen_dev_list(look->xs, &one->dev);
        if (!one->r)
            xlcfg__xen_dev_will_fill(look->xs, &one->dev);
    }
    for (size_t i = 0; i < found->count; i++)
        if (!found->v[i].r) {
            xlcfg__xen_dev_fill(look->xs, &found->v[i].dev);
            if (!is_no_channel(&found->v[i].dev))
                xlcfg__xen_will_judge(look, &found->v[i].dev);
        }
    for (size_t i = 0; i < found->count && !rc; i++) {
        const struct xlcfg__xen_dev *dev = &found->v[i].dev;
        int r = found->v[i].r;

        if (r && r != ENOENT)
            rc = r == ENOMEM ? XLCFG_ERROR_NOMEM
                : add_unlisted(look, dev->front, dev->devid, r);
        else if (!r)
            rc = add_device(look, dev);
    }
    return rc;
}

static void found_dispose(struct found *found)
{
    for (size_t i = 0; i < found->count; i++)
        xlcfg__xen_dev_dispose(&found->v[i].dev);
    free(found->v);
}

int xlcfg__xen_devices(struct xlcfg__look *look)
{
    const struct xlcfg__xen_front *f;
    struct xlcfg__xs_names kinds;
    struct found found = { NULL, 0 };
    int rc = 0;
    int r;

    r = xlcfg__xs_list(look->xs, &kinds, "/libxl/%u/device", look->domid);
    /* rdms and dtdevs leave no trace in xenstore */
    for (int k = 0; k < XLCFG_KINDS; k++)
        look->view->sees[k] = (!r || r == ENOENT) &&
            k != XLCFG_KIND_RDM && k != XLCFG_KIND_DTDEV;
    if (r && r != ENOENT)
        xlcfg__view_note(look->view, "/libxl/%u/device: cannot list: %s",
                         look->domid, strerror(r));
    for (f = xlcfg__xen_fronts; f->name; f++)
        if (xlcfg__xs_names_has(&kinds, f->name) &&
            !xlcfg__xen_will_kind(look->xen, look->domid, f->name))
            xlcfg__xs_will_list(look->xs, "/libxl/%u/device/%s",
                                look->domid, f->name);
    for (f = xlcfg__xen_fronts; f->name && !rc; f++)
        if (xlcfg__xs_names_has(&kinds, f->name))
            rc = find_kind(look, f, &found);
    if (!rc)
        rc = add_found(look, &found);
    found_dispose(&found);
    for (unsigned i = 0; i < kinds.count; i++)
        if (!xlcfg__xen_front(kinds.v[i]) && strcmp(kinds.v[i], "vuart") &&
            strcmp(kinds.v[i], "pci"))
            xlcfg__view_note(look->view,
                             "/libxl/%u/device/%s: a kind of device that "
                             "is not known here", look->domid, kinds.v[i]);
    xlcfg__xs_names_dispose(&kinds);
    return rc;
}

/* ---- leaked backends ---- */

/* Does a backend's own record say that it was made for this device? */
static bool is_ours(struct xlcfg__look *look, const char *back,
                    const struct xlcfg__xen_front *front, uint32_t devid)
{
    static const char *const keys[] = { "frontend", "frontend-id" };
    struct xlcfg__xs_value v[2];
    char path[128], id[16];
    bool ours;

    snprintf(path, sizeof(path), "/local/domain/%u/device/%s/%u",
             look->domid, front->name, devid);
    snprintf(id, sizeof(id), "%u", look->domid);
    xlcfg__xs_read_many(look->xs, back, keys, 2, v);
    ours = !strcmp(xlcfg__xs_text(&v[0]), path) &&
        !strcmp(xlcfg__xs_text(&v[1]), id);
    xlcfg__xs_value_dispose(v, 2);
    return ours;
}

static bool is_listed(struct xlcfg__look *look,
                      const struct xlcfg__xen_front *front, uint32_t devid)
{
    struct xlcfg__xs_names names;
    int r;

    /* Asked now: it may have been plugged since the listing. */
    r = xlcfg__xs_list(look->xs, &names, "/libxl/%u/device/%s/%u",
                       look->domid, front->name, devid);
    xlcfg__xs_names_dispose(&names);
    return r != ENOENT;
}

static int leak_one(struct xlcfg__look *look, uint32_t bedom,
                    const char *bekind, const char *text)
{
    const struct xlcfg__xen_front *front = xlcfg__xen_front_of(bekind);
    struct xlcfg__verdict v;
    char back[128];
    uint64_t devid;
    xlcfg_doc *body;

    if (!xlcfg__xs_number(text, INT32_MAX, &devid))
        return 0;
    snprintf(back, sizeof(back), "/local/domain/%u/backend/%s/%u/%u", bedom,
             bekind, look->domid, (uint32_t)devid);
    body = xlcfg__xen_stub_body(front->kind, (uint32_t)devid);
    if (!body)
        return XLCFG_ERROR_NOMEM;
    if (in_view(look->view, front->kind, body) ||
        !is_ours(look, back, front, (uint32_t)devid) ||
        is_listed(look, front, (uint32_t)devid)) {
        xlcfg_doc_free(body);
        return 0;
    }
    xlcfg__verdict(&v, XLCFG_LIVE_LEAKED,
                   "the backend %s has no device in /libxl", back);
    return xlcfg__xen_add(look, front->kind, body, &v);
}

static bool has_leaks(const char *bekind)
{
    const struct xlcfg__xen_front *front = xlcfg__xen_front_of(bekind);

    return front && front->kind != XLCFG_KIND_CHANNEL;
}

static int leaks_of(struct xlcfg__look *look, uint32_t bedom,
                    const char *bekind)
{
    struct xlcfg__xs_names ids;
    int rc = 0;
    int r;

    if (!has_leaks(bekind))
        return 0;
    r = xlcfg__xs_list(look->xs, &ids, "/local/domain/%u/backend/%s/%u",
                       bedom, bekind, look->domid);
    if (r && r != ENOENT)
        xlcfg__view_note(look->view, "/local/domain/%u/backend/%s/%u: "
                         "cannot list: %s", bedom, bekind, look->domid,
                         strerror(r));
    for (unsigned i = 0; i < ids.count && !rc; i++)
        rc = leak_one(look, bedom, bekind, ids.v[i]);
    xlcfg__xs_names_dispose(&ids);
    return rc;
}

/* The domain that may have backends of this one; false: it is none. */
static bool serves(const struct xlcfg__look *look, const char *name,
                   uint32_t *bedom_r)
{
    uint64_t bedom;

    if (!xlcfg__xs_number(name, 0x7fef, &bedom) ||
        (bedom == look->domid && bedom))
        return false;
    *bedom_r = (uint32_t)bedom;
    return xlcfg__xen_watch_serves(look->xen->watch, *bedom_r);
}

/* A guest's backend may be in any domain. */
int xlcfg__xen_leaks(struct xlcfg__look *look)
{
    uint32_t bedom;
    int rc = 0;

    for (unsigned i = 0; i < look->alive.count; i++)
        if (serves(look, look->alive.v[i], &bedom) && bedom)
            xlcfg__xs_will_list(look->xs, "/local/domain/%u/backend", bedom);
    for (unsigned i = 0; i < look->alive.count && !rc; i++) {
        struct xlcfg__xs_names kinds;
        int r;

        if (!serves(look, look->alive.v[i], &bedom))
            continue;
        r = xlcfg__xs_list(look->xs, &kinds, "/local/domain/%u/backend",
                           bedom);
        if (r && r != ENOENT)
            xlcfg__view_note(look->view, "/local/domain/%u/backend: cannot "
                             "list: %s", bedom, strerror(r));
        for (unsigned k = 0; k < kinds.count; k++)
            if (has_leaks(kinds.v[k]))
                xlcfg__xs_will_list(look->xs,
                                    "/local/domain/%u/backend/%s/%u",
                                    bedom, kinds.v[k], look->domid);
        for (unsigned k = 0; k < kinds.count && !rc; k++)
            rc = leaks_of(look, bedom, kinds.v[k]);
        xlcfg__xs_names_dispose(&kinds);
    }
    return rc;
}
