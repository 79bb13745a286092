/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the libvirt driver say to each other.
 *
 *     open    the event loop, dialling         conn    reopen, the table
 *     list    which domains there are          err     libvirt's words
 *     handle  of domains, on which connection  loop    of events
 *     live    what runs                        kept    for the next start
 *     look    both at once
 *     event   hints, and who waits for one     dev     finding a device
 *     memo    what a text was understood as    part   its devices, by bytes
 *     sense   what a text means
 *     slot    a new device's address           name    and its names
 *     plug    prepare, attach, update          unplug  detach, forget
 *     make    create                           qemu    QEMU behind libvirt
 *     ahead   what QEMU has, while a detach is recorded
 *     lib     libvirt itself, loaded when it is needed
 */
#ifndef XLCFG_DRIVER_VIRT_I_H
#define XLCFG_DRIVER_VIRT_I_H

#include "driver/driver.h"
#include "driver/virt_lib.h"
#include "driver/virt_part.h"
#include "driver/virt_tree.h"

#include <pthread.h>
#include <stdatomic.h>

struct xlcfg__virt_events;
struct xlcfg__virt_memo;
struct xlcfg__virt_name;
struct xlcfg__virt_call;
struct xlcfg__virt_ahead;

struct xlcfg__virt_names {
    struct xlcfg__virt_name *all;
    size_t count;
};

/* One thread's for a look.  The first is the connection itself. */
struct xlcfg__virt_lane {
    virConnectPtr conn;         /* NULL: none yet */
    struct xlcfg__virt_names names;     /* of its domains */
    bool taken;
};
#define XLCFG__VIRT_LANES 4

struct virt {
    virConnectPtr conn;
    char *uri;
    unsigned limit_ms;          /* of opening it */
    unsigned deadline_ms;       /* of one look */
    unsigned long version;      /* of the daemon; 0: not known */
    bool is_qemu, is_embed, is_remote;
    atomic_bool no_stats;       /* it does not tell the state of one that way */
    bool watched;               /* its events are asked for, for ever */
    char boot[40];              /* of this host; "": runs elsewhere */
    struct xlcfg__virt_events *events;
    struct xlcfg__virt_memo *memo;
    bool soon;                  /* a detach comes: each look asks ahead */
    struct xlcfg__virt_ahead *ahead;    /* asked of QEMU; NULL: nothing */
    pthread_mutex_t lock;       /* of lanes and names, while many look;
                                   of soon and ahead */
    pthread_mutex_t opening;    /* of many who look one connects anew */
    struct xlcfg__virt_lane lanes[XLCFG__VIRT_LANES];
    atomic_bool refused;        /* beside this connection libvirt gives no
                                   further one: what there is will do */
};

/* ---- conn ---- */

/* Connected, if need be again; UNREACHABLE when libvirt stays away. */
int xlcfg__virt_ready(struct virt *v, xlcfg_error *err);
/* Start the event loop if this program has none; once. */
bool xlcfg__virt_start(void);
/* virConnectOpenAuth with a limit in time; NULL: err says why. */
virConnectPtr xlcfg__virt_dial(const char *uri, unsigned limit_ms,
                               xlcfg_error *err);

/* ---- list ---- */

int xlcfg__virt_list(void *handle, struct xlcfg_domains *list,
                     xlcfg_error *err);
/* Its state, and that it is kept, in one call.  False: it is not, or does not
 * run, or libvirt does not know the question. */
bool xlcfg__virt_describe_kept(struct virt *v, virDomainPtr d,
                               struct xlcfg_domain *dom_r);
int xlcfg__virt_find(void *handle, const char *name,
                     struct xlcfg_domain *dom_r, xlcfg_error *err);
/* By uuid, name or id; NULL: libvirt's error. */
virDomainPtr xlcfg__virt_lookup(virConnectPtr conn, const char *name);
int xlcfg__virt_reach(struct virt *v, const struct xlcfg_domain *dom,
                      virDomainPtr *d_r, xlcfg_error *err);
int xlcfg__virt_describe(const struct virt *v, virDomainPtr d,
                         struct xlcfg_domain *dom_r, xlcfg_error *err);

/* driver.h's, by libvirt's own look at the image. */
int xlcfg__virt_capacity(void *handle, const struct xlcfg_domain *dom,
                         const xlcfg_doc *disk, uint64_t *bytes_r,
                         xlcfg_error *err);

/* ---- handle ---- */

/* The handles of its domains that the connection has: before a list, and
 * before the connection is closed. */
