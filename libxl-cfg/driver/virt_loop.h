/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's event loop, for a program that has none. */
#ifndef XLCFG_DRIVER_VIRT_LOOP_H
#define XLCFG_DRIVER_VIRT_LOOP_H

#include <stdbool.h>

/* Registers the loop and starts its thread, once in a process and for as long
 * as it lives.  False: it could not, and libvirt has no loop. */
bool xlcfg__virt_loop_start(void);

#endif
