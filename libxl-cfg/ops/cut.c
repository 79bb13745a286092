/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One consistent cut, under a deadline.
 *
 * A worker thread does the looking, for a backend's library may block for as
 * long as it likes.  When the deadline passes the caller goes on without it;
 * the worker then owns all it holds and frees it when its call comes back.
 *
 * No lock is taken: template, intents and the index of devices are read (the
 * index with the live view, by a driver that tells it there), the live view
 * after them, and then all three again; if one moved, once more.
 */
#include "driver/clock.h"
#include "driver/crew.h"
#include "ops/job.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 5

static void forget_list(struct xlcfg__job *job)
{
    for (size_t i = 0; job->indexes && i < job->list.count; i++)
        free(job->indexes[i]);
    free(job->indexes);
    job->indexes = NULL;
    xlcfg__domains_dispose(&job->list);
}

void xlcfg__job_free(void *arg)
{
    struct xlcfg__job *job = arg;

    pthread_mutex_destroy(&job->lock);
    xlcfg__conn_free(job->conn);
    xlcfg__state_close(job->st);
    xlcfg__recall_free(job->recall);
    free(job->uri);
    free(job->state_dir);
    free(job->xen_lib_dir);
    free(job->name);
    xlcfg__domain_dispose(&job->dom);
    xlcfg__domain_dispose(&job->found);
    xlcfg__cut_dispose(&job->cut);
    forget_list(job);
    free(job);
}

void xlcfg__cut_dispose(struct xlcfg__cut *cut)
{
    xlcfg__domain_dispose(&cut->dom);
    xlcfg_doc_free(cut->template);
    xlcfg_doc_free(cut->kept);
    xlcfg_doc_free(cut->answered);
    cut->template = cut->kept = cut->answered = NULL;
    cut->print[0] = '\0';
    xlcfg__view_dispose(&cut->tmpl);
    xlcfg__view_dispose(&cut->live);
    xlcfg__intents_dispose(&cut->intents);
    xlcfg__lock_drop(cut->held);
    cut->held = NULL;
    cut->have_dom = cut->have_was = cut->spent = false;
    cut->template_note[0] = '\0';
}

/* ---- what the worker does ---- */

/* Then the look that costs is worth it. */
static bool is_half_way(const struct xlcfg__job *job)
{
    const struct xlcfg_intents *open = &job->cut.intents;

    return open->count > 1 ||
        (open->count && (!job->sure || open->v[0].id != job->sure));
}

/* By a driver that sees what runs and what is kept in one look. */
static int read_at_once(struct xlcfg__job *job, bool *moved)
{
    struct xlcfg__cut *cut = &job->cut;
    struct xlcfg_look look = { .view = &cut->live, .next = job->compared,
                               .stored_err = XLCFG_ERROR_INIT };
    xlcfg_doc *answer = NULL;
    char print[48];
    int rc;

    rc = xlcfg__job_was(job);
    if (!rc)
        rc = xlcfg__job_intents(job);
    if (rc)
        return rc;
    if (job->recall)
        answer = xlcfg__recall_find(job->recall, cut, print);
    look.known = answer ? print : NULL;
    cut->live.deep = job->deep || is_half_way(job);
    rc = job->conn->drv.look(job->conn->handle, &cut->dom, &look, &job->err);
    if (!rc)
        cut->dom.recalled = false;      /* it still is that one */
    if (!rc && look.same && answer) {
        cut->answered = answer;
        *moved = false;
        return 0;
    }
    xlcfg_doc_free(answer);
    if (rc) {
        xlcfg_doc_free(look.stored);
        return rc;
    }
    strcpy(cut->print, look.print);
    cut->blind = look.blind;
    rc = xlcfg__job_stored(job, &look);
    *moved = look.moved;
    return rc ? rc : xlcfg__job_moved(job, NULL, moved);
}

static int read_apart(struct xlcfg__job *job, bool *moved)
{
    const struct xlcfg_driver *drv = &job->conn->drv;
    void *h = job->conn->handle;
    struct xlcfg__cut *cut = &job->cut;
    struct xlcfg__stamp stamp;
    char *before = NULL, *after = NULL;
    int rc;

    rc = xlcfg__job_was(job);
    if (!rc && !drv->tells_index)
        rc = drv->index(h, &cut->dom, &before, &job->err);
    if (!rc)
        rc = xlcfg__job_template(job, &stamp);
    if (!rc)
        rc = xlcfg__job_intents(job);
    cut->live.deep = job->deep || is_half_way(job);
    if (!rc)
        rc = drv->live(h, &cut->dom, &cut->live, &job->err);
    if (!rc && drv->tells_index) {
        before = cut->live.index;
        cut->live.index = NULL;
    }
    if (!rc)
        rc = drv->index(h, &cut->dom, &after, &job->err);
    if (!rc) {
        *moved = strcmp(before, after);
        rc = xlcfg__job_moved(job, &stamp, moved);
    }
    free(before);
    free(after);
    return rc;
}