void xlcfg__virt_forget_names(struct virt *v);
/* One to be kept as well; where that fails it is looked up when needed. */
void xlcfg__virt_learn_name(struct virt *v, const char *uuid, virDomainPtr d);
/* The one that was learnt under this name or uuid, to be freed; NULL: none.
 * It may have got another name since, and another run. */
virDomainPtr xlcfg__virt_recall_name(struct virt *v, const char *name);
void xlcfg__virt_unlearn_name(struct virt *v, const char *uuid);
/* What libvirt has just said of one that runs and is kept; and what it said
 * last of the one of this name or uuid.  False: nothing. */
void xlcfg__virt_note_told(struct virt *v, const struct xlcfg_domain *dom);
bool xlcfg__virt_recall_told(struct virt *v, const char *name,
                             struct xlcfg_domain *dom_r);
/* For the look that comes: libvirt keeps a definition of it, or that is to be
 * asked. */
void xlcfg__virt_note_kept(struct virt *v, const char *uuid, bool kept);
/* Which of them libvirt keeps a definition of. */
void xlcfg__virt_learn_kept(struct virt *v);
/* As xlcfg__virt_reach, by a handle that is known already, if there is one:
 * that its domain is gone since is only found out by its use. */
int xlcfg__virt_known(struct virt *v, const struct xlcfg_domain *dom,
                      virDomainPtr *d_r, xlcfg_error *err);
/*
 * The same for many threads at once, each on a connection of its own where
 * that is cheap, to be given back by xlcfg__virt_let_go.  many: they are, also
 * where few domains are known.  kept: is a definition of it, as was said for
 * this one look?  1, 0, or -1: it was not said.  listed: by the list that was
 * taken last.
 */
struct xlcfg__virt_hold {
    virDomainPtr d;
    int kept;
    bool listed;
    struct xlcfg__virt_lane *lane;      /* NULL: one that others use too */
};
int xlcfg__virt_hold(struct virt *v, const struct xlcfg_domain *dom,
                     bool many, struct xlcfg__virt_hold *hold_r,
                     xlcfg_error *err);
void xlcfg__virt_let_go(struct virt *v, struct xlcfg__virt_hold *hold);
/* Before the end of the connection: those beside it. */
void xlcfg__virt_close_lanes(struct virt *v);

/* ---- err ---- */

/* The last error of this thread; otherwise: what it is if it has no class
 * of its own.  conn may be NULL. */
int xlcfg__virt_said(virConnectPtr conn, int otherwise, const char *where,
                     xlcfg_error *err);

/* The same of a domain: to ask for its name forgets the error. */
int xlcfg__virt_said_of(virDomainPtr d, int otherwise, xlcfg_error *err);

/* The same of a call that was answered with no; takes that. */
int xlcfg__virt_said_no(struct xlcfg__virt_call *call, virConnectPtr conn,
                        int otherwise, const char *where, xlcfg_error *err);

/* Is QEMU's no to an unplug that one is on its way?  Its words alone say so:
 * the code is that of any failure. */
bool xlcfg__virt_is_leaving(const char *said);

/* ---- act ---- */

/* Somebody who is in the monitor for longer than this is stuck there. */
#define XLCFG__VIRT_STUCK_MS 1000

enum xlcfg__virt_ask {
    XLCFG__VIRT_ATTACH, XLCFG__VIRT_DETACH_ALIAS, XLCFG__VIRT_DETACH,
    XLCFG__VIRT_UPDATE, XLCFG__VIRT_QMP, XLCFG__VIRT_RESUME,
};
#define XLCFG__VIRT_NO 1
/*
 * That call of libvirt's, waited for ten deadlines at most.  0, or
 * XLCFG__VIRT_NO: libvirt's no, for xlcfg__virt_said_no.  UNREACHABLE: no
 * answer, err says so; it may still be done.  NOMEM.
 */
struct xlcfg__virt_call {
    enum xlcfg__virt_ask ask;
    const char *text;           /* NULL: it takes none */
    unsigned flags;
    char *answer;               /* of QMP, to be freed */
    virErrorPtr no;             /* NULL: it gave no reason */
};
unsigned xlcfg__virt_limit(const struct virt *v);       /* that, in ms */
int xlcfg__virt_ask(struct virt *v, virDomainPtr d,
                    struct xlcfg__virt_call *call, xlcfg_error *err);
/* The same of a call without an answer: libvirt's no is REFUSED, or what class
 * it has. */
