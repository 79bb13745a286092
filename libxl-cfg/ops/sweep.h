/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one who watches knows of each domain, and when it must be looked at:
 *
 *     rc = xlcfg__sweep_list(sw, err);         who there is now
 *     xlcfg__sweep_hint(sw, uuid);             each hint, taken after that
 *     rc = xlcfg__sweep_look(sw, true, err);   all that may have changed
 *     if (xlcfg__sweep_sure(sw, &count))       state.db has all that
 *         ...                                  happened before the list
 */
#ifndef XLCFG_OPS_SWEEP_H
#define XLCFG_OPS_SWEEP_H

#include "ops/ctx.h"

struct xlcfg__mark {
    char uuid[37];
    int64_t domid;
    char *text;                 /* moves with what no hint tells; without a
                                   pulse the driver's index, or NULL */
    bool stale;                 /* may be another than the recorded one */
    bool restless;              /* may become another by itself */
    bool nothing;               /* it was looked for, and is no domain */
};

/* Used by one thread alone. */
struct xlcfg__sweeper {
    xlcfg_ctx *ctx;
    struct xlcfg__mark *marks;  /* in the order of uuid */
    size_t count;
    size_t cursor;              /* whose turn it is */
    bool pulsed;                /* the driver has a pulse */
    bool relist;                /* there may be others now */
    bool twins;                 /* two of one uuid */
    char instance[13];          /* of the store that has what was seen */
    void (*progress)(void *arg);    /* after each look */
    void *progress_arg;
};

void xlcfg__sweeper_dispose(struct xlcfg__sweeper *sw);
/* 0, or a trouble; then all is as before. */
int xlcfg__sweep_list(struct xlcfg__sweeper *sw, xlcfg_error *err);
/* As watch_next of a driver says it. */
void xlcfg__sweep_hint(struct xlcfg__sweeper *sw, const char *uuid);
/* At the stale ones; sure: also at those that change by themselves. */
int xlcfg__sweep_look(struct xlcfg__sweeper *sw, bool sure,
                      xlcfg_error *err);
/* At *left of the others in turns, one at least, until the time is up or
 * somebody presses; *left: how many are left of them. */
int xlcfg__sweep_round(struct xlcfg__sweeper *sw, unsigned budget_ms,
                       size_t *left, bool (*pressed)(void *arg), void *arg,
                       xlcfg_error *err);
/* All that happened before the list was asked for is recorded; how many
 * domains there are. */
bool xlcfg__sweep_sure(const struct xlcfg__sweeper *sw, size_t *count_r);

#endif
