/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The facade's two sides: libxlcfg, and the libxl of whoever calls. */
#ifndef XLCFG_FACADE_H
#define XLCFG_FACADE_H

#include "libxl_cfg.h"

#include <libxl.h>

/* One symbol leaves this library, and none of these. */
#pragma GCC visibility push(hidden)

/* What is asked of libxlcfg. */
struct xlcfg__ours {
    __typeof__(xlcfg_ctx_open) *ctx_open;
    __typeof__(xlcfg_ctx_close) *ctx_close;
    __typeof__(xlcfg_domain_get) *domain_get;
    __typeof__(xlcfg_doc_get) *doc_get;
    __typeof__(xlcfg_doc_count) *doc_count;
    __typeof__(xlcfg_doc_at) *doc_at;
    __typeof__(xlcfg_doc_string) *doc_string;
    __typeof__(xlcfg_doc_print) *doc_print;
    __typeof__(xlcfg_doc_free) *doc_free;
};

/* libxl as the caller is linked with it. */
struct xlcfg__theirs {
    __typeof__(libxl_retrieve_domain_configuration) *retrieve;
    __typeof__(libxl_domain_config_init) *config_init;
    __typeof__(libxl_domain_config_dispose) *config_dispose;
    __typeof__(libxl_domain_config_from_json) *config_from_json;
};

struct xlcfg__call {
    struct xlcfg__theirs theirs;
    libxl_ctx *ctx;
    uint32_t domid;
    libxl_domain_config *config;
    const libxl_asyncop_how *how;
};

/* NULL, and why, when there is no libxlcfg to be had.  Looked for once. */
const struct xlcfg__ours *xlcfg__facade_ours(const char **why_r);

/* False: the program at that address has none. */
bool xlcfg__facade_theirs(const void *caller, struct xlcfg__theirs *theirs_r);

#pragma GCC visibility pop
#endif
