/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A configuration as text into libxl's own struct.  libxl's reader names no
 * place, leaves out silently what it does not know, and takes some words for
 * the number 0: here each of them is an error that names the JSON pointer.
 */
#ifndef XLCFG_DRIVER_XEN_PLUG_CONFIG_H
#define XLCFG_DRIVER_XEN_PLUG_CONFIG_H

#include "core/doc.h"

struct libxl__ctx;
struct libxl_domain_config;

/*
 * config is initialised, and the caller's to dispose of.  Members whose names
 * begin with "x-" are passed over.  INVAL, where being the pointer; NOMEM.
 */
int xlcfg__xen_config_read(struct libxl__ctx *ctx, const xlcfg_doc *doc,
                           struct libxl_domain_config *config,
                           xlcfg_error *err);

/* The same of one device's body, which stands in this array of a
 * configuration; the pointer is into the body. */
int xlcfg__xen_body_read(struct libxl__ctx *ctx, const char *array,
                         const xlcfg_doc *body, xlcfg_error *err);

/* A value that libxl leaves out when it prints: absent says the same. */
bool xlcfg__xen_is_silence(const xlcfg_doc *doc);

#endif
