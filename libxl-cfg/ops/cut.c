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
#include "core/silent.h"
#include "ops/job.h"
#include "driver/clock.h"
#include "ops/sift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
static int open_store(struct xlcfg__job *job, xlcfg_error *err)
{
    xlcfg__state *st;

    return xlcfg__store_at(&job->st, job->state_dir, false, job->lock_ms,
                           &st, err);
}

/* After an error: the next question opens it again. */
static void close_store(struct xlcfg__job *job)
{
    xlcfg__state_close(job->st);
    job->st = NULL;
}

/* The version on top of which what is read now may be recorded. */
static int read_was(struct xlcfg__job *job)
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
    cut->generation = rc ? 0 : seen.generation;
    strcpy(cut->was, rc ? "" : seen.version);
    xlcfg__seen_dispose(&seen);
    return rc == XLCFG_ERROR_NOMEM ? rc : 0;
}

/* From state.db. */
static int read_ours(struct xlcfg__job *job, xlcfg_error *err)
{
    int rc;

    rc = open_store(job, err);
    if (!rc) {
        rc = xlcfg__state_template_get(job->st, job->conn->drv.name,
                                       job->cut.dom.uuid,
                                       &job->cut.template, err);
        if (rc && rc != XLCFG_ERROR_NOTFOUND)
            close_store(job);
    }
    if (!rc)
        job->cut.kept = xlcfg_doc_ref(job->cut.template);
    return rc;
}

/* From state.db, or what the backend keeps: HOME_BACKEND asks it first. */
static int read_kept(struct xlcfg__job *job, xlcfg_error *err)
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
    rc = read_ours(job, &why);
    if (rc == XLCFG_ERROR_NOTFOUND && !backend)
        return drv->stored(job->conn->handle, dom, &job->cut.template, err);
    if (rc && rc != XLCFG_ERROR_NOTFOUND)
        *err = why;
    return rc;
}

/* What came of reading it; NOMEM, or 0. */
static int judge_template(struct xlcfg__cut *cut, int rc,
                          const xlcfg_error *err)
{
    if (rc == XLCFG_ERROR_NOMEM)
        return rc;
    cut->unread = rc && rc != XLCFG_ERROR_NOTFOUND &&
        rc != XLCFG_ERROR_PARSE;
    if (rc)
        note_template(cut, err);
    return 0;
}

/* The template from where this driver's domains have it; 0 also when there
 * is none, which template_note then says. */
int xlcfg__job_template(struct xlcfg__job *job, struct xlcfg__stamp *stamp)
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
    return judge_template(cut, rc, &err);
}

int xlcfg__job_intents(struct xlcfg__job *job)
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

/* The one in state.db, by the number of its changes.  What ends a change that
 * others have recorded already makes no new version, but this moves. */
static bool kept_moved(struct xlcfg__job *job)
{
    struct xlcfg__seen seen = { 0 };
    int64_t now = 0;

    if (!open_store(job, NULL) &&
        !xlcfg__state_seen(job->st, job->conn->drv.name, job->cut.dom.uuid,
                           false, &seen, NULL))
        now = seen.generation;
    xlcfg__seen_dispose(&seen);
    return now != job->cut.generation;
}

static bool template_moved(struct xlcfg__job *job,
                           const struct xlcfg__stamp *was)
{
    struct xlcfg__stamp now;

    if (job->conn->drv.home != XLCFG_HOME_LIBXL)
        return kept_moved(job);
    xlcfg__template_stamp(job->xen_lib_dir, job->cut.dom.domid,
                          job->cut.dom.uuid, &now);
    return memcmp(&now, was, sizeof(now));
}

static int intents_moved(struct xlcfg__job *job, bool *moved)
{
    struct xlcfg_intents before = job->cut.intents;
    char *a, *b;
    int rc;

    job->cut.intents = (struct xlcfg_intents){ 0 };
    rc = xlcfg__job_intents(job);
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

/* The template that a driver's one look has brought. */
static int take_stored(struct xlcfg__job *job, struct xlcfg_look *look)
{
    int rc = look->stored_rc;

    job->cut.template = look->stored;
    if (rc == XLCFG_ERROR_NOTFOUND) {
        xlcfg_error why = XLCFG_ERROR_INIT;

        rc = read_ours(job, &why);
        if (rc && rc != XLCFG_ERROR_NOTFOUND)
            look->stored_err = why;
    }
    return judge_template(&job->cut, rc, &look->stored_err);
}

/* By a driver that sees what runs and what is kept in one look. */
static int read_at_once(struct xlcfg__job *job, bool *moved)
{
    struct xlcfg__cut *cut = &job->cut;
    struct xlcfg_look look = { .view = &cut->live,
                               .stored_err = XLCFG_ERROR_INIT };
    xlcfg_doc *answer = NULL;
    char print[48];
    int rc;

    rc = read_was(job);
    if (!rc)
        rc = xlcfg__job_intents(job);
    if (rc)
        return rc;
    if (job->recall)
        answer = xlcfg__recall_find(job->recall, cut, print);
    look.known = answer ? print : NULL;
    cut->live.deep = job->deep || cut->intents.count;
    rc = job->conn->drv.look(job->conn->handle, &cut->dom, &look, &job->err);
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
    rc = take_stored(job, &look);
    if (!rc) {
        *moved = look.moved || kept_moved(job);
        rc = intents_moved(job, moved);
    }
    return rc;
}

static int read_apart(struct xlcfg__job *job, bool *moved)
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
        rc = xlcfg__job_template(job, &stamp);
    if (!rc)
        rc = xlcfg__job_intents(job);
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

/* What is coming for too long has failed; most often nothing is coming. */
static int judge_silent(struct xlcfg__job *job)
{
    struct xlcfg__cut *cut = &job->cut;
    struct xlcfg__memories mem = { 0 };
    struct xlcfg__recorded *list;
    bool any = false;
    int rc;

    for (size_t i = 0; i < cut->live.count && !any; i++)
        any = cut->live.devs[i].live == XLCFG_LIVE_COMING;
    if (!any || open_store(job, NULL) ||
        xlcfg__state_devices(job->st, job->conn->drv.name, cut->dom.uuid,
                             &mem, NULL))
        return 0;               /* nothing is known of when it began */
    list = calloc(mem.count + 1, sizeof(*list));
    for (size_t i = 0; list && i < mem.count; i++)
        list[i] = (struct xlcfg__recorded){
            .key = mem.v[i].key, .state = mem.v[i].state,
            .since = mem.v[i].since,
        };
    rc = !list ? XLCFG_ERROR_NOMEM
        : xlcfg__view_silent(&cut->live, &cut->intents, list, mem.count,
                             (int64_t)time(NULL));
    free(list);
    xlcfg__memories_dispose(&mem);
    return rc;
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
        rc = judge_silent(job);
    if (!rc && cut->template)
        rc = xlcfg__template_view(job->conn->drv.home, cut->template,
                                  &cut->tmpl, &job->err);
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

static int take_cut(struct xlcfg__job *job)
{
    struct xlcfg__cut *cut = &job->cut;
    int rc;

    rc = job->conn->drv.find(job->conn->handle, job->name, &cut->dom,
                             &job->err);
    if (rc)
        return rc;
    pthread_mutex_lock(&job->lock);
    job->have_dom = xlcfg__domain_copy(&job->dom, &cut->dom) == 0;
    pthread_mutex_unlock(&job->lock);
    return xlcfg__job_cut(job);
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
