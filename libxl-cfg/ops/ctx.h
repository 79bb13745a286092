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

/* Cuts that are taken at once, at most, whatever a driver says. */
#define XLCFG__ABREAST 8

struct xlcfg_ctx {
    struct xlcfg_conn *conn;
    bool lost;                  /* it broke, or a thread hangs in it: the next
                                   look opens another */
    char *uri;                  /* as asked for; NULL: the first to answer */
    char *state_dir, *xen_lib_dir;
    unsigned deadline_ms, lock_ms;
    bool deep;                  /* see xlcfg_ctx_options */
    int64_t sure;               /* an intent whose device was seen to have come
                                   or left to the bottom of the machine: it
                                   alone asks for no such look; 0: none */
    xlcfg__state *reader, *writer;      /* kept open; NULL: not yet */
    xlcfg__state *readers[XLCFG__ABREAST];      /* batch.c's threads', too */
    xlcfg_error unrecorded;     /* why the last look was not recorded */
    struct xlcfg__hub *hub;     /* of the watches; NULL: there are none */
    struct xlcfg__recall *recall;       /* answers that were given */
};

/* Template, intents and live view of one moment. */
struct xlcfg__cut {
    struct xlcfg_domain dom;
    bool have_dom;
    bool blind;                 /* nothing live was seen: not to be recorded */
    bool overtaken;             /* nor this: answered without a version if it
                                   is another than the recorded one */
    bool torn;                  /* of more than one moment: nor this */
    bool spent;                 /* merged already, or older than what was done
                                   since: good for no record any more */
    xlcfg__lock *held;          /* libxl's, of the template file, taken before
                                   the look; NULL: not held */
    int64_t generation;         /* of the template in state.db */
    bool have_was;              /* `was` was read */
    char was[XLCFG__VERSION_MAX];       /* the version before all of it was
                                   read, "" for none: a record that is not on
                                   top of it would be of an older moment */
    xlcfg_doc *kept;            /* the template in state.db; may be NULL */
    xlcfg_doc *template;        /* NULL: none that can be used */
    bool unread;                /* there may be one: it could not be read */
    char template_note[640];    /* why not; "" when there is one */
    struct xlcfg_view tmpl, live;
    struct xlcfg_intents intents;
    char print[48];             /* the driver's, of all this; "": none */
    xlcfg_doc *answered;        /* it is as it was when this was the answer:
                                   there is nothing else in this cut */
};

/*
 * Take one.  Never blocks longer than the deadline: a backend that hangs
 * after it named the domain leaves a live view that saw nothing, noted in
 * live.unknown.  Errors: DOMAIN_NOTFOUND, UNREACHABLE, NOMEM.
 */
int xlcfg__cut_take(xlcfg_ctx *ctx, const char *dom, struct xlcfg__cut *cut,
                    xlcfg_error *err);
/* The same, where template and live view are to be compared: the template says
 * what a start now would make of it. */
int xlcfg__cut_compare(xlcfg_ctx *ctx, const char *dom,
                       struct xlcfg__cut *cut, xlcfg_error *err);
/* The same, content with `answered`. */
int xlcfg__cut_glance(xlcfg_ctx *ctx, const char *dom, struct xlcfg__cut *cut,
                      xlcfg_error *err);
void xlcfg__cut_dispose(struct xlcfg__cut *cut);        /* may run twice */
/*
 * A difference between a side and the live view, with what of either was not
 * read; missing: why there is nothing on that side, or NULL.  Takes diff; NULL:
 * no memory.
 */
xlcfg_doc *xlcfg__with_unknown(xlcfg_doc *diff, const char *side,
                               const char *missing,
                               const xlcfg__items *unread,
                               const struct xlcfg_view *live);

/* The error of who needs more than a blind cut. */
int xlcfg__blind(const xlcfg_ctx *ctx, const char *where, xlcfg_error *err);
/* The same of a cut that is blind, in the words of who could not look. */
int xlcfg__cut_blind(const xlcfg_ctx *ctx, const struct xlcfg__cut *cut,
                     const char *where, xlcfg_error *err);

/* Merge a cut, with the scalars finished. */
int xlcfg__cut_merge(struct xlcfg__cut *cut, struct xlcfg_answer *answer,
                     xlcfg_error *err);

/*
 * Cuts of all in the list, some at once, by a driver that can do that (look
 * and abreast).  rcs: of each 0, as of xlcfg__cut_take, or TIMEDOUT: it did
 * not come in, and nothing is in its cut.  A cut may be content with
 * `answered`.
 */
int xlcfg__cuts_take(xlcfg_ctx *ctx, const struct xlcfg_domains *list,
                     struct xlcfg__cut *cuts, int *rcs, xlcfg_error *err);

