/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a detach has to know first, whether QEMU answers, what it has and what
 * libvirt lists, is asked while the domain is looked at and the detach is
 * recorded: QEMU's answer takes as long.
 *
 * The thread that asks has all it needs for itself, so that a libvirt that
 * hangs is left behind with it, and nobody waits who does not need its answer.
 */
#include "driver/clock.h"
#include "driver/deadline.h"
#include "driver/virt_qmp.h"

#include <stdlib.h>
#include <string.h>

struct xlcfg__virt_ahead {
    struct virt v;              /* what asking takes of it, no more */
    char *name;                 /* of the domain, as the caller has it */
    virDomainPtr d;             /* found by that before; NULL: it was not */
    bool heard;                 /* nobody is stuck in its monitor */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool done, unwanted;        /* whoever is second frees it */
    char uuid[VIR_UUID_STRING_BUFLEN];  /* "": there is no answer */
    struct xlcfg__virt_ground ground;
    int rc;
    xlcfg_error err;
};

static int ask(struct virt *v, virDomainPtr d, bool heard,
               struct xlcfg__virt_ground *ground, xlcfg_error *err)
{
    int rc;

    rc = heard ? 0 : xlcfg__virt_awake(d, err);
    if (!rc && v->is_qemu &&
        xlcfg__qmp_devices(v, d, &ground->devices, NULL))
        /* which may have found that QEMU does not answer */
        rc = xlcfg__virt_awake(d, err);
    return rc ? rc : xlcfg__virt_desc(d, 0, &ground->live, err);
}

void xlcfg__virt_ground_dispose(struct xlcfg__virt_ground *ground)
{
    xlcfg_doc_free(ground->devices);
    xmlFreeDoc(ground->live);
    *ground = (struct xlcfg__virt_ground){ .live = NULL };
}

static void end(struct xlcfg__virt_ahead *a)
{
    if (a->d)
        virDomainFree(a->d);
    if (a->v.conn)
        virConnectClose(a->v.conn);
    xlcfg__virt_ground_dispose(&a->ground);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->moved);
    free(a->name);
    free(a);
}

static void *run(void *arg)
{
    struct xlcfg__virt_ahead *a = arg;
    bool last;

    if (!a->d)
        a->d = xlcfg__virt_lookup(a->v.conn, a->name);
    if (a->d && virDomainGetUUIDString(a->d, a->uuid) == 0)
        a->rc = ask(&a->v, a->d, a->heard, &a->ground, &a->err);
    pthread_mutex_lock(&a->lock);
    a->done = true;
    last = a->unwanted;
    pthread_cond_signal(&a->moved);
    pthread_mutex_unlock(&a->lock);
    if (last)
        end(a);
    return NULL;
}

static struct xlcfg__virt_ahead *begin(struct virt *v, const char *name)
{
    char uuid[VIR_UUID_STRING_BUFLEN];
    struct xlcfg__virt_ahead *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    pthread_mutex_init(&a->lock, NULL);
    xlcfg__cond_init(&a->moved);
    a->name = strdup(name);
    a->v.deadline_ms = v->deadline_ms;
    a->v.is_qemu = v->is_qemu;
    if (virConnectRef(v->conn) == 0)
        a->v.conn = v->conn;
    a->d = xlcfg__virt_recall_name(v, name);
    if (a->d && virDomainGetUUIDString(a->d, uuid) == 0)
        a->heard = xlcfg__virt_is_heard(v, uuid);
    return a;
}

void xlcfg__virt_begin_ahead(void *handle, const char *dom)
{
    struct virt *v = handle;
    struct xlcfg__virt_ahead *a;
    pthread_t id;

    xlcfg__virt_end_ahead(v);
    if (!v->conn || virConnectIsAlive(v->conn) != 1)
        return;                 /* then the detach itself asks */
    a = begin(v, dom);
    if (!a)
        return;
    if (!a->v.conn || !a->name || xlcfg__thread_start(&id, run, a)) {
        end(a);
        return;
    }
    pthread_detach(id);
    v->ahead = a;
}

/* Waits for ms at most.  False: not yet. */
static bool await(struct xlcfg__virt_ahead *a, unsigned ms)
{
    struct timespec until = xlcfg__clock_after(ms);
    bool done;
    int r = 0;

    pthread_mutex_lock(&a->lock);
    while (!a->done && ms && !r)
        r = pthread_cond_timedwait(&a->moved, &a->lock, &until);
    done = a->done;
    a->unwanted = !done;
    pthread_mutex_unlock(&a->lock);
    return done;
}

void xlcfg__virt_end_ahead(void *handle)
{
    struct virt *v = handle;
    struct xlcfg__virt_ahead *a = v->ahead;

    v->ahead = NULL;
    if (a && await(a, 0))
        end(a);
}

int xlcfg__virt_ask_ground(struct virt *v, virDomainPtr d, const char *uuid,
                           struct xlcfg__virt_ground *ground_r,
                           xlcfg_error *err)
{
    struct xlcfg__virt_ahead *a = v->ahead;
    unsigned limit = xlcfg__virt_limit(v);
    int rc;

    v->ahead = NULL;
    *ground_r = (struct xlcfg__virt_ground){ .live = NULL };
    if (a && !await(a, limit))
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, virDomainGetName(d),
                          "QEMU has not answered libvirt for %u ms: nothing "
                          "was asked of it", limit);
    if (!a || strcmp(a->uuid, uuid)) {
        if (a)
            end(a);
        return ask(v, d, xlcfg__virt_is_heard(v, uuid), ground_r, err);
    }
    *ground_r = a->ground;
    a->ground = (struct xlcfg__virt_ground){ .live = NULL };
    rc = a->rc;
    if (rc && err)
        *err = a->err;
    end(a);
    return rc;
}
