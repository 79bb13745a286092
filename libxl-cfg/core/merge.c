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

#define AHEAD 6

struct merge {
    const struct xlcfg_view *tmpl, *live;
    const struct xlcfg_intents *intents;
    xlcfg__map live_by, alt_by, intent_by;
    size_t next;                /* after the live device found last */
    bool *taken;                /* live devices that found a partner */
    bool *used;                 /* intents that did */
    struct xlcfg_answer *out;
    unsigned counts[XLCFG_KINDS]; /* in the configuration */
};

/* Live devices by what names them; made when one is first looked for. */
static bool index_live(struct merge *mg)
{
    const struct xlcfg_view *live = mg->live;

    if (mg->live_by.room)
        return true;
    if (!xlcfg__map_init(&mg->live_by, live->count) ||
        !xlcfg__map_init(&mg->alt_by, live->count))
        return false;
    for (size_t i = 0; i < live->count; i++) {
        xlcfg__map_put(&mg->live_by, live->devs[i].match, i);
        if (live->devs[i].alt)
            xlcfg__map_put(&mg->alt_by, live->devs[i].alt, i);
    }
    return true;
}

/* Where the live device is that a template's entry speaks of; NONE. */
static size_t place_of(struct merge *mg, const struct xlcfg_dev *t, bool *ok)
{
    size_t i;

    /* nearly always both have the same order, and no match comes twice */
    if (mg->next < mg->live->count &&
        !strcmp(mg->live->devs[mg->next].match, t->match))
        return mg->next;
    *ok = index_live(mg);
    if (!*ok)
        return XLCFG__MAP_NONE;
    i = xlcfg__map_get(&mg->live_by, t->match);
    /* by its second name only when its first one is not there */
    if (i == XLCFG__MAP_NONE && t->alt && !strcmp(t->alt, t->key))
        i = xlcfg__map_get(&mg->alt_by, t->alt);
    return i;
}

