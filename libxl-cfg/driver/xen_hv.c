/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to the hypervisor, through libxl. */
#include "driver/xen_hv.h"

#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xentoollog.h>

struct xlcfg__hv {
    xentoollog_logger quiet;
    libxl_ctx *ctx;
    bool tried;
};

/* A library prints nothing: what libxl would log comes back as a code. */
static void drop_message(xentoollog_logger *logger, xentoollog_level level,
                         int errnoval, const char *context,
                         const char *format, va_list ap)
    __attribute__((format(printf, 5, 0)));

static void drop_message(xentoollog_logger *logger, xentoollog_level level,
                         int errnoval, const char *context,
                         const char *format, va_list ap)
{
    (void)logger; (void)level; (void)errnoval; (void)context; (void)format;
    (void)ap;
}

static void no_destroy(xentoollog_logger *logger)
{
    (void)logger;               /* it is part of the handle */
}

struct xlcfg__hv *xlcfg__hv_new(void)
{
    struct xlcfg__hv *hv = calloc(1, sizeof(*hv));

    if (hv)
        hv->quiet = (xentoollog_logger){
            .vmessage = drop_message, .destroy = no_destroy,
        };
    return hv;
}

void xlcfg__hv_free(struct xlcfg__hv *hv)
{
    if (!hv)
        return;
    if (hv->ctx)
        libxl_ctx_free(hv->ctx);
    free(hv);
}

/* Tried once: a host does not get a hypervisor while we run. */
static libxl_ctx *context(struct xlcfg__hv *hv)
{
    if (!hv->tried) {
        hv->tried = true;
        if (libxl_ctx_alloc(&hv->ctx, LIBXL_VERSION, 0, &hv->quiet))
            hv->ctx = NULL;
    }
    return hv->ctx;
}

static const char *state_of(const libxl_dominfo *info)
{
    if (info->dying)
        return "dying";
    if (info->shutdown)
        return info->shutdown_reason == LIBXL_SHUTDOWN_REASON_CRASH
            ? "crashed" : "shutdown";
    return info->paused ? "paused" : "running";
}

static const char *type_of(const libxl_dominfo *info)
{
    switch (info->domain_type) {
    case LIBXL_DOMAIN_TYPE_PV:
        return "pv";
    case LIBXL_DOMAIN_TYPE_PVH:
        return "pvh";
    case LIBXL_DOMAIN_TYPE_HVM:
        return "hvm";
    case LIBXL_DOMAIN_TYPE_INVALID:
        break;
    }
    return NULL;
}

int xlcfg__hv_info(struct xlcfg__hv *hv, uint32_t domid,
                   struct xlcfg__hv_info *info_r)
{
    libxl_ctx *ctx = context(hv);
    libxl_dominfo info;
    int rc;

    if (!ctx)
        return XLCFG_ERROR_UNREACHABLE;
    libxl_dominfo_init(&info);
    rc = libxl_domain_info(ctx, &info, domid);
    if (!rc) {
        snprintf(info_r->uuid, sizeof(info_r->uuid), LIBXL_UUID_FMT,
                 LIBXL_UUID_BYTES(info.uuid));
        info_r->state = state_of(&info);
        info_r->type = type_of(&info);
    } else if (rc == ERROR_DOMAIN_NOTFOUND) {
        rc = XLCFG_ERROR_DOMAIN_NOTFOUND;
    } else {
        rc = XLCFG_ERROR_UNREACHABLE;
    }
    libxl_dominfo_dispose(&info);
    return rc;
}

xlcfg_doc *xlcfg__hv_sched(struct xlcfg__hv *hv, uint32_t domid,
                           const char **why_r)
{
    libxl_domain_sched_params params;
    libxl_ctx *ctx = context(hv);
    xlcfg_doc *doc = NULL;
    char *text = NULL;
    int r;

    if (!ctx) {
        *why_r = "no hypervisor answers";
        return NULL;
    }
    libxl_domain_sched_params_init(&params);
    r = libxl_domain_sched_params_get(ctx, domid, &params);
    if (r)
        *why_r = "libxl cannot read this domain's scheduler parameters";
    else
        text = libxl_domain_sched_params_to_json(ctx, &params);
    if (text && xlcfg_doc_parse(text, strlen(text), &doc, NULL))
        doc = NULL;
    if (!r && !doc)
        *why_r = "libxl cannot print this domain's scheduler parameters";
    free(text);
    libxl_domain_sched_params_dispose(&params);
    return doc;
}