int xlcfg__virt_do(struct virt *v, virDomainPtr d, enum xlcfg__virt_ask what,
                   const char *text, unsigned flags, xlcfg_error *err);
/* Before it: UNREACHABLE when QEMU has not answered for so long already that
 * nothing is to be asked of it. */
int xlcfg__virt_awake(virDomainPtr d, xlcfg_error *err);
/* It cannot be so long: nobody was in the monitor a shorter time ago. */
bool xlcfg__virt_is_heard(struct virt *v, const char *uuid);
/* Known, and awake: what an act begins with. */
int xlcfg__virt_able(struct virt *v, const struct xlcfg_domain *dom,
                     virDomainPtr *d_r, xlcfg_error *err);

/* ---- event ---- */

struct xlcfg__virt_events *xlcfg__virt_events_new(void);
void xlcfg__virt_events_free(struct xlcfg__virt_events *ev);
/* Let this connection's events come in; remote: it is one that may close.
 * False: it has none. */
bool xlcfg__virt_events_join(struct xlcfg__virt_events *ev,
                             virConnectPtr conn, bool remote);
/* Answers whether they came in. */
bool xlcfg__virt_events_leave(struct xlcfg__virt_events *ev,
                              virConnectPtr conn);
int xlcfg__virt_events_fd(struct xlcfg__virt_events *ev);
/* A uuid of which something was heard; "" for any.  False: none. */
bool xlcfg__virt_events_next(struct xlcfg__virt_events *ev,
                             char uuid_r[37]);

enum xlcfg__virt_word { XLCFG__VIRT_SILENCE, XLCFG__VIRT_LEFT,
                        XLCFG__VIRT_STAYS };
/* Listen for word of this device, from before it is asked to leave. */
void xlcfg__virt_listen(struct xlcfg__virt_events *ev, const char *uuid,
                        const char *alias);
/* Wait for a word, ms at most. */
enum xlcfg__virt_word xlcfg__virt_heard(struct xlcfg__virt_events *ev,
                                        unsigned ms);

/* ---- memo ---- */

struct xlcfg__virt_memo *xlcfg__virt_memo_new(void);
void xlcfg__virt_memo_free(struct xlcfg__virt_memo *memo);

/* What libvirt said of a domain. */
struct xlcfg__virt_text {
    const char *uuid;
    bool kept;                  /* the definition, not what runs */
    unsigned long beside;       /* kept: the number of what ran meanwhile */
    char *xml;
};
/* What that means. */
struct xlcfg__virt_sense {
    xlcfg_doc *config;
    xlcfg_doc *plain;           /* of what is kept, made like what runs: the
                                   devices that were changed for that, as they
                                   were, by their match; may be NULL */
    xlcfg_doc *addresses;       /* of each kind's devices, by the name of its
                                   array */
    struct xlcfg__virt_parts *parts;    /* NULL: it was not cut */
    unsigned long number;       /* no two have the same; 0: none yet */
};
/* For any thread.  The result is the caller's. */
bool xlcfg__virt_recall(struct xlcfg__virt_memo *memo,
                        const struct xlcfg__virt_text *text,
                        struct xlcfg__virt_sense *sense_r);
/* Takes text->xml, and gives the sense its number. */
void xlcfg__virt_learn(struct xlcfg__virt_memo *memo,
                       const struct xlcfg__virt_text *text,
                       struct xlcfg__virt_sense *sense);
/* The parts of the text of what runs that was understood last, to be freed;
 * NULL: none is known. */
struct xlcfg__virt_parts *xlcfg__virt_last_parts(
    struct xlcfg__virt_memo *memo, const char *uuid);
/* The text that was understood last, to be freed; NULL: none is known. */
char *xlcfg__virt_last(struct xlcfg__virt_memo *memo, const char *uuid,
                       bool kept);
/* The text of what runs was read just now: the next look need not begin with
 * it, for it ends with it (virt_look.c).  kept: the definition was, as well.
 * Takes xml; NULL accepted. */
void xlcfg__virt_saw(struct xlcfg__virt_memo *memo, const char *uuid,
                     bool kept, char *xml);
/* That text, once, to be freed; NULL: none is there. */
char *xlcfg__virt_seen(struct xlcfg__virt_memo *memo, const char *uuid,
                       bool kept);
/* When it was last seen that nobody was in its monitor, in ms of
 * xlcfg__now_ms(); 0: never, or it is not known any more. */
