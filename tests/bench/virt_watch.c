/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt_watch URI STATE READERS CHANGES XLCFG|- NAME...: from libvirt's event
 * to the reader.
 *
 * The guests NAME are let run and paused in turn, CHANGES times; a delay
 * begins when the event comes to a callback of this program's own.
 */
#include "latency.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct guests {
    virDomainPtr *v;
    bool *running;
    size_t count;
    pthread_mutex_t lock;
    pthread_cond_t came;
    double at;                  /* of the last event; 0: none since */
};

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, virGetLastErrorMessage());
    exit(1);
}

static void *turn(void *arg)
{
    for (;;)
        if (virEventRunDefaultImpl() < 0)
            return arg;
}

static int on_event(virConnectPtr c, virDomainPtr d, int event, int detail,
                    void *arg)
{
    struct guests *g = arg;

    (void)c; (void)d; (void)event; (void)detail;
    pthread_mutex_lock(&g->lock);
    g->at = latency_now();
    pthread_cond_broadcast(&g->came);
    pthread_mutex_unlock(&g->lock);
    return 0;
}

static void no_words(void *arg, virErrorPtr e)
{
    (void)arg; (void)e;
}

static double change(void *arg, size_t n)
{
    struct guests *g = arg;
    size_t i = n / 2 % g->count;
    double at;

    pthread_mutex_lock(&g->lock);
    g->at = 0;
    pthread_mutex_unlock(&g->lock);
    if ((g->running[i] ? virDomainSuspend : virDomainResume)(g->v[i]))
        die(virDomainGetName(g->v[i]));
    g->running[i] = !g->running[i];
    pthread_mutex_lock(&g->lock);
    while (!g->at)
        pthread_cond_wait(&g->came, &g->lock);
    at = g->at;
    pthread_mutex_unlock(&g->lock);
    return at;
}

int main(int argc, char **argv)
{
    struct guests g = { .lock = PTHREAD_MUTEX_INITIALIZER,
                        .came = PTHREAD_COND_INITIALIZER };
    struct latency l = { .change = change, .arg = &g };
    pthread_t thread;
    virConnectPtr c;

    if (argc < 7) {
        fprintf(stderr, "usage: virt_watch URI STATE READERS CHANGES "
                "XLCFG|- NAME...\n");
        return 2;
    }
    virSetErrorFunc(NULL, no_words);
    if (virEventRegisterDefaultImpl() < 0 ||
        pthread_create(&thread, NULL, turn, NULL))
        die("event loop");
    c = virConnectOpen(argv[1]);
    if (!c || virConnectDomainEventRegister(c, on_event, &g, NULL) < 0)
        die(argv[1]);
    g.count = (size_t)argc - 6;
    g.v = calloc(g.count, sizeof(*g.v));
    g.running = calloc(g.count, sizeof(*g.running));
    if (!g.v || !g.running)
        return 1;
    for (size_t i = 0; i < g.count; i++) {
        virDomainInfo info;

        g.v[i] = virDomainLookupByName(c, argv[6 + i]);
        if (!g.v[i] || virDomainGetInfo(g.v[i], &info) < 0)
            die(argv[6 + i]);
        g.running[i] = info.state != VIR_DOMAIN_PAUSED;
    }
    l.uri = argv[1];
    l.state_dir = argv[2];
    l.readers = (size_t)atol(argv[3]);
    l.changes = (size_t)atol(argv[4]);
    l.xlcfg = strcmp(argv[5], "-") ? argv[5] : NULL;
    l.domains = g.count;
    latency_measure(&l);
    for (size_t i = 0; i < g.count; i++) {
        if (g.running[i])
            virDomainSuspend(g.v[i]);
        virDomainFree(g.v[i]);
    }
    free(g.v);
    free(g.running);
    return 0;
}
