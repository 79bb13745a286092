/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's events, as hints alone: they are lost over a restart of the
 * daemon and come in any order, so each means "look at this domain again".
 *
 * The callbacks run in the event loop's thread.  They touch this struct
 * under its lock and nothing else; the connection's last callback to go
 * frees it with its owner, whoever is later.
 */
#include "driver/virt_i.h"
#include "driver/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define QUEUE 256               /* more domains than that: look at all */
#define KINDS 12

struct xlcfg__virt_events {
    _Atomic unsigned refs;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int fd;
    char queue[QUEUE][37];
    size_t count;
    int ids[KINDS];             /* of the callbacks; -1: none */
    bool joined;
    char uuid[37], alias[256];  /* of the device that is listened for */
    enum xlcfg__virt_word word;
};

static void drop(void *opaque)
{
    struct xlcfg__virt_events *ev = opaque;

    if (atomic_fetch_sub(&ev->refs, 1) > 1)
        return;
    close(ev->fd);
    pthread_mutex_destroy(&ev->lock);
    pthread_cond_destroy(&ev->moved);
    free(ev);
}

struct xlcfg__virt_events *xlcfg__virt_events_new(void)
{
    struct xlcfg__virt_events *ev = calloc(1, sizeof(*ev));

    if (!ev)
        return NULL;
    ev->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ev->fd < 0) {
        free(ev);
        return NULL;
    }
    ev->refs = 1;
    pthread_mutex_init(&ev->lock, NULL);
    xlcfg__cond_init(&ev->moved);
    return ev;
}

void xlcfg__virt_events_free(struct xlcfg__virt_events *ev)
{
    if (ev)
        drop(ev);
}

/* ---- what comes in ---- */

static void ring(struct xlcfg__virt_events *ev)
{
    uint64_t one = 1;
    ssize_t n = write(ev->fd, &one, sizeof(one));

    (void)n;                    /* it rings already when it is full */
}

/* With the lock held. */
static void push(struct xlcfg__virt_events *ev, const char *uuid)
{
    for (size_t i = 0; i < ev->count; i++)
        if (!strcmp(ev->queue[i], uuid) || !ev->queue[i][0])
            return;
    if (ev->count == QUEUE) {
        ev->count = 0;
        uuid = "";
    }
    strcpy(ev->queue[ev->count++], uuid);
    ring(ev);
}

static void hint(struct xlcfg__virt_events *ev, virDomainPtr d,
                 const char *alias, enum xlcfg__virt_word word)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";

    if (virDomainGetUUIDString(d, uuid) < 0)
        uuid[0] = '\0';
    pthread_mutex_lock(&ev->lock);
    push(ev, uuid);
    if (word && !strcmp(uuid, ev->uuid) && !strcmp(alias, ev->alias)) {
        ev->word = word;
        pthread_cond_broadcast(&ev->moved);
    }
    pthread_mutex_unlock(&ev->lock);
}

static void on_lifecycle(virConnectPtr c, virDomainPtr d, int event,
                         int detail, void *opaque)
{
    (void)c; (void)event; (void)detail;
    hint(opaque, d, "", XLCFG__VIRT_SILENCE);
}

static void on_reboot(virConnectPtr c, virDomainPtr d, void *opaque)
{
    (void)c;
    hint(opaque, d, "", XLCFG__VIRT_SILENCE);
}

static void on_added(virConnectPtr c, virDomainPtr d, const char *alias,
                     void *opaque)
{
    (void)c;
    hint(opaque, d, alias, XLCFG__VIRT_SILENCE);
}

static void on_removed(virConnectPtr c, virDomainPtr d, const char *alias,
                       void *opaque)
{
    (void)c;
    hint(opaque, d, alias, XLCFG__VIRT_LEFT);
}

static void on_stays(virConnectPtr c, virDomainPtr d, const char *alias,
                     void *opaque)
{
    (void)c;
    hint(opaque, d, alias, XLCFG__VIRT_STAYS);
}

static void on_tray(virConnectPtr c, virDomainPtr d, const char *alias,
                    int reason, void *opaque)
{
    (void)c; (void)reason;
    hint(opaque, d, alias, XLCFG__VIRT_SILENCE);
}

static void on_disk(virConnectPtr c, virDomainPtr d, const char *was,
                    const char *now, const char *alias, int reason,
                    void *opaque)
{
    (void)c; (void)was; (void)now; (void)reason;
    hint(opaque, d, alias, XLCFG__VIRT_SILENCE);
}

static void on_job(virConnectPtr c, virDomainPtr d, const char *disk,
                   int type, int status, void *opaque)
{
    (void)c; (void)type; (void)status;
    hint(opaque, d, disk, XLCFG__VIRT_SILENCE);
}

static void on_balloon(virConnectPtr c, virDomainPtr d,
                       unsigned long long kib, void *opaque)
{
    (void)c; (void)kib;
    hint(opaque, d, "", XLCFG__VIRT_SILENCE);
}

static void on_metadata(virConnectPtr c, virDomainPtr d, int type,
                        const char *namespace, void *opaque)
{
    (void)c; (void)type; (void)namespace;
    hint(opaque, d, "", XLCFG__VIRT_SILENCE);
}