int64_t xlcfg__virt_calm(struct xlcfg__virt_memo *memo, const char *uuid);
void xlcfg__virt_is_calm(struct xlcfg__virt_memo *memo, const char *uuid,
                         int64_t when);
void xlcfg__virt_sense_dispose(struct xlcfg__virt_sense *sense);

/* ---- look ---- */

/*
 * Were both texts of one moment before?  As both are there still they are so
 * again: that needs no third look.  kept NULL: no definition is.  The sense is
 * of what runs, when that was known.
 */
bool xlcfg__virt_know(struct virt *v, const char *uuid, char *live,
                      char *kept, struct xlcfg__virt_sense *sense_r,
                      char print_r[48]);
/* Is it of this domain, under that name and in that run? */
bool xlcfg__virt_is_of(const char *xml, const struct xlcfg_domain *dom);

/* ---- live ---- */

/* Would the XML be waited for, where somebody holds the domain? */
bool xlcfg__virt_xml_waits(const struct virt *v);
/* Has libvirt lost its QEMU's monitor?  That somebody has a job with the domain
 * and is not in its monitor, who waits for the guest, it calls an error, too. */
bool xlcfg__virt_is_stuck(const virDomainControlInfo *info);
/* Is it too short a time since nobody was in its monitor, where the XML waits
 * for nobody, that it could be stuck there? */
bool xlcfg__virt_cannot_be_stuck(struct virt *v, const char *uuid);
/*
 * Does somebody hold the domain?  Then from some version on its XML would be
 * waited for: true, nothing is to be read.  Before that it is libvirt's
 * memory that is shown; said when it is for long.
 */
bool xlcfg__virt_is_busy(struct virt *v, virDomainPtr d, const char *uuid,
                         struct xlcfg_view *view);
/*
 * A text as a tree and what it means, but for its addresses where addresses_r
 * is NULL.  old: parts that were understood before, of a text whose domain ran
 * as this one's does; live, of a definition: what runs.  Each may be NULL.
 * *tree_r: changed by that, to be freed; NULL after an error.
 */
struct xlcfg__virt_beside {
    const char *xml;
    xmlDocPtr tree;             /* NULL: not taken apart now */
    const struct xlcfg__virt_parts *parts;      /* NULL: it was not cut */
};
int xlcfg__virt_take_apart(const char *xml,
                           const struct xlcfg__virt_parts *old,
                           const struct xlcfg__virt_beside *live,
                           struct xlcfg__virt_sense *sense,
                           xmlDocPtr *tree_r, xlcfg_error *err);
/* What runs, as a view.  Takes the text's XML; xml, unless NULL, is the same.
 * *tree_r: of a text that was taken apart for it, to be freed; else NULL. */
int xlcfg__virt_show(struct virt *v, virDomainPtr d,
                     const struct xlcfg_domain *dom,
                     struct xlcfg__virt_text *text, const char *xml,
                     struct xlcfg__virt_sense *sense, xmlDocPtr *tree_r,
                     struct xlcfg_view *view, xlcfg_error *err);

/* ---- kept ---- */

/* Make a definition's tree what it is, as far as a start changes it without a
 * wish of anybody.  NOMEM, PARSE. */
int xlcfg__virt_liken(xmlDocPtr kept, const struct xlcfg__virt_beside *live,
                      xlcfg_doc **plain_r, xlcfg_error *err);
/* Both what is kept and what runs as it was defined, where that is all the
 * difference.  plain: as in the sense, may be NULL.  NOMEM. */
int xlcfg__virt_as_defined(const xlcfg_doc *plain, xlcfg_doc **kept,
                           struct xlcfg_view *view, xlcfg_error *err);
/* One for that, which is changed.  NOMEM. */
int xlcfg__virt_add_plain(xlcfg__members *plain, enum xlcfg_kind kind,
                          xmlNodePtr dev, size_t nth);
/* What is kept, beside what runs: text->beside is that one's number, 0: not to
 * be learnt, for they are of two moments.  Takes the text's XML.  live NULL:
 * nothing runs.  The sense is to be disposed of also after an error. */
int xlcfg__virt_understand_kept(struct virt *v,
                                const struct xlcfg_domain *dom,
                                struct xlcfg__virt_text *text,
                                const struct xlcfg__virt_beside *live,
                                struct xlcfg__virt_sense *sense_r,
                                xlcfg_error *err);
/* What is kept, as a start now would make it: live is of the same look. */
int xlcfg__virt_next(virDomainPtr d, const struct xlcfg_domain *dom,
                     const xlcfg_doc *live, xlcfg_doc **stored,
                     xlcfg_error *err);
