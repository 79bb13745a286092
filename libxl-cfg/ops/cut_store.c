/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a cut is in files: the template, the open intents, and the version
 * it is to be recorded on top of.  What cannot be read is noted, and the rest
 * of the cut is taken all the same.
 */
#include "core/silent.h"
#include "ops/job.h"
#include "ops/sift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

void xlcfg__job_open(void *arg)
{
    struct xlcfg__job *job = arg;
    char version[XLCFG__VERSION_MAX];

    /* what is wrong with it is said to who reads what it is asked for */
    if (!open_store(job, NULL) &&
        xlcfg__state_version(job->st, version, NULL))
        close_store(job);
}

int xlcfg__job_was(struct xlcfg__job *job)
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

    if (!was || job->conn->drv.home != XLCFG_HOME_LIBXL)
        return kept_moved(job);
    xlcfg__template_stamp(job->xen_lib_dir, job->cut.dom.domid,
                          job->cut.dom.uuid, &now);
    return memcmp(&now, was, sizeof(now));
}

int xlcfg__job_moved(struct xlcfg__job *job, const struct xlcfg__stamp *was,
                     bool *moved)
{
    struct xlcfg_intents before = job->cut.intents;
    char *a, *b;
    int rc;

    *moved = *moved || template_moved(job, was);
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

int xlcfg__job_stored(struct xlcfg__job *job, struct xlcfg_look *look)
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

int xlcfg__job_view(struct xlcfg__job *job)
{
    struct xlcfg__cut *cut = &job->cut;
    int rc;

    rc = xlcfg__template_view(job->conn->drv.home, cut->template, &cut->tmpl,
                              &job->err);
    if (rc != XLCFG_ERROR_PARSE)
        return rc;
    note_template(cut, &job->err);
    xlcfg_doc_free(cut->template);
    cut->template = NULL;
    xlcfg__view_dispose(&cut->tmpl);
    return 0;
}

int xlcfg__job_silent(struct xlcfg__job *job)
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
