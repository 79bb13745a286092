/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One consistent cut, under a deadline.
 *
 * A worker thread does the looking, for a backend's library may block for as
 * long as it likes.  When the deadline passes the caller goes on without it;
 * the worker then owns all it holds and frees it when its call comes back.
 *
 * No lock is taken: template, intents and the index of devices are read, the
 * live view after them, and then all three again; if one moved, once more.
 */
#include "core/scalar.h"
#include "ops/ctx.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRIES 5

struct job {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int owners;                 /* of this struct: caller, worker */
    bool done;
    struct xlcfg_conn *conn;
    char *state_dir, *xen_lib_dir;
    unsigned lock_ms;
    bool deep;
    char *name;                 /* the domain asked for; NULL: list */
    int rc;
    xlcfg_error err;
    struct xlcfg_domain dom;    /* as soon as it is known */
    bool have_dom;
    xlcfg__state *st;           /* the context's; NULL: not open */
    struct xlcfg__cut cut;
    struct xlcfg_domains list;
    bool want_indexes;
    char **indexes;             /* as many as there are in list */
};

static void job_free(struct job *job)
{
    pthread_mutex_destroy(&job->lock);
    pthread_cond_destroy(&job->moved);
    xlcfg__conn_free(job->conn);
    xlcfg__state_close(job->st);
    free(job->state_dir);
    free(job->xen_lib_dir);
    free(job->name);
    xlcfg__domain_dispose(&job->dom);
    xlcfg__cut_dispose(&job->cut);
    for (size_t i = 0; job->indexes && i < job->list.count; i++)
        free(job->indexes[i]);
    free(job->indexes);
    xlcfg__domains_dispose(&job->list);
    free(job);
}

static void job_leave(struct job *job)
{
    bool last;

    pthread_mutex_lock(&job->lock);
    last = --job->owners == 0;
    pthread_mutex_unlock(&job->lock);
    if (last)
        job_free(job);
}

void xlcfg__cut_dispose(struct xlcfg__cut *cut)
{
    xlcfg__domain_dispose(&cut->dom);
    xlcfg_doc_free(cut->template);
    xlcfg_doc_free(cut->kept);
    cut->template = cut->kept = NULL;
    xlcfg__view_dispose(&cut->tmpl);
    xlcfg__view_dispose(&cut->live);
    xlcfg__intents_dispose(&cut->intents);
    cut->have_dom = cut->have_was = false;
    cut->template_note[0] = '\0';
}

/* ---- what the worker does ---- */

static void note_template(struct xlcfg__cut *cut, const xlcfg_error *err)
{
    snprintf(cut->template_note, sizeof(cut->template_note), "%.300s%s%.300s",
             err->where, err->where[0] ? ": " : "", err->message);
}

/* libxl writes both sections whatever they hold: a file without them is
 * JSON, but no configuration of libxl's. */
static bool libxl_shape(const xlcfg_doc *doc)
{
    return xlcfg_doc_kind(xlcfg_doc_get(doc, "c_info")) == XLCFG_DOC_OBJECT &&
        xlcfg_doc_kind(xlcfg_doc_get(doc, "b_info")) == XLCFG_DOC_OBJECT;
}

/* state.db, the context's handle.  NOTFOUND: there is none yet. */
static int open_store(struct job *job, xlcfg_error *err)
{
    xlcfg__state *st;

    return xlcfg__store_at(&job->st, job->state_dir, false, job->lock_ms,
                           &st, err);
}

/* After an error: the next question opens it again. */
static void close_store(struct job *job)
{
    xlcfg__state_close(job->st);
    job->st = NULL;
}

/* The version on top of which what is read now may be recorded. */
static int read_was(struct job *job)
{
    struct xlcfg__cut *cut = &job->cut;
    struct xlcfg__seen seen = { 0 };
    int rc;

    rc = open_store(job, NULL);
    if (!rc) {
        rc = xlcfg__state_seen(job->st, job->conn->drv.name, cut->dom.uuid,
                               false, &seen, NULL);
        if (rc)
            close_store(job);
    }
    cut->have_was = !rc || rc == XLCFG_ERROR_NOTFOUND;
    strcpy(cut->was, rc ? "" : seen.version);
    xlcfg__seen_dispose(&seen);
    return rc == XLCFG_ERROR_NOMEM ? rc : 0;
}

