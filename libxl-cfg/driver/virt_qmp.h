/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's monitor, through libvirt. */
#ifndef XLCFG_DRIVER_VIRT_QMP_H
#define XLCFG_DRIVER_VIRT_QMP_H

#include "driver/virt_i.h"

/* Takes arguments (NULL: none).  return_r may be NULL.  REFUSED with QEMU's
 * words, UNREACHABLE. */
int xlcfg__qmp(struct virt *v, virDomainPtr d, const char *command,
               xlcfg_doc *arguments, xlcfg_doc **return_r, xlcfg_error *err);
xlcfg_doc *xlcfg__qmp_one(const char *name, const char *value);
/* [{"name", "type"}] of what has an id in QEMU. */
int xlcfg__qmp_devices(struct virt *v, virDomainPtr d, xlcfg_doc **list_r,
                       xlcfg_error *err);
/* What a detach begins with, to be disposed of also after an error. */
struct xlcfg__virt_ground {
    xlcfg_doc *devices;         /* as above; NULL: QEMU says no, or is none */
    xmlDocPtr live;             /* what libvirt lists */
};
/* If it was not asked for ahead, now.  UNREACHABLE: QEMU does not answer,
 * nothing is to be asked of it. */
int xlcfg__virt_ask_ground(struct virt *v, virDomainPtr d, const char *uuid,
                           struct xlcfg__virt_ground *ground_r,
                           xlcfg_error *err);
void xlcfg__virt_ground_dispose(struct xlcfg__virt_ground *ground);
bool xlcfg__qmp_has(const xlcfg_doc *devices, const char *id);
/* [{"node-name", "used"}] of its block nodes; used: by one that is not of the
 * same image, or by something else of QEMU's, as far as it says.  PENDING: it
 * is not to be asked while it has a job at work. */
int xlcfg__qmp_nodes(struct virt *v, virDomainPtr d, xlcfg_doc **list_r,
                     xlcfg_error *err);
/* NULL: it has none, or cannot be read. */
xlcfg_doc *xlcfg__qmp_property(struct virt *v, virDomainPtr d,
                               const char *id, const char *property);

#endif
