/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making a domain: libxl does it, in a child, from a configuration of its own
 * shape.  A creation that fails is destroyed, by libxl or here.  The domain
 * gets a keeper, as those of xl do (xen_plug_keep.c).
 */
#include "driver/xen_child.h"
#include "driver/xen_look.h"
#include "driver/xen_plug.h"
#include "driver/xen_plug_config.h"
#include "driver/xen_plug_keep.h"
#include "driver/xen_plug_words.h"

#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A guest's kernel may have to be unpacked, and its firmware started. */
#define CREATE_MS 300000
#define BALLOON_TRIES 3

/* ---- memory ---- */

static bool dom0_is_fixed(libxl_ctx *ctx)
{
    const libxl_version_info *info = libxl_get_version_info(ctx);

    return !info || !info->commandline ||
        strstr(info->commandline, "dom0_mem=");
}

/* Enough free memory, taken from dom0 unless Xen's command line gave dom0
 * its own. */
static int make_room(libxl_ctx *ctx, libxl_domain_config *config,
                     struct xlcfg__xen_words *words, xlcfg_error *err)
{
    uint64_t need, avail;
    bool fixed = dom0_is_fixed(ctx);
    int r;

    r = libxl_domain_need_memory(ctx, config, 0, &need);
    if (r)
        return xlcfg__xen_said(words, r, err);
    for (int tries = 0;; tries++) {
        r = libxl_get_free_memory(ctx, &avail);
        if (r)
            return xlcfg__xen_said(words, r, err);
        if (avail >= need)
            return 0;
        if (fixed || tries == BALLOON_TRIES)
            return xlcfg__err(err, XLCFG_ERROR_REFUSED,
                              "/b_info/max_memkb", "it needs %llu MiB and "
                              "%llu MiB are free%s",
                              (unsigned long long)need >> 10,
                              (unsigned long long)avail >> 10,
                              fixed ? "; dom0's memory is fixed by dom0_mem"
                              : ", after asking dom0 for its own");
        r = libxl_set_memory_target(ctx, 0, (int64_t)avail - (int64_t)need,
                                    1, 0);
        if (r)
            return xlcfg__xen_said(words, r, err);
        (void)libxl_wait_for_memory_target(ctx, 0, 10);
    }
}

/* ---- the child ---- */

static int make(void *arg, xlcfg_error *err)
{
    struct xlcfg__xen_words words;
    libxl_domain_config config;
    uint32_t domid = 0;
    libxl_ctx *ctx;
    int r, rc;

    ctx = xlcfg__xen_ctx(&words, err);
    if (!ctx)
        return XLCFG_ERROR_UNREACHABLE;
    libxl_domain_config_init(&config);
    rc = xlcfg__xen_config_read(ctx, arg, &config, err);
    if (!rc)
        rc = make_room(ctx, &config, &words, err);
    if (!rc) {
        r = libxl_domain_create_new(ctx, &config, &domid, NULL, NULL);
        rc = r ? xlcfg__xen_said(&words, r, err) : 0;
    }
    if (!rc) {
        rc = xlcfg__xen_keep(ctx, domid, err);
        r = rc ? 0 : libxl_domain_unpause(ctx, domid, NULL);
        if (r)
            rc = xlcfg__xen_said(&words, r, err);
        if (rc)
            (void)libxl_domain_destroy(ctx, domid, NULL);
    }
    libxl_domain_config_dispose(&config);
    libxl_ctx_free(ctx);
    return rc == XLCFG_ERROR_DOMAIN_NOTFOUND ? XLCFG_ERROR_REFUSED : rc;
}

static int destroy(void *arg, xlcfg_error *err)
{
    const struct xlcfg_domain *dom = arg;
    struct xlcfg__xen_words words;
    libxl_ctx *ctx = xlcfg__xen_ctx(&words, err);
    int r;

    if (!ctx)
        return XLCFG_ERROR_UNREACHABLE;
    r = libxl_domain_destroy(ctx, (uint32_t)dom->domid, NULL);
    libxl_ctx_free(ctx);
    return r ? xlcfg__xen_said(&words, r, err) : 0;
}