/* NOTFOUND, and why. */
int xlcfg__virt_is_transient(const struct xlcfg_domain *dom,
                             xlcfg_error *err);

/* ---- dev ---- */

/* The XML, with its secrets where they may be read; NULL: libvirt's error. */
char *xlcfg__virt_xml(virDomainPtr d, unsigned flags);
/* The XML as it is, aliases and all; parse_desc: of a text that was read. */
int xlcfg__virt_parse_desc(virDomainPtr d, const char *xml, xmlDocPtr *doc_r,
                           xlcfg_error *err);
int xlcfg__virt_desc(virDomainPtr d, unsigned flags,
                     xmlDocPtr *doc_r, xlcfg_error *err);
/* 0 and NULL: there is none. */
int xlcfg__virt_device(xmlDocPtr doc, enum xlcfg_kind kind,
                       const xlcfg_doc *body, xmlNodePtr *dev_r);
xmlNodePtr xlcfg__virt_by_alias(xmlDocPtr doc, const char *alias);
/* The first node in <devices>; NULL also for no document. */
xmlNodePtr xlcfg__virt_first(xmlDocPtr doc);
/* The alias of the running device; 0 and NULL: there is none. */
int xlcfg__virt_alias_in(xmlDocPtr doc, enum xlcfg_kind kind,
                         const xlcfg_doc *body, char **alias_r,
                         xlcfg_error *err);
int xlcfg__virt_alias_of(virDomainPtr d, enum xlcfg_kind kind,
                         const xlcfg_doc *body, char **alias_r,
                         xlcfg_error *err);
/* Is this definition of a device the one that runs, but for what a start makes
 * of it?  NOMEM or 0. */
int xlcfg__virt_is_kept_as(xmlNodePtr live, xmlNodePtr kept, bool *same_r);
/* The element as libvirt is to read it, to be freed; NULL: no memory. */
char *xlcfg__virt_element_text(xmlNodePtr dev, xlcfg_error *err);
/*
 * Is all of `sent` in `read`?  False: path_r names what is not, for example
 * "disk/serial" or "disk/driver@cache".
 */
bool xlcfg__virt_covers(xmlNodePtr read, xmlNodePtr sent, char *path_r,
                        size_t size);
/* The element of a body as a document of its own. */
int xlcfg__virt_lone(enum xlcfg_kind kind, const xlcfg_doc *body,
                     xmlDocPtr *doc_r, xmlNodePtr *dev_r, xlcfg_error *err);

/* ---- slot ---- */

struct xlcfg__virt_place {
    xmlDocPtr live, kept;       /* kept NULL: a transient domain */
    const struct xlcfg__addresses *book;        /* NULL: as if it were empty */
    const struct xlcfg__address *own;           /* in it; NULL: none */
};
int xlcfg__virt_is_kept(virDomainPtr d, bool *kept_r, xlcfg_error *err);
/* To be freed also after an error. */
int xlcfg__virt_place_read(virDomainPtr d, struct xlcfg__virt_place *at,
                           xlcfg_error *err);
/* The same as the last look saw it: to choose by, for what has changed since
 * libvirt says when it is used. */
int xlcfg__virt_place_recall(struct virt *v, virDomainPtr d, const char *uuid,
                             struct xlcfg__virt_place *at, xlcfg_error *err);
void xlcfg__virt_place_free(struct xlcfg__virt_place *at);
/* Has another device the address of this one? */
bool xlcfg__virt_is_taken(const struct xlcfg__virt_place *at,
                          xmlNodePtr dev);
/* The address alone, when it has none.  REFUSED: there is no room. */
int xlcfg__virt_choose_address(const struct xlcfg__virt_place *at,
                               enum xlcfg_kind kind, xmlNodePtr dev,
                               xlcfg_error *err);

/* ---- name ---- */

/* Give the element the alias, name and address that it lacks; own is found.
 * REFUSED: there is no room. */
int xlcfg__virt_settle_in(struct xlcfg__virt_place *at,
                          enum xlcfg_kind kind, xmlNodePtr dev,
                          xlcfg_error *err);

/* ---- place ---- */

/* The element's address as the book has it; false: out of memory. */
bool xlcfg__virt_put_address(xmlNodePtr dev, const xlcfg_doc *address);
/* Is this address, of a type that `type` says, another device's in the book?
 * a and b are members of it; b NULL: it does not count. */
bool xlcfg__virt_is_anothers(const struct xlcfg__virt_place *at,
                             const char *element, const char *type,
                             const char *a, int x, const char *b, int y);
