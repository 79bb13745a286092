/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hints from xenstore's watches, on a connection of their own: libxl's index
 * of devices, the backends of dom0 and of driver domains, the few scalars of
 * each domain, and domains that come and go.  What a guest may write is not
 * watched.  A hint says no more than that a look may show something new.
 */
#include "driver/xen_watch.h"
#include "driver/xen_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#define DOMID_MAX 0x7fef

/* What of a domain's own directory is watched; dom0 alone writes it, or a
 * driver domain its backends. */
static const char *const scalars[] = { "name", "memory", "cpu", "backend" };
#define SCALARS (sizeof(scalars) / sizeof(scalars[0]))

struct xlcfg__xen_watch {
    struct xs_handle *h;
    int fd;
    uint32_t *doms;             /* whose scalars are watched */
    size_t count, room;
    uint32_t *backends;         /* dom0, and all others that have some */
    size_t backend_count;
    uint32_t last;              /* of the hint before, with its uuid */
    char last_uuid[37];
};

/* What a path is about. */
enum about {
    NOTHING, ONE_DOMAIN, ANY_DOMAIN, LIST_OF_DOMAINS, A_NAME, A_PCI_BACKEND,
};

void xlcfg__xen_watch_free(struct xlcfg__xen_watch *w)
{
    if (!w)
        return;
    if (w->h)
        xs_close(w->h);
    free(w->doms);
    free(w->backends);
    free(w);
}

static int lost(xlcfg_error *err, const char *path)
{
    return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, path,
                      "xenstore cannot be watched: %s", strerror(errno));
}

static int watch(struct xlcfg__xen_watch *w, const char *path,
                 xlcfg_error *err)
{
    errno = 0;
    if (xs_watch(w->h, path, "") || errno == EEXIST)
        return 0;
    return lost(err, path);
}

static size_t find(const uint32_t *list, size_t count, uint32_t domid)
{
    size_t i = 0;

    while (i < count && list[i] != domid)
        i++;
    return i;
}

static int watch_scalars(struct xlcfg__xen_watch *w, uint32_t domid,
                         xlcfg_error *err)
{
    char path[64];
    int rc = 0;

    if (find(w->doms, w->count, domid) < w->count)
        return 0;
    if (w->count == w->room) {
        size_t more = w->room ? w->room * 2 : 64;
        uint32_t *bigger = reallocarray(w->doms, more, sizeof(*bigger));

        if (!bigger)
            return xlcfg__nomem(err);
        w->doms = bigger;
        w->room = more;
    }
    for (size_t i = 0; i < SCALARS && !rc; i++) {
        snprintf(path, sizeof(path), "/local/domain/%u/%s", domid,
                 scalars[i]);
        rc = watch(w, path, err);
    }
    if (!rc)
        w->doms[w->count++] = domid;
    return rc;
}

/* It has backends, or has had. */
static int note_backends(struct xlcfg__xen_watch *w, uint32_t domid,
                         xlcfg_error *err)
{
    uint32_t *bigger;

    if (find(w->backends, w->backend_count, domid) < w->backend_count)
        return 0;
    bigger = reallocarray(w->backends, w->backend_count + 1,
                          sizeof(*bigger));
    if (!bigger)
        return xlcfg__nomem(err);
    w->backends = bigger;
    w->backends[w->backend_count++] = domid;
    return 0;
}

bool xlcfg__xen_watch_serves(const struct xlcfg__xen_watch *w,
                             uint32_t domid)
{
    /* one that is not watched may have come this moment */
    return !w || find(w->backends, w->backend_count, domid) <
        w->backend_count || find(w->doms, w->count, domid) == w->count;
}

static void unwatch_scalars(struct xlcfg__xen_watch *w, size_t at)
{
    char path[64];

    for (size_t i = 0; i < SCALARS; i++) {
        snprintf(path, sizeof(path), "/local/domain/%u/%s", w->doms[at],
                 scalars[i]);
        xs_unwatch(w->h, path, "");
    }
    w->doms[at] = w->doms[--w->count];
}

