/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What plugging and settling share: one look, one intent and its owner's
 * lock, and the two ends an intent can come to.
 *
 *     prepare intent -> act -> look -> finish (template, intent, version)
 *
 * Every step may be the last of this process: settle.c goes on from there.
 */
#ifndef XLCFG_OPS_PLUG_H
#define XLCFG_OPS_PLUG_H

#include "ops/ctx.h"

/* As xlcfg__sight_take, but a backend that names the domain and then hangs is
 * UNREACHABLE. */
int xlcfg__sight_clear(xlcfg_ctx *ctx, const char *dom,
                       struct xlcfg__sight *sight, xlcfg_error *err);

/* What the live view has under this match; ABSENT too when it has nothing
 * and did look.  dev_r (may be NULL) gets the device or NULL. */
enum xlcfg_live xlcfg__sight_live(const struct xlcfg__sight *sight,
                                  enum xlcfg_kind kind, const char *match,
                                  const struct xlcfg_dev **dev_r);
/* NULL: no such intent is open. */
struct xlcfg_intent *xlcfg__sight_intent(struct xlcfg__sight *sight,
                                         const char *match);

/* Put into the store, or take away. */
int xlcfg__intent_save(xlcfg_ctx *ctx, const char *uuid,
                       struct xlcfg_intent *intent, xlcfg_error *err);
int xlcfg__intent_end(xlcfg_ctx *ctx, int64_t id, xlcfg_error *err);
/* The mark of a living owner.  LOCK_FAIL: somebody else is the owner. */
int xlcfg__intent_own(xlcfg_ctx *ctx, int64_t id, unsigned wait_ms,
                      xlcfg__lock **lock_r, xlcfg_error *err);
/* Change phase and reason, and save. */
int xlcfg__intent_phase(xlcfg_ctx *ctx, const char *uuid,
                        struct xlcfg_intent *intent, enum xlcfg_phase phase,
                        const char *reason, xlcfg_error *err);

/*
 * Make sure that the template has this entry, or with body NULL that it has
 * not: then only if a look under libxl's lock shows no such device, for
 * another's attach writes the template first.  A domain without a usable
 * template is left without.
 */
int xlcfg__template_edit(xlcfg_ctx *ctx, const struct xlcfg__cut *cut,
                         enum xlcfg_kind kind, const char *match,
                         const xlcfg_doc *body, xlcfg_error *err);

/* Adds {domain, key, step} to steps. */
void xlcfg__step(xlcfg__items *steps, const struct xlcfg_domain *dom,
                 const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Drive one intent, of which the caller is the owner, as far as it goes.
 * 0: closed.  PENDING: the guest has not let go.  REFUSED: it stays open as
 * failed.  sight is of after the lock was taken.
 */
int xlcfg__settle_one(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                      struct xlcfg_intent *intent, unsigned wait_ms,
                      bool dry_run, xlcfg__items *steps, xlcfg_error *err);

#endif
