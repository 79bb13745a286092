/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drivers: how one kind of hypervisor is looked at and acted on.
 *
 * Two tables.  struct xlcfg_driver is what a driver writes: members are
 * optional, the first is its size, new ones are only appended; an ability is
 * the presence of its function together with what `can` says.  struct
 * xlcfg_conn is what ops uses: driver.c fills every call, with a clear
 * "not able" where the driver has none.
 *
 * mem.c is the worked example: copy it to begin a new driver.
 *
 * A driver keeps nothing about a domain between calls that it could not read
 * again.  Calls may come from another thread than the last one did, never
 * from two at once.  A driver never sees the store.
 */
#ifndef XLCFG_DRIVER_H
#define XLCFG_DRIVER_H

#include "core/address.h"
#include "core/intent.h"
#include "core/view.h"

struct xlcfg_domain {
    char uuid[37];              /* lower case, "" when it has none yet */
    char *name;                 /* may be NULL: could not be read */
    int64_t domid;              /* -1: not running */
    const char *state;          /* running, paused, shutdown, crashed, dying,
                                   stopped, unknown: static text */
    char *run;                  /* names this run of it: another start is
                                   another text; may be NULL */
    int64_t started;            /* seconds since the epoch, 0: not known */
    bool saved;                 /* it does not run, and its memory is kept:
                                   the next run may go on from there; told
                                   by find, not by list */
    bool recalled;              /* by find: name, domid and run are of before,
                                   and `look` tells whether they still hold */
};

struct xlcfg_domains {
    struct xlcfg_domain *v;
    size_t count, room;
};

void xlcfg__domain_dispose(struct xlcfg_domain *dom);   /* may run twice */
int xlcfg__domain_copy(struct xlcfg_domain *to,
                       const struct xlcfg_domain *from);
/* Takes what dom holds, also on failure. */
int xlcfg__domains_add(struct xlcfg_domains *list, struct xlcfg_domain *dom);
void xlcfg__domains_dispose(struct xlcfg_domains *list);

struct xlcfg_driver_options {
    const char *xen_lib_dir;    /* libxl's userdata folder */
    const char *state_dir;      /* where embedded backends may keep files */
    unsigned deadline_ms;
};

/* Where the template of this driver's domains lives. */
enum xlcfg_home {
    XLCFG_HOME_STATE,           /* in state.db */
    XLCFG_HOME_LIBXL,           /* in libxl's libxl-json userdata file */
    XLCFG_HOME_BACKEND,         /* what `stored` answers; the acts of the
                                   driver keep it.  Where it has none (a
                                   transient domain): in state.db */
};

enum xlcfg_action {
    XLCFG_ACT_ATTACH, XLCFG_ACT_DETACH, XLCFG_ACT_UPDATE, XLCFG_ACT_CREATE,
    XLCFG_ACT_WATCH, XLCFG_ACT_XML, XLCFG_ACT_SNAPSHOT,
    XLCFG_ACT_CHECKPOINT, XLCFG_ACT_EXPORT,
    XLCFG_ACTS
};

/* AGAIN: it was asked for before, and what a backend says now is of this call:
 * REFUSED is the guest's word alone, any other no is PENDING.  SAME_RUN: it was
 * told of in this run of the domain. */
enum {
    XLCFG_DETACH_FORCE = 1, XLCFG_DETACH_AGAIN = 2, XLCFG_DETACH_SAME_RUN = 4,
};
#define XLCFG_LEFT 1            /* detach: the machine said so itself */
#define XLCFG_READ_BACK 1       /* update: all that was asked for was seen */
#define XLCFG_ASKED 1           /* attach: it is there, but not as it was to be;
                                   its unplug was asked for and is to be waited
                                   for.  The error, REFUSED, says why */

enum {                          /* flags of create */
    XLCFG_CREATE_START = 1,     /* define and start; without: define alone */
    XLCFG_CREATE_TRANSIENT = 2, /* with START: nothing is left when it ends */
};

#define XLCFG_DECLINED 1        /* open: not a URI of mine */
#define XLCFG_STALE 1           /* look: it is another than was recalled; the
                                   next find asks again */

#define XLCFG_ASKS 3            /* see `ask` */