/* From state.db, or what the backend keeps: HOME_BACKEND asks it first. */
static int read_kept(struct job *job, xlcfg_error *err)
{
    const struct xlcfg_driver *drv = &job->conn->drv;
    const struct xlcfg_domain *dom = &job->cut.dom;
    bool backend = drv->home == XLCFG_HOME_BACKEND;
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc = XLCFG_ERROR_NOTFOUND;

    if (backend)
        rc = drv->stored(job->conn->handle, dom, &job->cut.template, err);
    if (rc != XLCFG_ERROR_NOTFOUND)
        return rc;
    rc = open_store(job, &why);
    if (!rc) {
        rc = xlcfg__state_template_get(job->st, drv->name, dom->uuid,
                                       &job->cut.template, &why);
        if (rc && rc != XLCFG_ERROR_NOTFOUND)
            close_store(job);
    }
    if (!rc)
        job->cut.kept = xlcfg_doc_ref(job->cut.template);
    if (rc == XLCFG_ERROR_NOTFOUND && !backend)
        return drv->stored(job->conn->handle, dom, &job->cut.template, err);
    if (rc && rc != XLCFG_ERROR_NOTFOUND)
        *err = why;
    return rc;
}

/* The template from where this driver's domains have it; 0 also when there
 * is none, which template_note then says. */
static int read_template(struct job *job, struct xlcfg__stamp *stamp)
{
    struct xlcfg__cut *cut = &job->cut;
    const struct xlcfg_domain *dom = &cut->dom;
    xlcfg_error err = XLCFG_ERROR_INIT;
    int rc;

    memset(stamp, 0, sizeof(*stamp));
    if (job->conn->drv.home == XLCFG_HOME_LIBXL) {
        rc = xlcfg__template_read(job->xen_lib_dir, dom->domid, dom->uuid,
                                  dom->started, &cut->template, stamp, &err);
        if (!rc && !libxl_shape(cut->template)) {
            xlcfg_doc_free(cut->template);
            cut->template = NULL;
            rc = xlcfg__err(&err, XLCFG_ERROR_PARSE, "libxl-json",
                            "expected an object with c_info and b_info");
        }
    } else {
        rc = read_kept(job, &err);
    }
    if (rc == XLCFG_ERROR_NOMEM)
        return rc;
    if (rc)
        note_template(cut, &err);
    return 0;
}

static int read_intents(struct job *job)
{
    xlcfg_error err = XLCFG_ERROR_INIT;
    int rc;

    rc = open_store(job, &err);
    if (rc == XLCFG_ERROR_NOTFOUND)
        return 0;
    if (!rc)
        rc = xlcfg__state_intents(job->st, job->conn->drv.name,
                                  job->cut.dom.uuid, &job->cut.intents,
                                  &err);
    if (rc && job->st)
        close_store(job);
    if (rc && rc != XLCFG_ERROR_NOMEM) {
        xlcfg__view_note(&job->cut.live, "intents: %s: %s", err.where,
                         err.message);
        rc = 0;
    }
    return rc;
}

/* A text of all that must not move while the live view is read. */
static char *intents_text(const struct xlcfg_intents *list)
{
    char *s = NULL;
    size_t len;
    FILE *f = open_memstream(&s, &len);

    if (!f)
        return NULL;
    for (size_t i = 0; i < list->count; i++)
        fprintf(f, "%lld:%d ", (long long)list->v[i].id, list->v[i].phase);
    if (fclose(f)) {
        free(s);
        return NULL;
    }
    return s;
}

static bool template_moved(struct job *job, const struct xlcfg__stamp *was)
{
    struct xlcfg__stamp now;

    if (job->conn->drv.home != XLCFG_HOME_LIBXL)
        return false;
    xlcfg__template_stamp(job->xen_lib_dir, job->cut.dom.domid,
                          job->cut.dom.uuid, &now);
    return memcmp(&now, was, sizeof(now));
}

static int intents_moved(struct job *job, bool *moved)
{
    struct xlcfg_intents before = job->cut.intents;
    char *a, *b;
    int rc;

    job->cut.intents = (struct xlcfg_intents){ 0 };
    rc = read_intents(job);
    a = intents_text(&before);
    b = intents_text(&job->cut.intents);
    if (!rc && (!a || !b))
        rc = XLCFG_ERROR_NOMEM;
    if (!rc)
        *moved = *moved || strcmp(a, b);
    free(a);
    free(b);
    xlcfg__intents_dispose(&before);
    return rc;
}

static int read_all(struct job *job, bool *moved)
{
    const struct xlcfg_driver *drv = &job->conn->drv;
    void *h = job->conn->handle;
    struct xlcfg__cut *cut = &job->cut;
    struct xlcfg__stamp stamp;
    char *before = NULL, *after = NULL;
    int rc;

    rc = read_was(job);
    if (!rc)
        rc = drv->index(h, &cut->dom, &before, &job->err);
    if (!rc)
        rc = read_template(job, &stamp);
    if (!rc)
        rc = read_intents(job);
    /* something is half way: then the look that costs is worth it */
    cut->live.deep = job->deep || cut->intents.count;
    if (!rc)
        rc = drv->live(h, &cut->dom, &cut->live, &job->err);
    if (!rc)
        rc = drv->index(h, &cut->dom, &after, &job->err);
    if (!rc) {
        *moved = strcmp(before, after) || template_moved(job, &stamp);
        rc = intents_moved(job, moved);
    }
    free(before);
    free(after);
    return rc;
}

