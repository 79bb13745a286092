/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is a domain all that it was when it was answered last?
 *
 * The backend is asked all it has to say to that at once, each question by a
 * thread, and the store is read meanwhile.  In which order they are read does
 * not matter: no version of a domain comes twice, so that what has the same
 * one and no open intent now had them since that answer; and what the backend
 * says was so at some moment since this question began.  Where anything is
 * another than it was nothing of this is used, and a look is taken, which has
 * its order.
 */
#include "driver/clock.h"
#include "driver/crew.h"
#include "ops/again.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct question {
    struct again *again;
    unsigned which;
    struct xlcfg__turn *turn;   /* NULL: not asked, or not any more */
    char *text;
    int rc;
};

/* Of who asks, and of each thread that has a question: the last frees it. */
struct again {
    atomic_uint refs;
    struct xlcfg_conn *conn;
    struct xlcfg_domain dom;
    struct question questions[XLCFG_ASKS];
};

static void let_go(struct again *a)
{
    if (atomic_fetch_sub(&a->refs, 1) != 1)
        return;
    for (unsigned i = 0; i < XLCFG_ASKS; i++)
        free(a->questions[i].text);
    xlcfg__domain_dispose(&a->dom);
    xlcfg__conn_free(a->conn);
    free(a);
}

static void ask(void *arg)
{
    struct question *q = arg;
    struct again *a = q->again;

    q->rc = a->conn->drv.ask(a->conn->handle, &a->dom, q->which, &q->text);
}

static void drop(void *arg)
{
    struct question *q = arg;

    let_go(q->again);
}

/* True: that thread is through. */
static bool end(struct question *q, unsigned ms)
{
    struct xlcfg__turn *turn = q->turn;

    q->turn = NULL;
    if (!turn)
        return true;
    if (!xlcfg__turn_end(turn, ms))
        return false;
    let_go(q->again);
    return true;
}

/* Those who are still at it end it. */
static void leave(struct again *a)
{
    for (unsigned i = 0; i < XLCFG_ASKS; i++)
        end(&a->questions[i], 0);
    let_go(a);
}

/* NULL: it was not told, or cannot be asked. */
static struct again *begin(struct xlcfg_conn *conn, const char *dom)
{
    static const struct xlcfg__work work = { .run = ask, .drop = drop };
    struct again *a = calloc(1, sizeof(*a));
    bool all = true;

    if (!a)
        return NULL;
    atomic_init(&a->refs, 1);
    a->conn = xlcfg__conn_ref(conn);
    if (conn->drv.told(conn->handle, dom, &a->dom)) {
        let_go(a);
        return NULL;
    }
    for (unsigned i = 0; i < XLCFG_ASKS && all; i++) {
        struct question *q = &a->questions[i];

        q->again = a;
        q->which = i;
        atomic_fetch_add(&a->refs, 1);
        q->turn = xlcfg__turn_start(&work, q);
        if (!q->turn)
            let_go(a);
        all = q->turn;
    }
    if (all)
        return a;
    leave(a);
    return NULL;
}

static unsigned left(int64_t until)
{
    int64_t ms = until - xlcfg__now_ms();

    return ms > 0 ? (unsigned)ms : 0;
}

/* UNREACHABLE: one is late.  STALE: it is not what it was; *heard_r: but it is
 * that domain, in that state. */
static int hear(struct again *a, int64_t until, char print_r[48],
                bool *heard_r)
{
    char *texts[XLCFG_ASKS];
    int rc = 0;

    for (unsigned i = 0; i < XLCFG_ASKS && !rc; i++)
        if (!end(&a->questions[i], left(until)))
            rc = XLCFG_ERROR_UNREACHABLE;
    for (unsigned i = 0; i < XLCFG_ASKS && !rc; i++) {
        rc = a->questions[i].rc;
        texts[i] = a->questions[i].text;
    }
    *heard_r = !rc;
    return rc ? rc : a->conn->drv.print(a->conn->handle, &a->dom, texts,
                                        print_r);
}

/* The answer, the caller's, to what the store has; and its print. */
static xlcfg_doc *read_store(xlcfg_ctx *ctx, const struct again *a,
                             char print_r[48])
{
    struct xlcfg__job job = {
        .conn = ctx->conn, .state_dir = ctx->state_dir,
        .lock_ms = ctx->lock_ms, .st = ctx->reader, .cut.dom = a->dom,
    };
    xlcfg_doc *answer = NULL;

    if (!xlcfg__job_was(&job) && !xlcfg__job_intents(&job))
        answer = xlcfg__recall_find(ctx->recall, &job.cut, print_r);
    ctx->reader = job.st;
    job.cut.dom = (struct xlcfg_domain){ .domid = -1 };
    xlcfg__cut_dispose(&job.cut);
    return answer;
}

static int answer(xlcfg_ctx *ctx, struct again *a, int64_t until,
                  struct xlcfg__cut *cut, xlcfg_error *err)
{
    char print[48], now[48];
    bool heard = false;
    xlcfg_doc *answer = read_store(ctx, a, print);
    int rc = answer ? hear(a, until, now, &heard) : XLCFG_STALE;

    if (rc == XLCFG_ERROR_UNREACHABLE) {
        ctx->lost = true;
        xlcfg__blind(ctx, ctx->conn->drv.name, err);
    }
    if (!rc && strcmp(now, print))
        rc = XLCFG_STALE;
    if (!rc || heard) {
        cut->dom = a->dom;
        a->dom = (struct xlcfg_domain){ .domid = -1 };
    }
    if (rc) {
        xlcfg_doc_free(answer);
        return rc;
    }
    cut->have_dom = true;
    cut->answered = answer;
    return 0;
}

int xlcfg__again(xlcfg_ctx *ctx, const char *dom, unsigned ms,
                 struct xlcfg__cut *cut, xlcfg_error *err)
{
    int64_t until = xlcfg__now_ms() + ms;
    struct again *a;
    int rc;

    if (!ctx->conn->drv.told)
        return XLCFG_STALE;
    a = begin(ctx->conn, dom);
    if (!a)
        return XLCFG_STALE;
    rc = answer(ctx, a, until, cut, err);
    leave(a);
    return rc;
}