static void on_tuned(virConnectPtr c, virDomainPtr d,
                     virTypedParameterPtr params, int count, void *opaque)
{
    (void)c; (void)params; (void)count;
    hint(opaque, d, "", XLCFG__VIRT_SILENCE);
}

static void on_clock(virConnectPtr c, virDomainPtr d, long long offset,
                     void *opaque)
{
    (void)c; (void)offset;
    hint(opaque, d, "", XLCFG__VIRT_SILENCE);
}

static void on_close(virConnectPtr c, int reason, void *opaque)
{
    struct xlcfg__virt_events *ev = opaque;

    (void)c; (void)reason;
    pthread_mutex_lock(&ev->lock);
    ev->count = 0;
    push(ev, "");
    pthread_cond_broadcast(&ev->moved);
    pthread_mutex_unlock(&ev->lock);
}

static const struct {
    int id;
    virConnectDomainEventGenericCallback cb;
} kinds[KINDS] = {
    { VIR_DOMAIN_EVENT_ID_LIFECYCLE,
      VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle) },
    { VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reboot) },
    { VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
      VIR_DOMAIN_EVENT_CALLBACK(on_added) },
    { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
      VIR_DOMAIN_EVENT_CALLBACK(on_removed) },
    { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
      VIR_DOMAIN_EVENT_CALLBACK(on_stays) },
    { VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_tray) },
    { VIR_DOMAIN_EVENT_ID_DISK_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_disk) },
    { VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, VIR_DOMAIN_EVENT_CALLBACK(on_job) },
    { VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE,
      VIR_DOMAIN_EVENT_CALLBACK(on_balloon) },
    { VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
      VIR_DOMAIN_EVENT_CALLBACK(on_metadata) },
    { VIR_DOMAIN_EVENT_ID_TUNABLE, VIR_DOMAIN_EVENT_CALLBACK(on_tuned) },
    { VIR_DOMAIN_EVENT_ID_RTC_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_clock) },
};

/* ---- joining a connection ---- */

bool xlcfg__virt_events_join(struct xlcfg__virt_events *ev,
                             virConnectPtr conn, bool remote)
{
    if (ev->joined)
        return true;
    for (int i = 0; i < KINDS; i++) {
        atomic_fetch_add(&ev->refs, 1);
        ev->ids[i] = virConnectDomainEventRegisterAny(conn, NULL,
                                                      kinds[i].id,
                                                      kinds[i].cb, ev, drop);
        if (ev->ids[i] < 0)
            drop(ev);
        /* a driver without lifecycle events has none */
        if (ev->ids[i] < 0 && !i)
            return false;
    }
    /* a local driver takes the callback and never gives it back */
    if (remote) {
        atomic_fetch_add(&ev->refs, 1);
        if (virConnectRegisterCloseCallback(conn, on_close, ev, drop) < 0)
            drop(ev);
    }
    ev->joined = true;
    return true;
}

bool xlcfg__virt_events_leave(struct xlcfg__virt_events *ev,
                              virConnectPtr conn)
{
    if (!ev->joined)
        return false;
    for (int i = 0; i < KINDS; i++)
        if (ev->ids[i] >= 0)
            virConnectDomainEventDeregisterAny(conn, ev->ids[i]);
    virConnectUnregisterCloseCallback(conn, on_close);
    ev->joined = false;
    return true;
}

int xlcfg__virt_events_fd(struct xlcfg__virt_events *ev)
{
    return ev->fd;
}

bool xlcfg__virt_events_next(struct xlcfg__virt_events *ev, char uuid_r[37])
{
    uint64_t rung;
    bool any;

    pthread_mutex_lock(&ev->lock);
    any = ev->count > 0;
    if (any)
        strcpy(uuid_r, ev->queue[--ev->count]);
    if (!ev->count) {
        ssize_t n = read(ev->fd, &rung, sizeof(rung));

        (void)n;                /* it was silent already */
    }
    pthread_mutex_unlock(&ev->lock);
    return any;
}

/* ---- waiting for one device ---- */

void xlcfg__virt_listen(struct xlcfg__virt_events *ev, const char *uuid,
                        const char *alias)
{
    pthread_mutex_lock(&ev->lock);
    strncpy(ev->uuid, uuid, sizeof(ev->uuid) - 1);
    strncpy(ev->alias, alias, sizeof(ev->alias) - 1);
    ev->alias[sizeof(ev->alias) - 1] = '\0';
    ev->word = XLCFG__VIRT_SILENCE;
    pthread_mutex_unlock(&ev->lock);
}

enum xlcfg__virt_word xlcfg__virt_heard(struct xlcfg__virt_events *ev,
                                        unsigned ms)
{
    enum xlcfg__virt_word word;
    struct timespec until = xlcfg__clock_after(ms);
    int r = 0;

    pthread_mutex_lock(&ev->lock);
    while (!ev->word && !r)
        r = pthread_cond_timedwait(&ev->moved, &ev->lock, &until);
    word = ev->word;
    pthread_mutex_unlock(&ev->lock);
    return word;
}
