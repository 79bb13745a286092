/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that QEMU answers, with an end to the wait.  libvirt waits for a
 * hung QEMU as long as it takes; here a thread does, and when the time is up
 * it is left behind with all that it holds.  What it asked for may still be
 * done when QEMU goes on: nobody knows, and the intent stays open.
 */
#include "driver/virt_i.h"
#include "driver/clock.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* So many looks long, 30 s with the usual deadline: an image on another host
 * has to be opened meanwhile. */
#define LOOKS 10
/* Somebody who is in the monitor for longer than this is stuck there. */
#define STUCK_MS 1000

struct call {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int owners;
    bool done;
    enum xlcfg__virt_ask ask;
    virDomainPtr d;
    char *text, *answer;
    unsigned flags;
    int r;
    virErrorPtr error;          /* libvirt keeps one for each thread */
};

static void leave(struct call *call)
{
    bool last;

    pthread_mutex_lock(&call->lock);
    last = --call->owners == 0;
    pthread_mutex_unlock(&call->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&call->lock);
    pthread_cond_destroy(&call->moved);
    if (call->error)
        virFreeError(call->error);
    virDomainFree(call->d);
    free(call->text);
    free(call->answer);
    free(call);
}

static int ask_now(struct call *call)
{
    switch (call->ask) {
    case XLCFG__VIRT_ATTACH:
        return virDomainAttachDeviceFlags(call->d, call->text, call->flags);
    case XLCFG__VIRT_DETACH_ALIAS:
        return virDomainDetachDeviceAlias(call->d, call->text, call->flags);
    case XLCFG__VIRT_DETACH:
        return virDomainDetachDeviceFlags(call->d, call->text, call->flags);
    case XLCFG__VIRT_UPDATE:
        return virDomainUpdateDeviceFlags(call->d, call->text, call->flags);
    case XLCFG__VIRT_QMP:
        return virDomainQemuMonitorCommand(call->d, call->text,
                                           &call->answer, call->flags);
    }
    return -1;
}

static void *work(void *arg)
{
    struct call *call = arg;
    int r = ask_now(call);
    virErrorPtr error = r < 0 ? virSaveLastError() : NULL;

    pthread_mutex_lock(&call->lock);
    call->r = r;
    call->error = error;
    call->done = true;
    pthread_cond_signal(&call->moved);
    pthread_mutex_unlock(&call->lock);
    leave(call);
    return NULL;
}

static struct call *call_new(virDomainPtr d,
                             const struct xlcfg__virt_call *what)
{
    struct call *call = calloc(1, sizeof(*call));
    pthread_condattr_t attr;

    if (!call)
        return NULL;
    call->text = strdup(what->text);
    if (!call->text) {
        free(call);
        return NULL;
    }
    virDomainRef(d);
    call->d = d;
    call->ask = what->ask;
    call->flags = what->flags;
    call->owners = 2;
    pthread_mutex_init(&call->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&call->moved, &attr);
    pthread_condattr_destroy(&attr);
    return call;
}

/* The caller's signal handlers are not to run in it. */
static bool start(struct call *call, pthread_t *id_r)
{
    sigset_t all, was;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    r = pthread_create(id_r, NULL, work, call);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return !r;
}

static bool wait_for(struct call *call, unsigned ms)
{
    struct timespec until = xlcfg__clock_after(ms);
    bool done;
    int r = 0;

    pthread_mutex_lock(&call->lock);
    while (!call->done && !r)
        r = pthread_cond_timedwait(&call->moved, &call->lock, &until);
    done = call->done;
    pthread_mutex_unlock(&call->lock);
    return done;
}

int xlcfg__virt_ask(struct virt *v, virDomainPtr d,
                    struct xlcfg__virt_call *what, xlcfg_error *err)
{
    unsigned limit = v->deadline_ms < 360000 ? LOOKS * v->deadline_ms
        : 3600000;
    struct call *call = call_new(d, what);
    pthread_t id;
    int r;

    if (!call)
        return xlcfg__nomem(err);
    if (!start(call, &id)) {
        call->owners = 1;
        leave(call);
        return xlcfg__err(err, XLCFG_ERROR_NOMEM, NULL,
                          "no thread can be started");
    }
    if (!wait_for(call, limit)) {
        pthread_detach(id);
        leave(call);
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, virDomainGetName(d),
                          "QEMU has not answered libvirt for %u ms: whether "
                          "it is done is not known", limit);
    }
    pthread_join(id, NULL);
    r = call->r;
    what->no = call->error;
    what->answer = call->answer;
    call->error = NULL;
    call->answer = NULL;
    leave(call);
    return r < 0 ? XLCFG__VIRT_NO : 0;
}

int xlcfg__virt_awake(virDomainPtr d, xlcfg_error *err)
{
    virDomainControlInfo info;

    /* a driver without this call has no such wait */
    if (virDomainGetControlInfo(d, &info, 0) < 0 ||
        info.state == VIR_DOMAIN_CONTROL_OK ||
        (info.state != VIR_DOMAIN_CONTROL_ERROR &&
         info.stateTime < STUCK_MS))
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, virDomainGetName(d),
                      "QEMU has not answered libvirt for %llu ms: nothing "
                      "was asked of it", info.stateTime);
}