static void forget_views(struct xlcfg__cut *cut)
{
    xlcfg_doc_free(cut->template);
    xlcfg_doc_free(cut->kept);
    cut->template = cut->kept = NULL;
    cut->have_was = false;
    cut->template_note[0] = '\0';
    xlcfg__view_dispose(&cut->live);
    xlcfg__intents_dispose(&cut->intents);
}

static int take_cut(struct job *job)
{
    struct xlcfg__cut *cut = &job->cut;
    bool moved = true;
    int rc;

    rc = job->conn->drv.find(job->conn->handle, job->name, &cut->dom,
                             &job->err);
    if (rc)
        return rc;
    cut->have_dom = true;
    pthread_mutex_lock(&job->lock);
    job->have_dom = xlcfg__domain_copy(&job->dom, &cut->dom) == 0;
    pthread_mutex_unlock(&job->lock);
    for (int i = 0; i < TRIES && moved && !rc; i++) {
        forget_views(cut);
        rc = read_all(job, &moved);
    }
    if (!rc && moved)
        xlcfg__view_note(&cut->live, "one moment: devices came or went "
                         "during each of %d looks", TRIES);
    if (!rc)
        rc = xlcfg__view_settle(&cut->live);
    if (!rc && cut->template)
        rc = xlcfg__view_from_config(cut->template, &cut->tmpl, &job->err);
    if (rc == XLCFG_ERROR_PARSE) {
        note_template(cut, &job->err);
        xlcfg_doc_free(cut->template);
        cut->template = NULL;
        xlcfg__view_dispose(&cut->tmpl);
        rc = 0;
    }
    if (!rc)
        xlcfg__merge_own(&cut->live, &cut->tmpl, &cut->intents);
    return rc;
}

static int take_list(struct job *job)
{
    const struct xlcfg_driver *drv = &job->conn->drv;
    void *h = job->conn->handle;
    int rc;

    rc = drv->list(h, &job->list, &job->err);
    if (rc || !job->want_indexes)
        return rc;
    job->indexes = calloc(job->list.count + 1, sizeof(*job->indexes));
    if (!job->indexes)
        return XLCFG_ERROR_NOMEM;
    for (size_t i = 0; i < job->list.count && !rc; i++) {
        rc = drv->index(h, &job->list.v[i], &job->indexes[i], &job->err);
        if (rc && rc != XLCFG_ERROR_NOMEM)
            rc = 0;             /* it has none: whoever asks looks at it */
    }
    return rc;
}

static void *work(void *arg)
{
    struct job *job = arg;
    int rc;

    if (job->name)
        rc = take_cut(job);
    else
        rc = take_list(job);
    if (rc == XLCFG_ERROR_NOMEM)
        xlcfg__nomem(&job->err);
    pthread_mutex_lock(&job->lock);
    job->rc = rc;
    job->done = true;
    pthread_cond_signal(&job->moved);
    pthread_mutex_unlock(&job->lock);
    job_leave(job);
    return NULL;
}

/* ---- what the caller does ---- */

static struct job *job_new(xlcfg_ctx *ctx, const char *name)
{
    struct job *job = calloc(1, sizeof(*job));
    pthread_condattr_t attr;

    if (!job)
        return NULL;
    xlcfg__domain_dispose(&job->dom);
    xlcfg__domain_dispose(&job->cut.dom);
    pthread_mutex_init(&job->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&job->moved, &attr);
    pthread_condattr_destroy(&attr);
    job->owners = 2;
    job->lock_ms = ctx->lock_ms;
    job->deep = ctx->deep;
    job->st = ctx->reader;
    ctx->reader = NULL;
    job->conn = xlcfg__conn_ref(ctx->conn);
    job->state_dir = strdup(ctx->state_dir);
    job->xen_lib_dir = strdup(ctx->xen_lib_dir);
    job->name = name ? strdup(name) : NULL;
    if (!job->state_dir || !job->xen_lib_dir || (name && !job->name)) {
        job_free(job);
        return NULL;
    }
    return job;
}

static bool wait_for(struct job *job, unsigned ms)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&job->lock);
    while (!job->done && !r)
        r = pthread_cond_timedwait(&job->moved, &job->lock, &until);
    r = job->done;
    pthread_mutex_unlock(&job->lock);
    return r;
}

int xlcfg__reconnect(xlcfg_ctx *ctx, xlcfg_error *err)
{
    struct xlcfg_driver_options opt = {
        .xen_lib_dir = ctx->xen_lib_dir, .state_dir = ctx->state_dir,
        .deadline_ms = ctx->deadline_ms,
    };
    struct xlcfg_conn *fresh;
    int rc;

    rc = xlcfg__conn_open(ctx->uri, &opt, &fresh, err);
    if (rc)
        return rc;
    xlcfg__conn_free(ctx->conn);
    ctx->conn = fresh;
    return 0;
}

