/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The merge: template + intents + live view -> configuration and the state
 * of each device.  One const table decides; it has a cell for everything
 * that can be, and no default.
 *
 *     rc = xlcfg__merge(&tmpl, &intents, &live, &answer, err);
 */
#ifndef XLCFG_CORE_MERGE_H
#define XLCFG_CORE_MERGE_H

#include "core/intent.h"
#include "core/view.h"

enum xlcfg_state {
    XLCFG_STATE_ATTACHING, XLCFG_STATE_ATTACHED, XLCFG_STATE_DETACHING,
    XLCFG_STATE_REFUSED, XLCFG_STATE_FAILED, XLCFG_STATE_ORPHANED,
    XLCFG_STATE_FOREIGN, XLCFG_STATE_LEAKED, XLCFG_STATE_UNKNOWN,
    XLCFG_STATE_DETACHED,
    XLCFG_STATES
};

enum xlcfg_body {
    XLCFG_BODY_NONE,            /* not in the configuration */
    XLCFG_BODY_TEMPLATE,        /* the template's entry as it is */
    XLCFG_BODY_FIELDS,          /* the template's, by the field rules */
    XLCFG_BODY_LIVE,            /* rebuilt from the live view */
    XLCFG_BODY_INTENT,          /* what the intent wants, by field rules */
    XLCFG_BODIES
};

struct xlcfg_cell {
    enum xlcfg_body body;
    enum xlcfg_state state;
    const char *words;          /* the verdict, for a person */
};

/* [template has it][intent][live] */
extern const struct xlcfg_cell
    xlcfg__merge_table[2][XLCFG_OPS][XLCFG_LIVES];

/* One device of the answer.  All of it is the answer's. */
struct xlcfg_row {
    enum xlcfg_kind kind : 8;
    enum xlcfg_op op : 4;
    enum xlcfg_live live : 8;
    enum xlcfg_state state : 8; /* the cell's, or `refused` by the intent */
    bool in_template : 1;
    bool medium_open : 1;       /* which medium it has cannot be told */
    bool as_stored : 1;         /* the body is the template's, by the field
                                   rules: nothing live went into it */
    unsigned index;             /* in its array, when in the configuration */
    const struct xlcfg_cell *cell;
    const char *key;
    const char *reason;         /* may be NULL */
    const xlcfg_doc *body;      /* what goes into the configuration, or the
                                   best that is known of it; may be NULL */
    const xlcfg_doc *template_body, *live_body, *address;   /* may be NULL */
    int64_t intent;             /* its id, 0: none */
};

struct xlcfg_answer {
    struct xlcfg_row *rows;
    size_t count;
    struct xlcfg__arena *arena; /* of all that rows and arrays have */
    xlcfg_doc *config;
    xlcfg_doc *unknown;         /* array of strings */
    bool complete;
};

/*
 * Take the implicit devices out of a live view, but for those that the
 * template lists or an intent names: these somebody asked for.  tmpl and
 * intents may be NULL.
 */
void xlcfg__merge_own(struct xlcfg_view *live, const struct xlcfg_view *tmpl,
                      const struct xlcfg_intents *intents);

/* For a live view that is in_order: the rows that no template has, which stand
 * last, to where they will stand when it has them. */
void xlcfg__merge_order(const struct xlcfg_view *live, struct xlcfg_row *rows,
                        size_t count);

/*
 * tmpl may be NULL: none was readable (which the caller notes in
 * live->unknown).  Errors: NOMEM.  The views are left as they were.
 */
int xlcfg__merge(const struct xlcfg_view *tmpl,
                 const struct xlcfg_intents *intents,
                 const struct xlcfg_view *live, struct xlcfg_answer *answer,
                 xlcfg_error *err);
void xlcfg__answer_dispose(struct xlcfg_answer *answer);

static inline bool xlcfg__row_in_config(const struct xlcfg_row *row)
{
    return row->cell->body != XLCFG_BODY_NONE && row->body;
}

const char *xlcfg__state_name(enum xlcfg_state state);
enum xlcfg_state xlcfg__state_by_name(const char *name);
const char *xlcfg__body_name(enum xlcfg_body body);
xlcfg_doc *xlcfg__merge_table_doc(void);        /* {"cells": [...]} */

#endif