/*
 * The list of domains, under the deadline.  texts_r, unless NULL, gets the
 * driver's pulse of each, and *pulsed_r is true; or, where it has none, the
 * index, NULL for one that has none now.  The texts and the vector are to be
 * freed.
 */
int xlcfg__list_take(xlcfg_ctx *ctx, struct xlcfg_domains *list,
                     char ***texts_r, bool *pulsed_r, xlcfg_error *err);

/*
 * The get object of an answer.  A change since the last look is recorded in
 * state.db; where that cannot be written the version is null, and
 * ctx->unrecorded says why.  CONFLICT: the domain has a newer version than
 * when the cut was begun: take another.  With an ending (may be NULL) that is
 * done in the same transaction, and what goes wrong there is the answer's
 * error.
 */
int xlcfg__observe(xlcfg_ctx *ctx, const struct xlcfg__cut *cut,
                   const struct xlcfg_answer *answer,
                   const struct xlcfg__ending *ending, xlcfg_doc **doc_r,
                   xlcfg_error *err);
/* Record that a domain is no more, if its version still is line's. */
int xlcfg__observe_gone(xlcfg_ctx *ctx, const struct xlcfg__line *line,
                        xlcfg_error *err);
bool xlcfg__is_listed(const struct xlcfg_domains *list, const char *uuid);
/* Of those recorded before the list was taken, this connection's that are
 * not in it are gone: record that.  Those that are in it are its own now. */
int xlcfg__note_absent(xlcfg_ctx *ctx, const struct xlcfg__lines *before,
                       const struct xlcfg_domains *list, xlcfg_error *err);
/* What is recorded of this driver's domains; none on failure. */
int xlcfg__read_lines(xlcfg_ctx *ctx, bool full, struct xlcfg__lines *lines,
                      xlcfg_error *err);
/* {uuid: version or hash} of what a caller knows: of that form, or of an earlier
 * listing.  INVAL. */
int xlcfg__known(const xlcfg_doc *known, xlcfg_doc **map_r,
                 xlcfg_error *err);
/* A token's revision, as xlcfg__state_token; makes a store for a new host. */
int xlcfg__since(xlcfg_ctx *ctx, const char *token, int64_t *rev_r,
                 xlcfg_error *err);
/* Of a domain, also one that is gone but still recorded. */
int xlcfg__uuid_of(xlcfg_ctx *ctx, const char *dom, char uuid[37],
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
/* The same for the document alone, and whether nothing live was seen for it
 * (blind_r may be NULL). */
int xlcfg__sight_doc(xlcfg_ctx *ctx, const char *dom, xlcfg_doc **doc_r,
                     bool *blind_r, xlcfg_error *err);
/* The document of a cut that was taken, which is disposed of.  CONFLICT: it
 * is to be taken again. */
int xlcfg__sight_of(xlcfg_ctx *ctx, struct xlcfg__cut *cut, xlcfg_doc **doc_r,
                    xlcfg_error *err);
void xlcfg__sight_dispose(struct xlcfg__sight *sight);  /* may run twice */

/* The version of the newest revision, null without a store. */
xlcfg_doc *xlcfg__newest_version(xlcfg_ctx *ctx);

/* Names the connection in state.db: a domain that one connection does not
 * list may be another's. */
void xlcfg__place(const xlcfg_ctx *ctx, char buf[128]);
void xlcfg__place_of(const char *driver, const char *uri, char buf[128]);
/* The store's folder, given or not; NULL: no memory.  free() it. */
char *xlcfg__state_dir(const char *given);

/* What the keeper (store/keeper.h) of this connection goes by; to be freed,
 * NULL: no memory. */
char *xlcfg__keeper_name(const xlcfg_ctx *ctx);

/* What is to be done once in a process, before XML is read; by who opens a
 * context, or reads some without one. */
void xlcfg__ready(void);

/* state.db, kept open in *slot; errors as xlcfg__state_open.  A handle whose
 * file was replaced is opened again. */
int xlcfg__store_at(xlcfg__state **slot, const char *dir, bool write,
                    unsigned lock_ms, xlcfg__state **st_r, xlcfg_error *err);
int xlcfg__store(xlcfg_ctx *ctx, bool write, xlcfg__state **st_r,
                 xlcfg_error *err);
/* After an error the handle is not used again. */
void xlcfg__store_drop(xlcfg_ctx *ctx, bool write);

/* ---- address.c ---- */

/* The addresses of those that are there; also of one that is leaving, for
 * it has its address as long as it does.  false: no memory. */
bool xlcfg__addresses_of(const struct xlcfg_answer *answer,
                         struct xlcfg__addresses *book);
/* The address book of a domain; empty, of the newest choice, when there is
 * no store.  The caller disposes of it. */
int xlcfg__address_book(xlcfg_ctx *ctx, const char *uuid,
                        struct xlcfg__addresses *book_r, xlcfg_error *err);

#endif
