/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What plugging, updating and settling share: one look, one intent and its
 * owner's lock, and the two ends an intent can come to.
 *
 *     begin (look) -> record intent -> act -> look -> close
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
/* The same of an intent's device: also when it is known by another name by
 * now, as a nic recorded by its MAC is when the live view numbers it. */
enum xlcfg_live xlcfg__sight_live_of(const struct xlcfg__sight *sight,
                                     const struct xlcfg_intent *intent,
                                     const struct xlcfg_dev **dev_r);
/* NULL: no such intent is open. */
struct xlcfg_intent *xlcfg__sight_intent(struct xlcfg__sight *sight,
                                         const char *match);

/* Put into the store, or take away without a look (the domain is gone). */
int xlcfg__intent_save(xlcfg_ctx *ctx, const char *uuid,
                       struct xlcfg_intent *intent, xlcfg_error *err);
int xlcfg__intent_end(xlcfg_ctx *ctx, int64_t id, xlcfg_error *err);
/* What is open of a domain that is no more, or was made anew since (before: by
 * the creation of this id; 0: all of it) and that nobody is at work on, ends: of
 * a domain that its backend keeps an unplug would go on in one that comes. */
int xlcfg__intents_over(xlcfg_ctx *ctx, const char *uuid, int64_t before,
                        xlcfg_error *err);
/* The mark of a living owner.  LOCK_FAIL: somebody else is the owner. */
int xlcfg__intent_own(xlcfg_ctx *ctx, int64_t id, unsigned wait_ms,
                      xlcfg__lock **lock_r, xlcfg_error *err);
/* Change phase and reason, and save. */
int xlcfg__intent_phase(xlcfg_ctx *ctx, const char *uuid,
                        struct xlcfg_intent *intent, enum xlcfg_phase phase,
                        const char *reason, xlcfg_error *err);

/* What becomes of a device's entry in the template. */
enum xlcfg__entry {
    XLCFG__ENTRY_STAYS,
    XLCFG__ENTRY_PUT,           /* body is there, if nothing was */
    XLCFG__ENTRY_REPLACED,      /* body is there, whatever was */
    XLCFG__ENTRY_DROPPED,       /* only if a look shows no such device, for
                                   another's attach writes it first */
    XLCFG__ENTRY_WHOLE,         /* body is the whole template, where it is
                                   kept in state.db; of no device */
};
struct xlcfg__edit {
    enum xlcfg__entry entry;
    enum xlcfg_kind kind;
    const char *match;
    const xlcfg_doc *body;      /* of PUT and REPLACED */
    bool resets;                /* its address is given up */
};
/*
 * The end of an intent (id 0: of none): the template is edited, the domain
 * looked at, and the change recorded together with the end; sight is that
 * look.  A cut that is not merged yet is that look, if the template need not
 * change or its lock is held.  A domain without a usable template is left
 * without.
 */
int xlcfg__close(xlcfg_ctx *ctx, struct xlcfg__sight *sight, int64_t id,
                 const struct xlcfg__edit *edit, xlcfg_error *err);

