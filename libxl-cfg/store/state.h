/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * state.db: revisions, what was last seen of each domain, its history, open
 * intents, and the templates of drivers that keep them here.  SQLite, 0600,
 * WAL, synchronous FULL.  This file is the only one that knows SQLite.
 *
 * A change is one transaction: revision + 1, the domain's row, its devices,
 * the event with its full snapshot.
 */
#ifndef XLCFG_STORE_STATE_H
#define XLCFG_STORE_STATE_H

#include "core/address.h"
#include "core/intent.h"

typedef struct xlcfg__state xlcfg__state;

#define XLCFG__VERSION_MAX 64

/*
 * write false: never makes a folder, a file, or a schema; NOTFOUND when there
 * is no state.db yet.  write true: makes what is missing (folder 0700).
 * A damaged file is set aside as state.db.damaged-<time> (write true) and a
 * new store instance begins; with write false it is STORE.
 * Errors: STORE with the path, NOMEM, LOCK_FAIL when busy over lock_ms.
 */
int xlcfg__state_open(const char *dir, bool write, unsigned lock_ms,
                      xlcfg__state **st_r, xlcfg_error *err);
void xlcfg__state_close(xlcfg__state *st);      /* NULL accepted */

/* The version text of the newest revision, "<instance>.<20 digits>". */
int xlcfg__state_version(xlcfg__state *st, char buf[XLCFG__VERSION_MAX],
                         xlcfg_error *err);

/* What was last recorded of a domain. */
struct xlcfg__seen {
    bool known;                 /* false: never recorded */
    bool gone;
    char version[XLCFG__VERSION_MAX];
    int64_t revision;
    char digest[65];            /* of everything that makes a version */
    char hash[65], address_hash[65];
    int64_t generation;         /* template changes */
    xlcfg_doc *snapshot;        /* the get object; may be NULL */
};
void xlcfg__seen_dispose(struct xlcfg__seen *seen);

/* want_snapshot false leaves snapshot NULL and is one cheap read. */
int xlcfg__state_seen(xlcfg__state *st, const char *driver, const char *uuid,
                      bool want_snapshot, struct xlcfg__seen *seen_r,
                      xlcfg_error *err);

/* A device as recorded. */
struct xlcfg__memory {
    char *key;
    char state[16];
    int64_t incarnation;        /* of the key, from 1 */
    int64_t since;              /* seconds since the epoch */
    int attempts;
};
struct xlcfg__memories {
    struct xlcfg__memory *v;
    size_t count;
};
int xlcfg__state_devices(xlcfg__state *st, const char *driver,
                         const char *uuid, struct xlcfg__memories *list_r,
                         xlcfg_error *err);
void xlcfg__memories_dispose(struct xlcfg__memories *list);

/* What ends with a change, in its transaction. */
struct xlcfg__ending {
    int64_t intent;             /* is closed; 0: none */
    bool edits;                 /* the template kept here becomes `now` */
    bool any;                   /* whatever it was; else: */
    const xlcfg_doc *was;       /* it was this; NULL: there was none */
    const xlcfg_doc *now;
    const char *reset;          /* the match whose address is given up once
                                   it has left; NULL: none */
};

/* A change to be recorded. */
struct xlcfg__record {
    const char *driver, *uuid, *name;
    const char *place;          /* the connection it was seen by, NULL: any */
    const char *state;          /* of the domain; may be NULL */
    int64_t domid;
    const char *digest;         /* as in struct xlcfg__seen */
    const char *hash, *address_hash;
    bool gone;
    struct xlcfg__memories devices;     /* all of them, as they are now */
    const struct xlcfg__addresses *addresses;   /* of those that are there;
                                           NULL: it could not be seen */
    const char *event;          /* "device-attached", ... */
    const xlcfg_doc *changes;   /* array, for the event */
    /* The get object but for "version", which this call puts in. */
    const xlcfg_doc *snapshot;
    const struct xlcfg__ending *ending; /* may be NULL */
};
/*
 * One transaction.  When the domain's row already holds rec->digest (somebody
 * else recorded the same), nothing is written.  version_r gets the domain's
 * version after the call either way.  `was` is the version the caller
 * compared with, "" for none: CONFLICT when the row has moved on since, or
 * the ending's template has, and the caller looks again.  The ending is done
 * also when nothing else is written.
 */
int xlcfg__state_record(xlcfg__state *st, const struct xlcfg__record *rec,
                        const char *was,
                        char version_r[XLCFG__VERSION_MAX],
                        xlcfg_error *err);

