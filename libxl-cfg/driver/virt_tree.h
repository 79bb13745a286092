/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Domain XML as a tree: read with bounds, looked at and changed by short
 * paths, made free of what only one run of a guest has.
 *
 *     "source@file"   attribute file of the child source
 *     "@index"        an attribute of the element itself
 */
#ifndef XLCFG_DRIVER_VIRT_TREE_H
#define XLCFG_DRIVER_VIRT_TREE_H

#include "core/doc.h"

#include <libxml/tree.h>

#define XLCFG__XML_SIZE ((size_t)8 << 20)
#define XLCFG__XML_DEPTH 64

/* PARSE, with "line N: <element>" as where.  root NULL: any element. */
int xlcfg__virt_parse(const char *xml, size_t len, const char *root,
                      xmlDocPtr *doc_r, xlcfg_error *err);
int xlcfg__virt_bad(xlcfg_error *err, xmlNodePtr node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

bool xlcfg__virt_is(xmlNodePtr node, const char *name);
xmlNodePtr xlcfg__virt_child(xmlNodePtr node, const char *name);
/* A child of this name, made when there is none; NULL: out of memory. */
xmlNodePtr xlcfg__virt_make(xmlNodePtr node, const char *name);
void xlcfg__virt_drop(xmlNodePtr node);
/* Text at a path, xmlFree() it; NULL when there is none. */
char *xlcfg__virt_get(xmlNodePtr node, const char *path);
bool xlcfg__virt_has(xmlNodePtr node, const char *path, const char *text);
/* False: out of memory. */
bool xlcfg__virt_set(xmlNodePtr node, const char *path, const char *text);

/* Take out what is not configuration, bring <devices> into its order; the
 * node is a <domain>, one that runs has an id.  False: out of memory. */
bool xlcfg__virt_canon(xmlNodePtr domain);
/* running: the element is one of a domain that runs. */
void xlcfg__virt_canon_device(xmlNodePtr dev, bool running);
int xlcfg__virt_rank(const char *device);
/* Is this USB controller a part of another one of its index? */
bool xlcfg__virt_is_companion(xmlNodePtr dev);

/* The element as text without blanks between; NULL: out of memory. */
xlcfg_doc *xlcfg__virt_text(xmlNodePtr node);

#endif
