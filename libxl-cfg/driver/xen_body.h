/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a device's directory below /libxl/<domid>/device to libxl's body of
 * it.  That copy is dom0's alone; what the guest or a driver domain can
 * write is never read into a body.
 *
 * A new kind is a row in `fronts` and a table of its keys (xen_key.c).
 */
#ifndef XLCFG_DRIVER_XEN_BODY_H
#define XLCFG_DRIVER_XEN_BODY_H

#include "core/kind.h"
#include "driver/xen_xs.h"

/* How a xenstore value becomes a member. */
enum xlcfg__xen_as {
    XLCFG__XEN_STRING,          /* left out when empty */
    XLCFG__XEN_NUMBER,          /* left out when 0 */
    XLCFG__XEN_HEX,             /* the same of "0x1000" */
    XLCFG__XEN_ONE,             /* "1" is the number 1, else left out */
    XLCFG__XEN_BOOL,            /* "1" is true, else left out */
    XLCFG__XEN_DEFBOOL,         /* "True" or "False" */
    XLCFG__XEN_MAC, XLCFG__XEN_UUID, XLCFG__XEN_VIF_TYPE,
    XLCFG__XEN_IS_W,            /* "w" is the number 1 */
    XLCFG__XEN_IS_CDROM,        /* "cdrom" is the number 1 */
    XLCFG__XEN_BESIDE,          /* read; the kind's own function takes it */
};

struct xlcfg__xen_key {
    const char *key;
    const char *field;          /* "vnc/listen": in a sub-object */
    enum xlcfg__xen_as as;
};

/* A kind of frontend: a directory's name below device. */
struct xlcfg__xen_front {
    const char *name;
    enum xlcfg_kind kind;
    const struct xlcfg__xen_key *keys;  /* ends with key NULL */
    const char *backends[4];            /* kinds of backend it may have */
};

struct xlcfg__xen_dev {
    const struct xlcfg__xen_front *front;
    uint32_t domid, devid;
    char path[128];                     /* of its directory */
    struct xlcfg__xs_names names;       /* what is in there */
    const char **wanted;                /* of those, what was read */
    struct xlcfg__xs_value *values;
    size_t count;
    /* what `backend` says; parsed when bekind is not "" */
    uint32_t bedom;
    char bekind[32];
    char backend[XLCFG__XS_PATH_MAX];
};

extern const struct xlcfg__xen_front xlcfg__xen_fronts[];  /* ends: NULL */

/* NULL when there is no such. */
const struct xlcfg__xen_front *xlcfg__xen_front(const char *name);
const struct xlcfg__xen_front *xlcfg__xen_front_of(const char *bekind);

/*
 * List the directory and read the keys in it that are wanted.  0, or an
 * errno of the listing (ENOENT: it is gone), or ENOMEM.
 */
int xlcfg__xen_dev_read(struct xlcfg__xs *xs,
                        const struct xlcfg__xen_front *front,
                        uint32_t domid, uint32_t devid,
                        struct xlcfg__xen_dev *dev);
/*
 * The same in parts, for many at once: each part of all of them goes out
 * together.  list answers as read does; fill is for those listed.
 */
void xlcfg__xen_dev_init(const struct xlcfg__xen_front *front,
                         uint32_t domid, uint32_t devid,
                         struct xlcfg__xen_dev *dev);
int xlcfg__xen_dev_list(struct xlcfg__xs *xs, struct xlcfg__xen_dev *dev);
void xlcfg__xen_dev_will_fill(struct xlcfg__xs *xs,
                              const struct xlcfg__xen_dev *dev);
void xlcfg__xen_dev_fill(struct xlcfg__xs *xs, struct xlcfg__xen_dev *dev);
void xlcfg__xen_dev_dispose(struct xlcfg__xen_dev *dev);

/* NULL: was not in the directory. */
const struct xlcfg__xs_value *xlcfg__xen_value(
    const struct xlcfg__xen_dev *dev, const char *key);
/* Its text, "" when there is none. */
const char *xlcfg__xen_text(const struct xlcfg__xen_dev *dev,
                            const char *key);
/* COLO's keys of a nic are named as libxl's members are. */
bool xlcfg__xen_is_colo(const struct xlcfg__xen_front *front,
                        const char *name);
/* "pv", "qusb", "devicemodel" of a USB controller; "" when it is none. */
const char *xlcfg__xen_usb_type(const struct xlcfg__xen_dev *dev);

/* bedom_name may be NULL.  NULL: no memory. */
xlcfg_doc *xlcfg__xen_body(const struct xlcfg__xen_dev *dev,
                           const char *bedom_name);
/* The next key from *i on whose value is none that libxl writes there, and
 * what was expected in its place; NULL: there is none. */
const char *xlcfg__xen_odd(const struct xlcfg__xen_dev *dev, size_t *i,
                           const char **expected_r);
/* The i-th key that libxl writes for each device of a kind and a body needs;
 * NULL: there are no more. */
const char *xlcfg__xen_must(enum xlcfg_kind kind, size_t i);
/* The least that tells a device apart. */
xlcfg_doc *xlcfg__xen_stub_body(enum xlcfg_kind kind, uint32_t devid);

#endif
