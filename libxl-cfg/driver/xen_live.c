/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Xen driver: xen:///, over xenstore and, for what only the hypervisor
 * knows, libxl.
 */
#include "driver/xen_look.h"
#include "driver/xen_plug.h"
#include "driver/xen_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void xen_close(void *handle)
{
    struct xlcfg__xen *xen = handle;

    xlcfg__xen_child_reap(&xen->hand);
    xlcfg__xs_names_dispose(&xen->kinds);
    xlcfg__xen_watch_free(xen->watch);
    xlcfg__hv_free(xen->hv);
    xlcfg__xs_close(xen->xs);
    free(xen);
}

static void xen_finish(void *handle)
{
    struct xlcfg__xen *xen = handle;

    xlcfg__xen_child_rest(&xen->hand);
}

static void xen_hold(void *handle, int lock)
{
    struct xlcfg__xen *xen = handle;

    xen->hand.lock = lock;
}

static int xen_open(const char *uri, const struct xlcfg_driver_options *opt,
                    void **handle_r, xlcfg_error *err)
{
    struct xlcfg__xen *xen;
    int rc;

    if (strncmp(uri, "xen:", 4))
        return XLCFG_DECLINED;
    if (strcmp(uri, "xen:") && strcmp(uri, "xen:/") &&
        strcmp(uri, "xen:///") && strcmp(uri, "xen:///system"))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, uri, "expected xen:///");
    xen = calloc(1, sizeof(*xen));
    if (!xen)
        return xlcfg__nomem(err);
    xen->hand = (struct xlcfg__xen_hand)XLCFG__XEN_HAND_INIT;
    xen->hv = xlcfg__hv_new();
    rc = xen->hv ? xlcfg__xs_open(opt->deadline_ms, &xen->xs, err)
        : xlcfg__nomem(err);
    if (rc) {
        xen_close(xen);
        return rc;
    }
    *handle_r = xen;
    return 0;
}

/* ---- the index ---- */

static void put_names(FILE *out, const char *title, int r,
                      const struct xlcfg__xs_names *names)
{
    fprintf(out, "%s", title);
    if (r && r != ENOENT)
        fprintf(out, " error %d", r);
    for (unsigned i = 0; i < names->count; i++)
        fprintf(out, " %s", names->v[i]);
    fputc('\n', out);
}

static void put_list(struct xlcfg__xs *xs, FILE *out, const char *path)
{
    struct xlcfg__xs_names names;
    int r;

    r = xlcfg__xs_list(xs, &names, "%s", path);
    put_names(out, path, r, &names);
    xlcfg__xs_names_dispose(&names);
}

bool xlcfg__xen_will_kind(const struct xlcfg__xen *xen, uint32_t domid,
                          const char *kind)
{
    return xen->kinds_domid == domid &&
        xlcfg__xs_names_has(&xen->kinds, kind);
}

/* What both an index and a look begin with.  Most often the kinds of device
 * are those of the last time: what they hold is asked for at once. */
static void announce_devices(const struct xlcfg__xen *xen, uint32_t domid)
{
    struct xlcfg__xs *xs = xen->xs;

    xlcfg__xs_will_end(xs);
    xlcfg__xs_will_list(xs, "/libxl/%u/device", domid);
    xlcfg__xs_will_read(xs, "/local/domain/%u/image/device-model-domid",
                        domid);
    xlcfg__xs_will_list(xs, "/local/domain/0/backend/pci/%u/0", domid);
    for (unsigned i = 0; xen->kinds_domid == domid && i < xen->kinds.count;
         i++)
        xlcfg__xs_will_list(xs, "/libxl/%u/device/%.64s", domid,
                            xen->kinds.v[i]);
}

/* The announcing is done.  0 or NOMEM. */
static int index_text(struct xlcfg__xen *xen, uint32_t domid, bool twice,
                      char **text_r)
{
    struct xlcfg__xs_names kinds;
    char *text = NULL;
    char path[128];
    size_t size;
    FILE *out;
    int r;

    out = open_memstream(&text, &size);
    if (!out)
        return XLCFG_ERROR_NOMEM;
    r = xlcfg__xs_list(xen->xs, &kinds, "/libxl/%u/device", domid);
    put_names(out, "device", r, &kinds);
    for (unsigned i = 0; i < kinds.count; i++)
        if (!xlcfg__xen_will_kind(xen, domid, kinds.v[i]))
            xlcfg__xs_will_list(xen->xs, "/libxl/%u/device/%.64s", domid,
                                kinds.v[i]);
    if (twice)
        xlcfg__xs_will_twice(xen->xs);
    for (unsigned i = 0; i < kinds.count; i++) {
        snprintf(path, sizeof(path), "/libxl/%u/device/%.64s", domid,
                 kinds.v[i]);
        put_list(xen->xs, out, path);
    }
    xlcfg__xs_names_dispose(&xen->kinds);
    xen->kinds = kinds;
    xen->kinds_domid = domid;
    snprintf(path, sizeof(path), "/local/domain/0/backend/pci/%u/0",
             xlcfg__xen_pci_guest(xen->xs, domid));
    put_list(xen->xs, out, path);
    r = ferror(out);
    if (fclose(out) || r || !text) {
        free(text);
        return XLCFG_ERROR_NOMEM;
    }
    *text_r = text;
    return 0;
}

