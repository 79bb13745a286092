/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Domain XML and libxl-shaped configurations.  to_xml(from_xml(x)) is x
 * without what belongs to one run, with the devices in libvirt's order.
 */
#ifndef XLCFG_DRIVER_VIRT_XML_H
#define XLCFG_DRIVER_VIRT_XML_H

#include "core/kind.h"

#include <libxml/tree.h>

/* PARSE, with "line N: <element>" as where. */
int xlcfg__virt_from_xml(const char *xml, size_t len, xlcfg_doc **config_r,
                         xlcfg_error *err);
/*
 * The same of a tree, which is changed by it and stays the caller's.
 * addresses_r, unless NULL, gets the address of each device, or null, by the
 * name of its array and in the order of that.
 */
int xlcfg__virt_from_tree(xmlDocPtr doc, xlcfg_doc **config_r,
                          xlcfg_doc **addresses_r, xlcfg_error *err);
/* INVAL: what libvirt has no word for.  The text is malloc'd. */
int xlcfg__virt_to_xml(const xlcfg_doc *config, char **xml_r,
                       xlcfg_error *err);
/* PARSE; NI: an element that libxl has no kind for. */
int xlcfg__virt_device_from_xml(const char *xml, size_t len,
                                enum xlcfg_kind *kind_r,
                                xlcfg_doc **body_r, xlcfg_error *err);

#endif
