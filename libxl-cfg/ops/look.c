/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cuts and lists, waited for no longer than the deadline. */
#include "driver/clock.h"
#include "driver/deadline.h"
#include "core/scalar.h"
#include "ops/again.h"

#include <stdlib.h>
#include <string.h>

int xlcfg__blind(const xlcfg_ctx *ctx, const char *where, xlcfg_error *err)
{
    return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, where,
                      "the backend did not answer within %u ms",
                      ctx->deadline_ms);
}

int xlcfg__cut_blind(const xlcfg_ctx *ctx, const struct xlcfg__cut *cut,
                     const char *where, xlcfg_error *err)
{
    const char *why = cut->live.unknown.count
        ? xlcfg_doc_string(cut->live.unknown.v[0]) : NULL;

    return why ? xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, where, "%s", why)
        : xlcfg__blind(ctx, where, err);
}

static void give_dom(void *arg)
{
    struct xlcfg__job *job = arg;

    if (!job->dom_r)
        return;
    pthread_mutex_lock(&job->lock);
    *job->given_r = job->have_dom &&
        xlcfg__domain_copy(job->dom_r, &job->dom) == 0;
    pthread_mutex_unlock(&job->lock);
}

static const struct xlcfg__work working = {
    .run = xlcfg__job_run, .late = give_dom, .drop = xlcfg__job_free,
};

struct xlcfg__job *xlcfg__job_new(xlcfg_ctx *ctx, const char *name)
{
    struct xlcfg__job *job = calloc(1, sizeof(*job));

    if (!job)
        return NULL;
    xlcfg__domain_dispose(&job->dom);
    xlcfg__domain_dispose(&job->found);
    xlcfg__domain_dispose(&job->cut.dom);
    pthread_mutex_init(&job->lock, NULL);
    job->lock_ms = ctx->lock_ms;
    job->deadline_ms = ctx->deadline_ms;
    job->deep = ctx->deep;
    job->sure = ctx->sure;
    job->conn = ctx->lost ? NULL : xlcfg__conn_ref(ctx->conn);
    job->uri = ctx->uri ? strdup(ctx->uri) : NULL;
    job->state_dir = strdup(ctx->state_dir);
    job->xen_lib_dir = strdup(ctx->xen_lib_dir);
    job->name = name ? strdup(name) : NULL;
    if (!job->state_dir || !job->xen_lib_dir || (name && !job->name) ||
        (ctx->uri && !job->uri)) {
        xlcfg__job_free(job);
        return NULL;
    }
    return job;
}

/* What became of the connection is the context's to know. */
static void take_conn(xlcfg_ctx *ctx, struct xlcfg__job *job)
{
    ctx->lost = job->rc == XLCFG_ERROR_UNREACHABLE || !job->conn;
    if (!job->fresh || !job->conn)
        return;
    xlcfg__conn_free(ctx->conn);
    ctx->conn = xlcfg__conn_ref(job->conn);
}

/*
 * Run a job, NULL: no memory; *job_r is the caller's with its result in it.
 * Late, TIMEDOUT: the domain is in dom_r, and no more is known.  UNREACHABLE:
 * nor is that.
 */
static int run_job(xlcfg_ctx *ctx, struct xlcfg__job *job, unsigned ms,
                   struct xlcfg__job **job_r, struct xlcfg_domain *dom_r,
                   xlcfg_error *err)
{
    bool given = false;
    int rc;

    if (!job)
        return xlcfg__nomem(err);
    job->st = ctx->reader;
    ctx->reader = NULL;
    job->dom_r = dom_r;
    job->given_r = &given;
    rc = xlcfg__deadline_run(ms, &working, job);
    if (rc == XLCFG_ERROR_NOMEM) {
        xlcfg__job_free(job);
        return xlcfg__err(err, rc, NULL, "no thread can be started");
    }
    if (!rc) {
        take_conn(ctx, job);
        ctx->reader = job->st;
        job->st = NULL;
        *job_r = job;
        return 0;
    }
    ctx->lost = true;           /* the thread has the connection */
    xlcfg__blind(ctx, ctx->conn->drv.name, err);
    return given ? XLCFG_ERROR_TIMEDOUT : XLCFG_ERROR_UNREACHABLE;
}

/* All that can be said of a domain whose backend hangs. */
static int blind_cut(xlcfg_ctx *ctx, struct xlcfg__cut *cut,
                     const char *why, xlcfg_error *err)
{
    struct xlcfg__stamp stamp;
    struct xlcfg__job job = {
        .conn = ctx->conn, .state_dir = ctx->state_dir,
        .xen_lib_dir = ctx->xen_lib_dir, .lock_ms = ctx->lock_ms,
        .cut = *cut,
    };
    int rc = 0;

    job.cut.have_dom = true;
    job.cut.blind = true;
    if (ctx->conn->drv.home == XLCFG_HOME_LIBXL)
        rc = xlcfg__job_template(&job, &stamp);
    if (!rc)
        rc = xlcfg__job_intents(&job);
    if (!rc && job.cut.template)
        rc = xlcfg__job_view(&job);
    xlcfg__state_close(job.st);
    *cut = job.cut;
    xlcfg__view_note(&cut->live, "live view: %s", why);
    return rc ? xlcfg__nomem(err) : 0;
}

