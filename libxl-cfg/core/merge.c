/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The merge: finds the partners, and does what the table says.  A `refused`
 * unplug leaves the device attached: the intent's phase turns `attached`
 * into `refused`.
 */
#include "core/merge.h"
#include "core/map.h"

#include <stdlib.h>
#include <string.h>

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

static xlcfg_doc *checked(xlcfg_doc *body, bool *ok)
{
    *ok = *ok && body;
    return body;
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
        /* an update that is done, and not closed yet */
        if (row->op == XLCFG_OP_UPDATE && row->live_body &&
            xlcfg__update_shown(row->live_body, in->before, in->after) ==
            XLCFG__SHOWN_AFTER)
            return checked(xlcfg__kind_merge(row->kind, in->after,
                                           row->live_body), ok);
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
        if (!in && l && l->alt)
            in = intent_of(mg, l->alt);
        rc = add_row(mg, t->kind, t, l, in);
    }
    for (size_t i = 0; i < mg->live->count && !rc; i++) {
        const struct xlcfg_dev *l = &mg->live->devs[i];

        const struct xlcfg_intent *in;

        if (mg->taken[i])
            continue;
        /* a nic may have been recorded by its MAC, before it had a number */
        in = intent_of(mg, l->match);
        if (!in && l->alt)
            in = intent_of(mg, l->alt);
        rc = add_row(mg, l->kind, NULL, l, in);
    }
    for (size_t i = 0; i < mg->intents->count && !rc; i++)
        if (!mg->used[i])
            rc = add_row(mg, mg->intents->v[i].kind, NULL, NULL,
                         &mg->intents->v[i]);
    return rc;
}

static bool is_asked_for(const char *match, const struct xlcfg_view *tmpl,
                         const struct xlcfg_intents *intents)
{
    for (size_t i = 0; tmpl && i < tmpl->count; i++)
        if (!strcmp(tmpl->devs[i].match, match))
            return true;
    for (size_t i = 0; intents && i < intents->count; i++)
        if (!strcmp(intents->v[i].match, match))
            return true;
    return false;
}

void xlcfg__merge_own(struct xlcfg_view *live, const struct xlcfg_view *tmpl,
                      const struct xlcfg_intents *intents)
{
    size_t out = 0;

    for (size_t i = 0; i < live->count; i++) {
        struct xlcfg_dev *dev = &live->devs[i];

        if (dev->implicit && !is_asked_for(dev->match, tmpl, intents))
            xlcfg__dev_dispose(dev);
        else
            live->devs[out++] = *dev;
    }
    live->count = out;
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
