/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No SIGPIPE in the caller's thread: see virt_hush.h. */
#include "driver/virt_hush.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

static void only_pipe(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
}

void xlcfg__virt_hush(struct xlcfg__virt_hushed *was)
{
    sigset_t pipe, pending;

    only_pipe(&pipe);
    was->pending = !sigpending(&pending) &&
        sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe, &was->mask);
}

void xlcfg__virt_unhush(const struct xlcfg__virt_hushed *was)
{
    static const struct timespec at_once;
    sigset_t pipe;

    only_pipe(&pipe);
    if (!was->pending)
        while (sigtimedwait(&pipe, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &was->mask, NULL);
}

/* A member of the driver, hushed: its parameters, and their names. */
#define HUSHED(name, parameters, arguments) \
    int xlcfg__hushed_##name parameters \
    { \
        struct xlcfg__virt_hushed was; \
        int rc; \
    \
        xlcfg__virt_hush(&was); \
        rc = xlcfg__virt_##name arguments; \
        xlcfg__virt_unhush(&was); \
        return rc; \
    }

HUSHED(find,
       (void *handle, const char *name, struct xlcfg_domain *dom_r,
        xlcfg_error *err),
       (handle, name, dom_r, err))
HUSHED(stored,
       (void *handle, const struct xlcfg_domain *dom, xlcfg_doc **config_r,
        xlcfg_error *err),
       (handle, dom, config_r, err))
HUSHED(capacity,
       (void *handle, const struct xlcfg_domain *dom,
        const xlcfg_doc *disk, uint64_t *bytes_r, xlcfg_error *err),
       (handle, dom, disk, bytes_r, err))
HUSHED(prepare,
       (void *handle, const struct xlcfg_domain *dom, enum xlcfg_kind kind,
        const xlcfg_doc *body, const struct xlcfg_view *live,
        const struct xlcfg__addresses *book, xlcfg_doc **body_r,
        xlcfg_error *err),
       (handle, dom, kind, body, live, book, body_r, err))
HUSHED(attach,
       (void *handle, const struct xlcfg_domain *dom, enum xlcfg_kind kind,
        const xlcfg_doc *body, xlcfg_error *err),
       (handle, dom, kind, body, err))
HUSHED(detach,
       (void *handle, const struct xlcfg_domain *dom, enum xlcfg_kind kind,
        const xlcfg_doc *body, unsigned flags, unsigned wait_ms,
        xlcfg_error *err),
       (handle, dom, kind, body, flags, wait_ms, err))
HUSHED(update,
       (void *handle, const struct xlcfg_domain *dom, enum xlcfg_kind kind,
        const xlcfg_doc *before, const xlcfg_doc *after, xlcfg_error *err),
       (handle, dom, kind, before, after, err))
HUSHED(forget,
       (void *handle, const struct xlcfg_domain *dom, enum xlcfg_kind kind,
        const xlcfg_doc *body, xlcfg_error *err),
       (handle, dom, kind, body, err))
HUSHED(keep,
       (void *handle, const struct xlcfg_domain *dom, enum xlcfg_kind kind,
        const xlcfg_doc *body, xlcfg_error *err),
       (handle, dom, kind, body, err))
HUSHED(create,
       (void *handle, const xlcfg_doc *config, unsigned flags,
        struct xlcfg_domain *dom_r, xlcfg_error *err),
       (handle, config, flags, dom_r, err))
HUSHED(go_on,
       (void *handle, const struct xlcfg_domain *dom, xlcfg_error *err),
       (handle, dom, err))
HUSHED(clean,
       (void *handle, const struct xlcfg_domain *dom,
        const struct xlcfg_dev *dev, bool dry_run, xlcfg__items *steps,
        xlcfg_error *err),
       (handle, dom, dev, dry_run, steps, err))
