/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hv.so's other half, which only a xenstored asks for: ring pages, event
 * channels, the files of /proc/xen.
 */
#include "hv.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>

/* ---- libxengnttab: a domain's ring page is a page of our own ------------ */

static char grant_handle;       /* the address serves as every handle */

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger,
                                 unsigned open_flags)
{
    (void)logger, (void)open_flags;
    return (xengnttab_handle *)&grant_handle;
}

int xengnttab_close(xengnttab_handle *xgt)
{
    (void)xgt;
    return 0;
}

int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t nr_grants)
{
    (void)xgt, (void)nr_grants;
    return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid,
                              uint32_t ref, int prot)
{
    (void)xgt, (void)ref;
    return xc_map_foreign_range(NULL, domid, 4096, prot, 0);
}

int xengnttab_unmap(xengnttab_handle *xgt, void *start_address,
                    uint32_t count)
{
    (void)xgt;
    return munmap(start_address, (size_t)count * 4096);
}

/* ---- libxenevtchn ------------------------------------------------------ */

/*
 * The one event that ever arrives is VIRQ_DOM_EXC, "some domain has died or
 * shut down", and it arrives when the file of domains was replaced or
 * written: the handle's descriptor is an inotify watch on it.
 */
#define FIRST_PORT 8

struct xenevtchn_handle {
    int fd;
    evtchn_port_t next_port, virq_port;
};

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger,
                                 unsigned int flags)
{
    const char *path = getenv("XLCFG_TEST_DOMAINS");
    xenevtchn_handle *xce;
    char *folder, *slash;

    (void)logger, (void)flags;
    xce = calloc(1, sizeof(*xce));
    folder = path ? strdup(path) : NULL;
    if (!xce || !folder)
        goto fail;
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    xce->next_port = FIRST_PORT;
    xce->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (xce->fd < 0 ||
        inotify_add_watch(xce->fd, slash ? folder : ".",
                          IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
        goto fail;
    free(folder);
    return xce;
fail:
    free(folder);
    free(xce);
    return NULL;
}

xenevtchn_handle *xenevtchn_fdopen(struct xentoollog_logger *logger, int fd,
                                   unsigned open_flags)
{
    xenevtchn_handle *xce = calloc(1, sizeof(*xce));

    (void)logger, (void)open_flags;
    if (xce) {
        xce->fd = fd;
        xce->next_port = FIRST_PORT;
    }
    return xce;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
    if (xce) {
        close(xce->fd);
        free(xce);
    }
    return 0;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
    return xce->fd;
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
    (void)xce, (void)port;
    return 0;
}

xenevtchn_port_or_error_t
xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid,
                           evtchn_port_t remote_port)
{
    (void)domid, (void)remote_port;
    return xce->next_port++;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce,
                                              unsigned int virq)
{
    (void)virq;
    xce->virq_port = xce->next_port++;
    return xce->virq_port;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
    (void)xce, (void)port;
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
    char buffer[4096];

    while (read(xce->fd, buffer, sizeof(buffer)) > 0)
        continue;
    return xce->virq_port;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
    (void)xce, (void)port;
    return 0;
}

/* ---- the two files of /proc/xen that a xenstored opens ------------------ */

static int open_memory(const char *path, bool *ours_r)
{
    bool is_port = strcmp(path, "/proc/xen/xsd_port") == 0;
    bool is_page = strcmp(path, "/proc/xen/xsd_kva") == 0;
    int fd;

    *ours_r = is_port || is_page;
    if (!*ours_r)
        return -1;
    fd = memfd_create("xsd", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (is_page ? ftruncate(fd, 4096) != 0
                : write(fd, "2", 1) != 1 || lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

typedef int open_call(const char *path, int flags, ...);

static int open_any(const char *symbol, const char *path, int flags,
                    mode_t mode)
{
    open_call *next;
    bool ours;
    int fd = open_memory(path, &ours);

    if (ours)
        return fd;
    next = (open_call *)dlsym(RTLD_NEXT, symbol);
    return next(path, flags, mode);
}

#define DEFINE_OPEN(name)                                               \
    int name(const char *path, int flags, ...)                          \
    {                                                                   \
        mode_t mode = 0;                                                \
        va_list list;                                                   \
                                                                        \
        if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {      \
            va_start(list, flags);                                      \
            mode = va_arg(list, mode_t);                                \
            va_end(list);                                               \
        }                                                               \
        return open_any(#name, path, flags, mode);                      \
    }

DEFINE_OPEN(open)
DEFINE_OPEN(open64)

/*
 * oxenstored asks for as many files as the kernel could ever give and ends
 * when it is told no; a container says no.  The hard limit is enough here.
 */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    struct rlimit have;

    if (prlimit(0, resource, limit, NULL) == 0)
        return 0;
    if (errno != EPERM || resource != RLIMIT_NOFILE ||
        getrlimit(resource, &have) < 0)
        return -1;
    have.rlim_cur = have.rlim_max;
    return prlimit(0, resource, &have, NULL);
}
