/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The merge and its table.
 *
 * Presence alone is not attachment, and what the guest may write decides
 * nothing.  A begun unplug takes a device out of the configuration, for that
 * is what the machine is to be made of again; a device that only the live
 * view knows is rebuilt from it, never dropped; one that could not be looked
 * at stays as the template has it.  A `refused` unplug leaves the device
 * attached: the intent's phase turns `attached` into `refused`.
 */
#include "core/merge.h"
#include "core/map.h"

#include <stdlib.h>
#include <string.h>

#define CELL(live, body, state, words) \
    [XLCFG_LIVE_##live] = { XLCFG_BODY_##body, XLCFG_STATE_##state, words }

const struct xlcfg_cell xlcfg__merge_table[2][XLCFG_OPS][XLCFG_LIVES] = {
    /* the template lacks it */
    [0][XLCFG_OP_NONE] = {
        CELL(ABSENT, NONE, DETACHED, "there is no such device"),
        CELL(PARTIAL, NONE, FAILED,
             "somebody's attach stopped half way: not part of the machine"),
        CELL(COMING, LIVE, FOREIGN,
             "somebody else attaches it: rebuilt from the live view"),
        CELL(PRESENT, LIVE, FOREIGN,
             "somebody else attached it: rebuilt from the live view"),
        CELL(FAILED, NONE, FAILED,
             "somebody's attach failed: not part of the machine"),
        CELL(LEAVING, NONE, DETACHING,
             "an unplug was asked for and is not finished"),
        CELL(ORPHANED, LIVE, ORPHANED,
             "its backend domain is gone: kept for the next start"),
        CELL(LEAKED, NONE, LEAKED,
             "a backend without a guest device: to be cleaned up"),
        CELL(UNKNOWN, NONE, UNKNOWN, "it could not be looked at"),
    },
    [0][XLCFG_OP_ATTACH] = {
        CELL(ABSENT, NONE, ATTACHING,
             "its attach was begun, nothing of it is there yet"),
        CELL(PARTIAL, NONE, ATTACHING, "its attach is half written"),
        CELL(COMING, INTENT, ATTACHING,
             "its attach was begun, the backend is not ready yet"),
        CELL(PRESENT, INTENT, ATTACHED,
             "it is there; the record of its attach is to be closed"),
        CELL(FAILED, NONE, FAILED, "its attach failed"),
        CELL(LEAVING, NONE, DETACHING, "its attach is being taken back"),
        CELL(ORPHANED, NONE, FAILED,
             "its backend domain went away during the attach"),
        CELL(LEAKED, NONE, LEAKED,
             "its attach left a backend without a guest device"),
        CELL(UNKNOWN, NONE, UNKNOWN,
             "its attach was begun, and it could not be looked at"),
    },
    [0][XLCFG_OP_DETACH] = {
        CELL(ABSENT, NONE, DETACHED,
             "it is gone; the record of its unplug is to be closed"),
        CELL(PARTIAL, NONE, DETACHING, "its unplug is half done"),
        CELL(COMING, NONE, DETACHING, "its unplug was begun"),
        CELL(PRESENT, NONE, DETACHING,
             "its unplug was begun, it is still there"),
        CELL(FAILED, NONE, DETACHING, "its unplug was begun"),
        CELL(LEAVING, NONE, DETACHING,
             "its unplug was asked for, the guest has not let go"),
        CELL(ORPHANED, NONE, DETACHING,
             "its unplug was begun, its backend domain is gone"),
        CELL(LEAKED, NONE, LEAKED, "its unplug left a backend behind"),
        CELL(UNKNOWN, NONE, UNKNOWN,
             "its unplug was begun, and it could not be looked at"),
    },
    [0][XLCFG_OP_UPDATE] = {
        CELL(ABSENT, NONE, DETACHED, "it went away during an update"),
        CELL(PARTIAL, NONE, FAILED,
             "somebody's attach stopped half way: not part of the machine"),
        CELL(COMING, LIVE, FOREIGN,
             "not in the template: rebuilt from the live view"),
        CELL(PRESENT, LIVE, FOREIGN,
             "not in the template: rebuilt from the live view"),
        CELL(FAILED, NONE, FAILED, "its attach or update failed"),
        CELL(LEAVING, NONE, DETACHING,
             "an unplug was asked for and is not finished"),
        CELL(ORPHANED, LIVE, ORPHANED,
             "its backend domain is gone: kept for the next start"),
        CELL(LEAKED, NONE, LEAKED,
             "a backend without a guest device: to be cleaned up"),
        CELL(UNKNOWN, NONE, UNKNOWN,
             "its update was begun, and it could not be looked at"),
    },
    /* the template has it */
    [1][XLCFG_OP_NONE] = {
        CELL(ABSENT, NONE, DETACHED,
             "the template still has it, the machine has not"),
        CELL(PARTIAL, NONE, FAILED,
             "its attach stopped half way: not part of the machine"),
        CELL(COMING, FIELDS, ATTACHING,
             "it is being attached, the backend is not ready yet"),
        CELL(PRESENT, FIELDS, ATTACHED, "attached"),
        CELL(FAILED, NONE, FAILED,
             "its attach failed: not part of the machine"),
        CELL(LEAVING, NONE, DETACHING,
             "an unplug was asked for and is not finished"),
        CELL(ORPHANED, TEMPLATE, ORPHANED,
             "its backend domain is gone: kept for the next start"),
        CELL(LEAKED, NONE, LEAKED,
             "a backend without a guest device: to be cleaned up"),
        CELL(UNKNOWN, TEMPLATE, UNKNOWN,
             "it could not be looked at: as the template has it"),
    },
    [1][XLCFG_OP_ATTACH] = {
        CELL(ABSENT, NONE, ATTACHING,
             "its attach was begun, nothing of it is there yet"),
        CELL(PARTIAL, NONE, ATTACHING, "its attach is half written"),
        CELL(COMING, FIELDS, ATTACHING,
             "its attach was begun, the backend is not ready yet"),
        CELL(PRESENT, FIELDS, ATTACHED,
             "it is there; the record of its attach is to be closed"),
        CELL(FAILED, NONE, FAILED, "its attach failed"),
        CELL(LEAVING, NONE, DETACHING, "its attach is being taken back"),
        CELL(ORPHANED, NONE, FAILED,
             "its backend domain went away during the attach"),
        CELL(LEAKED, NONE, LEAKED,
             "its attach left a backend without a guest device"),
        CELL(UNKNOWN, NONE, UNKNOWN,
             "its attach was begun, and it could not be looked at"),
    },
    [1][XLCFG_OP_DETACH] = {
        CELL(ABSENT, NONE, DETACHED,
             "it is gone; the template is to lose it"),
        CELL(PARTIAL, NONE, DETACHING, "its unplug is half done"),
        CELL(COMING, NONE, DETACHING, "its unplug was begun"),
        CELL(PRESENT, NONE, DETACHING,
             "its unplug was begun, it is still there"),
        CELL(FAILED, NONE, DETACHING, "its unplug was begun"),
        CELL(LEAVING, NONE, DETACHING,
             "its unplug was asked for, the guest has not let go"),
        CELL(ORPHANED, NONE, DETACHING,
             "its unplug was begun, its backend domain is gone"),
        CELL(LEAKED, NONE, LEAKED, "its unplug left a backend behind"),
        CELL(UNKNOWN, NONE, UNKNOWN,
             "its unplug was begun, and it could not be looked at"),
    },
    [1][XLCFG_OP_UPDATE] = {
        CELL(ABSENT, NONE, DETACHED, "it went away during an update"),
        CELL(PARTIAL, NONE, FAILED,
             "its entries are half written: not part of the machine"),
        CELL(COMING, FIELDS, ATTACHING,
             "it is being updated, the backend is not ready yet"),
        CELL(PRESENT, FIELDS, ATTACHED,
             "attached; the record of its update is to be closed"),
        CELL(FAILED, NONE, FAILED, "its attach or update failed"),
        CELL(LEAVING, NONE, DETACHING,
             "an unplug was asked for and is not finished"),
        CELL(ORPHANED, TEMPLATE, ORPHANED,
             "its backend domain is gone: kept for the next start"),
        CELL(LEAKED, NONE, LEAKED,
             "a backend without a guest device: to be cleaned up"),
        CELL(UNKNOWN, TEMPLATE, UNKNOWN,
             "it could not be looked at: as the template has it"),
    },
};

static const char *const states[XLCFG_STATES] = {
    [XLCFG_STATE_ATTACHING] = "attaching",
    [XLCFG_STATE_ATTACHED] = "attached",
    [XLCFG_STATE_DETACHING] = "detaching",
    [XLCFG_STATE_REFUSED] = "refused",
    [XLCFG_STATE_FAILED] = "failed",
    [XLCFG_STATE_ORPHANED] = "orphaned",
    [XLCFG_STATE_FOREIGN] = "foreign",
    [XLCFG_STATE_LEAKED] = "leaked",
    [XLCFG_STATE_UNKNOWN] = "unknown",
    [XLCFG_STATE_DETACHED] = "detached",
};

static const char *const bodies[XLCFG_BODIES] = {
    [XLCFG_BODY_NONE] = "none",
    [XLCFG_BODY_TEMPLATE] = "template",
    [XLCFG_BODY_FIELDS] = "template by field rules",
    [XLCFG_BODY_LIVE] = "live",
    [XLCFG_BODY_INTENT] = "intent by field rules",
};

const char *xlcfg__state_name(enum xlcfg_state state)
{
    return states[state];
}

enum xlcfg_state xlcfg__state_by_name(const char *name)
{
    int i;

    for (i = 0; i < XLCFG_STATES && strcmp(states[i], name); i++)
        ;
    return (enum xlcfg_state)i;
}

const char *xlcfg__body_name(enum xlcfg_body body)
{
    return bodies[body];
}

xlcfg_doc *xlcfg__merge_table_doc(void)
{
    xlcfg__items cells = { 0 };
    xlcfg__members m = { 0 };

    for (int t = 0; t < 2; t++)
        for (int op = 0; op < XLCFG_OPS; op++)
            for (int l = 0; l < XLCFG_LIVES; l++) {
                const struct xlcfg_cell *c = &xlcfg__merge_table[t][op][l];
                xlcfg__members one = { 0 };

                xlcfg__members_add(&one, "template",
                                   xlcfg__doc_str(t ? "has" : "lacks"));
                xlcfg__members_add(&one, "intent",
                                   xlcfg__doc_str(xlcfg__op_name(op)));
                xlcfg__members_add(&one, "live",
                                   xlcfg__doc_str(xlcfg__live_name(l)));
                xlcfg__members_add(&one, "in_config",
                                   xlcfg__doc_bool(c->body));
                xlcfg__members_add(&one, "body",
                                   xlcfg__doc_str(bodies[c->body]));
                xlcfg__members_add(&one, "state",
                                   xlcfg__doc_str(states[c->state]));
                xlcfg__members_add(&one, "verdict",
                                   xlcfg__doc_str(c->words));
                xlcfg__items_add(&cells, xlcfg__members_end(&one));
            }
    xlcfg__members_add(&m, "cells", xlcfg__items_end(&cells));
    return xlcfg__members_end(&m);
}

/* ---- the merge ---- */

struct merge {
    const struct xlcfg_view *tmpl, *live;
    const struct xlcfg_intents *intents;
    xlcfg__map live_by, alt_by, intent_by;
    bool *taken;                /* live devices that found a partner */
    bool *used;                 /* intents that did */
    struct xlcfg_answer *out;
    xlcfg__items arrays[XLCFG_KINDS];
};

static bool dup_into(char **to, const char *from)
{
    if (!from)
        return true;
    *to = strdup(from);
    return *to;
}

static const struct xlcfg_dev *live_of(struct merge *mg,
                                       const struct xlcfg_dev *t)
{
    size_t i = xlcfg__map_get(&mg->live_by, t->match);

    /* by its second name only when its first one is not there */
    if (i == XLCFG__MAP_NONE && t->alt && !strcmp(t->alt, t->key))
        i = xlcfg__map_get(&mg->alt_by, t->alt);
    if (i == XLCFG__MAP_NONE || mg->taken[i])
        return NULL;
    mg->taken[i] = true;
    return &mg->live->devs[i];
}

static const struct xlcfg_intent *intent_of(struct merge *mg,
                                            const char *match)
{
    size_t i = xlcfg__map_get(&mg->intent_by, match);

    if (i == XLCFG__MAP_NONE)
        return NULL;
    mg->used[i] = true;
    return &mg->intents->v[i];
}

/* The body the cell asks for; *ok false: out of memory. */
static xlcfg_doc *body_for(const struct xlcfg_row *row,
                           const struct xlcfg_intent *in, bool whole,
                           bool *ok)
{
    xlcfg_doc *body = NULL;

    switch (row->cell->body) {
    case XLCFG_BODY_NONE:
        return xlcfg_doc_ref(row->template_body ? row->template_body
                             : row->live_body ? row->live_body
                             : in ? (in->after ? in->after : in->before)
                             : NULL);
    case XLCFG_BODY_TEMPLATE:
        return xlcfg_doc_ref(row->template_body);
    case XLCFG_BODY_LIVE:
        return xlcfg_doc_ref(row->live_body);
    case XLCFG_BODY_FIELDS:
        if (whole && row->live_body)
            return xlcfg_doc_ref(row->live_body);
        body = xlcfg__kind_merge(row->kind, row->template_body,
                                 row->live_body);
        *ok = *ok && body;
        return body;
    case XLCFG_BODY_INTENT:
        if (!in || !in->after || (whole && row->live_body))
            return xlcfg_doc_ref(row->live_body);
        body = xlcfg__kind_merge(row->kind, in->after, row->live_body);
        *ok = *ok && body;
        return body;
    case XLCFG_BODIES:
        break;
    }
    return NULL;
}

static int add_row(struct merge *mg, enum xlcfg_kind kind,
                   const struct xlcfg_dev *t, const struct xlcfg_dev *l,
                   const struct xlcfg_intent *in)
{
    struct xlcfg_row *row = &mg->out->rows[mg->out->count++];
    const char *key = t ? t->key : l ? l->key : in->key;
    bool refused = in && in->phase == XLCFG_PHASE_REFUSED;
    bool ok = true;

    /* a template entry known by its second name shows its real one */
    if (t && l && t->alt && !strcmp(t->alt, t->key))
        key = l->key;
    *row = (struct xlcfg_row){
        .kind = kind, .in_template = t != NULL,
        .op = in && !refused ? in->op : XLCFG_OP_NONE,
        .live = l ? l->live : mg->live->sees[kind] ? XLCFG_LIVE_ABSENT
                                                   : XLCFG_LIVE_UNKNOWN,
        .intent = in ? in->id : 0,
    };
    row->cell = &xlcfg__merge_table[row->in_template][row->op][row->live];
    row->state = row->cell->state;
    if (refused && row->state == XLCFG_STATE_ATTACHED)
        row->state = XLCFG_STATE_REFUSED;
    if (in && in->phase == XLCFG_PHASE_FAILED &&
        row->state == XLCFG_STATE_ATTACHING)
        row->state = XLCFG_STATE_FAILED;
    ok = dup_into(&row->key, key) &&
        dup_into(&row->reason, in && in->reason ? in->reason
                 : l && l->reason ? l->reason : NULL);
    row->template_body = t ? xlcfg_doc_ref(t->body) : NULL;
    row->live_body = l ? xlcfg_doc_ref(l->body) : NULL;
    row->body = body_for(row, in, mg->live->whole, &ok);
    if (l && l->address)
        row->address = xlcfg_doc_ref(l->address);
    else if (row->body)
        ok = (row->address = xlcfg__kind_address(kind, row->body)) && ok;
    if (ok && xlcfg__row_in_config(row)) {
        row->index = mg->arrays[kind].count;
        xlcfg__items_add(&mg->arrays[kind], xlcfg_doc_ref(row->body));
        ok = !mg->arrays[kind].failed;
    }
    return ok ? 0 : XLCFG_ERROR_NOMEM;
}

static int add_rows(struct merge *mg)
{
    int rc = 0;

    for (size_t i = 0; mg->tmpl && i < mg->tmpl->count && !rc; i++) {
        const struct xlcfg_dev *t = &mg->tmpl->devs[i];
        const struct xlcfg_dev *l = live_of(mg, t);
        const struct xlcfg_intent *in;

        in = intent_of(mg, l ? l->match : t->match);
        rc = add_row(mg, t->kind, t, l, in);
    }
    for (size_t i = 0; i < mg->live->count && !rc; i++) {
        const struct xlcfg_dev *l = &mg->live->devs[i];

        if (!mg->taken[i])
            rc = add_row(mg, l->kind, NULL, l, intent_of(mg, l->match));
    }
    for (size_t i = 0; i < mg->intents->count && !rc; i++)
        if (!mg->used[i])
            rc = add_row(mg, mg->intents->v[i].kind, NULL, NULL,
                         &mg->intents->v[i]);
    return rc;
}

static bool index_views(struct merge *mg)
{
    const struct xlcfg_view *live = mg->live;

    if (!xlcfg__map_init(&mg->live_by, live->count) ||
        !xlcfg__map_init(&mg->alt_by, live->count) ||
        !xlcfg__map_init(&mg->intent_by, mg->intents->count))
        return false;
    mg->taken = calloc(live->count + 1, sizeof(*mg->taken));
    mg->used = calloc(mg->intents->count + 1, sizeof(*mg->used));
    if (!mg->taken || !mg->used)
        return false;
    for (size_t i = 0; i < live->count; i++) {
        xlcfg__map_put(&mg->live_by, live->devs[i].match, i);
        if (live->devs[i].alt)
            xlcfg__map_put(&mg->alt_by, live->devs[i].alt, i);
    }
    /* the newest intent of a device is the one that counts */
    for (size_t i = mg->intents->count; i-- > 0;)
        if (xlcfg__map_put(&mg->intent_by, mg->intents->v[i].match, i) !=
            XLCFG__MAP_NONE)
            mg->used[i] = true;
    return true;
}

static xlcfg_doc *whole_config(struct merge *mg)
{
    xlcfg__members m = { 0 };
    xlcfg_doc *rest;

    rest = xlcfg__doc_overlay(mg->tmpl ? mg->tmpl->rest : NULL,
                              mg->live->rest);
    if (!rest && ((mg->tmpl && mg->tmpl->rest) || mg->live->rest))
        return NULL;
    xlcfg__members_copy(&m, rest);
    xlcfg_doc_free(rest);
    for (int k = 0; k < XLCFG_KINDS; k++)
        if (mg->arrays[k].count)
            xlcfg__members_add(&m, xlcfg__kinds[k].array,
                               xlcfg__items_end(&mg->arrays[k]));
    return xlcfg__members_end(&m);
}

static xlcfg_doc *all_unknown(struct merge *mg)
{
    xlcfg__items it = { 0 };

    for (size_t i = 0; mg->tmpl && i < mg->tmpl->unknown.count; i++)
        xlcfg__items_add(&it,
                         xlcfg__doc_strf("template%s",
                                         mg->tmpl->unknown.v[i]->text));
    for (size_t i = 0; i < mg->live->unknown.count; i++)
        xlcfg__items_add(&it, xlcfg_doc_ref(mg->live->unknown.v[i]));
    for (size_t i = 0; i < mg->out->count; i++) {
        const struct xlcfg_row *row = &mg->out->rows[i];

        if (row->cell->body != XLCFG_BODY_NONE && !row->body)
            xlcfg__items_add(&it, xlcfg__doc_strf("%s: it is there, and "
                                                  "nothing more is known",
                                                  row->key));
        else if (row->state == XLCFG_STATE_UNKNOWN)
            xlcfg__items_add(&it, xlcfg__doc_strf("%s: %s", row->key,
                                                  row->reason ? row->reason
                                                  : row->cell->words));
    }
    return xlcfg__items_end(&it);
}

int xlcfg__merge(const struct xlcfg_view *tmpl,
                 const struct xlcfg_intents *intents,
                 const struct xlcfg_view *live, struct xlcfg_answer *answer,
                 xlcfg_error *err)
{
    static const struct xlcfg_intents none;
    struct merge mg = {
        .tmpl = tmpl, .live = live, .intents = intents ? intents : &none,
        .out = answer,
    };
    size_t most = (tmpl ? tmpl->count : 0) + live->count +
        mg.intents->count;
    int rc = XLCFG_ERROR_NOMEM;

    *answer = (struct xlcfg_answer){ 0 };
    answer->rows = calloc(most + 1, sizeof(*answer->rows));
    if (answer->rows && index_views(&mg))
        rc = add_rows(&mg);
    if (!rc) {
        answer->config = whole_config(&mg);
        answer->unknown = all_unknown(&mg);
        answer->complete = tmpl && xlcfg_doc_count(answer->unknown) == 0;
        if (!answer->config || !answer->unknown)
            rc = XLCFG_ERROR_NOMEM;
    }
    for (int k = 0; k < XLCFG_KINDS; k++)
        xlcfg__items_dispose(&mg.arrays[k]);
    xlcfg__map_dispose(&mg.live_by);
    xlcfg__map_dispose(&mg.alt_by);
    xlcfg__map_dispose(&mg.intent_by);
    free(mg.taken);
    free(mg.used);
    if (rc) {
        xlcfg__answer_dispose(answer);
        return xlcfg__nomem(err);
    }
    return 0;
}

void xlcfg__answer_dispose(struct xlcfg_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++) {
        struct xlcfg_row *row = &answer->rows[i];

        free(row->key);
        free(row->reason);
        xlcfg_doc_free(row->body);
        xlcfg_doc_free(row->template_body);
        xlcfg_doc_free(row->live_body);
        xlcfg_doc_free(row->address);
    }
    free(answer->rows);
    xlcfg_doc_free(answer->config);
    xlcfg_doc_free(answer->unknown);
    *answer = (struct xlcfg_answer){ 0 };
}
