/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl's functions that plug, by kind of device: which there are, and one
 * way to call them.  Each call makes a libxl context of its own; all but
 * _here do so in a child process.
 */
#ifndef XLCFG_DRIVER_XEN_PLUG_KIND_H
#define XLCFG_DRIVER_XEN_PLUG_KIND_H

#include "core/err.h"
#include "core/kind.h"

#include <sys/types.h>

/* libxl waits 10 s for a backend and 40 s for its script. */
#define XLCFG__XEN_LIBXL_MS 65000

enum xlcfg__xen_verb {
    XLCFG__XEN_ADD,
    XLCFG__XEN_REMOVE,          /* after ten seconds most of them force */
    XLCFG__XEN_DESTROY,         /* without the guest */
    XLCFG__XEN_INSERT,          /* another medium */
    XLCFG__XEN_VERBS
};

bool xlcfg__xen_has(enum xlcfg_kind kind, enum xlcfg__xen_verb verb);
/* What is missing, for a message: "libxl_device_p9_add". */
void xlcfg__xen_verb_name(enum xlcfg_kind kind, enum xlcfg__xen_verb verb,
                          char *text, size_t size);

/*
 * json is the body, NUL-terminated.  For a child: its libxl context stays
 * open until it ends.  INVAL: libxl does not read it;
 * DEVICE_EXISTS, DOMAIN_NOTFOUND, NOMEM; NI: there is no such function;
 * REFUSED with what libxl logged; UNREACHABLE: there is no libxl to be had.
 */
int xlcfg__xen_call_here(enum xlcfg_kind kind, enum xlcfg__xen_verb verb,
                         uint32_t domid, const char *json, xlcfg_error *err);
/* The same in a child; PENDING: it was not done within its time.  left as
 * xlcfg__xen_child has it. */
int xlcfg__xen_call(enum xlcfg_kind kind, enum xlcfg__xen_verb verb,
                    uint32_t domid, const char *json, pid_t *left,
                    xlcfg_error *err);

#endif