/* A look at all there is of one domain, at one moment. */
struct xlcfg_look {
    const char *known;          /* asked: the print of an earlier look of this
                                   handle, or NULL */
    bool next;                  /* asked: stored is to be compared with what
                                   runs, so that what any start makes of it is
                                   no difference */
    bool same;                  /* all is still what that print is of: nothing
                                   else is filled in */
    bool moved;                 /* it changed meanwhile: look again */
    bool blind;                 /* the backend could not look at it now; why
                                   is noted in the view */
    char print[48];             /* of what this was made of, to the byte; "":
                                   it has none */
    struct xlcfg_view *view;    /* the caller's: as `live` fills it */
    xlcfg_doc *stored;          /* as `stored` answers */
    int stored_rc;
    xlcfg_error stored_err;
};

struct xlcfg_driver {
    size_t size;                /* of this struct when it was compiled */
    const char *name;
    enum xlcfg_home home;
    const char *scheme;         /* of its URIs, for messages */

    /* 0, XLCFG_DECLINED, INVAL, UNREACHABLE. */
    int (*open)(const char *uri, const struct xlcfg_driver_options *opt,
                void **handle_r, xlcfg_error *err);
    void (*close)(void *handle);

    /* Every domain there is now, and defined ones if the backend keeps
     * such.  UNREACHABLE. */
    int (*list)(void *handle, struct xlcfg_domains *list, xlcfg_error *err);
    /* By name, uuid or id.  DOMAIN_NOTFOUND, UNREACHABLE. */
    int (*find)(void *handle, const char *dom, struct xlcfg_domain *dom_r,
                xlcfg_error *err);
    /* As it was found last; nobody is asked.  STALE: it is to be found, or it
     * is not now to be asked for so much at once.  NULL: it always is. */
    int (*told)(void *handle, const char *dom, struct xlcfg_domain *dom_r);
    /*
     * Is one that was told that still, and all else of it as it was?  One of
     * XLCFG_ASKS questions, each by a thread of its own and all at once.  What
     * is said may be a text, to be freed.  STALE: it is not, or nobody says.
     */
    int (*ask)(void *handle, const struct xlcfg_domain *dom, unsigned which,
               char **text_r);
    /* What they said, as a print of a look; nobody is asked.  STALE: such a
     * look there was not. */
    int (*print)(void *handle, const struct xlcfg_domain *dom,
                 char *const texts[XLCFG_ASKS], char print_r[48]);
    /*
     * A text that changes when a device comes or goes: to see that a look
     * was one cut.  Cheap.
     */
    int (*index)(void *handle, const struct xlcfg_domain *dom, char **text_r,
                 xlcfg_error *err);
    /*
     * Look at everything.  What cannot be read is noted in view->unknown;
     * only a backend that does not answer at all is an error (UNREACHABLE),
     * and a domain that is gone (DOMAIN_NOTFOUND).
     */
    int (*live)(void *handle, const struct xlcfg_domain *dom,
                struct xlcfg_view *view, xlcfg_error *err);
    /* The configuration that the backend itself keeps for the next start;
     * NOTFOUND when it keeps none. */
    int (*stored)(void *handle, const struct xlcfg_domain *dom,
                  xlcfg_doc **config_r, xlcfg_error *err);

    /*
     * Is this action possible for this kind here and now?  Fills the reason
     * of a no.  XLCFG_KINDS: for the action as such.
     */
    bool (*can)(void *handle, enum xlcfg_kind kind, enum xlcfg_action act,
                char *reason, size_t size);

