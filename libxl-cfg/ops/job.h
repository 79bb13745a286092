/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One look, between who takes it (cut.c, cut_store.c) and who waits for it
 * (look.c). */
#ifndef XLCFG_OPS_JOB_H
#define XLCFG_OPS_JOB_H

#include "ops/recall.h"

#include <pthread.h>

struct xlcfg__job {
    struct xlcfg_conn *conn;    /* NULL: to be opened first */
    bool fresh;                 /* it was opened here */
    char *uri;
    char *state_dir, *xen_lib_dir;
    unsigned lock_ms, deadline_ms;
    bool deep;
    bool compared;              /* the template, with what runs */
    int64_t sure;               /* see the context */
    char *name;                 /* the domain asked for; NULL: list */
    struct xlcfg_domain found;  /* that one, by who asked before; no uuid: it
                                   is to be found */
    int rc;
    xlcfg_error err;
    /* for who gives up, as soon as it is known */
    pthread_mutex_t lock;
    struct xlcfg_domain dom;
    bool have_dom;
    struct xlcfg_domain *dom_r; /* where that goes; NULL: nobody wants it */
    bool *given_r;
    xlcfg__state *st;           /* the context's; NULL: not open */
    struct xlcfg__recall *recall;       /* NULL: nothing is taken from it */
    struct xlcfg__cut cut;
    struct xlcfg_domains list;
    bool want_indexes;
    char **indexes;             /* as many as there are in list: the driver's
                                   pulse, or where it has none its index */
    bool pulsed;                /* they are the pulse */
};

/* With the context's connection; name NULL: to list.  NULL: no memory. */
struct xlcfg__job *xlcfg__job_new(xlcfg_ctx *ctx, const char *name);
void xlcfg__job_run(void *job);
/* The cut of job->cut.dom, that was found; err in the job. */
int xlcfg__job_cut(struct xlcfg__job *job);
void xlcfg__job_free(void *job);

/*
 * cut_store.c: what a cut is made of that is in files.  0 or NOMEM, but for
 * _view; what could not be read is noted in the cut.
 */
/* Open state.db and read it, which the first time costs as much as a call of
 * the backend's: for a thread beside the job's. */
void xlcfg__job_open(void *job);
/* The version on top of which what is read now may be recorded. */
int xlcfg__job_was(struct xlcfg__job *job);
/* The template from where this driver's domains have it; 0 also when there
 * is none, which template_note then says. */
int xlcfg__job_template(struct xlcfg__job *job, struct xlcfg__stamp *stamp);
/* The same, where a driver's one look has brought it. */
int xlcfg__job_stored(struct xlcfg__job *job, struct xlcfg_look *look);
int xlcfg__job_intents(struct xlcfg__job *job);
/* Reads the intents anew.  *moved turns true when they, or the template, are
 * not what they were; was NULL: it is in state.db. */
int xlcfg__job_moved(struct xlcfg__job *job, const struct xlcfg__stamp *was,
                     bool *moved);
/* The template's view; one that is none is noted and forgotten. */
int xlcfg__job_view(struct xlcfg__job *job);
/* What is coming for too long has failed; most often nothing is coming. */
int xlcfg__job_silent(struct xlcfg__job *job);

#endif
