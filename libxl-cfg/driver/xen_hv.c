/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to the hypervisor, through libxl. */
#include "driver/xen_hv.h"

#include <ctype.h>
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

static void take_info(const libxl_dominfo *info,
                      struct xlcfg__hv_info *info_r)
{
    snprintf(info_r->uuid, sizeof(info_r->uuid), LIBXL_UUID_FMT,
             LIBXL_UUID_BYTES(info->uuid));
    for (char *at = info_r->uuid; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    info_r->state = state_of(info);
    info_r->type = type_of(info);
    info_r->fresh = info->paused && !info->dying && !info->shutdown &&
        !info->cpu_time;
}

static int by_domid(const void *a, const void *b)
{
    uint32_t x = ((const struct xlcfg__hv_row *)a)->domid;
    uint32_t y = ((const struct xlcfg__hv_row *)b)->domid;

    return x < y ? -1 : x > y;
}

int xlcfg__hv_rows(struct xlcfg__hv *hv, struct xlcfg__hv_rows *rows_r)
{
    libxl_ctx *ctx = context(hv);
    libxl_dominfo *list;
    int count;

    *rows_r = (struct xlcfg__hv_rows){ NULL, 0 };
    list = ctx ? libxl_list_domain(ctx, &count) : NULL;
    if (!list)
        return XLCFG_ERROR_UNREACHABLE;
    rows_r->v = calloc((size_t)count + 1, sizeof(*rows_r->v));
    for (int i = 0; rows_r->v && i < count; i++) {
        struct xlcfg__hv_row *row = &rows_r->v[rows_r->count++];

        row->domid = list[i].domid;
        take_info(&list[i], &row->info);
    }
    libxl_dominfo_list_free(list, count);
    if (!rows_r->v)
        return XLCFG_ERROR_NOMEM;
    qsort(rows_r->v, rows_r->count, sizeof(*rows_r->v), by_domid);
    return 0;
}

char *xlcfg__hv_text(struct xlcfg__hv *hv, uint32_t domid,
                     const struct xlcfg__hv_info *info)
{
    libxl_domain_sched_params params;
    libxl_ctx *ctx = context(hv);
    char *sched = NULL, *text;
    int r = 0;

    libxl_domain_sched_params_init(&params);
    if (ctx && !libxl_domain_sched_params_get(ctx, (uint32_t)domid, &params))
        sched = libxl_domain_sched_params_to_json(ctx, &params);
    libxl_domain_sched_params_dispose(&params);
    r = asprintf(&text, "%s %s %s", info->state,
                 info->type ? info->type : "?", sched ? sched : "?");
    free(sched);
    return r < 0 ? NULL : text;
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
        take_info(&info, info_r);
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