    /*
     * Choose what the caller left open (device numbers, addresses) without
     * touching anything: *body_r is what attach is to be called with.  A
     * device that is in the book has its address of then, if that is free;
     * none gets one that is another's in the book, unless book->any and no
     * other is left.  INVAL, DEVICE_EXISTS, REFUSED (no address is free).
     */
    int (*prepare)(void *handle, const struct xlcfg_domain *dom,
                   enum xlcfg_kind kind, const xlcfg_doc *body,
                   const struct xlcfg_view *live,
                   const struct xlcfg__addresses *book, xlcfg_doc **body_r,
                   xlcfg_error *err);
    /* Attach and wait for the backend.  REFUSED with its words, PENDING when
     * it has not said in time, UNREACHABLE; XLCFG_ASKED.  LOCK_FAIL: nothing
     * was done, what prepare chose was taken meanwhile. */
    int (*attach)(void *handle, const struct xlcfg_domain *dom,
                  enum xlcfg_kind kind, const xlcfg_doc *body,
                  xlcfg_error *err);
    /* Ask for the unplug and wait for wait_ms at most.  0: gone, as far as
     * the backend tells; XLCFG_LEFT: and the machine itself has said so since,
     * or another is in its place, which is not asked.
     * PENDING: asked, not let go of.  REFUSED: said no. */
    int (*detach)(void *handle, const struct xlcfg_domain *dom,
                  enum xlcfg_kind kind, const xlcfg_doc *body,
                  unsigned flags, unsigned wait_ms, xlcfg_error *err);
    /*
     * Change a device that is there; both bodies are whole, the device is
     * the same.  NI, where naming the JSON pointer in the body: a member that
     * cannot be changed; nothing was touched then.  READ_BACK: it was looked
     * at whole, also where nothing was to change.  REFUSED, UNREACHABLE;
     * CONFLICT: somebody else has changed it since, and so it stays.
     */
    int (*update)(void *handle, const struct xlcfg_domain *dom,
                  enum xlcfg_kind kind, const xlcfg_doc *before,
                  const xlcfg_doc *after, xlcfg_error *err);
    /*
     * Take away what a failed attach or an unplug left behind; steps gets a
     * line for each thing done, or with dry_run for each thing to do.
     */
    int (*clean)(void *handle, const struct xlcfg_domain *dom,
                 const struct xlcfg_dev *dev, bool dry_run,
                 xlcfg__items *steps, xlcfg_error *err);
    /*
     * Make a domain of this configuration; c_info has name and uuid.  REFUSED
     * when one of that name or uuid is there, except: with START, one that is
     * defined under both and does not run is defined anew.  NI: this driver
     * keeps no definitions (no START), or knows no transient domains.
     * INVAL, where being the JSON pointer.  What fails leaves nothing behind.
     */
    int (*create)(void *handle, const xlcfg_doc *config, unsigned flags,
                  struct xlcfg_domain *dom_r, xlcfg_error *err);

    /* Domain XML of a configuration, and back.  Text is malloc'd. */
    int (*to_xml)(void *handle, const xlcfg_doc *config, char **xml_r,
                  xlcfg_error *err);
    int (*from_xml)(void *handle, const char *xml, size_t len,
                    xlcfg_doc **config_r, xlcfg_error *err);
    /* The same of one device; kind_r says which it is. */
    int (*device_from_xml)(void *handle, const char *xml, size_t len,
                           enum xlcfg_kind *kind_r, xlcfg_doc **body_r,
                           xlcfg_error *err);

    /*
     * A descriptor that polls readable when a domain may have changed, and
     * the uuid of one that did: 0, or 1 when there is none.  "": it is not
     * known whose, or there are others now than before; "*": any may have.
     */
    int (*watch_fd)(void *handle, xlcfg_error *err);
    int (*watch_next)(void *handle, char uuid_r[37], xlcfg_error *err);

    /*
     * A device has left, or its attach came to nothing: take it also from
     * what the backend itself keeps for the next start (stored).  0 too when
     * it is not in there, when another has taken its name in there since, or
     * when nothing is kept.
     */
    int (*forget)(void *handle, const struct xlcfg_domain *dom,
                  enum xlcfg_kind kind, const xlcfg_doc *body,
                  xlcfg_error *err);

    /* The size of a disk that this domain has, as the guest sees it, in
     * bytes.  NOTFOUND: it cannot be told. */
    int (*capacity)(void *handle, const struct xlcfg_domain *dom,
                    const xlcfg_doc *disk, uint64_t *bytes_r,
                    xlcfg_error *err);

    /*
     * live and stored at once, where that is cheaper than between two indexes.
     * Errors as live.  NULL: there is no such way.
     */
    int (*look)(void *handle, const struct xlcfg_domain *dom,
                struct xlcfg_look *look, xlcfg_error *err);
    /* How many threads may call `look` at once; 0: one. */
    unsigned abreast;

    /* The configuration with what its devices leave open as the book has it,
     * for a create.  Where the driver has none: xlcfg__addresses_apply. */
    int (*place)(void *handle, const xlcfg_doc *config,
                 const struct xlcfg__addresses *book, xlcfg_doc **config_r,
                 xlcfg_error *err);