/* The devices that keep an address of this type from being given, for a
 * message that goes on; nothing when there are none. */
void xlcfg__virt_keepers(const struct xlcfg__virt_place *at,
                         const char *type, char *buf, size_t size);
int xlcfg__virt_book_place(void *handle, const xlcfg_doc *config,
                           const struct xlcfg__addresses *book,
                           xlcfg_doc **config_r, xlcfg_error *err);

/* ---- driver members ---- */

int xlcfg__virt_index(void *handle, const struct xlcfg_domain *dom,
                      char **text_r, xlcfg_error *err);
int xlcfg__virt_live(void *handle, const struct xlcfg_domain *dom,
                     struct xlcfg_view *view, xlcfg_error *err);
int xlcfg__virt_stored(void *handle, const struct xlcfg_domain *dom,
                       xlcfg_doc **config_r, xlcfg_error *err);
int xlcfg__virt_look(void *handle, const struct xlcfg_domain *dom,
                     struct xlcfg_look *look, xlcfg_error *err);
int xlcfg__virt_told(void *handle, const char *name,
                     struct xlcfg_domain *dom_r);
int xlcfg__virt_ask_again(void *handle, const struct xlcfg_domain *dom,
                          unsigned which, char **text_r);
int xlcfg__virt_print(void *handle, const struct xlcfg_domain *dom,
                      char *const texts[XLCFG_ASKS], char print_r[48]);

bool xlcfg__virt_can(void *handle, enum xlcfg_kind kind,
                     enum xlcfg_action act, char *reason, size_t size);
int xlcfg__virt_prepare(void *handle, const struct xlcfg_domain *dom,
                        enum xlcfg_kind kind, const xlcfg_doc *body,
                        const struct xlcfg_view *live,
                        const struct xlcfg__addresses *book,
                        xlcfg_doc **body_r, xlcfg_error *err);
int xlcfg__virt_attach(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       xlcfg_error *err);
/* What a detach has to know is asked for while it is being recorded: from the
 * look on. */
void xlcfg__virt_soon(void *handle);
void xlcfg__virt_go_ahead(struct virt *v, virDomainPtr d, const char *uuid,
                          const char *xml);
void xlcfg__virt_end_ahead(void *handle);
int xlcfg__virt_detach(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       unsigned flags, unsigned wait_ms, xlcfg_error *err);
/* Of what runs, and with kept of what is kept too. */
unsigned xlcfg__virt_affect(bool kept);
/* Is all that was sent in what libvirt shows since?  REFUSED names what is
 * not.  docs: gets what runs and what is kept, as far as they were read, to be
 * freed also after an error; NULL: not wanted. */
int xlcfg__virt_read_back(struct virt *v, const struct xlcfg_domain *dom,
                          virDomainPtr d, enum xlcfg_kind kind,
                          const xlcfg_doc *body, xmlNodePtr sent, bool kept,
                          xmlDocPtr docs[2], xlcfg_error *err);
int xlcfg__virt_check_update(void *handle, enum xlcfg_kind kind,
                             const xlcfg_doc *before, const xlcfg_doc *after,
                             xlcfg_error *err);
int xlcfg__virt_update(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *before,
                       const xlcfg_doc *after, xlcfg_error *err);
int xlcfg__virt_forget(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       xlcfg_error *err);
int xlcfg__virt_keep(void *handle, const struct xlcfg_domain *dom,
                     enum xlcfg_kind kind, const xlcfg_doc *body,
                     xlcfg_error *err);
int xlcfg__virt_create(void *handle, const xlcfg_doc *config,
                       unsigned flags, struct xlcfg_domain *dom_r,
                       xlcfg_error *err);
int xlcfg__virt_go_on(void *handle, const struct xlcfg_domain *dom,
                      xlcfg_error *err);
int xlcfg__virt_clean(void *handle, const struct xlcfg_domain *dom,
                      const struct xlcfg_dev *dev, bool dry_run,
                      xlcfg__items *steps, xlcfg_error *err);

/* ---- qemu ---- */

/* deep: compare the view with what QEMU has.  What libvirt lists and QEMU
 * has not is leaving, what QEMU has and libvirt does not list is leaked.  xml
 * is what libvirt lists, if that was just read; else NULL.
 */
int xlcfg__virt_deep(struct virt *v, virDomainPtr d, const char *xml,
                     struct xlcfg_view *view, xlcfg_error *err);

#endif
