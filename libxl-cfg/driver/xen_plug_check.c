/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is handed in, as libxl would read it: a child asks it, for its reader
 * ends the process when there is no memory. */
#include "driver/xen_child.h"
#include "driver/xen_look.h"
#include "driver/xen_plug.h"
#include "driver/xen_plug_config.h"
#include "driver/xen_plug_words.h"

#include <libxl.h>

#define CHECK_MS 10000

struct check {
    enum xlcfg_kind kind;
    const xlcfg_doc *body;
};

static int read_it(void *arg, xlcfg_error *err)
{
    const struct check *c = arg;
    struct xlcfg__xen_words words;
    libxl_ctx *ctx = xlcfg__xen_ctx(&words, err);
    libxl_domain_config config;

    if (!ctx)
        return XLCFG_ERROR_UNREACHABLE;
    if (c->kind != XLCFG_KINDS)
        return xlcfg__xen_body_read(ctx, xlcfg__kinds[c->kind].array,
                                    c->body, err);
    libxl_domain_config_init(&config);
    return xlcfg__xen_config_read(ctx, c->body, &config, err);
}

int xlcfg__xen_check(void *handle, enum xlcfg_kind kind,
                     const xlcfg_doc *body, xlcfg_error *err)
{
    struct check c = { kind, body };
    struct xlcfg__xen *xen = handle;
    int rc;

    rc = xlcfg__xen_child(read_it, &c, CHECK_MS, &xen->left, err);
    if (rc != XLCFG_ERROR_PENDING)
        return rc;
    if (err)
        err->code = XLCFG_ERROR_UNREACHABLE;
    return XLCFG_ERROR_UNREACHABLE;
}
