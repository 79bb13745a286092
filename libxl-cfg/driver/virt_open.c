/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event loop, and opening a connection within a limit of time.
 *
 * A program that uses libvirt itself has an event loop of its own: then it
 * is that one which turns, and libvirt's error handler is left to it too.
 */
#include "driver/virt_i.h"
#include "driver/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the loop ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool started;

static void no_words(void *arg, virErrorPtr e)
{
    (void)arg; (void)e;
}

static void never(int timer, void *arg)
{
    (void)timer; (void)arg;
}

static void *turn(void *arg)
{
    for (;;)
        if (virEventRunDefaultImpl() < 0)
            return arg;
}

/* The embedded driver needs the loop to run before it is opened. */
static void start(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    int probe;

    if (virInitialize() < 0)
        return;
    probe = virEventAddTimeout(-1, never, NULL, NULL);
    if (probe >= 0) {
        virEventRemoveTimeout(probe);
        started = true;
        return;
    }
    virSetErrorFunc(NULL, no_words);
    if (virEventRegisterDefaultImpl() < 0 || pthread_attr_init(&attr))
        return;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    started = !pthread_create(&thread, &attr, turn, NULL);
    pthread_attr_destroy(&attr);
}

bool xlcfg__virt_start(void)
{
    pthread_once(&once, start);
    return started;
}

/* ---- dialling ---- */

/* Both sides hold it; who leaves last frees it, and a connection that came
 * too late with it. */
struct dial {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int owners;
    bool done;
    char *uri;
    virConnectPtr conn;
    int rc;
    xlcfg_error err;
};

static void leave(struct dial *call)
{
    bool last;

    pthread_mutex_lock(&call->lock);
    last = --call->owners == 0;
    pthread_mutex_unlock(&call->lock);
    if (!last)
        return;
    if (call->conn)
        virConnectClose(call->conn);
    pthread_mutex_destroy(&call->lock);
    pthread_cond_destroy(&call->moved);
    free(call->uri);
    free(call);
}

static void *dial(void *arg)
{
    struct dial *call = arg;
    virConnectPtr conn = virConnectOpenAuth(call->uri, NULL, 0);
    xlcfg_error err = XLCFG_ERROR_INIT;

    if (!conn)
        xlcfg__virt_said(NULL, XLCFG_ERROR_UNREACHABLE, call->uri, &err);
    /* whatever class it has: there is no connection */
    if (!conn && err.code != XLCFG_ERROR_NOMEM)
        err.code = XLCFG_ERROR_UNREACHABLE;
    pthread_mutex_lock(&call->lock);
    call->conn = conn;
    call->err = err;
    call->done = true;
    pthread_cond_signal(&call->moved);
    pthread_mutex_unlock(&call->lock);
    leave(call);
    return NULL;
}

static struct dial *dial_new(const char *uri)
{
    struct dial *call = calloc(1, sizeof(*call));
    pthread_condattr_t attr;

    if (!call)
        return NULL;
    call->uri = strdup(uri);
    if (!call->uri) {
        free(call);
        return NULL;
    }
    call->owners = 2;
    pthread_mutex_init(&call->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&call->moved, &attr);
    pthread_condattr_destroy(&attr);
    return call;
}

static bool dial_wait(struct dial *call, unsigned ms)
{
    struct timespec until = xlcfg__clock_after(ms);
    int r = 0;

    pthread_mutex_lock(&call->lock);
    while (!call->done && !r)
        r = pthread_cond_timedwait(&call->moved, &call->lock, &until);
    r = call->done;
    pthread_mutex_unlock(&call->lock);
    return r;
}

virConnectPtr xlcfg__virt_dial(const char *uri, unsigned limit_ms,
                               xlcfg_error *err)
{
    struct dial *call = dial_new(uri);
    virConnectPtr conn = NULL;
    pthread_t thread;

    if (!call) {
        xlcfg__nomem(err);
        return NULL;
    }
    if (pthread_create(&thread, NULL, dial, call)) {
        call->owners = 1;
        leave(call);
        xlcfg__err(err, XLCFG_ERROR_NOMEM, uri, "no thread can be started");
        return NULL;
    }
    if (dial_wait(call, limit_ms)) {
        pthread_join(thread, NULL);
        conn = call->conn;
        call->conn = NULL;
        if (!conn && err)
            *err = call->err;
    } else {
        pthread_detach(thread);
        xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, uri,
                   "libvirt did not answer within %u ms", limit_ms);
    }
    leave(call);
    return conn;
}
