/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is handed in, as libxl would read it: a child asks it, for its reader
 * ends the process when there is no memory. */
#include "driver/xen_look.h"
#include "driver/xen_plug.h"
#include "driver/xen_plug_config.h"
#include "driver/xen_plug_kind.h"

#include <libxl.h>

#define CHECK_MS 10000

struct check {
    struct xlcfg__xen_call call;        /* the child's; first in it */
    enum xlcfg_kind kind;
    const xlcfg_doc *body;
};

static int read_it(void *arg, xlcfg_error *err)
{
    struct check *c = arg;
    libxl_domain_config config;
    int rc;

    rc = xlcfg__xen_call_open(&c->call, err);
    if (rc)
        return rc;
    if (c->kind != XLCFG_KINDS)
        return xlcfg__xen_body_read(c->call.ctx, xlcfg__kinds[c->kind].array,
                                    c->body, err);
    libxl_domain_config_init(&config);
    return xlcfg__xen_config_read(c->call.ctx, c->body, &config, err);
}

/* Of a device: what has been checked is to be plugged next, by the same
 * child, for a fork and an open libxl are dear. */
static int check(struct xlcfg__xen *xen, struct check *c, xlcfg_error *err)
{
    static const struct xlcfg__xen_work work = {
        read_it, xlcfg__xen_call_obey,
    };

    return c->kind == XLCFG_KINDS
        ? xlcfg__xen_child(read_it, c, CHECK_MS, &xen->hand, err)
        : xlcfg__xen_child_begin(&xen->hand, &work, c, CHECK_MS, err);
}

int xlcfg__xen_check(void *handle, enum xlcfg_kind kind,
                     const xlcfg_doc *body, xlcfg_error *err)
{
    struct check c = { .kind = kind, .body = body };
    int rc;

    rc = check(handle, &c, err);
    if (rc != XLCFG_ERROR_PENDING)
        return rc;
    if (err)
        err->code = XLCFG_ERROR_UNREACHABLE;
    return XLCFG_ERROR_UNREACHABLE;
}