static int read_all(struct xlcfg__job *job, bool *moved)
{
    return job->conn->drv.look ? read_at_once(job, moved)
        : read_apart(job, moved);
}

static void forget_views(struct xlcfg__cut *cut)
{
    xlcfg_doc_free(cut->template);
    xlcfg_doc_free(cut->kept);
    cut->template = cut->kept = NULL;
    cut->have_was = cut->blind = false;
    cut->template_note[0] = cut->print[0] = '\0';
    xlcfg__view_dispose(&cut->live);
    xlcfg__intents_dispose(&cut->intents);
}

int xlcfg__job_cut(struct xlcfg__job *job)
{
    struct xlcfg__cut *cut = &job->cut;
    bool moved = true;
    int rc = 0;

    cut->have_dom = true;
    for (int i = 0; i < TRIES && moved && !rc; i++) {
        forget_views(cut);
        rc = read_all(job, &moved);
    }
    if (cut->answered)
        return 0;
    cut->torn = moved;
    if (!rc && moved)
        xlcfg__view_note(&cut->live, "one moment: devices came or went "
                         "during each of %d looks", TRIES);
    if (!rc)
        rc = xlcfg__view_settle(&cut->live);
    if (!rc)
        rc = xlcfg__job_silent(job);
    if (!rc && cut->template)
        rc = xlcfg__job_view(job);
    if (!rc)
        xlcfg__merge_own(&cut->live, &cut->tmpl, &cut->intents);
    return rc;
}

static int take_found(struct xlcfg__job *job)
{
    static const struct xlcfg__work work = { .run = xlcfg__job_open };
    struct xlcfg__cut *cut = &job->cut;
    struct xlcfg__turn *turn;
    int rc = 0;

    turn = job->st ? NULL : xlcfg__turn_start(&work, job);
    if (job->found.uuid[0]) {
        cut->dom = job->found;
        cut->dom.recalled = true;
        job->found = (struct xlcfg_domain){ .domid = -1 };
    } else {
        rc = job->conn->drv.find(job->conn->handle, job->name, &cut->dom,
                                 &job->err);
    }
    if (turn)
        xlcfg__turn_end(turn, XLCFG__NO_END);
    if (rc)
        return rc;
    pthread_mutex_lock(&job->lock);     /* for who gives up */
    if (job->have_dom)
        xlcfg__domain_dispose(&job->dom);
    job->have_dom = xlcfg__domain_copy(&job->dom, &cut->dom) == 0;
    pthread_mutex_unlock(&job->lock);
    return xlcfg__job_cut(job);
}

static int take_cut(struct xlcfg__job *job)
{
    int rc = take_found(job);

    if (rc == XLCFG_STALE) {
        xlcfg__cut_dispose(&job->cut);
        rc = take_found(job);
    }
    return rc;
}

static int take_list(struct xlcfg__job *job)
{
    const struct xlcfg_driver *drv = &job->conn->drv;
    void *h = job->conn->handle;
    int rc;

    if (job->want_indexes) {
        rc = drv->pulse(h, &job->list, &job->indexes, &job->err);
        job->pulsed = !rc;
        if (rc != XLCFG_ERROR_NI)
            return rc;
    }
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

static int look(struct xlcfg__job *job)
{
    if (job->name)
        return take_cut(job);
    return take_list(job);
}

static int connect_anew(struct xlcfg__job *job)
{
    struct xlcfg_driver_options opt = {
        .xen_lib_dir = job->xen_lib_dir, .state_dir = job->state_dir,
        .deadline_ms = job->deadline_ms,
    };

    xlcfg__conn_free(job->conn);
    job->conn = NULL;
    job->fresh = true;
    return xlcfg__conn_open(job->uri, &opt, &job->conn, &job->err);
}

/* A backend that was started anew since is found again; once, and not after
 * a wait: who is slow is not gone. */
void xlcfg__job_run(void *arg)
{
    struct xlcfg__job *job = arg;
    int64_t late = xlcfg__now_ms() + job->deadline_ms / 2;
    int rc = 0;

    if (!job->conn)
        rc = connect_anew(job);
    if (!rc)
        rc = look(job);
    if (rc == XLCFG_ERROR_UNREACHABLE && !job->fresh &&
        xlcfg__now_ms() < late) {
        xlcfg__cut_dispose(&job->cut);
        forget_list(job);
        rc = connect_anew(job);
        if (!rc)
            rc = look(job);
    }
    if (rc == XLCFG_ERROR_NOMEM)
        xlcfg__nomem(&job->err);
    job->rc = rc;
}