/* Watch those that came, let go of those that went. */
static int follow_domains(struct xlcfg__xen *xen, xlcfg_error *err)
{
    struct xlcfg__xen_watch *w = xen->watch;
    struct xlcfg__xs_names names, dirs;
    uint64_t domid;
    int r, rc = 0;

    r = xlcfg__xs_list(xen->xs, &names, "/local/domain");
    if (r && r != ENOENT) {
        errno = r;
        return lost(err, "/local/domain");
    }
    for (size_t i = w->count; i-- > 0;) {
        char number[16];

        snprintf(number, sizeof(number), "%u", w->doms[i]);
        if (!xlcfg__xs_names_has(&names, number))
            unwatch_scalars(w, i);
    }
    for (unsigned i = 0; i < names.count && !rc; i++) {
        if (!xlcfg__xs_number(names.v[i], DOMID_MAX, &domid) ||
            find(w->doms, w->count, (uint32_t)domid) < w->count)
            continue;
        rc = watch_scalars(w, (uint32_t)domid, err);
        if (!rc && !xlcfg__xs_list(xen->xs, &dirs,
                                   "/local/domain/%u/backend",
                                   (unsigned)domid)) {
            xlcfg__xs_names_dispose(&dirs);
            rc = note_backends(w, (uint32_t)domid, err);
        }
    }
    xlcfg__xs_names_dispose(&names);
    return rc;
}

static int begin(struct xlcfg__xen *xen, xlcfg_error *err)
{
    static const char *const paths[] = { "/libxl", "@introduceDomain",
                                         "@releaseDomain" };
    struct xlcfg__xen_watch *w = xen->watch;
    int rc = 0;

    w->last = UINT32_MAX;
    errno = 0;
    w->h = xs_open(0);
    if (!w->h)
        return lost(err, getenv("XENSTORED_PATH"));
    w->fd = xs_fileno(w->h);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && !rc; i++)
        rc = watch(w, paths[i], err);
    if (!rc)
        rc = watch(w, "/local/domain/0/backend", err);
    if (!rc)
        rc = note_backends(w, 0, err);
    return rc ? rc : follow_domains(xen, err);
}

int xlcfg__xen_watch_fd(void *handle, xlcfg_error *err)
{
    struct xlcfg__xen *xen = handle;
    int rc;

    if (xen->watch)
        return xen->watch->fd;
    xen->watch = calloc(1, sizeof(*xen->watch));
    if (!xen->watch)
        return xlcfg__nomem(err);
    rc = begin(xen, err);
    if (rc) {
        xlcfg__xen_watch_free(xen->watch);
        xen->watch = NULL;
        return rc;
    }
    return xen->watch->fd;
}

/* ---- what a path says ---- */

/* The number after `prefix`; what follows it in *rest. */
static bool number_after(const char *path, const char *prefix,
                         uint32_t *domid, const char **rest)
{
    size_t n = strlen(prefix), digits;
    char text[8];
    uint64_t id;

    if (strncmp(path, prefix, n))
        return false;
    path += n;
    digits = strspn(path, "0123456789");
    if (!digits || digits >= sizeof(text) ||
        (path[digits] && path[digits] != '/'))
        return false;
    memcpy(text, path, digits);
    text[digits] = '\0';
    if (!xlcfg__xs_number(text, DOMID_MAX, &id))
        return false;
    *domid = (uint32_t)id;
    *rest = path + digits;
    return true;
}

/* BACKEND/KIND/GUEST/... */
static enum about about_backend(const char *rest, uint32_t *domid)
{
    const char *kind = rest + strlen("/backend"), *guest;
    const char *tail;

    if (*kind != '/')
        return NOTHING;         /* the folder itself */
    guest = strchr(kind + 1, '/');
    if (!guest)
        return NOTHING;
    if (!number_after(guest, "/", domid, &tail))
        return NOTHING;
    return strncmp(kind, "/pci/", 5) ? ONE_DOMAIN : A_PCI_BACKEND;
}

static enum about about(const char *path, uint32_t *domid)
{
    const char *rest;

    if (*path == '@')
        return LIST_OF_DOMAINS;
    if (number_after(path, "/libxl/", domid, &rest))
        return ONE_DOMAIN;
    if (number_after(path, "/local/domain/", domid, &rest)) {
        if (!strcmp(rest, "/name"))
            return A_NAME;
        return !strncmp(rest, "/backend", 8) &&
            (!rest[8] || rest[8] == '/') ? about_backend(rest, domid)
            : ONE_DOMAIN;
    }
    return ANY_DOMAIN;
}

/* "" of one that is gone, "*" of one that is there and nobody knows as
 * what. */
