/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Intents: a hotplug, unplug or update that was begun and is not settled.
 * Written durably before anything is touched, taken away in the transaction
 * that records how it ended.
 */
#ifndef XLCFG_CORE_INTENT_H
#define XLCFG_CORE_INTENT_H

#include "core/kind.h"

enum xlcfg_op {
    XLCFG_OP_NONE, XLCFG_OP_ATTACH, XLCFG_OP_DETACH, XLCFG_OP_UPDATE,
    XLCFG_OPS
};

enum xlcfg_phase {
    XLCFG_PHASE_PREPARED,       /* durable, nothing touched yet */
    XLCFG_PHASE_ACTING,         /* the backend was asked */
    XLCFG_PHASE_WAITING,        /* asked; the guest has not let go */
    XLCFG_PHASE_REFUSED,        /* the guest said no: stays as it was */
    XLCFG_PHASE_FAILED,         /* failed, and not all could be undone */
    XLCFG_PHASES
};

struct xlcfg_intent {
    int64_t id;
    enum xlcfg_op op;
    enum xlcfg_phase phase;
    enum xlcfg_kind kind;
    char *key, *match;
    xlcfg_doc *before;          /* body before; NULL: none */
    xlcfg_doc *after;           /* body wanted; NULL: none */
    char *reason;               /* why it is where it is; may be NULL */
    int64_t since;              /* seconds since the epoch */
    int attempts;
    int64_t incarnation;        /* of the key */
    char *domain;               /* incarnation of the domain it is of */
    bool resets;                /* of an unplug: its address is given up */
};

struct xlcfg_intents {
    struct xlcfg_intent *v;
    size_t count, room;
};

/* A new empty slot, zeroed; NULL: out of memory. */
struct xlcfg_intent *xlcfg__intents_add(struct xlcfg_intents *list);
/* Take out the one of this id, if it is there. */
void xlcfg__intents_drop(struct xlcfg_intents *list, int64_t id);
void xlcfg__intents_dispose(struct xlcfg_intents *list);

const char *xlcfg__op_name(enum xlcfg_op op);
const char *xlcfg__phase_name(enum xlcfg_phase phase);
enum xlcfg_op xlcfg__op_by_name(const char *name);      /* XLCFG_OPS: none */
enum xlcfg_phase xlcfg__phase_by_name(const char *name);

/* What a live body shows of an update. */
enum xlcfg__shown {
    XLCFG__SHOWN_BEFORE,        /* all that was to change is as before */
    XLCFG__SHOWN_AFTER,         /* all of it is as it is to be */
    XLCFG__SHOWN_UNCLEAR,       /* some of each, or it is not shown at all */
};
/* Only members that differ between before and after are looked at. */
enum xlcfg__shown xlcfg__update_shown(const xlcfg_doc *live,
                                      const xlcfg_doc *before,
                                      const xlcfg_doc *after);

#endif
