/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OVF 1.1 envelopes.  What is written says in OVF's own words what any reader
 * of OVF takes (processors, memory, disks, networks), and in a section of its
 * own the whole configuration with every address, so that it comes back as it
 * was.  What is read may come from anybody.
 *
 * The section is <ConfigurationSection version="1.0"> in XLCFG__OVF_NS; a
 * document stands in it as elements: object/member, array, string, number,
 * true, false, null, and xml for a string that is an XML element.
 */
#ifndef XLCFG_CORE_OVF_H
#define XLCFG_CORE_OVF_H

#include "core/kind.h"
#include "core/xml.h"

#define XLCFG__OVF_NS "urn:libxl-cfg:ovf"
#define XLCFG__OVF_DEPTH 250

/*
 * The envelope of a get object, malloc'd.  capacities: {device key: bytes} of
 * disks whose size is known; copies: {device key: {"name", "size"}} of those
 * whose copy stands beside the envelope; either may be NULL.  INVAL: not a
 * get object.
 */
int xlcfg__ovf_write(const xlcfg_doc *get, const xlcfg_doc *capacities,
                     const xlcfg_doc *copies, char **text_r,
                     xlcfg_error *err);

/*
 * {"source": "libxl-cfg"|"ovf", "config": ..., "hash"?, "address_hash"?,
 *  "disks": [{href, vdev, path}], "notes": [{line, element, message}]}.
 * folder: where the relative names of disks are; NULL: as they are.
 * PARSE, with "line N: <element>"; NI: a section of a newer form.
 */
int xlcfg__ovf_read(const char *text, size_t len, const char *folder,
                    xlcfg_doc **doc_r, xlcfg_error *err);

/* A configuration whose disks are those of `disks`, by their vdev: what was
 * copied with the envelope is used from there.  Yours; NULL: out of memory. */
xlcfg_doc *xlcfg__ovf_rebase(const xlcfg_doc *config, const xlcfg_doc *disks);

/* ---- manifests: a line "SHA256(NAME)= DIGEST" for each file ---- */

/* [{"name", "algorithm", "digest", "line"}].  PARSE: "line N", of what is
 * none, of a name that is no file's beside it, and of one that is there
 * twice; NI: of an algorithm that is not known. */
int xlcfg__manifest_read(const char *text, size_t len, xlcfg_doc **files_r,
                         xlcfg_error *err);

/* ---- documents as elements ---- */

/* Adds doc as one element below parent; false: out of memory. */
bool xlcfg__ovf_put(xmlNodePtr parent, xmlNsPtr ns, const xlcfg_doc *doc);
/* A string as the attribute attr, or in JSON's form as json_attr, if XML has
 * no character for some of it; false: out of memory. */
bool xlcfg__ovf_name(xmlNodePtr node, const char *attr,
                     const char *json_attr, const xlcfg_doc *string);
/* Text for a reader: U+FFFD for what XML has no character for.  Yours to
 * free(); NULL: out of memory. */
char *xlcfg__ovf_legible(const char *text);
int xlcfg__ovf_take(xmlNodePtr node, xlcfg_doc **doc_r, xlcfg_error *err);

/* ---- what the parts of the reader share ---- */

struct xlcfg__ovf_in {
    const char *folder;
    xlcfg__items notes, disks;
    xmlNodePtr envelope, system;
};
void xlcfg__ovf_note(struct xlcfg__ovf_in *in, xmlNodePtr node,
                     const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* By local name, in whatever namespace: writers differ in those. */
bool xlcfg__ovf_is(xmlNodePtr node, const char *name);
xmlNodePtr xlcfg__ovf_child(xmlNodePtr node, const char *name);
/* Attribute and text content, xmlFree() them; NULL: none. */
char *xlcfg__ovf_attr(xmlNodePtr node, const char *name);
char *xlcfg__ovf_text(xmlNodePtr node, const char *child);
/* A relative reference as a file's name, yours to free(); "" where it hides a
 * slash or the end of a text behind a %; NULL: out of memory. */
char *xlcfg__ovf_unquote(const char *href);
/* Notes the disks of an envelope of ours that were copied with it. */
bool xlcfg__ovf_copies(struct xlcfg__ovf_in *in);
/* The configuration that the virtual hardware amounts to. */
int xlcfg__ovf_hardware(struct xlcfg__ovf_in *in, xlcfg_doc **config_r,
                        xlcfg_error *err);

#endif
