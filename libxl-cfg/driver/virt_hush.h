/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the driver does in its caller's thread, without SIGPIPE.
 *
 * libvirt's client writes to a socket whose other end may just have gone; the
 * signal that comes of it ends a process that has not thought of it.  Threads
 * of ours take no signals at all; in the caller's this one is blocked
 * meanwhile, and taken away before it is let in again.
 */
#ifndef XLCFG_DRIVER_VIRT_HUSH_H
#define XLCFG_DRIVER_VIRT_HUSH_H

#include "driver/virt_i.h"

#include <signal.h>

struct xlcfg__virt_hushed {
    sigset_t mask;
    bool pending;               /* before: the caller's own */
};

void xlcfg__virt_hush(struct xlcfg__virt_hushed *was);
void xlcfg__virt_unhush(const struct xlcfg__virt_hushed *was);

/* Driver members: those of virt_i.h, hushed. */
int xlcfg__hushed_find(void *handle, const char *name,
                       struct xlcfg_domain *dom_r, xlcfg_error *err);
int xlcfg__hushed_stored(void *handle, const struct xlcfg_domain *dom,
                         xlcfg_doc **config_r, xlcfg_error *err);
int xlcfg__hushed_capacity(void *handle, const struct xlcfg_domain *dom,
                           const xlcfg_doc *disk, uint64_t *bytes_r,
                           xlcfg_error *err);
int xlcfg__hushed_prepare(void *handle, const struct xlcfg_domain *dom,
                          enum xlcfg_kind kind, const xlcfg_doc *body,
                          const struct xlcfg_view *live,
                          const struct xlcfg__addresses *book,
                          xlcfg_doc **body_r, xlcfg_error *err);
int xlcfg__hushed_attach(void *handle, const struct xlcfg_domain *dom,
                         enum xlcfg_kind kind, const xlcfg_doc *body,
                         xlcfg_error *err);
int xlcfg__hushed_detach(void *handle, const struct xlcfg_domain *dom,
                         enum xlcfg_kind kind, const xlcfg_doc *body,
                         unsigned flags, unsigned wait_ms, xlcfg_error *err);
int xlcfg__hushed_update(void *handle, const struct xlcfg_domain *dom,
                         enum xlcfg_kind kind, const xlcfg_doc *before,
                         const xlcfg_doc *after, xlcfg_error *err);
int xlcfg__hushed_forget(void *handle, const struct xlcfg_domain *dom,
                         enum xlcfg_kind kind, const xlcfg_doc *body,
                         xlcfg_error *err);
int xlcfg__hushed_keep(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       xlcfg_error *err);
int xlcfg__hushed_create(void *handle, const xlcfg_doc *config,
                         unsigned flags, struct xlcfg_domain *dom_r,
                         xlcfg_error *err);
int xlcfg__hushed_go_on(void *handle, const struct xlcfg_domain *dom,
                        xlcfg_error *err);
int xlcfg__hushed_clean(void *handle, const struct xlcfg_domain *dom,
                        const struct xlcfg_dev *dev, bool dry_run,
                        xlcfg__items *steps, xlcfg_error *err);

#endif
