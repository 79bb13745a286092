/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML as a tree, made free of what only one run of a guest has. */
#ifndef XLCFG_DRIVER_VIRT_TREE_H
#define XLCFG_DRIVER_VIRT_TREE_H

#include "core/xml.h"

/* xlcfg__xml_parse, within the bounds of a domain's XML. */
static inline int xlcfg__virt_parse(const char *xml, size_t len,
                                    const char *root, xmlDocPtr *doc_r,
                                    xlcfg_error *err)
{
    return xlcfg__xml_parse(xml, len, root, XLCFG__XML_DEPTH, doc_r, err);
}

/* Take out what is not configuration, bring <devices> into its order; the
 * node is a <domain>, one that runs has an id.  False: out of memory. */
bool xlcfg__virt_canon(xmlNodePtr domain);
/* Of that what a start gives to a domain that says nothing of it. */
void xlcfg__virt_canon_usual(xmlNodePtr domain);
/* running: the element is one of a domain that runs. */
void xlcfg__virt_canon_device(xmlNodePtr dev, bool running);
/* An attribute where libvirt writes it: behind those of these names that are
 * there, before all others.  False: no memory. */
bool xlcfg__virt_set_behind(xmlNodePtr node, const char *const *first,
                            const char *name, const char *value);
bool xlcfg__virt_set_type(xmlNodePtr driver, const char *type);
int xlcfg__virt_rank(const char *device);
/* Is this USB controller a part of another one of its index? */
bool xlcfg__virt_is_companion(xmlNodePtr dev);

#endif
