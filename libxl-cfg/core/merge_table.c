/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The merge's table, and the names of what stands in it.
 *
 * Presence alone is not attachment, and what the guest may write decides
 * nothing.  A begun unplug takes a device out of the configuration, for that
 * is what the machine is to be made of again; a device that only the live
 * view knows is rebuilt from it, never dropped; one that could not be looked
 * at stays as the template has it.
 */
#include "core/merge.h"

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