/* Open intents of a domain, oldest first. */
int xlcfg__state_intents(xlcfg__state *st, const char *driver,
                         const char *uuid, struct xlcfg_intents *list,
                         xlcfg_error *err);
/* The get object that a domain's version stands for.  TOO_OLD: history does
 * not hold it, or it is no version of this domain and store. */
int xlcfg__state_by_version(xlcfg__state *st, const char *driver,
                            const char *uuid, const char *version,
                            xlcfg_doc **doc_r, xlcfg_error *err);

/* On what condition an intent may be begun. */
struct xlcfg__condition {
    const char *version;        /* the domain has it still; NULL: any */
    int64_t incarnation;        /* of the intent's key; 0: any, -1: there is
                                   no such device */
    const struct xlcfg_intents *known;  /* open when the caller looked */
};
/*
 * Write a new one, when the condition holds, in one transaction.  `own` makes
 * the caller its owner before anybody can see it.  Durable when it returns.
 * CONFLICT: the condition does not hold, or another began something since
 * the caller looked that the condition speaks of.  LOCK_FAIL with key in
 * where: another began a change of this very device.
 */
int xlcfg__state_intent_begin(xlcfg__state *st, const char *driver,
                              const char *uuid, struct xlcfg_intent *intent,
                              const struct xlcfg__condition *cond,
                              int (*own)(void *arg, int64_t id,
                                         xlcfg_error *err),
                              void *arg, xlcfg_error *err);
/* Write one (id 0: new, and filled in).  Durable when it returns. */
int xlcfg__state_intent_put(xlcfg__state *st, const char *driver,
                            const char *uuid, struct xlcfg_intent *intent,
                            xlcfg_error *err);
int xlcfg__state_intent_drop(xlcfg__state *st, int64_t id,
                             xlcfg_error *err);

/* The making of a domain that was begun and is not finished. */
struct xlcfg__creation {
    int64_t id;                 /* among those of intents */
    char uuid[37];
    char *name;
    xlcfg_doc *config;
    unsigned flags;             /* the driver's, of create */
    int64_t since;
    bool failed;
    const char *was;            /* of _begin alone: the version that the domain
                                   must still have; NULL: any, or none */
    char *reason;               /* may be NULL */
};
struct xlcfg__creations {
    struct xlcfg__creation *v;
    size_t count;
};
void xlcfg__creations_dispose(struct xlcfg__creations *list);
/* Oldest first. */
int xlcfg__state_creations(xlcfg__state *st, const char *driver,
                           struct xlcfg__creations *list_r,
                           xlcfg_error *err);
/* As _intent_begin.  CONFLICT: one of this name or uuid is open.  It ends by
 * _intent_drop, or with a record. */
int xlcfg__state_creation_begin(xlcfg__state *st, const char *driver,
                                struct xlcfg__creation *c,
                                int (*own)(void *arg, int64_t id,
                                           xlcfg_error *err),
                                void *arg, xlcfg_error *err);
int xlcfg__state_creation_fail(xlcfg__state *st, int64_t id,
                               const char *reason, xlcfg_error *err);

/* The template kept here whose c_info has this name.  NOTFOUND. */
int xlcfg__state_template_named(xlcfg__state *st, const char *driver,
                                const char *name, char uuid_r[37],
                                xlcfg_doc **doc_r, xlcfg_error *err);
/* Templates kept here.  get: NOTFOUND. */
int xlcfg__state_template_get(xlcfg__state *st, const char *driver,
                              const char *uuid, xlcfg_doc **doc_r,
                              xlcfg_error *err);
int xlcfg__state_template_put(xlcfg__state *st, const char *driver,
                              const char *uuid, const xlcfg_doc *doc,
                              xlcfg_error *err);

/*
 * The address book of a domain, with its choice.  A domain that was never
 * recorded has no rows and the newest choice.
 */
int xlcfg__state_addresses(xlcfg__state *st, const char *driver,
                           const char *uuid, struct xlcfg__addresses *book_r,
                           xlcfg_error *err);
/* Give up the address of a device that has left.  NOTFOUND: none is kept.
 * CONFLICT: the domain has another version than `was`, unless that is NULL. */
int xlcfg__state_address_reset(xlcfg__state *st, const char *driver,
                               const char *uuid, const char *match,
                               const char *was, xlcfg_error *err);
/* How addresses are chosen from now on, and with it the addresses that the
 * domain's devices have at version `was`: CONFLICT when it has another. */
