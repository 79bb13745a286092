/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cuts of many domains, some at once on one connection, for a driver whose
 * backend takes several calls at a time.  The wait goes on as long as one of
 * them comes in within each deadline; a thread that is then still in a call is
 * left behind with all it holds, as in look.c.
 */
#include "driver/clock.h"
#include "driver/crew.h"
#include "ops/job.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    struct xlcfg_domain dom;
    struct xlcfg__cut cut;
    bool done;
    int rc;
};

struct batch {
    atomic_uint refs;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool given_up;
    size_t count, next, done;
    struct slot *slots;
};

struct worker {
    struct batch *batch;
    struct xlcfg__job *job;
    struct xlcfg__turn *turn;
};

static void batch_drop(struct batch *b)
{
    if (atomic_fetch_sub(&b->refs, 1) != 1)
        return;
    for (size_t i = 0; i < b->count; i++) {
        xlcfg__domain_dispose(&b->slots[i].dom);
        xlcfg__cut_dispose(&b->slots[i].cut);
    }
    free(b->slots);
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->moved);
    free(b);
}

static struct batch *batch_new(const struct xlcfg_domains *list)
{
    struct batch *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    atomic_init(&b->refs, 1);
    pthread_mutex_init(&b->lock, NULL);
    xlcfg__cond_init(&b->moved);
    b->slots = calloc(list->count + 1, sizeof(*b->slots));
    for (size_t i = 0; b->slots && i < list->count; i++, b->count++)
        if (xlcfg__domain_copy(&b->slots[i].dom, &list->v[i]))
            break;
    if (b->count == list->count && b->slots)
        return b;
    batch_drop(b);
    return NULL;
}

/* The next one that nobody has; false: there is none. */
static bool take_one(struct batch *b, size_t *i_r)
{
    bool any;

    pthread_mutex_lock(&b->lock);
    any = !b->given_up && b->next < b->count;
    if (any)
        *i_r = b->next++;
    pthread_mutex_unlock(&b->lock);
    return any;
}

static void give_one(struct batch *b, size_t i, int rc,
                     struct xlcfg__cut *cut)
{
    struct slot *slot = &b->slots[i];

    pthread_mutex_lock(&b->lock);
    if (!b->given_up) {
        slot->rc = rc;
        slot->cut = *cut;
        memset(cut, 0, sizeof(*cut));
        slot->done = true;
        b->done++;
        pthread_cond_signal(&b->moved);
    }
    pthread_mutex_unlock(&b->lock);
    xlcfg__cut_dispose(cut);
}

static void work(void *arg)
{
    struct worker *w = arg;
    struct batch *b = w->batch;
    struct xlcfg__job *job = w->job;
    size_t i;
    int rc;

    while (take_one(b, &i)) {
        memset(&job->cut, 0, sizeof(job->cut));
        rc = xlcfg__domain_copy(&job->cut.dom, &b->slots[i].dom);
        if (!rc)
            rc = xlcfg__job_cut(job);
        give_one(b, i, rc, &job->cut);
        memset(&job->cut, 0, sizeof(job->cut));
    }
}

static void worker_free(void *arg)
{
    struct worker *w = arg;

    if (w->job)
        xlcfg__job_free(w->job);
    batch_drop(w->batch);
    free(w);
}

/* One more at it; NULL: it cannot be had. */
static struct worker *start(xlcfg_ctx *ctx, struct batch *b, unsigned number)
{
    static const struct xlcfg__work working = {
        .run = work, .drop = worker_free,
    };
    struct worker *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    atomic_fetch_add(&b->refs, 1);
    w->batch = b;
    w->job = xlcfg__job_new(ctx, NULL);
    if (w->job) {
        if (!ctx->deep)
            w->job->recall = xlcfg__recall_ref(ctx->recall);
        w->job->st = ctx->readers[number];
        ctx->readers[number] = NULL;
        w->turn = xlcfg__turn_start(&working, w);
    }
    if (w->turn)
        return w;
    worker_free(w);
    return NULL;
}

/* All done, or nothing came in for as long as a deadline. */
static bool wait_for(struct batch *b, unsigned deadline_ms)
{
    struct timespec until = xlcfg__clock_after(deadline_ms);
    size_t had = 0;
    bool all;
    int r = 0;

    pthread_mutex_lock(&b->lock);
    while (b->done < b->count && r != ETIMEDOUT) {
        if (b->done != had)
            until = xlcfg__clock_after(deadline_ms);
        had = b->done;
        r = pthread_cond_timedwait(&b->moved, &b->lock, &until);
    }
    all = b->done == b->count;
    b->given_up = true;
    pthread_mutex_unlock(&b->lock);
    return all;
}

static void hand_over(struct batch *b, struct xlcfg__cut *cuts, int *rcs)
{
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < b->count; i++) {
        struct slot *slot = &b->slots[i];

        rcs[i] = slot->done ? slot->rc : XLCFG_ERROR_TIMEDOUT;
        cuts[i] = slot->cut;
        memset(&slot->cut, 0, sizeof(slot->cut));
    }
    pthread_mutex_unlock(&b->lock);
}

int xlcfg__cuts_take(xlcfg_ctx *ctx, const struct xlcfg_domains *list,
                     struct xlcfg__cut *cuts, int *rcs, xlcfg_error *err)
{
    unsigned most = ctx->conn->drv.abreast;
    struct batch *b = batch_new(list);
    struct worker *workers[XLCFG__ABREAST];
    unsigned count = 0;
    bool all;

    if (!b)
        return xlcfg__nomem(err);
    most = most < XLCFG__ABREAST ? most : XLCFG__ABREAST;
    while (count < most && count < list->count &&
           (workers[count] = start(ctx, b, count)))
        count++;
    if (!count) {
        batch_drop(b);
        return xlcfg__err(err, XLCFG_ERROR_NOMEM, NULL,
                          "no thread can be started");
    }
    all = wait_for(b, ctx->deadline_ms);
    for (unsigned i = 0; i < count; i++) {
        if (!xlcfg__turn_end(workers[i]->turn, all ? XLCFG__NO_END : 0))
            continue;
        ctx->readers[i] = workers[i]->job->st;
        workers[i]->job->st = NULL;
        worker_free(workers[i]);
    }
    /* a thread that was left behind has the connection */
    ctx->lost = ctx->lost || !all;
    hand_over(b, cuts, rcs);
    batch_drop(b);
    return 0;
}
