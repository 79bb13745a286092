/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's event loop, for a program that has none.
 *
 * libvirt's client takes its socket out of the loop for each call, and puts it
 * back.  The loop that libvirt brings is woken at both, by each thread that
 * calls, which makes four calls at once slower than four after each other.
 * Here the kernel is told (epoll), and the loop's thread sleeps on.
 *
 * What is watched is a duplicate of the caller's descriptor: neither a number
 * that is used again nor one that is watched twice is mistaken for another.
 * What is taken out is let go of by the loop's thread, at the head of a turn,
 * when nothing of it can be running.
 */
#include "driver/virt_loop.h"
#include "driver/virt_i.h"
#include "driver/clock.h"
#include "driver/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define AT_ONCE 16
/* how soon the kernel is asked again when it had no room for a descriptor */
#define AGAIN_MS 100

struct entry {
    int id;
    int fd, number;             /* the duplicate, and what libvirt calls it;
                                   fd -1: it is a timer */
    int events;                 /* VIR_EVENT_HANDLE_*, 0: none */
    int every;                  /* ms, -1: never */
    int64_t due;
    bool told, gone;            /* told: the kernel watches it */
    virEventHandleCallback ready;
    virEventTimeoutCallback tick;
    void *arg;
    virFreeCallback drop;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry **entries;
static size_t count, room;
static int last_id;
static int64_t sleeps_until;    /* INT64_MAX: until something happens */
static int epoll_fd = -1, wake_fd = -1;

static void wake(void)
{
    uint64_t one = 1;

    /* a full counter has woken it already */
    while (write(wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static uint32_t to_epoll(int events)
{
    return (events & VIR_EVENT_HANDLE_READABLE ? (uint32_t)EPOLLIN : 0) |
        (events & VIR_EVENT_HANDLE_WRITABLE ? (uint32_t)EPOLLOUT : 0);
}

static int from_epoll(uint32_t events)
{
    return (events & EPOLLIN ? VIR_EVENT_HANDLE_READABLE : 0) |
        (events & EPOLLOUT ? VIR_EVENT_HANDLE_WRITABLE : 0) |
        (events & EPOLLERR ? VIR_EVENT_HANDLE_ERROR : 0) |
        (events & EPOLLHUP ? VIR_EVENT_HANDLE_HANGUP : 0);
}

/* The kernel tells of errors always: who wants nothing must not be in. */
static int tell(struct entry *e)
{
    struct epoll_event ev = { .events = to_epoll(e->events),
                              .data.u64 = (uint64_t)e->id };
    int op = !e->events ? EPOLL_CTL_DEL
        : e->told ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (!e->events && !e->told)
        return 0;
    if (epoll_ctl(epoll_fd, op, e->fd, &ev) < 0)
        return -1;
    e->told = e->events != 0;
    return 0;
}

static struct entry *entry_of(int id)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i]->id == id && !entries[i]->gone)
            return entries[i];
    return NULL;
}

/* Locked.  Takes nothing when it fails. */
static int add(struct entry *e)
{
    if (count == room) {
        size_t more = room ? room * 2 : 8;
        struct entry **all = realloc(entries, more * sizeof(*all));

        if (!all)
            return -1;
        entries = all;
        room = more;
    }
    if (last_id == INT_MAX)
        return -1;
    e->id = ++last_id;
    if (e->fd >= 0 && tell(e) < 0)
        return -1;
    entries[count++] = e;
    return e->id;
}

static int add_new(const struct entry *as)
{
    struct entry *e = malloc(sizeof(*e));
    int id;

    if (!e)
        return -1;
    *e = *as;
    pthread_mutex_lock(&lock);
    id = add(e);
    pthread_mutex_unlock(&lock);
    if (id < 0)
        free(e);
    return id;
}

static int remove_id(int id)
{
    struct entry *e;

    pthread_mutex_lock(&lock);
    e = entry_of(id);
    if (e) {
        e->gone = true;
        e->events = 0;
        if (e->fd >= 0) {
            tell(e);            /* as the close below would */
            close(e->fd);
        }
        wake();
    }
    pthread_mutex_unlock(&lock);
    return e ? 0 : -1;
}

/* ---- what libvirt calls ---- */

static int add_handle(int fd, int events, virEventHandleCallback ready,
                      void *arg, virFreeCallback drop)
{
    struct entry e = { .number = fd, .events = events, .every = -1,
                       .ready = ready, .arg = arg, .drop = drop };
    int id;

    e.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (e.fd < 0)
        return -1;
    id = add_new(&e);
    if (id < 0)
        close(e.fd);
    return id;
}

static void update_handle(int id, int events)
{
    struct entry *e;

    pthread_mutex_lock(&lock);
    e = entry_of(id);
    if (e && e->fd >= 0) {
        e->events = events;
        if (tell(e) < 0)
            wake();             /* which tells the kernel again */
    }
    pthread_mutex_unlock(&lock);
}

static int64_t due_in(int every)
{
    return every < 0 ? INT64_MAX : xlcfg__now_ms() + every;
}

static int add_timeout(int every, virEventTimeoutCallback tick, void *arg,
                       virFreeCallback drop)
{
    struct entry e = { .fd = -1, .every = every, .due = due_in(every),
                       .tick = tick, .arg = arg, .drop = drop };
    int id = add_new(&e);

    if (id >= 0 && every >= 0)
        wake();
    return id;
}

/* A timer that is put off, as each answer does with the one that watches over
 * the connection, wakes nobody. */
static void update_timeout(int id, int every)
{
    struct entry *e;

    pthread_mutex_lock(&lock);
    e = entry_of(id);
    if (e && e->fd < 0) {
        e->every = every;
        e->due = due_in(every);
        if (e->due < sleeps_until)
            wake();
    }
    pthread_mutex_unlock(&lock);
}

/* ---- the thread ---- */

/* One that is gone is out of the list, and its owner's. */
static struct entry *next_gone(void)
{
    struct entry *e = NULL;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < count && !e; i++) {
        if (!entries[i]->gone)
            continue;
        e = entries[i];
        entries[i] = entries[--count];
    }
    pthread_mutex_unlock(&lock);
    return e;
}

