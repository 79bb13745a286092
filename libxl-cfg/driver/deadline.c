/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread for a call, and a wait with an end. */
#include "driver/deadline.h"
#include "core/err.h"
#include "driver/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct task {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool done, given_up;
    const struct xlcfg__work *work;
    void *arg;
};

static void task_free(struct task *task)
{
    pthread_mutex_destroy(&task->lock);
    pthread_cond_destroy(&task->moved);
    free(task);
}

void xlcfg__cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

static struct task *task_new(const struct xlcfg__work *work, void *arg)
{
    struct task *task = calloc(1, sizeof(*task));

    if (!task)
        return NULL;
    pthread_mutex_init(&task->lock, NULL);
    xlcfg__cond_init(&task->moved);
    task->work = work;
    task->arg = arg;
    return task;
}

static void *thread(void *arg)
{
    struct task *task = arg;
    bool given_up;

    task->work->run(task->arg);
    pthread_mutex_lock(&task->lock);
    task->done = true;
    given_up = task->given_up;
    pthread_cond_signal(&task->moved);
    pthread_mutex_unlock(&task->lock);
    if (given_up) {
        task->work->drop(task->arg);
        task_free(task);
    }
    return NULL;
}

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

int xlcfg__deadline_run(unsigned ms, const struct xlcfg__work *work,
                        void *arg)
{
    struct timespec until = xlcfg__clock_after(ms);
    struct task *task = task_new(work, arg);
    pthread_t id;
    bool done;
    int r = 0;

    if (!task)
        return XLCFG_ERROR_NOMEM;
    if (xlcfg__thread_start(&id, thread, task)) {
        task_free(task);
        return XLCFG_ERROR_NOMEM;
    }
    pthread_mutex_lock(&task->lock);
    while (!task->done && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&task->moved, &task->lock, &until);
    done = task->done;
    if (!done) {
        /* it cannot end while the lock is held: arg is still there */
        if (work->late)
            work->late(arg);
        task->given_up = true;
    }
    pthread_mutex_unlock(&task->lock);
    if (!done) {
        pthread_detach(id);
        return XLCFG_ERROR_TIMEDOUT;
    }
    pthread_join(id, NULL);
    task_free(task);
    return 0;
}
