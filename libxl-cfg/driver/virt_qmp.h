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
bool xlcfg__qmp_has(const xlcfg_doc *devices, const char *id);
/* NULL: it has none, or cannot be read. */
xlcfg_doc *xlcfg__qmp_property(struct virt *v, virDomainPtr d,
                               const char *id, const char *property);

#endif