/* ---- the driver's calls ---- */

/* The words of err, and that it was not done. */
static int refused(xlcfg_error *err)
{
    if (err)
        err->code = XLCFG_ERROR_REFUSED;
    return XLCFG_ERROR_REFUSED;
}

static int check_names(void *handle, const char *name, const char *uuid,
                       xlcfg_error *err)
{
    struct xlcfg_domains list = { 0 };
    int rc;

    if (!name || !*name || !uuid || !*uuid)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, name && *name
                          ? "/c_info/uuid" : "/c_info/name",
                          "expected the domain's name and uuid");
    rc = xlcfg__xen_list(handle, &list, err);
    for (size_t i = 0; i < list.count && !rc; i++) {
        const struct xlcfg_domain *dom = &list.v[i];

        if (!strcasecmp(dom->uuid, uuid))
            rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, "/c_info/uuid",
                            "domain %d has this uuid", (int)dom->domid);
        else if (dom->name && !strcmp(dom->name, name))
            rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, "/c_info/name",
                            "domain %d has this name", (int)dom->domid);
    }
    xlcfg__domains_dispose(&list);
    return rc;
}

/* The child was ended in the middle, or died: what there is of the domain
 * goes. */
static void take_back(struct xlcfg__xen *xen, const char *uuid)
{
    struct xlcfg_domain dom = { .domid = -1 };

    if (!xlcfg__xen_find(xen, uuid, &dom, NULL))
        (void)xlcfg__xen_child(destroy, &dom, CREATE_MS, &xen->hand, NULL);
    xlcfg__domain_dispose(&dom);
}

/*
 * By the hypervisor's own list: one whose maker died early has nothing in
 * xenstore.  libxl_domain_destroy takes away what there is of its devices.
 */
int xlcfg__xen_unmake(void *handle, const char *uuid, bool dry_run,
                      xlcfg_error *err)
{
    struct xlcfg_domain dom = { .domid = -1 };
    struct xlcfg__xen *xen = handle;
    struct xlcfg__hv_rows rows;
    int rc;

    rc = xlcfg__hv_rows(xen->hv, &rows);
    if (rc)
        return xlcfg__err(err, rc, uuid,
                          "the hypervisor does not say which domains run");
    for (size_t i = 0; i < rows.count; i++)
        if (rows.v[i].info.fresh && !strcasecmp(rows.v[i].info.uuid, uuid))
            dom.domid = rows.v[i].domid;
    free(rows.v);
    if (dom.domid < 0)
        return XLCFG_DECLINED;
    if (dry_run)
        return 0;
    rc = xlcfg__xen_child(destroy, &dom, CREATE_MS, &xen->hand, err);
    return rc == XLCFG_ERROR_PENDING || rc == XLCFG_ERROR_FAIL
        ? refused(err) : rc;
}

int xlcfg__xen_create(void *handle, const xlcfg_doc *config, unsigned flags,
                      struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    const xlcfg_doc *info = xlcfg_doc_get(config, "c_info");
    const char *name = xlcfg__doc_getstr(info, "name");
    const char *uuid = xlcfg__doc_getstr(info, "uuid");
    struct xlcfg__xen *xen = handle;
    int rc;

    if (!(flags & XLCFG_CREATE_START))
        return xlcfg__err(err, XLCFG_ERROR_NI, "xen:",
                          "Xen keeps no definitions of domains that do not "
                          "run");
    rc = check_names(handle, name, uuid, err);
    if (rc)
        return rc;
    rc = xlcfg__xen_child(make, (void *)config, CREATE_MS, &xen->hand, err);
    if (rc == XLCFG_ERROR_PENDING || rc == XLCFG_ERROR_FAIL) {
        take_back(handle, uuid);
        rc = refused(err);
    }
    return rc ? rc : xlcfg__xen_find(handle, uuid, dom_r, err);
}
