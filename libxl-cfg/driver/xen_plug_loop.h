/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loop device that Xen's block script makes of an image, and frees when
 * the disk goes - unless it fails, is killed, or cannot read its notes.
 */
#ifndef XLCFG_DRIVER_XEN_PLUG_LOOP_H
#define XLCFG_DRIVER_XEN_PLUG_LOOP_H

#include "driver/xen_plug_node.h"

struct xlcfg__xen_loop {
    int number;                 /* -1: there is none */
    char backing[4096];         /* the image it stands for */
};

/* What the script noted of this backend, before the backend goes. */
void xlcfg__xen_loop_of(struct xlcfg__xs *xs,
                        const struct xlcfg__xen_nodes *nodes,
                        struct xlcfg__xen_loop *loop);
/* Does it still stand for that image, and no other disk's backend use it? */
bool xlcfg__xen_loop_leaked(struct xlcfg__xs *xs,
                            const struct xlcfg__xen_loop *loop);
/* FAIL, with the words of the kernel. */
int xlcfg__xen_loop_free(const struct xlcfg__xen_loop *loop,
                         xlcfg_error *err);

#endif
