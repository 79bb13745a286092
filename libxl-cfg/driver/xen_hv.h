/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What only the hypervisor knows, asked through libxl.  The libxl context is
 * made at the first question and kept; that it cannot be made (no hypervisor
 * answers) is an answer as well, and everything else works without.
 */
#ifndef XLCFG_DRIVER_XEN_HV_H
#define XLCFG_DRIVER_XEN_HV_H

#include "core/doc.h"

struct xlcfg__hv;

struct xlcfg__hv_info {
    char uuid[37];              /* the handle, lower case */
    const char *state;          /* a state of struct xlcfg_domain */
    const char *type;           /* "pv", "pvh", "hvm"; NULL: not told */
    bool fresh;                 /* paused, and no processor of it ever ran */
};

struct xlcfg__hv *xlcfg__hv_new(void);          /* NULL: no memory */
void xlcfg__hv_free(struct xlcfg__hv *hv);      /* NULL accepted */

/* 0; DOMAIN_NOTFOUND: it answered, there is none; UNREACHABLE. */
int xlcfg__hv_info(struct xlcfg__hv *hv, uint32_t domid,
                   struct xlcfg__hv_info *info_r);
/* All of them, in the order of domid, in one question; v is to be freed.
 * UNREACHABLE, NOMEM. */
struct xlcfg__hv_rows {
    struct xlcfg__hv_row {
        uint32_t domid;
        struct xlcfg__hv_info info;
    } *v;
    size_t count;
};
int xlcfg__hv_rows(struct xlcfg__hv *hv, struct xlcfg__hv_rows *rows_r);
/* A text that moves with whatever a look asks the hypervisor for; NULL: no
 * memory. */
char *xlcfg__hv_text(struct xlcfg__hv *hv, uint32_t domid,
                     const struct xlcfg__hv_info *info);
/* The scheduler's parameters as libxl prints them; NULL: why_r says why
 * (static text). */
xlcfg_doc *xlcfg__hv_sched(struct xlcfg__hv *hv, uint32_t domid,
                           const char **why_r);

#endif