static void let_go(void)
{
    struct entry *e;

    while ((e = next_gone())) {
        if (e->drop)
            e->drop(e->arg);
        free(e);
    }
}

/* How long to sleep, ms; -1: until something happens. */
static int settle_down(void)
{
    int64_t now = xlcfg__now_ms(), left;

    pthread_mutex_lock(&lock);
    sleeps_until = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        struct entry *e = entries[i];
        int64_t due = e->every < 0 ? INT64_MAX : e->due;

        if (e->events && !e->told && tell(e) < 0)
            due = now + AGAIN_MS;
        if (e->gone)
            due = now;
        if (due < sleeps_until)
            sleeps_until = due;
    }
    left = sleeps_until - now;
    pthread_mutex_unlock(&lock);
    return sleeps_until == INT64_MAX ? -1
        : left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static void handle(const struct epoll_event *ev)
{
    int events = from_epoll(ev->events);
    struct entry *e;
    uint64_t drained;

    if (!ev->data.u64) {
        while (read(wake_fd, &drained, sizeof(drained)) < 0 && errno == EINTR)
            ;
        return;
    }
    pthread_mutex_lock(&lock);
    e = entry_of((int)ev->data.u64);
    if (e && !e->events)
        e = NULL;
    if (e)
        events &= e->events | VIR_EVENT_HANDLE_ERROR |
            VIR_EVENT_HANDLE_HANGUP;
    pthread_mutex_unlock(&lock);
    /* one that is taken out meanwhile is there until the next turn */
    if (e && events)
        e->ready(e->id, e->number, events, e->arg);
}

/* The first that is due, for its next time.  NULL: none. */
static struct entry *next_due(int64_t now)
{
    struct entry *e = NULL;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < count && !e; i++)
        if (!entries[i]->gone && entries[i]->every >= 0 &&
            entries[i]->due <= now)
            e = entries[i];
    if (e)
        e->due = now + (e->every ? e->every : 1);
    pthread_mutex_unlock(&lock);
    return e;
}

static void *turn(void *arg)
{
    struct epoll_event ev[AT_ONCE];
    struct entry *e;
    int64_t now;
    int n;

    for (;;) {
        let_go();
        n = epoll_wait(epoll_fd, ev, AT_ONCE, settle_down());
        if (n < 0 && errno != EINTR)
            return arg;
        for (int i = 0; i < n; i++)
            handle(&ev[i]);
        now = xlcfg__now_ms();
        while ((e = next_due(now)))
            e->tick(e->id, e->arg);
    }
}

static bool open_fds(void)
{
    struct epoll_event ev = { .events = EPOLLIN };

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return epoll_fd >= 0 && wake_fd >= 0 &&
        !epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &ev);
}

bool xlcfg__virt_loop_start(void)
{
    pthread_t thread;

    if (!open_fds())
        return false;
    virEventRegisterImpl(add_handle, update_handle, remove_id, add_timeout,
                         update_timeout, remove_id);
    /* which writes to sockets, too: without the caller's signals */
    if (xlcfg__thread_start(&thread, turn, NULL))
        return false;
    pthread_detach(thread);
    return true;
}
