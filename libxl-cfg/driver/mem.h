/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the in-memory driver keeps, between its file reader (mem_file.c) and
 * its calls (mem.c).  Nobody else includes this.
 */
#ifndef XLCFG_DRIVER_MEM_H
#define XLCFG_DRIVER_MEM_H

#include "driver/driver.h"

/* The calls a script may make fail; names as in struct xlcfg_driver. */
enum mem_call {
    MEM_OPEN, MEM_LIST, MEM_FIND, MEM_INDEX, MEM_LIVE, MEM_STORED, MEM_CAN,
    MEM_PREPARE, MEM_ATTACH, MEM_DETACH, MEM_UPDATE, MEM_CLEAN, MEM_CREATE,
    MEM_WATCH_FD, MEM_WATCH_NEXT,
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
    uint64_t generation;        /* +1 for each change of a device */
    bool changed;               /* and nobody has been told */
};

struct mem {
    struct mem_domain *doms;
    size_t count, room;
    struct mem_fail *fails;
    size_t fail_count;
    int64_t calls[MEM_CALLS];   /* made so far */
    int fd;                     /* eventfd of the watch, -1: none */
};

/* A new domain at the end, its view initialised; NULL: out of memory. */
struct mem_domain *xlcfg__mem_add(struct mem *mem);
void xlcfg__mem_domain_dispose(struct mem_domain *md);
void xlcfg__mem_dispose(struct mem *mem);

/* Fill mem from what stands behind "mem:".  UNREACHABLE: no such file;
 * PARSE with file and JSON pointer; NOMEM. */
int xlcfg__mem_load(struct mem *mem, const char *source, xlcfg_error *err);

/* The uuid in lower case; false when it is none. */
bool xlcfg__mem_uuid(const char *text, char uuid_r[37]);

#endif