/* Its partner, NULL when there is none; *ok false: out of memory. */
static const struct xlcfg_dev *live_of(struct merge *mg,
                                       const struct xlcfg_dev *t, bool *ok)
{
    size_t i = place_of(mg, t, ok);

    if (i == XLCFG__MAP_NONE || mg->taken[i])
        return NULL;
    mg->taken[i] = true;
    mg->next = i + 1;
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

/* The same by a second name, which a twin has too: it is of one of them. */
static const struct xlcfg_intent *intent_by(struct merge *mg, const char *alt)
{
    size_t i = xlcfg__map_get(&mg->intent_by, alt);

    return i == XLCFG__MAP_NONE || mg->used[i] ? NULL : intent_of(mg, alt);
}

/* A body by the field rules, the answer's; *ok false: out of memory. */
static const xlcfg_doc *by_rules(struct merge *mg, struct xlcfg_row *row,
                                 const xlcfg_doc *base, bool *ok)
{
    xlcfg_doc *body = xlcfg__kind_merge(row->kind, base, row->live_body);

    if (body == base) {         /* which is the answer's already */
        xlcfg_doc_free(body);
        return base;
    }
    row->medium_open = xlcfg__kind_medium_open(row->kind, base,
                                               row->live_body);
    *ok = *ok && body && xlcfg__doc_keep_mine(mg->out->arena, body);
    return *ok ? body : NULL;
}

/* The body the cell asks for; *ok false: out of memory. */
static const xlcfg_doc *body_for(struct merge *mg, struct xlcfg_row *row,
                                 const struct xlcfg_intent *in, bool *ok)
{
    bool whole = mg->live->whole && row->live_body;
    const xlcfg_doc *body;

    switch (row->cell->body) {
    case XLCFG_BODY_NONE:
        return row->template_body ? row->template_body
            : row->live_body ? row->live_body
            : in ? (in->after ? in->after : in->before)
            : NULL;
    case XLCFG_BODY_TEMPLATE:
        return row->template_body;
    case XLCFG_BODY_LIVE:
        return row->live_body;
    case XLCFG_BODY_FIELDS:
        if (whole)
            return row->live_body;
        /* an update that is done, and not closed yet */
        if (row->op == XLCFG_OP_UPDATE && row->live_body &&
            xlcfg__update_shown(row->live_body, in->before, in->after) ==
            XLCFG__SHOWN_AFTER)
            return by_rules(mg, row, in->after, ok);
        body = by_rules(mg, row, row->template_body, ok);
        row->as_stored = body && body == row->template_body;
        return body;
    case XLCFG_BODY_INTENT:
        if (whole || !in || !in->after)
            return row->live_body;
        return by_rules(mg, row, in->after, ok);
    case XLCFG_BODIES:
        break;
    }
    return NULL;
}

/* The texts of a view are kept as a whole, others are copied. */
static bool name_row(struct merge *mg, struct xlcfg_row *row,
                     const struct xlcfg_dev *t, const struct xlcfg_dev *l,
                     const struct xlcfg_intent *in)
{
    /* why it was there still says nothing of one that has left */
    bool left = in && in->op == XLCFG_OP_DETACH &&
        row->state == XLCFG_STATE_DETACHED;
    const char *reason = in && in->reason && !left ? in->reason
        : l ? l->reason : NULL;

    /* a template entry known by its second name shows its real one */
    if (l && (!t || (t->alt && !strcmp(t->alt, t->key))))
        row->key = l->key;
    else if (t)
        row->key = t->key;
    else
        row->key = xlcfg__arena_text(mg->out->arena, in->key);
    if (reason)
        row->reason = xlcfg__arena_text(mg->out->arena, reason);
    return row->key && (row->reason || !reason);
}

static int add_row(struct merge *mg, enum xlcfg_kind kind,
                   const struct xlcfg_dev *t, const struct xlcfg_dev *l,
                   const struct xlcfg_intent *in)
{
    struct xlcfg_row *row = &mg->out->rows[mg->out->count++];
    struct xlcfg__arena *arena = mg->out->arena;
    bool refused = in && in->phase == XLCFG_PHASE_REFUSED;
    bool ok;

    *row = (struct xlcfg_row){
        .kind = kind, .in_template = t != NULL,
        .op = in && !refused ? in->op : XLCFG_OP_NONE,
        .live = l ? l->live : mg->live->sees[kind] ? XLCFG_LIVE_ABSENT
                                                   : XLCFG_LIVE_UNKNOWN,
        .intent = in ? in->id : 0,
        .template_body = t ? t->body : NULL, .live_body = l ? l->body : NULL,
        .address = l ? l->address : NULL,
    };
    row->cell = &xlcfg__merge_table[row->in_template][row->op][row->live];
    row->state = row->cell->state;
    if (refused && row->state == XLCFG_STATE_ATTACHED)
        row->state = XLCFG_STATE_REFUSED;
    if (in && in->phase == XLCFG_PHASE_FAILED &&
        row->state == XLCFG_STATE_ATTACHING)
        row->state = XLCFG_STATE_FAILED;
    ok = name_row(mg, row, t, l, in) &&
        xlcfg__doc_keep(arena, row->template_body) &&
        xlcfg__doc_keep(arena, row->live_body) &&
        xlcfg__doc_keep(arena, row->address) &&
        (!in || (xlcfg__doc_keep(arena, in->before) &&
                 xlcfg__doc_keep(arena, in->after)));
    if (ok)
        row->body = body_for(mg, row, in, &ok);
    if (ok && !row->address && row->body)
        ok = (row->address = xlcfg__kind_address(kind, row->body, arena));
    return ok ? 0 : XLCFG_ERROR_NOMEM;
}

static int add_rows(struct merge *mg)
{
    int rc = 0;

    for (size_t i = 0; mg->tmpl && i < mg->tmpl->count && !rc; i++) {
        const struct xlcfg_dev *t = &mg->tmpl->devs[i];
        bool ok = true;
        const struct xlcfg_dev *l = live_of(mg, t, &ok);
        const struct xlcfg_intent *in;

        /* bodies lie apart: the next ones are on their way meanwhile */
        if (i + AHEAD < mg->tmpl->count)
            __builtin_prefetch(mg->tmpl->devs[i + AHEAD].body);
        if (mg->next + AHEAD < mg->live->count)
            __builtin_prefetch(mg->live->devs[mg->next + AHEAD].body);

        in = intent_of(mg, l ? l->match : t->match);
        if (!in && l && l->alt)
            in = intent_by(mg, l->alt);
        rc = ok ? add_row(mg, t->kind, t, l, in) : XLCFG_ERROR_NOMEM;
    }
    for (size_t i = 0; i < mg->live->count && !rc; i++) {
        const struct xlcfg_dev *l = &mg->live->devs[i];

        const struct xlcfg_intent *in;

        if (mg->taken[i])
            continue;
        /* a nic may have been recorded by its MAC, before it had a number */
        in = intent_of(mg, l->match);
        if (!in && l->alt)
            in = intent_by(mg, l->alt);
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

static bool prepare(struct merge *mg)
{
    if (!xlcfg__map_init(&mg->intent_by, mg->intents->count))
        return false;
    mg->taken = calloc(mg->live->count + 1, sizeof(*mg->taken));
    mg->used = calloc(mg->intents->count + 1, sizeof(*mg->used));
    if (!mg->taken || !mg->used)
        return false;
    /* the newest intent of a device is the one that counts */
    for (size_t i = mg->intents->count; i-- > 0;)
        if (xlcfg__map_put(&mg->intent_by, mg->intents->v[i].match, i) !=
            XLCFG__MAP_NONE)
            mg->used[i] = true;
    return true;
}

static void number_rows(struct merge *mg)
{
    for (size_t i = 0; i < mg->out->count; i++) {
        struct xlcfg_row *row = &mg->out->rows[i];

        if (xlcfg__row_in_config(row))
            row->index = mg->counts[row->kind]++;
    }
}

/* The arrays of the configuration, in the answer's arena. */
static bool fill_arrays(struct merge *mg, xlcfg_doc *arrays[XLCFG_KINDS])
{
    for (int k = 0; k < XLCFG_KINDS; k++) {
        arrays[k] = NULL;
        if (mg->counts[k] &&
            !(arrays[k] = xlcfg__doc_in(mg->out->arena, XLCFG_DOC_ARRAY,
                                        mg->counts[k])))
            return false;
    }
    for (size_t i = 0; i < mg->out->count; i++) {
        const struct xlcfg_row *row = &mg->out->rows[i];

        if (xlcfg__row_in_config(row))
            arrays[row->kind]->items[row->index] = (xlcfg_doc *)row->body;
    }
    return true;
}

static xlcfg_doc *whole_config(struct merge *mg)
{
    xlcfg_doc *arrays[XLCFG_KINDS], *rest;
    xlcfg__members m = { 0 };

    if (!fill_arrays(mg, arrays))
        return NULL;
    rest = xlcfg__doc_overlay(mg->tmpl ? mg->tmpl->rest : NULL,
                              mg->live->rest);
    if (!rest && ((mg->tmpl && mg->tmpl->rest) || mg->live->rest))
        return NULL;
    xlcfg__members_copy(&m, rest);
    xlcfg_doc_free(rest);
    for (int k = 0; k < XLCFG_KINDS; k++)
        if (arrays[k])
            xlcfg__members_add(&m, xlcfg__kinds[k].array,
                               xlcfg_doc_ref(arrays[k]));
    return xlcfg__members_end(&m);
}

static xlcfg_doc *no_medium(const struct xlcfg_row *row)
{
    return xlcfg__doc_strf("%s: pdev_path: the template has a medium, the "
                           "backend shows none: a change of it stopped half "
                           "way", row->key);
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

        if (row->medium_open)
            xlcfg__items_add(&it, no_medium(row));
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
    /* not cleared: most of it is never touched */
    answer->rows = most < SIZE_MAX / sizeof(*answer->rows)
        ? malloc((most + 1) * sizeof(*answer->rows)) : NULL;
    answer->arena = xlcfg__arena_new(512);
    if (answer->rows && answer->arena &&
        xlcfg__arena_join(answer->arena, tmpl ? tmpl->texts : NULL) &&
        xlcfg__arena_join(answer->arena, live->texts) && prepare(&mg))
        rc = add_rows(&mg);
    if (!rc && live->in_order)
        xlcfg__merge_order(live, answer->rows, answer->count);
    if (!rc) {
        number_rows(&mg);
        answer->config = whole_config(&mg);
        answer->unknown = all_unknown(&mg);
        answer->complete = tmpl && xlcfg_doc_count(answer->unknown) == 0;
        if (!answer->config || !answer->unknown)
            rc = XLCFG_ERROR_NOMEM;
    }
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
    free(answer->rows);
    xlcfg_doc_free(answer->config);
    xlcfg_doc_free(answer->unknown);
    xlcfg__arena_drop(answer->arena);
    *answer = (struct xlcfg_answer){ 0 };
}
