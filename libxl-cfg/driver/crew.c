/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that stay for the next call. */
#include "driver/crew.h"
#include "driver/clock.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* So many wait for work at most: a list has four at it, a look three. */
#define IDLE 8

struct xlcfg__turn {
    const struct xlcfg__work *work;
    void *arg;
    pthread_mutex_t lock;       /* of done and left */
    bool done, left;
    sem_t through;
};

/* One thread.  Idle: in the list, and its turn NULL. */
struct hand {
    struct hand *next;
    pthread_t id;
    sem_t go;
    struct xlcfg__turn *turn;
};

static struct {
    pthread_mutex_t lock;
    unsigned holds, count;
    struct hand *idle;          /* the last to be through first */
} crew = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void await(sem_t *sem)
{
    while (sem_wait(sem) && errno == EINTR)
        continue;
}

static void turn_free(struct xlcfg__turn *turn)
{
    pthread_mutex_destroy(&turn->lock);
    sem_destroy(&turn->through);
    free(turn);
}

static void hand_free(struct hand *hand)
{
    sem_destroy(&hand->go);
    free(hand);
}

/* ---- in the thread ---- */

/* True: somebody waits for it, and is to be told. */
static bool close_turn(struct xlcfg__turn *turn)
{
    bool left;

    pthread_mutex_lock(&turn->lock);
    turn->done = true;
    left = turn->left;
    pthread_mutex_unlock(&turn->lock);
    if (!left)
        return true;
    turn->work->drop(turn->arg);
    turn_free(turn);
    return false;
}

/* False: it is not needed any more. */
static bool stay(struct hand *hand)
{
    bool wanted;

    pthread_mutex_lock(&crew.lock);
    wanted = crew.holds && crew.count < IDLE;
    if (wanted) {
        hand->turn = NULL;
        hand->next = crew.idle;
        crew.idle = hand;
        crew.count++;
    }
    pthread_mutex_unlock(&crew.lock);
    return wanted;
}

static void *serve(void *arg)
{
    struct hand *hand = arg;
    struct xlcfg__turn *turn;
    bool told, stays = true;

    hand->id = pthread_self();
    while (stays && (turn = hand->turn)) {
        turn->work->run(turn->arg);
        told = close_turn(turn);
        stays = stay(hand);
        /* who was told finds it idle: it serves again, or is ended */
        if (told)
            sem_post(&turn->through);
        if (stays)
            await(&hand->go);
    }
    if (stays)
        return NULL;            /* let go, and waited for */
    pthread_detach(pthread_self());
    hand_free(hand);
    return NULL;
}

/* ---- who has work for it ---- */

int xlcfg__thread_start(pthread_t *id_r, void *(*run)(void *), void *arg)
{
    sigset_t all, was;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    r = pthread_create(id_r, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return r;
}

static bool give_idle(struct xlcfg__turn *turn)
{
    struct hand *hand;

    pthread_mutex_lock(&crew.lock);
    hand = crew.idle;
    if (hand) {
        crew.idle = hand->next;
        crew.count--;
        hand->turn = turn;
    }
    pthread_mutex_unlock(&crew.lock);
    if (hand)
        sem_post(&hand->go);
    return hand;
}

static bool give_new(struct xlcfg__turn *turn)
{
    struct hand *hand = calloc(1, sizeof(*hand));
    pthread_t id;

    if (!hand)
        return false;
    sem_init(&hand->go, 0, 0);
    hand->turn = turn;
    if (!xlcfg__thread_start(&id, serve, hand))
        return true;
    hand_free(hand);
    return false;
}

struct xlcfg__turn *xlcfg__turn_start(const struct xlcfg__work *work,
                                      void *arg)
{
    struct xlcfg__turn *turn = calloc(1, sizeof(*turn));

    if (!turn)
        return NULL;
    turn->work = work;
    turn->arg = arg;
    pthread_mutex_init(&turn->lock, NULL);
    sem_init(&turn->through, 0, 0);
    if (give_idle(turn) || give_new(turn))
        return turn;
    turn_free(turn);
    return NULL;
}

/* False: the time was up. */
static bool wait_for(struct xlcfg__turn *turn, unsigned ms)
{
    struct timespec until;
    int r;

    if (ms == XLCFG__NO_END) {
        await(&turn->through);
        return true;
    }
    until = xlcfg__clock_after(ms);
    do {
        r = sem_clockwait(&turn->through, CLOCK_MONOTONIC, &until);
    } while (r && errno == EINTR);
    return !r;
}

/* What run wrote is seen by who has had the lock after it. */
static bool is_through(struct xlcfg__turn *turn)
{
    bool done;

    pthread_mutex_lock(&turn->lock);
    done = turn->done;
    if (!done) {
        /* it cannot end while the lock is held: arg is still there */
        if (turn->work->late)
            turn->work->late(turn->arg);
        turn->left = true;
    }
    pthread_mutex_unlock(&turn->lock);
    return done;
}

bool xlcfg__turn_end(struct xlcfg__turn *turn, unsigned ms)
{
    bool told = wait_for(turn, ms);

    if (!is_through(turn))
        return false;
    if (!told)
        await(&turn->through);
    turn_free(turn);
    return true;
}

/* ---- as long as it is held ---- */

/* A child has none of its parent's threads. */
static void forget(void)
{
    struct hand *hand;

    crew.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    while ((hand = crew.idle)) {
        crew.idle = hand->next;
        hand_free(hand);
    }
    crew.count = 0;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, forget);
}

void xlcfg__crew_hold(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&crew.lock);
    crew.holds++;
    pthread_mutex_unlock(&crew.lock);
}

void xlcfg__crew_let_go(void)
{
    struct hand *idle = NULL, *hand;

    pthread_mutex_lock(&crew.lock);
    if (!--crew.holds) {
        idle = crew.idle;
        crew.idle = NULL;
        crew.count = 0;
    }
    pthread_mutex_unlock(&crew.lock);
    while ((hand = idle)) {
        idle = hand->next;
        sem_post(&hand->go);
        pthread_join(hand->id, NULL);
        hand_free(hand);
    }
}