int xlcfg__state_choice_put(xlcfg__state *st, const char *driver,
                            const char *uuid, int64_t choice,
                            const struct xlcfg__addresses *book,
                            const char *was, xlcfg_error *err);

/* A domain as it was last recorded. */
struct xlcfg__line {
    char *uuid, *name, *state, *place;  /* all but uuid may be NULL */
    int64_t domid, revision;
    bool gone;
    char version[XLCFG__VERSION_MAX];
    char hash[65], address_hash[65];    /* "" when there is none */
    xlcfg_doc *snapshot;        /* the get object; may be NULL */
};
struct xlcfg__lines {
    struct xlcfg__line *v;      /* in the order of uuid */
    size_t count, room;
    char version[XLCFG__VERSION_MAX];   /* the revision all are of */
};
/* All domains of a driver, gone ones too, in one read: what a listing is made
 * of, so that the events after `version` are the changes of the listing. */
int xlcfg__state_lines(xlcfg__state *st, const char *driver,
                       bool want_snapshots, struct xlcfg__lines *lines_r,
                       xlcfg_error *err);
/* From now on these domains are of this connection; no version moves. */
int xlcfg__state_claim(xlcfg__state *st, const char *driver,
                       const char *place, const char *const *uuids,
                       size_t count, xlcfg_error *err);
void xlcfg__lines_dispose(struct xlcfg__lines *lines);
const struct xlcfg__line *xlcfg__lines_find(const struct xlcfg__lines *lines,
                                            const char *uuid);

/* 0 for a text that has the form of a version; INVAL. */
int xlcfg__state_no_token(const char *token, xlcfg_error *err);
/*
 * What the store has of domains beside their versions, and a look is made of
 * too: open intents, and templates kept here.  A text for each domain that
 * has any, which moves with them.
 */
struct xlcfg__asides {
    struct xlcfg__aside {
        char *uuid, *text;
    } *v;                       /* in the order of uuid */
    size_t count, room;
};
int xlcfg__state_asides(xlcfg__state *st, const char *driver,
                        struct xlcfg__asides *list_r, xlcfg_error *err);
void xlcfg__asides_dispose(struct xlcfg__asides *list);
/* NULL: it has none. */
const char *xlcfg__asides_find(const struct xlcfg__asides *list,
                               const char *uuid);

/*
 * The revision of a token, which is a version text.  INVAL: not of that form.
 * TOO_OLD: history no longer holds all that came after it, or it is of
 * another store, or of the future; the message has the version to list from.
 */
int xlcfg__state_token(xlcfg__state *st, const char *token, int64_t *rev_r,
                       xlcfg_error *err);
/*
 * Events after revision `after` (-1: all that are held), at most `most`,
 * oldest first, one document each: {"revision": n, "version": ..., "event": ..., "time": ...,
 * "changes": [...], ... the snapshot's members}.  Where one device changed,
 * its key, incarnation, state and reason stand there too.  driver, uuid NULL:
 * of all.  TOO_OLD: history no longer holds all of them.
 */
int xlcfg__state_history(xlcfg__state *st, const char *driver,
                         const char *uuid, int64_t after, size_t most,
                         xlcfg_doc **array_r, xlcfg_error *err);
/*
 * In one read: the newest version, and the events of all after the version
 * `known`, none where that is of another store ("": of none), or the newest
 * itself.  TOO_OLD as above, with version_r filled in.
 */
int xlcfg__state_news(xlcfg__state *st, const char *driver,
                      const char *known, size_t most,
                      char version_r[XLCFG__VERSION_MAX],
                      xlcfg_doc **array_r, xlcfg_error *err);
/* The get object of a domain as it stood at a version.  INVAL: no version.
 * NOTFOUND: it was not there.  TOO_OLD: history does not reach so far. */
int xlcfg__state_at(xlcfg__state *st, const char *driver, const char *uuid,
                    const char *token, xlcfg_doc **doc_r, xlcfg_error *err);
/* When a revision was recorded, seconds since the epoch; 0: not known. */
int xlcfg__state_when(xlcfg__state *st, int64_t revision, int64_t *time_r,
                      xlcfg_error *err);

/* The file was removed or replaced under this handle, or is read in a way
 * that does not see changes: open it again. */
bool xlcfg__state_stale(xlcfg__state *st);
/* Written to after each record, once the record can be read: what a process
 * that waits for other processes' records looks at.  In the store's folder. */
#define XLCFG__STATE_TICK "state.tick"

#endif
