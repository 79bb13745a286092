/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is handed in, as libxl would read it: a child asks it, for its reader
 * ends the process when there is no memory. */
#include "driver/xen_look.h"
#include "driver/xen_plug.h"
#include "driver/xen_plug_config.h"
#include "driver/xen_plug_kind.h"

#include <libxl.h>

static int read_config(void *arg, xlcfg_error *err)
{
    struct xlcfg__xen_call call;
    libxl_domain_config config;
    int rc;

    rc = xlcfg__xen_call_open(&call, err);
    if (rc)
        return rc;
    libxl_domain_config_init(&config);
    return xlcfg__xen_config_read(call.ctx, arg, &config, err);
}

static int check_device(struct xlcfg__xen *xen, enum xlcfg_kind kind,
                        const xlcfg_doc *body, xlcfg_error *err)
{
    const struct xlcfg__xen_order order = {
        .kind = kind, .verb = XLCFG__XEN_READ,
    };

    return xlcfg__xen_call_body(&xen->hand, &order, body, err);
}

int xlcfg__xen_check(void *handle, enum xlcfg_kind kind,
                     const xlcfg_doc *body, xlcfg_error *err)
{
    struct xlcfg__xen *xen = handle;
    int rc;

    rc = kind == XLCFG_KINDS
        ? xlcfg__xen_child(read_config, (void *)body, XLCFG__XEN_READ_MS,
                           &xen->hand, err)
        : check_device(xen, kind, body, err);
    if (rc != XLCFG_ERROR_PENDING)
        return rc;
    if (err)
        err->code = XLCFG_ERROR_UNREACHABLE;
    return XLCFG_ERROR_UNREACHABLE;
}
