/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Xen driver's acts, for its table. */
#ifndef XLCFG_DRIVER_XEN_PLUG_H
#define XLCFG_DRIVER_XEN_PLUG_H

#include "driver/driver.h"

bool xlcfg__xen_can(void *handle, enum xlcfg_kind kind,
                    enum xlcfg_action act, char *reason, size_t size);
int xlcfg__xen_prepare(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       const struct xlcfg_view *live,
                       const struct xlcfg__addresses *book,
                       xlcfg_doc **body_r, xlcfg_error *err);
/* driver.h's ready: a child that has libxl open, and waits. */
int xlcfg__xen_attach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      xlcfg_error *err);
int xlcfg__xen_detach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      unsigned flags, unsigned wait_ms, xlcfg_error *err);
int xlcfg__xen_update(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *before,
                      const xlcfg_doc *after, xlcfg_error *err);
int xlcfg__xen_clean(void *handle, const struct xlcfg_domain *dom,
                     const struct xlcfg_dev *dev, bool dry_run,
                     xlcfg__items *steps, xlcfg_error *err);
/* In a child, for what the caller hands in; UNREACHABLE: no libxl. */
int xlcfg__xen_check_update(void *handle, enum xlcfg_kind kind,
                            const xlcfg_doc *before, const xlcfg_doc *after,
                            xlcfg_error *err);
int xlcfg__xen_check(void *handle, enum xlcfg_kind kind,
                     const xlcfg_doc *body, xlcfg_error *err);
/* START alone: Xen keeps no definitions. */
int xlcfg__xen_create(void *handle, const xlcfg_doc *config, unsigned flags,
                      struct xlcfg_domain *dom_r, xlcfg_error *err);
int xlcfg__xen_unmake(void *handle, const char *uuid, bool dry_run,
                      xlcfg_error *err);

#endif
