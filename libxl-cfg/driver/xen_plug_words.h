/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A libxl context whose complaints are kept as text, for children that act.
 *
 *     struct xlcfg__xen_words words;
 *     libxl_ctx *ctx = xlcfg__xen_ctx(&words, err);
 */
#ifndef XLCFG_DRIVER_XEN_PLUG_WORDS_H
#define XLCFG_DRIVER_XEN_PLUG_WORDS_H

#include "core/err.h"

struct xlcfg__xen_words {
    void *base[8];              /* a xentoollog_logger */
    char text[900];
    size_t len;
};

struct libxl__ctx;

/* NULL: UNREACHABLE in err.  words lives as long as the context. */
struct libxl__ctx *xlcfg__xen_ctx(struct xlcfg__xen_words *words,
                                  xlcfg_error *err);
/* The error of a call that answered r, which is not 0. */
int xlcfg__xen_said(const struct xlcfg__xen_words *words, int r,
                    xlcfg_error *err);

#endif
