/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML as a tree, made free of what only one run of a guest has. */
#ifndef XLCFG_DRIVER_VIRT_TREE_H
#define XLCFG_DRIVER_VIRT_TREE_H

#include "core/xml.h"

#define xlcfg__virt_parse(xml, len, root, doc_r, err) \
    xlcfg__xml_parse(xml, len, root, XLCFG__XML_DEPTH, doc_r, err)
#define xlcfg__virt_bad xlcfg__xml_bad
#define xlcfg__virt_is xlcfg__xml_is
#define xlcfg__virt_child xlcfg__xml_child
#define xlcfg__virt_make xlcfg__xml_make
#define xlcfg__virt_drop xlcfg__xml_drop
#define xlcfg__virt_get xlcfg__xml_get
#define xlcfg__virt_has xlcfg__xml_has
#define xlcfg__virt_set xlcfg__xml_set
#define xlcfg__virt_text xlcfg__xml_text

/* Take out what is not configuration, bring <devices> into its order; the
 * node is a <domain>, one that runs has an id.  False: out of memory. */
bool xlcfg__virt_canon(xmlNodePtr domain);
/* running: the element is one of a domain that runs. */
void xlcfg__virt_canon_device(xmlNodePtr dev, bool running);
int xlcfg__virt_rank(const char *device);
/* Is this USB controller a part of another one of its index? */
bool xlcfg__virt_is_companion(xmlNodePtr dev);

#endif