/* The caller's signal handlers are not to run in a thread of ours. */
static int start(struct job *job, pthread_t *thread_r)
{
    sigset_t all, was;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    r = pthread_create(thread_r, NULL, work, job);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return r;
}

/*
 * Run a job; *job_r is the caller's with its result in it.  Leaves the job
 * to its worker and answers TIMEDOUT when the deadline passed; dom_r then
 * has the domain, if it got that far.
 */
static int run_job(xlcfg_ctx *ctx, const char *name, bool want_indexes,
                   struct job **job_r, struct xlcfg_domain *dom_r,
                   xlcfg_error *err)
{
    struct job *job = job_new(ctx, name);
    pthread_t thread;
    bool got = false;

    if (!job)
        return xlcfg__nomem(err);
    job->want_indexes = want_indexes;
    if (start(job, &thread)) {
        job_free(job);
        return xlcfg__err(err, XLCFG_ERROR_NOMEM, NULL,
                          "no thread can be started");
    }
    if (wait_for(job, ctx->deadline_ms)) {
        pthread_join(thread, NULL);
        ctx->reader = job->st;
        job->st = NULL;
        *job_r = job;
        return 0;
    }
    pthread_detach(thread);
    pthread_mutex_lock(&job->lock);
    if (job->have_dom && dom_r)
        got = xlcfg__domain_copy(dom_r, &job->dom) == 0;
    pthread_mutex_unlock(&job->lock);
    job_leave(job);
    (void)xlcfg__reconnect(ctx, NULL);  /* the next call says, if it fails */
    xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, ctx->conn->drv.name,
               "the backend did not answer within %u ms", ctx->deadline_ms);
    return got ? XLCFG_ERROR_TIMEDOUT : XLCFG_ERROR_UNREACHABLE;
}

/* All that can be said of a domain whose backend hangs. */
static int blind_cut(xlcfg_ctx *ctx, struct xlcfg__cut *cut,
                     xlcfg_error *err)
{
    struct xlcfg__stamp stamp;
    struct job job = {
        .conn = ctx->conn, .state_dir = ctx->state_dir,
        .xen_lib_dir = ctx->xen_lib_dir, .lock_ms = ctx->lock_ms,
        .cut = *cut,
    };
    int rc = 0;

    job.cut.have_dom = true;
    job.cut.blind = true;
    if (ctx->conn->drv.home == XLCFG_HOME_LIBXL)
        rc = read_template(&job, &stamp);
    if (!rc)
        rc = read_intents(&job);
    close_store(&job);
    *cut = job.cut;
    xlcfg__view_note(&cut->live, "live view: the backend did not answer "
                     "within %u ms", ctx->deadline_ms);
    if (!rc && cut->template)
        rc = xlcfg__view_from_config(cut->template, &cut->tmpl, err);
    return rc == XLCFG_ERROR_NOMEM ? xlcfg__nomem(err) : rc;
}

int xlcfg__cut_take(xlcfg_ctx *ctx, const char *dom, struct xlcfg__cut *cut,
                    xlcfg_error *err)
{
    struct job *job;
    int rc;

    memset(cut, 0, sizeof(*cut));
    xlcfg__domain_dispose(&cut->dom);
    rc = run_job(ctx, dom, false, &job, &cut->dom, err);
    if (rc == XLCFG_ERROR_TIMEDOUT) {
        rc = blind_cut(ctx, cut, err);
        if (rc)
            xlcfg__cut_dispose(cut);
        return rc;
    }
    if (rc)
        return rc;
    rc = job->rc;
    if (rc) {
        if (err)
            *err = job->err;
    } else {
        *cut = job->cut;
        memset(&job->cut, 0, sizeof(job->cut));
    }
    job_leave(job);
    return rc;
}

int xlcfg__list_take(xlcfg_ctx *ctx, struct xlcfg_domains *list,
                     char ***indexes_r, xlcfg_error *err)
{
    struct job *job;
    int rc;

    rc = run_job(ctx, NULL, indexes_r, &job, NULL, err);
    if (rc)
        return rc;
    rc = job->rc;
    if (rc) {
        if (err)
            *err = job->err;
    } else {
        *list = job->list;
        job->list = (struct xlcfg_domains){ 0 };
        if (indexes_r) {
            *indexes_r = job->indexes;
            job->indexes = NULL;
        }
    }
    job_leave(job);
    return rc;
}

int xlcfg__cut_merge(struct xlcfg__cut *cut, struct xlcfg_answer *answer,
                     xlcfg_error *err)
{
    xlcfg_doc *finished;

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
