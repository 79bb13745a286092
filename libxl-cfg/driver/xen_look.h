/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One look at one domain: what the parts of the live view share.
 *
 * The index of devices is /libxl/<domid>, which dom0 alone can write; the
 * backend says how a device is; the frontend, which is the guest's, says
 * nothing.
 */
#ifndef XLCFG_DRIVER_XEN_LOOK_H
#define XLCFG_DRIVER_XEN_LOOK_H

#include "driver/driver.h"
#include "driver/xen_body.h"
#include "driver/xen_child.h"
#include "driver/xen_hv.h"
#include "driver/xen_xs.h"

struct xlcfg__xen {             /* the driver's handle */
    struct xlcfg__xs *xs;
    struct xlcfg__hv *hv;
    struct xlcfg__xen_watch *watch;     /* NULL: nobody watches */
    struct xlcfg__xen_hand hand;        /* of those who act */
    char last_uuid[37];         /* found last, under last_domid: tried first */
    uint32_t last_domid;
    struct xlcfg__xs_names kinds;       /* that the last index found */
    uint32_t kinds_domid;               /* in this domain */
};

struct xlcfg__look {
    struct xlcfg__xen *xen;
    struct xlcfg__xs *xs;       /* xen->xs, for short */
    const struct xlcfg_domain *dom;
    uint32_t domid;
    const char *type;           /* "pv", "pvh", "hvm"; "" not known */
    struct xlcfg_view *view;
    struct xlcfg__xs_names alive;       /* the domains there are */
};

struct xlcfg__verdict {
    enum xlcfg_live live;
    char reason[512];           /* "" for PRESENT */
};

/* Set live and why. */
void xlcfg__verdict(struct xlcfg__verdict *v, enum xlcfg_live live,
                    const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool xlcfg__xen_alive(const struct xlcfg__look *look, uint32_t domid);
/* view_add, and the reason.  Takes body; NULL: NOMEM. */
int xlcfg__xen_add(struct xlcfg__look *look, enum xlcfg_kind kind,
                   xlcfg_doc *body, const struct xlcfg__verdict *v);

/* xen_state.c: what the backend of a device shows.  False: the device went
 * away while it was looked at. */
bool xlcfg__xen_judge(struct xlcfg__look *look,
                      const struct xlcfg__xen_dev *dev,
                      struct xlcfg__verdict *v);
/* It is to be judged after others of which the same was said. */
void xlcfg__xen_will_judge(struct xlcfg__look *look,
                           const struct xlcfg__xen_dev *dev);

/* Parts of the view: 0 or NOMEM; anything else is noted in it. */
int xlcfg__xen_devices(struct xlcfg__look *look);       /* xen_device.c */
int xlcfg__xen_leaks(struct xlcfg__look *look);         /* xen_device.c */
int xlcfg__xen_usb_ports(struct xlcfg__look *look,      /* xen_slot.c */
                         const struct xlcfg__xen_dev *ctrl,
                         const struct xlcfg__verdict *of_ctrl);
int xlcfg__xen_pci(struct xlcfg__look *look);           /* xen_slot.c */
int xlcfg__xen_scalars(struct xlcfg__look *look);       /* xen_scalar.c */

/* Was this kind's folder announced with the beginning of a look? */
bool xlcfg__xen_will_kind(const struct xlcfg__xen *xen, uint32_t domid,
                          const char *kind);              /* xen_live.c */

/* The domain whose `pci` backend serves this guest: itself or its
 * stubdomain. */
uint32_t xlcfg__xen_pci_guest(struct xlcfg__xs *xs, uint32_t domid);

/* xen_dom.c */
int xlcfg__xen_list(void *handle, struct xlcfg_domains *list,
                    xlcfg_error *err);
/* The uuid of a /vm path in lower case, "" when it is none. */
void xlcfg__xen_vm_uuid(const char *vm, char uuid[37]);
int xlcfg__xen_find(void *handle, const char *text,
                    struct xlcfg_domain *dom_r, xlcfg_error *err);

/* driver.h's pulse. */
int xlcfg__xen_pulse(void *handle, struct xlcfg_domains *list,
                     char ***texts_r, xlcfg_error *err);

/* driver.h's capacity: of images and devices of this host. */
int xlcfg__xen_capacity(void *handle, const struct xlcfg_domain *dom,
                        const xlcfg_doc *disk, uint64_t *bytes_r,
                        xlcfg_error *err);

#endif
