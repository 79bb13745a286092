/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Intents: names and lists. */
#include "core/intent.h"

#include <stdlib.h>
#include <string.h>

static const char *const ops[XLCFG_OPS] = {
    [XLCFG_OP_NONE] = "none",
    [XLCFG_OP_ATTACH] = "attach",
    [XLCFG_OP_DETACH] = "detach",
    [XLCFG_OP_UPDATE] = "update",
};

static const char *const phases[XLCFG_PHASES] = {
    [XLCFG_PHASE_PREPARED] = "prepared",
    [XLCFG_PHASE_ACTING] = "acting",
    [XLCFG_PHASE_WAITING] = "waiting",
    [XLCFG_PHASE_REFUSED] = "refused",
    [XLCFG_PHASE_FAILED] = "failed",
};

const char *xlcfg__op_name(enum xlcfg_op op)
{
    return ops[op];
}

const char *xlcfg__phase_name(enum xlcfg_phase phase)
{
    return phases[phase];
}

enum xlcfg_op xlcfg__op_by_name(const char *name)
{
    int i;

    for (i = 0; i < XLCFG_OPS && strcmp(ops[i], name); i++)
        ;
    return (enum xlcfg_op)i;
}

enum xlcfg_phase xlcfg__phase_by_name(const char *name)
{
    int i;

    for (i = 0; i < XLCFG_PHASES && strcmp(phases[i], name); i++)
        ;
    return (enum xlcfg_phase)i;
}

struct xlcfg_intent *xlcfg__intents_add(struct xlcfg_intents *list)
{
    if (list->count == list->room) {
        size_t more = list->room ? list->room * 2 : 4;
        struct xlcfg_intent *bigger;

        bigger = realloc(list->v, more * sizeof(*bigger));
        if (!bigger)
            return NULL;
        list->v = bigger;
        list->room = more;
    }
    list->v[list->count] = (struct xlcfg_intent){ 0 };
    return &list->v[list->count++];
}

static void intent_dispose(struct xlcfg_intent *it)
{
    free(it->key);
    free(it->match);
    free(it->reason);
    free(it->domain);
    xlcfg_doc_free(it->before);
    xlcfg_doc_free(it->after);
}

void xlcfg__intents_drop(struct xlcfg_intents *list, int64_t id)
{
    size_t out = 0;

    for (size_t i = 0; i < list->count; i++)
        if (list->v[i].id == id)
            intent_dispose(&list->v[i]);
        else
            list->v[out++] = list->v[i];
    list->count = out;
}

void xlcfg__intents_dispose(struct xlcfg_intents *list)
{
    for (size_t i = 0; i < list->count; i++)
        intent_dispose(&list->v[i]);
    free(list->v);
    *list = (struct xlcfg_intents){ 0 };
}

/* A member that is not there and "" both say nothing. */
static bool says_same(const xlcfg_doc *a, const xlcfg_doc *b)
{
    const char *x = a ? xlcfg_doc_string(a) : "";
    const char *y = b ? xlcfg_doc_string(b) : "";

    if ((!a || (x && !*x)) && (!b || (y && !*y)))
        return true;
    return a && b && xlcfg__doc_equal(a, b);
}

enum xlcfg__shown xlcfg__update_shown(const xlcfg_doc *live,
                                      const xlcfg_doc *before,
                                      const xlcfg_doc *after)
{
    size_t old = 0, new = 0, unclear = 0;

    for (int side = 0; side < 2; side++) {
        const xlcfg_doc *body = side ? after : before;

        for (size_t i = 0; i < xlcfg_doc_count(body); i++) {
            const char *name = xlcfg_doc_name(body, i);
            const xlcfg_doc *b = xlcfg_doc_get(before, name);
            const xlcfg_doc *a = xlcfg_doc_get(after, name);
            const xlcfg_doc *now = xlcfg_doc_get(live, name);

            /* what both have was looked at from the first side */
            if ((side && b) || says_same(a, b))
                continue;
            if (says_same(now, a))
                new++;
            else if (says_same(now, b))
                old++;
            else
                unclear++;
        }
    }
    return !unclear && !old ? XLCFG__SHOWN_AFTER
        : !unclear && !new ? XLCFG__SHOWN_BEFORE : XLCFG__SHOWN_UNCLEAR;
}