static void uuid_of(struct xlcfg__xen *xen, uint32_t domid, char uuid_r[37])
{
    static const char *const names[] = { "vm", "name", "domid" };
    struct xlcfg__xen_watch *w = xen->watch;
    struct xlcfg__xs_value v[3];
    char base[32];

    if (w->last != domid) {
        snprintf(base, sizeof(base), "/local/domain/%u", domid);
        xlcfg__xs_read_many(xen->xs, base, names, 3, v);
        xlcfg__xen_vm_uuid(xlcfg__xs_text(&v[0]), w->last_uuid);
        if (!*w->last_uuid && !(xlcfg__xs_absent(&v[0]) &&
                                xlcfg__xs_absent(&v[1]) &&
                                xlcfg__xs_absent(&v[2])))
            strcpy(w->last_uuid, "*");
        xlcfg__xs_value_dispose(v, 3);
        w->last = domid;
    }
    memcpy(uuid_r, w->last_uuid, 37);
}

/* A domain's own name is also in the configuration of those whose backends
 * it has. */
static void uuid_of_name(struct xlcfg__xen *xen, uint32_t domid,
                         char uuid_r[37])
{
    struct xlcfg__xen_watch *w = xen->watch;

    if (domid && find(w->backends, w->backend_count, domid) <
        w->backend_count)
        strcpy(uuid_r, "*");
    else
        uuid_of(xen, domid, uuid_r);
}

/* The backend may be a stub domain's, which serves another. */
static void uuid_of_pci(struct xlcfg__xen *xen, uint32_t domid,
                        char uuid_r[37])
{
    struct xlcfg__xs_value v;
    uint64_t target;

    xlcfg__xs_read(xen->xs, &v, "/local/domain/%u/target", domid);
    if (xlcfg__xs_number(xlcfg__xs_text(&v), DOMID_MAX, &target))
        uuid_of(xen, (uint32_t)target, uuid_r);
    else if (xlcfg__xs_absent(&v))
        uuid_of(xen, domid, uuid_r);
    else
        strcpy(uuid_r, "*");
    xlcfg__xs_value_dispose(&v, 1);
}

/* 0: a hint; 1: the path says nothing. */
static int hint(struct xlcfg__xen *xen, const char *path, char uuid_r[37],
                xlcfg_error *err)
{
    uint32_t domid = 0;
    const char *rest;
    int rc;

    uuid_r[0] = '\0';
    if (number_after(path, "/local/domain/", &domid, &rest) &&
        !strncmp(rest, "/backend/", 9)) {
        rc = note_backends(xen->watch, domid, err);
        if (rc)
            return rc;
    }
    switch (about(path, &domid)) {
    case NOTHING:
        return 1;
    case ONE_DOMAIN:
        uuid_of(xen, domid, uuid_r);
        return 0;
    case LIST_OF_DOMAINS:
        xen->watch->last = UINT32_MAX;
        return follow_domains(xen, err);
    case A_NAME:
        uuid_of_name(xen, domid, uuid_r);
        return 0;
    case A_PCI_BACKEND:
        uuid_of_pci(xen, domid, uuid_r);
        return 0;
    case ANY_DOMAIN:
        strcpy(uuid_r, "*");
        return 0;
    }
    return 0;
}

/* xenstored sends its answer after the events of all that it did before. */
int xlcfg__xen_watch_fence(struct xlcfg__xen_watch *w, xlcfg_error *err)
{
    unsigned len;
    char *text;

    if (!w)
        return 0;
    errno = 0;
    text = xs_read(w->h, XBT_NULL, "/local/domain/0/domid", &len);
    free(text);
    return text || errno == ENOENT ? 0 : lost(err, NULL);
}

int xlcfg__xen_watch_next(void *handle, char uuid_r[37], xlcfg_error *err)
{
    struct xlcfg__xen *xen = handle;
    struct xlcfg__xen_watch *w = xen->watch;
    int rc = 1;

    while (w && rc == 1) {
        char **event;

        errno = 0;
        event = xs_check_watch(w->h);
        if (!event && errno == EAGAIN) {
            w->last = UINT32_MAX;       /* numbers may change hands */
            return 1;
        }
        if (!event)
            return lost(err, NULL);
        rc = hint(xen, event[XS_WATCH_PATH], uuid_r, err);
        free(event);
    }
    return rc;
}