/* Adds {domain, key, step} to steps. */
void xlcfg__step(xlcfg__items *steps, const struct xlcfg_domain *dom,
                 const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Was it begun in a run of the domain that has ended? */
bool xlcfg__is_of_earlier_run(const struct xlcfg__sight *sight,
                              const struct xlcfg_intent *in);
/* Its device has left by the machine's own word: also from what is kept. */
int xlcfg__settle_left(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                       struct xlcfg_intent *in, xlcfg__items *steps,
                       xlcfg_error *err);
/*
 * Drive one intent, of which the caller is the owner, as far as it goes.
 * 0: closed, and sight is of after that (but for a dry run).  PENDING: the
 * guest has not let go.  REFUSED: it stays open as failed.  sight is of after
 * the lock was taken.
 */
int xlcfg__settle_one(xlcfg_ctx *ctx, struct xlcfg__sight *sight,
                      struct xlcfg_intent *intent, unsigned wait_ms,
                      bool dry_run, xlcfg__items *steps, xlcfg_error *err);

/* ---- one act ---- */

struct xlcfg__plug {
    xlcfg_ctx *ctx;
    xlcfg_plug_options opt;
    char uuid[37];
    struct xlcfg__sight sight;
    struct xlcfg_intents mine;          /* one at most */
    struct xlcfg_intent *in;            /* it; NULL: none */
    bool went_on;                       /* it was open before */
    bool was_asked;             /* and the guest was asked before */
    xlcfg__lock *owner;
    xlcfg__items steps;
};

/* A backend without a script is ready a moment after libxl is done. */
#define XLCFG__PLUG_READY_MS 5000
/* How often another may begin a change of the device that we are about to. */
#define XLCFG__PLUG_TRIES 20

/* The kind that a key names.  INVAL: it is none. */
int xlcfg__plug_kind(const char *key, enum xlcfg_kind *kind_r,
                     xlcfg_error *err);
/* The first look, and what every act asks of the domain: among others that
 * the driver can do it, else NI with its reason.  _end in any case. */
int xlcfg__plug_begin(struct xlcfg__plug *p, xlcfg_ctx *ctx, const char *dom,
                      enum xlcfg_kind kind, enum xlcfg_action act,
                      const xlcfg_plug_options *opt, xlcfg_error *err);
void xlcfg__plug_end(struct xlcfg__plug *p);
int xlcfg__plug_look(struct xlcfg__plug *p, xlcfg_error *err);
/* The cut alone: not merged, and not recorded.  For judging an act that is
 * about to be closed, which looks again. */
int xlcfg__plug_peek(struct xlcfg__plug *p, xlcfg_error *err);
/* The same under libxl's lock of the template, which the cut then holds: what
 * it shows as gone can lose its entry without another look.  Not held when
 * another does not let go of it. */
int xlcfg__plug_peek_held(struct xlcfg__plug *p, xlcfg_error *err);
/* What was handed in, as the driver reads it, and xlcfg__plug_unlocked. */
int xlcfg__plug_check(struct xlcfg__plug *p, enum xlcfg_kind kind,
                      const xlcfg_doc *body, xlcfg_error *err);
/*
 * Nobody holds libxl's lock of the template, which it waits for without an
 * end.  LOCK_FAIL, naming it: another held it all of lock_ms.  A dry run does
 * not look.
 */
int xlcfg__plug_unlocked(struct xlcfg__plug *p, xlcfg_error *err);
/* Begin the intent, recorded and owned, on the conditions asked for.
 * LOCK_FAIL: another began a change of this device; look again. */
int xlcfg__plug_record(struct xlcfg__plug *p, enum xlcfg_op op,
                       enum xlcfg_kind kind, const struct xlcfg_ident *id,
                       const xlcfg_doc *before, const xlcfg_doc *after,
                       xlcfg_error *err);
/* The driver is about to act: it shares the owner's lock. */
void xlcfg__plug_hold(const struct xlcfg__plug *p);
/* What came of the i-th try to record: 0 when another was quicker, a new look
 * was taken, and it is worth another try; else rc, or the look's. */
int xlcfg__plug_outrun(struct xlcfg__plug *p, int i, int rc,
                       xlcfg_error *err);
/*
 * An intent that is open under this match: made ours, and settled unless it
 * is an unplug that is to go on.  0 with p->in NULL: there is none any more.
 */
int xlcfg__plug_take_over(struct xlcfg__plug *p, const char *match,
                          bool detaching, xlcfg_error *err);
/* The domain went away during the act: its intent has nothing to speak of. */
int xlcfg__plug_gone(struct xlcfg__plug *p, xlcfg_error *err);
/* Look until the backend is ready, for a while. */
int xlcfg__plug_until_ready(struct xlcfg__plug *p, unsigned ms,
                            enum xlcfg_live *live_r, xlcfg_error *err);

/* Which device a key means: by what is there, or by the template's ghost of
 * it.  body_r is borrowed from the sight. */
int xlcfg__plug_find(struct xlcfg__plug *p, const char *key,
                     struct xlcfg_ident *id, const xlcfg_doc **body_r,
                     xlcfg_error *err);

/* {"version", "device"}: the device as get has it; device NULL: it is not
 * listed.  Takes device. */
int xlcfg__plug_answer(struct xlcfg__plug *p, xlcfg_doc *device,
                       xlcfg_doc **doc_r, xlcfg_error *err);
const xlcfg_doc *xlcfg__plug_device(const struct xlcfg__plug *p,
                                    const char *key);
/* A device that get does not list (any more, or yet). */
xlcfg_doc *xlcfg__plug_bare(const struct xlcfg_ident *id,
                            enum xlcfg_kind kind, const char *state,
                            const xlcfg_doc *body);

/* CONFLICT: the domain has version now, not asked; what changed since is
 * said as far as history holds it. */
int xlcfg__conflict(xlcfg_ctx *ctx, const xlcfg_doc *now, const char *asked,
                    const char *where, xlcfg_error *err);

#endif
