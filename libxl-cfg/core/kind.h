/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kind table: one row for each of libxl's device arrays, and per field
 * who is right about it when template and live view both speak.
 *
 * A new kind is a new row here, a schema, and a row in the drivers' tables.
 */
#ifndef XLCFG_CORE_KIND_H
#define XLCFG_CORE_KIND_H

#include "core/doc.h"

enum xlcfg_kind {
    XLCFG_KIND_DISK, XLCFG_KIND_NIC, XLCFG_KIND_PCI, XLCFG_KIND_RDM,
    XLCFG_KIND_DTDEV, XLCFG_KIND_VFB, XLCFG_KIND_VKB, XLCFG_KIND_VIRTIO,
    XLCFG_KIND_VTPM, XLCFG_KIND_P9, XLCFG_KIND_PVCALLSIF,
    XLCFG_KIND_VDISPL, XLCFG_KIND_VSND, XLCFG_KIND_CHANNEL,
    XLCFG_KIND_USBCTRL, XLCFG_KIND_USBDEV,
    XLCFG_KINDS
};

enum xlcfg_rule {
    XLCFG_RULE_TEMPLATE,        /* template wins, also when it is silent */
    XLCFG_RULE_FILL,            /* template wins, live fills its silence */
    XLCFG_RULE_LIVE,            /* live wins when it has a value */
    XLCFG_RULE_FOLLOW,          /* live wins where the template has one: a
                                   name that may have changed since */
    XLCFG_RULE_MEDIUM,          /* as LIVE, and live's emptiness wins: an
                                   ejected medium, or one being changed */
    XLCFG_RULE_IDENTITY,        /* says which device it is: must agree;
                                   filled from live like FILL */
};

enum {                          /* flags of a field */
    XLCFG_FIELD_ADDRESS = 1,    /* part of the stable address */
    XLCFG_FIELD_SECRET = 2,     /* never shown unless asked for */
};

#define XLCFG__ADDRESS_MAX 8    /* fields of an address */

struct xlcfg_field {
    const char *name;
    enum xlcfg_rule rule;
    unsigned flags;
};

struct xlcfg_kind_row {
    const char *name;           /* in keys and commands: "disk" */
    const char *array;          /* member of libxl_domain_config */
    const char *title;
    /* First those with a rule other than template, then those of an address,
     * then the rest; ends with name NULL. */
    const struct xlcfg_field *fields;
};

extern const struct xlcfg_kind_row xlcfg__kinds[XLCFG_KINDS];

/* XLCFG_KINDS when there is no such name or array. */
enum xlcfg_kind xlcfg__kind_by_name(const char *name);
enum xlcfg_kind xlcfg__kind_by_array(const char *array);

/*
 * Template body and live body made one by the field rules; live may be NULL.
 * NULL: out of memory.
 */
xlcfg_doc *xlcfg__kind_merge(enum xlcfg_kind kind, const xlcfg_doc *tmpl,
                             const xlcfg_doc *live);
/* A disk whose pdev_path was changed: without a path its format is "empty",
 * with one it is not.  NULL: no memory. */
xlcfg_doc *xlcfg__kind_medium(const xlcfg_doc *body);
/* The live view has no medium and the template has one: who ejects one writes
 * both, so a change of it stopped half way, and which it is now cannot be
 * told. */
bool xlcfg__kind_medium_open(enum xlcfg_kind kind, const xlcfg_doc *tmpl,
                             const xlcfg_doc *live);
/* The members that make up the address, as an object of an arena that keeps
 * body; NULL: no memory. */
xlcfg_doc *xlcfg__kind_address(enum xlcfg_kind kind, const xlcfg_doc *body,
                               struct xlcfg__arena *arena);

xlcfg_doc *xlcfg__kind_table(void);     /* {"kinds": [...]} */

#endif
