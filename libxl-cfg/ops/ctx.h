/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The context, and what the parts of ops say to each other.  A question goes
 *
 *     cut (template, intents, live: one moment)
 *       -> merge -> observe (note a change as a version) -> document
 */
#ifndef XLCFG_OPS_CTX_H
#define XLCFG_OPS_CTX_H

#include "core/merge.h"
#include "driver/driver.h"
#include "store/state.h"
#include "store/template.h"

struct xlcfg_ctx {
    struct xlcfg_conn *conn;
    char *uri;                  /* as asked for; NULL: the first to answer */
    char *state_dir, *xen_lib_dir;
    unsigned deadline_ms, lock_ms;
    bool deep;                  /* see xlcfg_ctx_options */
};

/* Template, intents and live view of one moment. */
struct xlcfg__cut {
    struct xlcfg_domain dom;
    bool have_dom;
    bool blind;                 /* nothing live was seen: not to be recorded */
    bool overtaken;             /* nor this: answered without a version if it
                                   is another than the recorded one */
    bool have_was;              /* `was` was read */
    char was[XLCFG__VERSION_MAX];       /* the version before all of it was
                                   read, "" for none: a record that is not on
                                   top of it would be of an older moment */
    xlcfg_doc *kept;            /* the template in state.db; may be NULL */
    xlcfg_doc *template;        /* NULL: none that can be used */
    char template_note[640];    /* why not; "" when there is one */
    struct xlcfg_view tmpl, live;
    struct xlcfg_intents intents;
};

/*
 * Take one.  Never blocks longer than the deadline: a backend that hangs
 * after it named the domain leaves a live view that saw nothing, noted in
 * live.unknown.  Errors: DOMAIN_NOTFOUND, UNREACHABLE, NOMEM.
 */
int xlcfg__cut_take(xlcfg_ctx *ctx, const char *dom, struct xlcfg__cut *cut,
                    xlcfg_error *err);
void xlcfg__cut_dispose(struct xlcfg__cut *cut);        /* may run twice */

/* Merge a cut, with the scalars finished. */
int xlcfg__cut_merge(struct xlcfg__cut *cut, struct xlcfg_answer *answer,
                     xlcfg_error *err);

/* The list of domains, under the deadline. */
int xlcfg__list_take(xlcfg_ctx *ctx, struct xlcfg_domains *list,
                     xlcfg_error *err);

/*
 * The get object of an answer.  A change since the last look is recorded in
 * state.db; where that cannot be written the version is null.  CONFLICT: the
 * domain has a newer version than when the cut was begun: take another.
 * With an ending (may be NULL) that is done in the same transaction, and what
 * goes wrong there is the answer's error.
 */
int xlcfg__observe(xlcfg_ctx *ctx, const struct xlcfg__cut *cut,
                   const struct xlcfg_answer *answer,
                   const struct xlcfg__ending *ending, xlcfg_doc **doc_r,
                   xlcfg_error *err);

/* A cut, merged and recorded: one whole look. */
struct xlcfg__sight {
    struct xlcfg__cut cut;
    struct xlcfg_answer answer;
    xlcfg_doc *doc;             /* the get object */
};
/* Looks again as long as others change the domain meanwhile, for a while. */
int xlcfg__sight_take(xlcfg_ctx *ctx, const char *dom,
                      struct xlcfg__sight *sight, xlcfg_error *err);
void xlcfg__sight_dispose(struct xlcfg__sight *sight);  /* may run twice */

/* The version of the newest revision, null without a store. */
xlcfg_doc *xlcfg__newest_version(xlcfg_ctx *ctx);

#endif
