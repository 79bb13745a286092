/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * XML as a tree: read with bounds, looked at and changed by short paths.
 * Nothing but the text given is ever read: no document type, no entity, no
 * other file.
 *
 *     "source@file"   attribute file of the child source
 *     "@index"        an attribute of the element itself
 */
#ifndef XLCFG_CORE_XML_H
#define XLCFG_CORE_XML_H

#include "core/doc.h"

#include <libxml/tree.h>

#define XLCFG__XML_SIZE ((size_t)8 << 20)
#define XLCFG__XML_DEPTH 64

/* Once, before many threads parse at the same time. */
void xlcfg__xml_init(void);
/*
 * PARSE, with "line N: <element>" as where.  root NULL: any element.  depth:
 * of elements in one another, 255 at most.  Blanks and comments between
 * elements are taken out.
 */
int xlcfg__xml_parse(const char *xml, size_t len, const char *root,
                     int depth, xmlDocPtr *doc_r, xlcfg_error *err);
int xlcfg__xml_bad(xlcfg_error *err, xmlNodePtr node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Names without a namespace. */
bool xlcfg__xml_is(xmlNodePtr node, const char *name);
xmlNodePtr xlcfg__xml_child(xmlNodePtr node, const char *name);
/* A child of this name, made when there is none; NULL: out of memory. */
xmlNodePtr xlcfg__xml_make(xmlNodePtr node, const char *name);
void xlcfg__xml_drop(xmlNodePtr node);
/* Text at a path, xmlFree() it; NULL when there is none. */
char *xlcfg__xml_get(xmlNodePtr node, const char *path);
bool xlcfg__xml_has(xmlNodePtr node, const char *path, const char *text);
/* The attribute's value where it stands in one piece, as nearly all do, until
 * it is changed; NULL: it does not. */
const char *xlcfg__xml_value(xmlAttrPtr attr);
/* How many bytes at s are a character that XML has none for: most control
 * characters, U+FFFE, U+FFFF. */
size_t xlcfg__xml_odd(const char *s);
/* Is there none of them in it?  And what was expected, if there is. */
bool xlcfg__xml_holds(const char *text);
#define XLCFG__XML_TEXT "text of characters that XML has"
/* False: out of memory. */
bool xlcfg__xml_set(xmlNodePtr node, const char *path, const char *text);

/* The element as text without blanks between; NULL: out of memory. */
xlcfg_doc *xlcfg__xml_text(xmlNodePtr node);

#endif
