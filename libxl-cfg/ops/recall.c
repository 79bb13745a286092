/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers that were given, found again. */
#include "ops/recall.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS 256

struct row {
    struct xlcfg_domain dom;
    xlcfg_doc *doc;             /* NULL: without a print it is of no use */
    char print[48], version[XLCFG__VERSION_MAX];
    int64_t generation;
    int64_t seen;               /* when: seconds since the epoch */
    unsigned long used;         /* 0: a free row */
};

struct xlcfg__recall {
    atomic_uint refs;
    pthread_mutex_t lock;
    unsigned long turn;
    struct row rows[ROWS];
};

struct xlcfg__recall *xlcfg__recall_new(void)
{
    struct xlcfg__recall *recall = calloc(1, sizeof(*recall));

    if (!recall)
        return NULL;
    atomic_init(&recall->refs, 1);
    pthread_mutex_init(&recall->lock, NULL);
    return recall;
}

struct xlcfg__recall *xlcfg__recall_ref(struct xlcfg__recall *recall)
{
    atomic_fetch_add(&recall->refs, 1);
    return recall;
}

static void row_free(struct row *row)
{
    xlcfg__domain_dispose(&row->dom);
    xlcfg_doc_free(row->doc);
    row->doc = NULL;
    row->used = 0;
}

void xlcfg__recall_free(struct xlcfg__recall *recall)
{
    if (!recall || atomic_fetch_sub(&recall->refs, 1) != 1)
        return;
    for (size_t i = 0; i < ROWS; i++)
        row_free(&recall->rows[i]);
    pthread_mutex_destroy(&recall->lock);
    free(recall);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static bool same_domain(const struct xlcfg_domain *a,
                        const struct xlcfg_domain *b)
{
    return a->domid == b->domid && same_text(a->state, b->state) &&
        same_text(a->name, b->name) && same_text(a->run, b->run) &&
        a->started == b->started;
}

static struct row *row_of(struct xlcfg__recall *recall, const char *uuid)
{
    for (size_t i = 0; i < ROWS; i++)
        if (recall->rows[i].used && !strcmp(recall->rows[i].dom.uuid, uuid))
            return &recall->rows[i];
    return NULL;
}

xlcfg_doc *xlcfg__recall_find(struct xlcfg__recall *recall,
                              const struct xlcfg__cut *cut, char print_r[48])
{
    xlcfg_doc *doc = NULL;
    struct row *row;

    if (cut->intents.count || !cut->have_was || !cut->was[0])
        return NULL;
    pthread_mutex_lock(&recall->lock);
    row = row_of(recall, cut->dom.uuid);
    if (row && row->doc && same_domain(&row->dom, &cut->dom) &&
        !strcmp(row->version, cut->was) &&
        row->generation == cut->generation) {
        strcpy(print_r, row->print);
        row->used = ++recall->turn;
        doc = xlcfg_doc_ref(row->doc);
    }
    pthread_mutex_unlock(&recall->lock);
    return doc;
}

/* The one of this domain, a free one, or the one of longest ago. */
static struct row *row_for(struct xlcfg__recall *recall, const char *uuid)
{
    struct row *row = row_of(recall, uuid);

    for (size_t i = 0; !row && i < ROWS; i++)
        if (!recall->rows[i].used)
            row = &recall->rows[i];
    if (row)
        return row;
    row = &recall->rows[0];
    for (size_t i = 1; i < ROWS; i++)
        if (recall->rows[i].used < row->used)
            row = &recall->rows[i];
    return row;
}

void xlcfg__recall_keep(struct xlcfg__recall *recall,
                        const struct xlcfg__cut *cut, const xlcfg_doc *doc)
{
    const char *version = xlcfg__doc_getstr(doc, "version");
    struct row *row;

    if (cut->blind || cut->torn || cut->overtaken || !version ||
        strlen(version) >= XLCFG__VERSION_MAX)
        return;
    pthread_mutex_lock(&recall->lock);
    row = row_for(recall, cut->dom.uuid);
    row_free(row);
    if (!xlcfg__domain_copy(&row->dom, &cut->dom)) {
        strcpy(row->print, cut->print);
        strcpy(row->version, version);
        row->generation = cut->generation;
        row->used = ++recall->turn;
        row->seen = (int64_t)time(NULL);
        /* what is half way is another one soon */
        if (cut->print[0] && !cut->intents.count)
            row->doc = xlcfg_doc_ref(doc);
    }
    pthread_mutex_unlock(&recall->lock);
}

void xlcfg__recall_again(struct xlcfg__recall *recall,
                         const struct xlcfg__cut *cut)
{
    struct row *row;

    pthread_mutex_lock(&recall->lock);
    row = row_of(recall, cut->dom.uuid);
    if (row && row->doc == cut->answered)
        row->seen = (int64_t)time(NULL);
    pthread_mutex_unlock(&recall->lock);
}

int64_t xlcfg__recall_when(struct xlcfg__recall *recall, const char *uuid,
                           const char *version)
{
    struct row *row;
    int64_t seen = 0;

    pthread_mutex_lock(&recall->lock);
    row = row_of(recall, uuid);
    if (row && !strcmp(row->version, version))
        seen = row->seen;
    pthread_mutex_unlock(&recall->lock);
    return seen;
}
