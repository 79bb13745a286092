/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of fields: which member of libxl's body stands where in libvirt's
 * element; and one of them, read.
 */
#ifndef XLCFG_DRIVER_VIRT_FIELD_H
#define XLCFG_DRIVER_VIRT_FIELD_H

#include "core/kind.h"
#include "driver/virt_tree.h"

enum xlcfg__virt_how {
    XLCFG__AS_TEXT,
    XLCFG__AS_NUMBER,           /* decimal */
    XLCFG__AS_HEX,              /* written as 0x.. */
    XLCFG__AS_FORMAT,           /* of a disk's image */
    XLCFG__AS_SOURCE,           /* of a disk: where depends on its type */
    XLCFG__AS_WRITABLE,         /* no <readonly/> */
    XLCFG__AS_CDROM,
    XLCFG__AS_USB_VERSION,      /* from the model; never written */
    XLCFG__AS_ON,               /* "True" because the element is there */
    XLCFG__AS_EMPTY,            /* an object without members */
};

struct xlcfg__virt_row {
    const char *field;          /* "outer/inner" for one in an object */
    const char *path;
    enum xlcfg__virt_how how;
    const char *only;           /* @type it needs; NULL: any */
};

/* skeleton: what a body without x-libvirt begins from; rows ends with one
 * without a field, and is NULL where libvirt has no such device */
struct xlcfg__virt_kind_rows {
    const struct xlcfg__virt_row *rows;
    const char *element, *skeleton;
};
extern const struct xlcfg__virt_kind_rows xlcfg__virt_kinds[XLCFG_KINDS];

/* Does the row speak of this element? */
bool xlcfg__virt_fits(const struct xlcfg__virt_row *row, xmlNodePtr dev);
/* Has the disk no source, or one that only says what to do without it? */
bool xlcfg__virt_is_empty(xmlNodePtr dev);
/* Where the source of a disk of its type stands. */
const char *xlcfg__virt_source_path(xmlNodePtr dev);
/* libvirt's word for an image's format of libxl's; NULL: it has none. */
const char *xlcfg__virt_format(const char *libxl);
/* The value of a row; *there_r false: the element is silent about it. */
int xlcfg__virt_read_row(const struct xlcfg__virt_row *row, xmlNodePtr dev,
                         xlcfg_doc **value_r, bool *there_r,
                         xlcfg_error *err);

#endif