static int xen_index(void *handle, const struct xlcfg_domain *dom,
                     char **text_r, xlcfg_error *err)
{
    struct xlcfg__xen *xen = handle;
    char *text;
    int rc;

    announce_devices(xen, (uint32_t)dom->domid);
    rc = index_text(xen, (uint32_t)dom->domid, false, &text);
    xlcfg__xs_will_end(xen->xs);
    if (rc)
        return xlcfg__nomem(err);
    rc = xlcfg__xs_check(xen->xs, err);
    if (rc) {
        free(text);
        return rc;
    }
    *text_r = text;
    return 0;
}

/* ---- the view ---- */

static const char *domain_type(struct xlcfg__look *look)
{
    static const char *const types[] = { "pv", "pvh", "hvm" };
    struct xlcfg__hv_info info = { .type = NULL };
    struct xlcfg__xs_value v;
    const char *type = NULL;

    xlcfg__xs_read(look->xs, &v, "/libxl/%u/type", look->domid);
    for (size_t i = 0; i < 3; i++)
        if (!strcmp(xlcfg__xs_text(&v), types[i]))
            type = types[i];
    xlcfg__xs_value_dispose(&v, 1);
    if (!type && !xlcfg__hv_info(look->xen->hv, look->domid, &info))
        type = info.type;
    return type ? type : "";
}

/* What is asked for whatever the answers are. */
static void announce(struct xlcfg__look *look)
{
    static const char *const nodes[] = {
        "name", "memory/target", "memory/static-max", "memory/videoram",
    };

    /* for the index, and for what is in it */
    announce_devices(look->xen, look->domid);
    xlcfg__xs_will_twice(look->xs);
    xlcfg__xs_will_list(look->xs, "/local/domain");
    xlcfg__xs_will_read(look->xs, "/libxl/%u/type", look->domid);
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        xlcfg__xs_will_read(look->xs, "/local/domain/%u/%s", look->domid,
                            nodes[i]);
    xlcfg__xs_will_list(look->xs, "/local/domain/%u/cpu", look->domid);
    xlcfg__xs_will_read(look->xs, "/local/domain/%u/cpu/0/availability",
                        look->domid);
    xlcfg__xs_will_list(look->xs, "/libxl/pci");
    xlcfg__xs_will_list(look->xs, "/local/domain/0/backend");
}

static int xen_live(void *handle, const struct xlcfg_domain *dom,
                    struct xlcfg_view *view, xlcfg_error *err)
{
    struct xlcfg__xen *xen = handle;
    struct xlcfg__look look = {
        .xen = xen, .xs = xen->xs, .dom = dom, .view = view,
        .domid = (uint32_t)dom->domid,
    };
    int rc;
    int r;

    if (dom->domid < 0)
        return xlcfg__err(err, XLCFG_ERROR_DOMAIN_NOTFOUND, dom->name,
                          "it is not running");
    announce(&look);
    r = xlcfg__xs_list(xen->xs, &look.alive, "/local/domain");
    if (r && r != ENOENT)
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, "/local/domain",
                          "xenstore does not answer: %s", strerror(r));
    if (!xlcfg__xen_alive(&look, look.domid)) {
        xlcfg__xs_names_dispose(&look.alive);
        return xlcfg__err(err, XLCFG_ERROR_DOMAIN_NOTFOUND, dom->name,
                          "domain %u is gone", look.domid);
    }
    look.type = domain_type(&look);
    rc = index_text(xen, look.domid, true, &view->index);
    if (!rc)
        rc = xlcfg__xen_scalars(&look);
    if (!rc)
        rc = xlcfg__xen_devices(&look);
    if (!rc)
        rc = xlcfg__xen_pci(&look);
    if (!rc)
        rc = xlcfg__xen_leaks(&look);
    xlcfg__xs_will_end(xen->xs);
    xlcfg__xs_names_dispose(&look.alive);
    if (!rc && xlcfg__xs_check(xen->xs, err))
        return XLCFG_ERROR_UNREACHABLE;
    return rc || view->unknown.failed ? xlcfg__nomem(err) : 0;
}

const struct xlcfg_driver xlcfg__driver_xen = {
    .size = sizeof(struct xlcfg_driver),
    .name = "xen",
    .home = XLCFG_HOME_LIBXL,
    .scheme = "xen:",
    .open = xen_open,
    .close = xen_close,
    .list = xlcfg__xen_list,
    .find = xlcfg__xen_find,
    .index = xen_index,
    .live = xen_live,
    .can = xlcfg__xen_can,
    .prepare = xlcfg__xen_prepare,
    .attach = xlcfg__xen_attach,
    .detach = xlcfg__xen_detach,
    .update = xlcfg__xen_update,
    .clean = xlcfg__xen_clean,
    .create = xlcfg__xen_create,
    .watch_fd = xlcfg__xen_watch_fd,
    .watch_next = xlcfg__xen_watch_next,
    .capacity = xlcfg__xen_capacity,
    .finish = xen_finish,
    .pulse = xlcfg__xen_pulse,
    .check = xlcfg__xen_check,
    .check_update = xlcfg__xen_check_update,
    .unmake = xlcfg__xen_unmake,
    .hold = xen_hold,
    .tells_index = true,
};
