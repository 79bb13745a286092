/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that QEMU answers, with an end to the wait.  libvirt waits for a
 * hung QEMU as long as it takes; here a thread does, and when the time is up
 * it is left behind with all that it holds.  What it asked for may still be
 * done when QEMU goes on: nobody knows, and the intent stays open.
 */
#include "driver/virt_i.h"
#include "driver/clock.h"
#include "driver/deadline.h"

#include <stdlib.h>
#include <string.h>

/* So many looks long, 30 s with the usual deadline: an image on another host
 * has to be opened meanwhile. */
#define LOOKS 10

struct call {
    enum xlcfg__virt_ask ask;
    virDomainPtr d;
    char *text, *answer;
    unsigned flags;
    int r;
    virErrorPtr error;          /* libvirt keeps one for each thread */
};

static void call_free(void *arg)
{
    struct call *call = arg;

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
    case XLCFG__VIRT_RESUME:
        return virDomainResume(call->d);
    }
    return -1;
}

static void ask(void *arg)
{
    struct call *call = arg;

    call->r = ask_now(call);
    call->error = call->r < 0 ? virSaveLastError() : NULL;
}

static struct call *call_new(virDomainPtr d,
                             const struct xlcfg__virt_call *what)
{
    struct call *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    call->text = what->text ? strdup(what->text) : NULL;
    if (what->text && !call->text) {
        free(call);
        return NULL;
    }
    virDomainRef(d);
    call->d = d;
    call->ask = what->ask;
    call->flags = what->flags;
    return call;
}

unsigned xlcfg__virt_limit(const struct virt *v)
{
    return v->deadline_ms < 360000 ? LOOKS * v->deadline_ms : 3600000;
}

int xlcfg__virt_ask(struct virt *v, virDomainPtr d,
                    struct xlcfg__virt_call *what, xlcfg_error *err)
{
    unsigned limit = xlcfg__virt_limit(v);
    static const struct xlcfg__work work = { ask, NULL, call_free };
    struct call *call = call_new(d, what);
    int r;

    if (!call)
        return xlcfg__nomem(err);
    r = xlcfg__deadline_run(limit, &work, call);
    if (r == XLCFG_ERROR_TIMEDOUT)
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, virDomainGetName(d),
                          "QEMU has not answered libvirt for %u ms: whether "
                          "it is done is not known", limit);
    if (r) {
        call_free(call);
        return xlcfg__err(err, XLCFG_ERROR_NOMEM, NULL,
                          "no thread can be started");
    }
    r = call->r;
    what->no = call->error;
    what->answer = call->answer;
    call->error = NULL;
    call->answer = NULL;
    call_free(call);
    return r < 0 ? XLCFG__VIRT_NO : 0;
}

int xlcfg__virt_do(struct virt *v, virDomainPtr d, enum xlcfg__virt_ask what,
                   const char *text, unsigned flags, xlcfg_error *err)
{
    struct xlcfg__virt_call call = {
        .ask = what, .text = text, .flags = flags,
    };
    int rc;

    rc = xlcfg__virt_ask(v, d, &call, err);
    return rc == XLCFG__VIRT_NO
        ? xlcfg__virt_said_no(&call, v->conn, XLCFG_ERROR_REFUSED,
                              virDomainGetName(d), err) : rc;
}

int xlcfg__virt_awake(virDomainPtr d, xlcfg_error *err)
{
    virDomainControlInfo info;

    /* a driver without this call has no such wait */
    if (virDomainGetControlInfo(d, &info, 0) < 0 ||
        info.state == VIR_DOMAIN_CONTROL_OK ||
        (!xlcfg__virt_is_stuck(&info) &&
         info.stateTime < XLCFG__VIRT_STUCK_MS))
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, virDomainGetName(d),
                      "QEMU has not answered libvirt for %llu ms: nothing "
                      "was asked of it", info.stateTime);
}

bool xlcfg__virt_is_heard(struct virt *v, const char *uuid)
{
    int64_t calm = xlcfg__virt_calm(v->memo, uuid);

    return calm && xlcfg__now_ms() - calm < XLCFG__VIRT_STUCK_MS;
}

int xlcfg__virt_able(struct virt *v, const struct xlcfg_domain *dom,
                     virDomainPtr *d_r, xlcfg_error *err)
{
    int rc = xlcfg__virt_known(v, dom, d_r, err);

    if (rc || xlcfg__virt_is_heard(v, dom->uuid))
        return rc;
    rc = xlcfg__virt_awake(*d_r, err);
    if (rc)
        virDomainFree(*d_r);
    return rc;
}
