/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the in-memory driver keeps, between the parts of it: calls that look
 * (mem.c), that act (mem_act.c, mem_make.c), the file's form (mem_file.c),
 * and the file shared with other processes (mem_keep.c).  Nobody else
 * includes this.
 */
#ifndef XLCFG_DRIVER_MEM_H
#define XLCFG_DRIVER_MEM_H

#include "driver/driver.h"

#include <time.h>

/* The calls a script may make fail; names as in struct xlcfg_driver. */
enum mem_call {
    MEM_OPEN, MEM_LIST, MEM_FIND, MEM_INDEX, MEM_LIVE, MEM_STORED, MEM_CAN,
    MEM_PREPARE, MEM_ATTACH, MEM_DETACH, MEM_UPDATE, MEM_CLEAN, MEM_CREATE,
    MEM_WATCH_FD, MEM_WATCH_NEXT, MEM_CHECK,
    MEM_CALLS
};

struct mem_fail {
    enum mem_call call;
    int64_t nth;                /* the how manieth call; 0: every */
    int code;                   /* XLCFG_ERROR_*, 0: only late */
    char *message;              /* may be NULL */
    int64_t delay_ms;
};

struct mem_domain {
    struct xlcfg_domain dom;
    struct xlcfg_view view;     /* what there is now */
    xlcfg_doc *stored;          /* NULL: none */
    xlcfg_doc *devices;         /* overrides by key; may be NULL */
    uint64_t generation;        /* +1 for each change this handle saw */
    bool changed;               /* and nobody has been told */
    bool dirty;                 /* and the file does not have it */
    xlcfg_doc *source;          /* as the file has it; NULL: not in it yet */
};

struct mem {
    struct mem_domain *doms;
    size_t count, room;
    struct mem_fail *fails;
    size_t fail_count;
    int64_t calls[MEM_CALLS];   /* made so far */
    int fd;                     /* of the watch, -1: none */
    bool lost;                  /* a domain went, and nobody has been told */
    char *path;                 /* NULL: the text itself stood in the URI */
    int file;                   /* what was read last, held open; or -1 */
    int lock;                   /* of the folder, while writing; or -1 */
    struct timespec stamp;
    xlcfg_doc *script;          /* the file's `fail`, to be written back */
};

/* What the script has for this call: late, failing, or nothing. */
int xlcfg__mem_scripted(struct mem *mem, enum mem_call call,
                        xlcfg_error *err);
/* Every call begins here: the script, and the file if it is another now. */
int xlcfg__mem_enter(struct mem *mem, enum mem_call call, xlcfg_error *err);
/* A call that changes something: between the two the file is this handle's
 * alone.  leave writes what is dirty when rc is 0, and answers rc or why not.
 */
int xlcfg__mem_enter_write(struct mem *mem, enum mem_call call,
                           xlcfg_error *err);
int xlcfg__mem_leave_write(struct mem *mem, int rc, xlcfg_error *err);
/* A device came, went or changed: the index moves, the watch is told. */
void xlcfg__mem_changed(struct mem *mem, struct mem_domain *md);
/* NULL: there is no such domain, and err says so. */
struct mem_domain *xlcfg__mem_domain(struct mem *mem,
                                     const struct xlcfg_domain *dom,
                                     xlcfg_error *err);

/* A new domain at the end, its view initialised; NULL: out of memory. */
struct mem_domain *xlcfg__mem_add(struct mem *mem);
void xlcfg__mem_domain_dispose(struct mem_domain *md);
void xlcfg__mem_dispose(struct mem *mem);

/* Fill mem from what stands behind "mem:".  UNREACHABLE: no such file;
 * PARSE with file and JSON pointer; NOMEM. */
int xlcfg__mem_load(struct mem *mem, const char *source, xlcfg_error *err);
/* Fill an empty mem from a document; PARSE with JSON pointer, NOMEM. */
int xlcfg__mem_read(struct mem *mem, const xlcfg_doc *doc, xlcfg_error *err);
/* The device of a view with that key; NULL: none. */
struct xlcfg_dev *xlcfg__mem_dev(struct xlcfg_view *view, const char *key);
/* A domain as the file has it; NULL: out of memory. */
xlcfg_doc *xlcfg__mem_domain_doc(const struct mem_domain *md);

int xlcfg__mem_watch_fd(void *handle, xlcfg_error *err);
int xlcfg__mem_watch_next(void *handle, char uuid_r[37], xlcfg_error *err);

/* Acting; see driver.h. */
bool xlcfg__mem_can(void *handle, enum xlcfg_kind kind,
                    enum xlcfg_action act, char *reason, size_t size);
int xlcfg__mem_check(void *handle, enum xlcfg_kind kind,
                     const xlcfg_doc *body, xlcfg_error *err);
int xlcfg__mem_prepare(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       const struct xlcfg_view *live,
                       const struct xlcfg__addresses *book,
                       xlcfg_doc **body_r, xlcfg_error *err);
int xlcfg__mem_attach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      xlcfg_error *err);
int xlcfg__mem_detach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      unsigned flags, unsigned wait_ms, xlcfg_error *err);
int xlcfg__mem_update(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *before,
                      const xlcfg_doc *after, xlcfg_error *err);
int xlcfg__mem_clean(void *handle, const struct xlcfg_domain *dom,
                     const struct xlcfg_dev *what, bool dry_run,
                     xlcfg__items *steps, xlcfg_error *err);
int xlcfg__mem_create(void *handle, const xlcfg_doc *config, unsigned flags,
                      struct xlcfg_domain *dom_r, xlcfg_error *err);

/* The uuid in lower case; false when it is none. */
bool xlcfg__mem_uuid(const char *text, char uuid_r[37]);

#endif
