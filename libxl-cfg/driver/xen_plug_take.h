/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trying values on libxl: what it does with one, alone where it stands, and
 * so what it expects there.
 */
#ifndef XLCFG_DRIVER_XEN_PLUG_TAKE_H
#define XLCFG_DRIVER_XEN_PLUG_TAKE_H

#include "core/doc.h"

#define XLCFG__SEARCH_DEPTH 16

struct libxl__ctx;

struct xlcfg__search {
    struct libxl__ctx *ctx;
    struct {
        const char *name;       /* NULL: an element of an array */
        size_t at;
    } path[XLCFG__SEARCH_DEPTH];
    size_t depth;
    size_t hidden;              /* so many first steps are not the caller's */
    bool failed;                /* no memory */
};

/* False: too deep. */
bool xlcfg__search_enter(struct xlcfg__search *s, const char *name,
                         size_t at);

enum xlcfg__taken { XLCFG__NOT_READ, XLCFG__LEFT_OUT, XLCFG__TAKEN };

/* LEFT_OUT: passed over, or its default, which it does not print. */
enum xlcfg__taken xlcfg__search_take(struct xlcfg__search *s,
                                     const xlcfg_doc *value);
/* The type of what stands at the path; false: it knows nothing there, or a
 * struct that it prints only with something in it. */
bool xlcfg__search_type(struct xlcfg__search *s, enum xlcfg_doc_type *type_r);
/* What it expects there in place of given, in words.  type NULL: of the type
 * that given is. */
void xlcfg__search_expected(struct xlcfg__search *s, enum xlcfg_doc_type type,
                            const xlcfg_doc *given, char *text, size_t size);

#endif