    /* An act is over, whatever it came to: nothing that it started acts in
     * this process's name any more when this returns, and no child is left. */
    void (*finish)(void *handle);

    /*
     * What lets one who watches know that nothing has changed.  First it
     * makes sure that the hints of all that happened before the call can be
     * had from watch_next.  Then it lists all domains, as list does but with
     * uuid, domid and state alone, and for each gives a text that moves with
     * all that `live` answers and no hint tells of.  Much cheaper than a look
     * at each.  *texts_r: as many as there are in list, each to be freed.
     * UNREACHABLE; NI: it has no such hints, all must be looked at.
     */
    int (*pulse)(void *handle, struct xlcfg_domains *list, char ***texts_r,
                 xlcfg_error *err);

    /*
     * Is this the body of a device of this kind (XLCFG_KINDS: a whole
     * configuration), as attach, update or create would read it?  Asked
     * before anything else, also by those who only say what they would do;
     * touches nothing.  INVAL, where being the JSON pointer, with what was
     * expected there.
     */
    int (*check)(void *handle, enum xlcfg_kind kind, const xlcfg_doc *body,
                 xlcfg_error *err);

    /*
     * Would `update` be tried with these bodies?  Asked before it is recorded,
     * also by those who only say what they would do; touches nothing.  Errors
     * as update.
     */
    int (*check_update)(void *handle, enum xlcfg_kind kind,
                        const xlcfg_doc *before, const xlcfg_doc *after,
                        xlcfg_error *err);

    /*
     * Whoever made a domain of this uuid died meanwhile.  Is there one that
     * has not yet begun to run?  Then nobody will let it: 0, it is destroyed
     * (dry_run: would be).  XLCFG_DECLINED: there is none such.  REFUSED,
     * UNREACHABLE.
     */
    int (*unmake)(void *handle, const char *uuid, bool dry_run,
                  xlcfg_error *err);

    /*
     * A start that was cut off has left this domain whole and paused, with
     * processors that have never run: let them.  0: it runs.  REFUSED: it is
     * paused for another reason, and stays so.  PENDING: somebody is still at
     * it, or it cannot be asked.  NI: this driver cannot tell.  UNREACHABLE.
     */
    int (*go_on)(void *handle, const struct xlcfg_domain *dom,
                 xlcfg_error *err);

    /*
     * A detach comes soon, of the domain that is looked at next, when it has
     * been recorded: what it takes may be got ready meanwhile.  Touches
     * nothing, and waits for nobody; `finish` ends what was not used.
     */
    void (*ready)(void *handle);
    /*
     * The descriptor of the lock that the owner of the next act holds, lent
     * until that act returns: what goes on when the caller dies goes on
     * holding it.
     */
    void (*hold)(void *handle, int lock);
    /*
     * The device runs, by an attach that was cut off, and the template does
     * not have it: where the backend keeps what a domain is made of, it is put
     * there, as it runs.  0 also when it was there, or nothing is kept.
     * REFUSED, UNREACHABLE.
     */
    int (*keep)(void *handle, const struct xlcfg_domain *dom,
                enum xlcfg_kind kind, const xlcfg_doc *body,
                xlcfg_error *err);

    /* `live` sets view->index: what `index` would say of what it listed, so
     * that nobody needs to ask that before. */
    bool tells_index;
};

/* A connection: a driver's handle with every call filled. */
struct xlcfg_conn {
    _Atomic unsigned refs;
    struct xlcfg_driver drv;    /* all functions present */
    const struct xlcfg_driver *outside;
    void *handle;
};

/* uri NULL: the first driver that answers.  INVAL, NI, UNREACHABLE. */
int xlcfg__conn_open(const char *uri, const struct xlcfg_driver_options *opt,
                     struct xlcfg_conn **conn_r, xlcfg_error *err);
struct xlcfg_conn *xlcfg__conn_ref(struct xlcfg_conn *conn);
void xlcfg__conn_free(struct xlcfg_conn *conn);         /* NULL accepted */

const char *xlcfg__action_name(enum xlcfg_action act);

/* The drivers; one that a build leaves out declines with a reason. */
extern const struct xlcfg_driver xlcfg__driver_xen;
extern const struct xlcfg_driver xlcfg__driver_virt;
extern const struct xlcfg_driver xlcfg__driver_mem;

#endif
