/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A domain's XML as its parts: the elements in <devices>, each by its bytes.
 *
 * A disk or an interface whose bytes were understood before means what it
 * meant then, whatever else of the domain is another: it is not taken apart
 * again.  In the text that is, an empty element of its name stands in its
 * place.  And a definition that says the same as what runs, but for the words
 * that a start adds, is what runs.
 */
#ifndef XLCFG_DRIVER_VIRT_PART_H
#define XLCFG_DRIVER_VIRT_PART_H

#include "core/kind.h"
#include "driver/virt_tree.h"

struct xlcfg__virt_part {
    size_t at, len;             /* its element, in the text */
    bool plain;                 /* it uses no prefix: it means the same in
                                   any text */
    enum xlcfg_kind kind;
    xlcfg_doc *body, *address;  /* NULL: not understood, or not to be used
                                   again */
    char *alias;                /* that somebody chose; NULL: none */
    char *untyped;              /* the target of a drive without a format;
                                   NULL: it is none */
};

/* Of one text; once learnt nobody changes them. */
struct xlcfg__virt_parts;

/* NULL: the text is none that is cut, and is to be taken as a whole; or no
 * memory, with the same outcome. */
struct xlcfg__virt_parts *xlcfg__virt_cut(const char *xml);
struct xlcfg__virt_parts *xlcfg__virt_parts_ref(struct xlcfg__virt_parts *p);
void xlcfg__virt_parts_free(struct xlcfg__virt_parts *p);

/* Those that old has, too; NULL accepted as old. */
void xlcfg__virt_parts_recall(struct xlcfg__virt_parts *p,
                              const struct xlcfg__virt_parts *old);
/* Of a definition: those that a start makes what runs of. */
void xlcfg__virt_parts_liken(struct xlcfg__virt_parts *kept,
                             const struct xlcfg__virt_parts *live);
/* Forget what is known: the text is to be read as a whole. */
void xlcfg__virt_parts_forget(struct xlcfg__virt_parts *p);
bool xlcfg__virt_parts_known(const struct xlcfg__virt_parts *p);
/* Does a drive of this target, among what runs, say no format? */
bool xlcfg__virt_parts_untyped(const struct xlcfg__virt_parts *live,
                               const char *target);

/* A drive that says no format, before it is made canonical. */
bool xlcfg__virt_has_no_format(xmlNodePtr dev);

/* The text as a tree, without what is known of the parts; each device has its
 * part.  parts NULL: as xlcfg__virt_parse.  PARSE; NOMEM. */
int xlcfg__virt_parse_parts(const char *xml, struct xlcfg__virt_parts *p,
                            xmlDocPtr *doc_r, xlcfg_error *err);
/* Of a device in such a tree; NULL: it is in no other. */
static inline struct xlcfg__virt_part *xlcfg__virt_part_of(xmlNodePtr dev)
{
    return dev->_private;
}
/* It means this.  alias NULL: none that somebody chose.  False: no memory. */
bool xlcfg__virt_part_is(struct xlcfg__virt_part *part, enum xlcfg_kind kind,
                         const xlcfg_doc *body, const xlcfg_doc *address,
                         const char *alias);

#endif
