/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event loop, by what libvirt asks of one: descriptors that are watched,
 * silenced, closed, used again and watched twice, timers, and that what is
 * taken out is let go of once, by the loop's own thread, when it does not run.
 *
 * That nothing comes is seen without waiting for it: a later event, which is
 * handled after it, has come.
 */
#define XLCFG__VIR_BARE
#include "driver/virt_lib.h"
#include "driver/virt_loop.h"
#include "claim.h"

#include <libvirt/libvirt-event.h>
#include <libvirt/libvirt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 60

/* What happened, in the loop's thread; guarded by lock. */
struct seen {
    int calls, events, dropped, id;
    bool drain, leave;          /* read a byte; take itself out */
    int fd;
    pthread_t by;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;

static void ready(int watch, int fd, int events, void *arg)
{
    struct seen *s = arg;
    char byte;

    pthread_mutex_lock(&lock);
    s->calls++;
    s->events |= events;
    s->by = pthread_self();
    if (fd != s->fd)
        s->events = -1;
    if (s->drain && (events & VIR_EVENT_HANDLE_READABLE) &&
        read(fd, &byte, 1) != 1)
        s->events = -1;
    if (s->leave)
        virEventRemoveHandle(watch);
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

static void tick(int timer, void *arg)
{
    struct seen *s = arg;

    pthread_mutex_lock(&lock);
    s->calls++;
    s->by = pthread_self();
    if (s->leave)
        virEventRemoveTimeout(timer);
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

static void drop(void *arg)
{
    struct seen *s = arg;

    pthread_mutex_lock(&lock);
    s->dropped++;
    s->by = pthread_self();
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

/* Until *count is this much. */
static bool await(const int *count, int want)
{
    struct timespec until;
    bool came;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LIMIT_S;
    pthread_mutex_lock(&lock);
    while (*count < want && !r)
        r = pthread_cond_timedwait(&moved, &lock, &until);
    came = *count >= want;
    pthread_mutex_unlock(&lock);
    return came;
}

static int now(const int *count)
{
    int n;

    pthread_mutex_lock(&lock);
    n = *count;
    pthread_mutex_unlock(&lock);
    return n;
}

static void put(int fd)
{
    if (write(fd, "x", 1) != 1)
        claim(false, "a byte is written");
}

static void watch(struct seen *s, int fd, int events)
{
    s->fd = fd;
    s->id = virEventAddHandle(fd, events, ready, s, drop);
    if (s->id < 0)
        claim(false, "a descriptor is watched");
}

/* A turn of the loop, with all that was due before it. */
static void turn(void)
{
    struct seen mark = { .leave = true };
    int timer = virEventAddTimeout(0, tick, &mark, drop);

    if (timer < 0 || !await(&mark.dropped, 1))
        claim(false, "the loop turns");
}

/* ---- cases ---- */

static void readable(void)
{
    struct seen s = { .drain = true };
    int p[2];

    if (pipe(p))
        return (void)claim(false, "a pipe");
    watch(&s, p[0], VIR_EVENT_HANDLE_READABLE);
    turn();
    claim(now(&s.calls) == 0, "nothing to read: no call");
    put(p[1]);
    claim(await(&s.calls, 1) &&
          now(&s.events) == VIR_EVENT_HANDLE_READABLE &&
          !pthread_equal(s.by, pthread_self()),
          "something to read: a call, of the loop's thread");
    virEventUpdateHandle(s.id, 0);
    put(p[1]);
    turn();
    turn();
    claim(now(&s.calls) == 1, "silenced: no call");
    virEventUpdateHandle(s.id, VIR_EVENT_HANDLE_READABLE);
    claim(await(&s.calls, 2), "wanted again: what came meanwhile is told");
    close(p[1]);
    claim(await(&s.calls, 3) && now(&s.events) & VIR_EVENT_HANDLE_HANGUP,
          "closed by the other side: told");
    virEventUpdateHandle(s.id, 0);
    turn();
    turn();
    claim(now(&s.calls) >= 3 && virEventRemoveHandle(s.id) == 0 &&
          await(&s.dropped, 1), "taken out: let go of");
    claim(virEventRemoveHandle(s.id) < 0 && now(&s.dropped) == 1,
          "once: a second time it is not known");
    close(p[0]);
}

/* A hang-up of what wants nothing would turn the loop for ever. */
static void hung_up(void)
{
    struct seen s = { 0 };
    int p[2], before;

    if (pipe(p))
        return (void)claim(false, "a pipe");
    watch(&s, p[0], 0);
    close(p[1]);
    turn();
    turn();
    before = now(&s.calls);
    claim(before == 0, "the other side is gone, nothing was asked: no call");
    virEventRemoveHandle(s.id);
    claim(await(&s.dropped, 1), "let go of");
    close(p[0]);
}

static void writable(void)
{
    struct seen s = { .leave = true };
    int p[2];

    if (pipe(p))
        return (void)claim(false, "a pipe");
    watch(&s, p[1], VIR_EVENT_HANDLE_WRITABLE);
    claim(await(&s.dropped, 1) && now(&s.calls) == 1 &&
          s.events == VIR_EVENT_HANDLE_WRITABLE,
          "room to write: a call, which takes itself out, once");
    close(p[0]);
    close(p[1]);
}

static void twice(void)
{
    struct seen a = { 0 }, b = { 0 };
    int p[2];

    if (pipe(p))
        return (void)claim(false, "a pipe");
    a.leave = b.leave = true;
    watch(&a, p[0], VIR_EVENT_HANDLE_READABLE);
    watch(&b, p[0], VIR_EVENT_HANDLE_READABLE);
    put(p[1]);
    claim(await(&a.dropped, 1) && await(&b.dropped, 1) && a.calls == 1 &&
          b.calls == 1, "watched twice: both are called");
    close(p[0]);
    close(p[1]);
}

/* Closed before it is taken out, and its number is another's by then. */
static void used_again(void)
{
    struct seen old = { 0 }, new = { .drain = true };
    int p[2], q[2];

    if (pipe(p) || pipe(q))
        return (void)claim(false, "two pipes");
    watch(&old, p[0], VIR_EVENT_HANDLE_READABLE);
    if (dup2(q[0], p[0]) != p[0])
        claim(false, "the number is used again");
    watch(&new, p[0], VIR_EVENT_HANDLE_READABLE);
    virEventRemoveHandle(old.id);
    claim(await(&old.dropped, 1), "the one that was closed is let go of");
    put(q[1]);
    claim(await(&new.calls, 1) && now(&old.calls) == 0,
          "the other of its number is still watched");
    virEventRemoveHandle(new.id);
    claim(await(&new.dropped, 1), "and let go of");
    close(p[0]);
    close(p[1]);
    close(q[0]);
    close(q[1]);
}

static void timers(void)
{
    struct seen often = { 0 }, never = { 0 }, later = { 0 };
    int a = virEventAddTimeout(1, tick, &often, drop);
    int b = virEventAddTimeout(-1, tick, &never, drop);
    int c = virEventAddTimeout(3600000, tick, &later, drop);

    claim(await(&often.calls, 5), "a timer comes again and again");
    claim(now(&never.calls) == 0 && now(&later.calls) == 0,
          "one that is off, or not due, does not");
    virEventUpdateTimeout(a, -1);
    turn();
    often.calls = 0;
    turn();
    turn();
    claim(now(&often.calls) == 0, "turned off it does not come");
    virEventUpdateTimeout(c, 0);
    claim(await(&later.calls, 1), "brought forward it comes now");
    virEventUpdateTimeout(c, 3600000);
    virEventUpdateTimeout(b, 0);
    claim(await(&never.calls, 1), "turned on it comes");
    claim(!virEventRemoveTimeout(a) && !virEventRemoveTimeout(b) &&
          !virEventRemoveTimeout(c) && await(&often.dropped, 1) &&
          await(&never.dropped, 1) && await(&later.dropped, 1) &&
          virEventRemoveTimeout(a) < 0, "each is let go of, once");
    claim(virEventRemoveHandle(a) < 0 && virEventAddHandle(
              -1, VIR_EVENT_HANDLE_READABLE, ready, &often, drop) < 0,
          "what is no descriptor is refused");
}

/* ---- many threads at it ---- */

#define THREADS 4
#define ROUNDS 300

static void *busy(void *arg)
{
    int p[2], *done = arg;

    for (int i = 0; i < ROUNDS; i++) {
        struct seen s = { .drain = true };
        struct seen t = { 0 };
        int timer;

        if (pipe(p))
            return NULL;
        watch(&s, p[0], 0);
        timer = virEventAddTimeout(i % 3, tick, &t, drop);
        for (int k = 0; k < 3; k++) {
            virEventUpdateHandle(s.id, k % 2 ? 0 : VIR_EVENT_HANDLE_READABLE);
            put(p[1]);
        }
        virEventUpdateTimeout(timer, 3600000);
        if (!await(&s.calls, 1) || virEventRemoveHandle(s.id) ||
            virEventRemoveTimeout(timer) || !await(&s.dropped, 1) ||
            !await(&t.dropped, 1) || s.dropped != 1 || t.dropped != 1)
            return NULL;
        close(p[0]);
        close(p[1]);
    }
    *done = 1;
    return NULL;
}

static void abreast(void)
{
    pthread_t ids[THREADS];
    int done[THREADS] = { 0 }, sum = 0;

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&ids[i], NULL, busy, &done[i]))
            return (void)claim(false, "a thread");
    for (int i = 0; i < THREADS; i++) {
        pthread_join(ids[i], NULL);
        sum += done[i];
    }
    claim(sum == THREADS, "%d threads add, change and take out %d each",
          THREADS, ROUNDS);
}

int main(void)
{
    if (!claim(!xlcfg__virt_load("test:///default", NULL) &&
               xlcfg__virt_loop_start(), "the loop is libvirt's"))
        return claims();
    readable();
    hung_up();
    writable();
    twice();
    used_again();
    timers();
    abreast();
    return claims();
}
