/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One device: libvirt's element and libxl's body.  A table says which field
 * stands where; what libxl has no word for stays in "x-libvirt", the
 * element itself.
 */
#ifndef XLCFG_DRIVER_VIRT_BODY_H
#define XLCFG_DRIVER_VIRT_BODY_H

#include "core/kind.h"
#include "driver/virt_tree.h"

/* The kind of a device element; XLCFG_KINDS: libxl has none for it. */
enum xlcfg_kind xlcfg__virt_kind(xmlNodePtr dev);

/* nth: how many of this kind stood before it.  PARSE names the element.
 * Whether the body says which device it is, is the caller's to ask. */
int xlcfg__virt_body(enum xlcfg_kind kind, xmlNodePtr dev, size_t nth,
                     xlcfg_doc **body_r, xlcfg_error *err);
/* The element of a body, under parent.  INVAL: a field that libvirt has no
 * word for; PARSE: a bad x-libvirt. */
int xlcfg__virt_element(enum xlcfg_kind kind, const xlcfg_doc *body,
                        xmlNodePtr parent, xlcfg_error *err);
/*
 * Of what the body has no more the element says nothing, either: members of
 * before that are not in after.  INVAL: one that each element says.
 */
int xlcfg__virt_leave_out(enum xlcfg_kind kind, const xlcfg_doc *before,
                          const xlcfg_doc *after, xmlNodePtr dev,
                          xlcfg_error *err);
/* <address> as {"type": "pci", "bus": "0x01", ...}; NULL when it has none,
 * with *nomem_r set when memory ran out. */
xlcfg_doc *xlcfg__virt_address(const xlcfg_doc *body, bool *nomem_r);
/* The same of the element; null when it has none, NULL: no memory. */
xlcfg_doc *xlcfg__virt_address_of(xmlNodePtr dev);

#endif
