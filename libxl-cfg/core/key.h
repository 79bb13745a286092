/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device keys: who a device is, in text.
 *
 *     disk/xvda  nic/0  pci/0000:03:00.0  usbdev/0.1  vtpm/0
 *
 * `match` is what two views are compared by: it is the key, but for disks
 * the number the name stands for (xvda and 51712 are one disk), and for
 * channels the name.  `alt` names
 * a device whose template gave no identity: a nic by its MAC, a PCI device
 * by its name, a USB device by its host address.  A device with no identity
 * of its own is known by its alt.
 */
#ifndef XLCFG_CORE_KEY_H
#define XLCFG_CORE_KEY_H

#include "core/kind.h"

#define XLCFG_KEY_MAX 256

struct xlcfg_ident {
    char key[XLCFG_KEY_MAX];            /* "" when it cannot be told */
    char match[XLCFG_KEY_MAX];
    char alt[XLCFG_KEY_MAX];            /* "" when there is none */
};

/* Never fails: what cannot be told is "". */
void xlcfg__key_of(enum xlcfg_kind kind, const xlcfg_doc *body,
                   struct xlcfg_ident *id);

/* Kind of a key's text; XLCFG_KINDS when it is no key. */
enum xlcfg_kind xlcfg__key_kind(const char *key);

/* Six bytes in hexadecimal, with colons between. */
bool xlcfg__is_mac(const char *s);

/* Can a device have this key?  "nic/x" is none that a device ever has. */
bool xlcfg__key_is_possible(const char *key);

/*
 * Are these two keys of one device, whichever way they are written?  disk/xvda
 * is disk/51712, pci/3:0.0 is pci/0000:03:00.0, nic/00 is nic/0; a MAC may have
 * capitals.
 */
bool xlcfg__key_same(const char *a, const char *b);

/*
 * The virtual device number of a Xen disk name: xvda, xvda1, hda, sda,
 * d0, d0p1, or a number; -1 when it is none of them.
 * Source: Xen's xen-vbd-interface(7).
 */
int xlcfg__vdev_number(const char *vdev);
/* The usual name of a number, "xvda"; "" when it has none. */
void xlcfg__vdev_name(int devid, char *buf, size_t size);

/* "0000:03:00.0" into its parts; false when it is no such address. */
bool xlcfg__bdf_parse(const char *s, unsigned part[4]);

#endif
