/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event loop, and opening a connection within a limit of time.
 *
 * A program that uses libvirt itself has an event loop of its own: then it
 * is that one which turns, and libvirt's error handler is left to it too.
 */
#include "driver/virt_i.h"
#include "driver/virt_loop.h"
#include "driver/deadline.h"

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

/* The embedded driver needs the loop to run before it is opened. */
static void start(void)
{
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
    started = xlcfg__virt_loop_start();
}

bool xlcfg__virt_start(void)
{
    pthread_once(&once, start);
    return started;
}

/* ---- dialling ---- */

struct dial {
    char *uri;
    virConnectPtr conn;
    xlcfg_error err;
};

/* A connection that came too late goes with it. */
static void dial_free(void *arg)
{
    struct dial *call = arg;

    if (call->conn)
        virConnectClose(call->conn);
    free(call->uri);
    free(call);
}

static void dial(void *arg)
{
    struct dial *call = arg;

    call->conn = virConnectOpenAuth(call->uri, NULL, 0);
    if (call->conn)
        return;
    xlcfg__virt_said(NULL, XLCFG_ERROR_UNREACHABLE, call->uri, &call->err);
    /* whatever class it has: there is no connection */
    if (call->err.code != XLCFG_ERROR_NOMEM)
        call->err.code = XLCFG_ERROR_UNREACHABLE;
}

static struct dial *dial_new(const char *uri)
{
    struct dial *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    call->err = (xlcfg_error)XLCFG_ERROR_INIT;
    call->uri = strdup(uri);
    if (!call->uri) {
        free(call);
        return NULL;
    }
    return call;
}

virConnectPtr xlcfg__virt_dial(const char *uri, unsigned limit_ms,
                               xlcfg_error *err)
{
    static const struct xlcfg__work work = { dial, NULL, dial_free };
    struct dial *call = dial_new(uri);
    virConnectPtr conn = NULL;
    int r;

    if (!call) {
        xlcfg__nomem(err);
        return NULL;
    }
    r = xlcfg__deadline_run(limit_ms, &work, call);
    if (r == XLCFG_ERROR_TIMEDOUT) {
        xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, uri,
                   "libvirt did not answer within %u ms", limit_ms);
        return NULL;
    }
    if (r) {
        xlcfg__err(err, XLCFG_ERROR_NOMEM, uri, "no thread can be started");
    } else {
        conn = call->conn;
        call->conn = NULL;
        if (!conn && err)
            *err = call->err;
    }
    dial_free(call);
    return conn;
}
