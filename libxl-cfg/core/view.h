/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A view: what one source says of a domain - its devices, each by itself,
 * and the rest of the configuration.  The template makes one, and a driver's
 * look at the backends makes one; merge.h puts them together.
 */
#ifndef XLCFG_CORE_VIEW_H
#define XLCFG_CORE_VIEW_H

#include "core/key.h"

/* What the backends show of one device. */
enum xlcfg_live {
    XLCFG_LIVE_ABSENT,          /* looked, and it is not there */
    XLCFG_LIVE_PARTIAL,         /* entries only half written */
    XLCFG_LIVE_COMING,          /* there, the backend is not ready */
    XLCFG_LIVE_PRESENT,
    XLCFG_LIVE_FAILED,          /* the backend or its script gave up */
    XLCFG_LIVE_LEAVING,         /* unplug asked for, or half done */
    XLCFG_LIVE_ORPHANED,        /* its backend domain is dead */
    XLCFG_LIVE_LEAKED,          /* a backend that no guest device has */
    XLCFG_LIVE_UNKNOWN,         /* could not look */
    XLCFG_LIVES
};

struct xlcfg_dev {
    enum xlcfg_kind kind : 8;
    enum xlcfg_live live : 8;   /* of a live view; PRESENT in a template */
    bool implicit;              /* live: one that every such guest has, and
                                   nobody has to ask for */
    const char *key, *match, *alt;      /* see key.h; alt may be NULL; the
                                           view's */
    char *reason;               /* why live is what it is; may be NULL */
    xlcfg_doc *body;            /* libxl shape; NULL: not known */
    xlcfg_doc *address;         /* NULL: the body's own (kind table) */
};

struct xlcfg_view {
    struct xlcfg_dev *devs;
    size_t count, room;
    struct xlcfg__arena *texts; /* of keys; NULL: none yet */
    /* The configuration without the device arrays.  Of a live view: only
     * what was read.  NULL: nothing. */
    xlcfg_doc *rest;
    bool sees[XLCFG_KINDS];     /* live: the driver looked at this kind */
    bool whole;                 /* live: its bodies lack nothing, they are
                                   right about every field */
    bool in_order;              /* live: what is kept of it stands as it does,
                                   so that one that comes has a place */
    bool deep;                  /* asked of a live view: look also where it
                                   costs something; see driver.h */
    bool queued;                /* live, deep: the backend is at work with the
                                   domain, and what was asked of it may wait
                                   for that, and still be done */
    char *index;                /* live: what the driver's index would have
                                   said at its beginning; see driver.h */
    xlcfg__items unknown;       /* strings "what: why it was not read" */
};

void xlcfg__view_init(struct xlcfg_view *view);
void xlcfg__view_dispose(struct xlcfg_view *view);      /* may run twice */
void xlcfg__dev_dispose(struct xlcfg_dev *dev);

/* Room for `count` devices more, to be added cheaply.  NOMEM or 0. */
int xlcfg__view_reserve(struct xlcfg_view *view, size_t count);

/*
 * Add a device.  Takes body (NULL allowed); key NULL: from the body.  A
 * device that has no identity is noted in unknown and not added.  Answers
 * NOMEM or 0; dev_r may be NULL and gets NULL when nothing was added.  The
 * pointer lives until the next add.
 */
int xlcfg__view_add(struct xlcfg_view *view, enum xlcfg_kind kind,
                    xlcfg_doc *body, const char *key,
                    enum xlcfg_live live, struct xlcfg_dev **dev_r);

/*
 * When all are added: of two entries for one device the second is noted in
 * unknown and taken out; of two nics known by one MAC both stay.
 */
int xlcfg__view_settle(struct xlcfg_view *view);

/* Set why; formatted. */
int xlcfg__dev_because(struct xlcfg_dev *dev, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Note what could not be read; formatted.  Out of memory is sticky in
 * view->unknown.failed. */
void xlcfg__view_note(struct xlcfg_view *view, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The first note as an error, its JSON pointer in `where`: INVAL.  There must
 * be one. */
int xlcfg__view_not_read(const struct xlcfg_view *view, xlcfg_error *err);

/*
 * The view of a configuration document.  A member of the wrong shape is noted
 * in unknown by its JSON pointer and left out; its siblings are untouched.
 * Errors: PARSE when config is no object, NOMEM.
 */
int xlcfg__view_from_config(const xlcfg_doc *config, struct xlcfg_view *view,
                            xlcfg_error *err);

/* The configuration a view stands for: rest, then the arrays. */
xlcfg_doc *xlcfg__view_config(const struct xlcfg_view *view);

/* Members of over laid over base, objects member by member. */
xlcfg_doc *xlcfg__doc_overlay(const xlcfg_doc *base, const xlcfg_doc *over);

const char *xlcfg__live_name(enum xlcfg_live live);

#endif
