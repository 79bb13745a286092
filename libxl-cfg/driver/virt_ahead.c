/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a detach has to know first, whether QEMU answers and what it has, is
 * asked while the detach is recorded: QEMU's answer takes as long.  Not sooner,
 * for libvirt has a look wait for it.  What libvirt lists is what the look has
 * read, taken apart meanwhile.
 *
 * The thread that asks has all it needs for itself, so that a libvirt that
 * hangs is left behind with it, and nobody waits who does not need its answer.
 */
#include "driver/crew.h"
#include "driver/virt_qmp.h"

#include <stdlib.h>
#include <string.h>

struct xlcfg__virt_ahead {
    struct virt v;              /* what asking takes of it, no more */
    virDomainPtr d;
    char *xml;                  /* of what runs, as it was looked at */
    bool heard;                 /* nobody is stuck in its monitor */
    struct xlcfg__turn *turn;
    char uuid[VIR_UUID_STRING_BUFLEN];
    xlcfg_doc *devices;         /* that QEMU has */
    int rc;
    xlcfg_error err;
};

static int ask(struct virt *v, virDomainPtr d, bool heard,
               xlcfg_doc **devices_r, xlcfg_error *err)
{
    int rc;

    rc = heard ? 0 : xlcfg__virt_awake(d, err);
    if (!rc && v->is_qemu && xlcfg__qmp_devices(v, d, devices_r, NULL))
        /* which may have found that QEMU does not answer */
        rc = xlcfg__virt_awake(d, err);
    return rc;
}

void xlcfg__virt_ground_dispose(struct xlcfg__virt_ground *ground)
{
    xlcfg_doc_free(ground->devices);
    xmlFreeDoc(ground->live);
    *ground = (struct xlcfg__virt_ground){ .live = NULL };
}

static void end(void *ahead)
{
    struct xlcfg__virt_ahead *a = ahead;

    if (a->d)
        virDomainFree(a->d);
    if (a->v.conn)
        virConnectClose(a->v.conn);
    xlcfg_doc_free(a->devices);
    free(a->xml);
    free(a);
}

static void run(void *arg)
{
    struct xlcfg__virt_ahead *a = arg;

    a->rc = ask(&a->v, a->d, a->heard, &a->devices, &a->err);
}

static struct xlcfg__virt_ahead *begin(struct virt *v, virDomainPtr d,
                                       const char *uuid, const char *xml)
{
    struct xlcfg__virt_ahead *a = calloc(1, sizeof(*a));
    virConnectPtr conn = virDomainGetConnect(d);

    if (!a)
        return NULL;
    strncpy(a->uuid, uuid, sizeof(a->uuid) - 1);
    a->xml = strdup(xml);
    a->heard = xlcfg__virt_is_heard(v, uuid);
    a->v.deadline_ms = v->deadline_ms;
    a->v.is_qemu = v->is_qemu;
    if (virDomainRef(d) == 0)
        a->d = d;
    if (virConnectRef(conn) == 0)
        a->v.conn = conn;
    return a;
}

/* Nobody waits for it: if its thread is not done, that ends it. */
static void leave(struct xlcfg__virt_ahead *a)
{
    if (a && xlcfg__turn_end(a->turn, 0))
        end(a);
}

/* What there is is the caller's.  A look that was left behind may be at it. */
static struct xlcfg__virt_ahead *take(struct virt *v, bool soon)
{
    struct xlcfg__virt_ahead *a;

    pthread_mutex_lock(&v->lock);
    a = v->ahead;
    v->ahead = NULL;
    v->soon = soon;
    pthread_mutex_unlock(&v->lock);
    return a;
}

void xlcfg__virt_soon(void *handle)
{
    leave(take(handle, true));
}

void xlcfg__virt_end_ahead(void *handle)
{
    leave(take(handle, false));
}

static bool is_wanted(struct virt *v)
{
    bool soon;

    pthread_mutex_lock(&v->lock);
    soon = v->soon;
    pthread_mutex_unlock(&v->lock);
    return soon;
}

void xlcfg__virt_go_ahead(struct virt *v, virDomainPtr d, const char *uuid,
                          const char *xml)
{
    static const struct xlcfg__work work = { .run = run, .drop = end };
    struct xlcfg__virt_ahead *a = is_wanted(v) ? begin(v, d, uuid, xml)
        : NULL, *other;

    if (!a)
        return;                 /* then the detach itself asks */
    if (a->v.conn && a->d && a->xml)
        a->turn = xlcfg__turn_start(&work, a);
    if (!a->turn) {
        end(a);
        return;
    }
    pthread_mutex_lock(&v->lock);
    other = v->soon ? v->ahead : a;     /* of an earlier look */
    if (v->soon)
        v->ahead = a;
    pthread_mutex_unlock(&v->lock);
    leave(other);
}

static int ask_both(struct virt *v, virDomainPtr d, const char *uuid,
                    struct xlcfg__virt_ground *ground_r, xlcfg_error *err)
{
    int rc = ask(v, d, xlcfg__virt_is_heard(v, uuid), &ground_r->devices,
                 err);

    return rc ? rc : xlcfg__virt_desc(d, 0, &ground_r->live, err);
}

/* The caller's a; what QEMU has is waited for. */
static int take_both(struct virt *v, virDomainPtr d,
                     struct xlcfg__virt_ahead *a,
                     struct xlcfg__virt_ground *ground_r, xlcfg_error *err)
{
    unsigned limit = xlcfg__virt_limit(v);
    int rc;

    rc = xlcfg__virt_parse_desc(d, a->xml, &ground_r->live, err);
    if (rc) {
        leave(a);
        return rc;
    }
    if (!xlcfg__turn_end(a->turn, limit))
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, virDomainGetName(d),
                          "QEMU has not answered libvirt for %u ms: nothing "
                          "was asked of it", limit);
    ground_r->devices = a->devices;
    a->devices = NULL;
    rc = a->rc;
    if (rc && err)
        *err = a->err;
    end(a);
    return rc;
}

int xlcfg__virt_ask_ground(struct virt *v, virDomainPtr d, const char *uuid,
                           struct xlcfg__virt_ground *ground_r,
                           xlcfg_error *err)
{
    struct xlcfg__virt_ahead *a = take(v, false);

    *ground_r = (struct xlcfg__virt_ground){ .live = NULL };
    if (a && !strcmp(a->uuid, uuid))
        return take_both(v, d, a, ground_r, err);
    leave(a);
    return ask_both(v, d, uuid, ground_r, err);
}