static void clear(struct xlcfg__cut *cut)
{
    memset(cut, 0, sizeof(*cut));
    xlcfg__domain_dispose(&cut->dom);
}

/* cut: with the domain, if that was found just now.  recall may be NULL; then
 * ms is the whole deadline. */
static int take_cut(xlcfg_ctx *ctx, const char *dom, unsigned ms,
                    struct xlcfg__recall *recall, bool compared,
                    struct xlcfg__cut *cut, xlcfg_error *err)
{
    struct xlcfg__job *job = xlcfg__job_new(ctx, dom);
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc;

    if (job)
        job->found = cut->dom;
    else
        xlcfg__domain_dispose(&cut->dom);
    clear(cut);
    if (job && recall)
        job->recall = xlcfg__recall_ref(recall);
    if (job)
        job->compared = compared;
    rc = run_job(ctx, job, ms, &job, &cut->dom, &why);
    if (rc == XLCFG_ERROR_TIMEDOUT) {
        rc = blind_cut(ctx, cut, why.message, err);
        if (rc)
            xlcfg__cut_dispose(cut);
        return rc;
    }
    if (rc) {
        if (err)
            *err = why;
        return rc;
    }
    rc = job->rc;
    if (rc) {
        if (err)
            *err = job->err;
    } else {
        *cut = job->cut;
        memset(&job->cut, 0, sizeof(job->cut));
    }
    xlcfg__job_free(job);
    return rc;
}

int xlcfg__cut_take(xlcfg_ctx *ctx, const char *dom, struct xlcfg__cut *cut,
                    xlcfg_error *err)
{
    clear(cut);
    return take_cut(ctx, dom, ctx->deadline_ms, NULL, false, cut, err);
}

int xlcfg__cut_compare(xlcfg_ctx *ctx, const char *dom,
                       struct xlcfg__cut *cut, xlcfg_error *err)
{
    clear(cut);
    return take_cut(ctx, dom, ctx->deadline_ms, NULL, true, cut, err);
}

int xlcfg__cut_glance(xlcfg_ctx *ctx, const char *dom, struct xlcfg__cut *cut,
                      xlcfg_error *err)
{
    int64_t from = xlcfg__now_ms(), took;
    int rc = XLCFG_STALE;

    if (ctx->deep)
        return xlcfg__cut_take(ctx, dom, cut, err);
    clear(cut);
    if (!ctx->lost)
        rc = xlcfg__again(ctx, dom, ctx->deadline_ms, cut, err);
    if (rc != XLCFG_STALE)
        return rc;
    took = xlcfg__now_ms() - from;
    return take_cut(ctx, dom, took < ctx->deadline_ms
                    ? ctx->deadline_ms - (unsigned)took : 0, ctx->recall,
                    false, cut, err);
}

int xlcfg__list_take(xlcfg_ctx *ctx, struct xlcfg_domains *list,
                     char ***texts_r, bool *pulsed_r, xlcfg_error *err)
{
    struct xlcfg__job *job = xlcfg__job_new(ctx, NULL);
    int rc;

    if (job)
        job->want_indexes = texts_r;
    rc = run_job(ctx, job, ctx->deadline_ms, &job, NULL, err);
    if (rc)
        return rc;
    rc = job->rc;
    if (rc) {
        if (err)
            *err = job->err;
    } else {
        *list = job->list;
        job->list = (struct xlcfg_domains){ 0 };
        if (texts_r) {
            *texts_r = job->indexes;
            *pulsed_r = job->pulsed;
            job->indexes = NULL;
        }
    }
    xlcfg__job_free(job);
    return rc;
}

int xlcfg__cut_merge(struct xlcfg__cut *cut, struct xlcfg_answer *answer,
                     xlcfg_error *err)
{
    xlcfg_doc *finished;

    cut->spent = true;
    if (!cut->template)
        xlcfg__view_note(&cut->live, "template: %s", cut->template_note);
    finished = xlcfg__scalars_finish(cut->template ? cut->tmpl.rest : NULL,
                                     cut->live.rest);
    if (!finished && cut->live.rest)
        return xlcfg__nomem(err);
    xlcfg_doc_free(cut->live.rest);
    cut->live.rest = finished;
    return xlcfg__merge(cut->template ? &cut->tmpl : NULL, &cut->intents,
                        &cut->live, answer, err);
}
