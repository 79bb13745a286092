/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's calls that both programs of this room make to fail.  The
 * includer has made fails() say which, and fail_code with what. */
#ifndef XLCFG_TESTS_FAULT_WRAP_H
#define XLCFG_TESTS_FAULT_WRAP_H

#include "store/state_i.h"

#include <stdio.h>
#include <string.h>

static int fail_code;
static bool fails(const char *call, xlcfg_error *err);

/* Each call that is wrapped, and whether it was ever made to fail. */
static struct { const char *call; bool failed; } wraps[48];
static size_t wrap_count;

static void failed_once(const char *call)
{
    for (size_t i = 0; i < wrap_count; i++)
        if (!strcmp(wraps[i].call, call))
            wraps[i].failed = true;
}

/* How many never were; they are named. */
static int never_failed(void)
{
    int count = 0;

    for (size_t i = 0; i < wrap_count; i++)
        if (!wraps[i].failed) {
            printf("not ok - %s was never made to fail\n", wraps[i].call);
            count++;
        }
    return count;
}

#define WRAP(name, types, names) \
    static void __attribute__((constructor)) wrapped_##name(void) \
    { \
        wraps[wrap_count++].call = #name; \
    } \
    int __real_##name types; \
    int __wrap_##name types; \
    int __wrap_##name types \
    { \
        return fails(#name, err) ? fail_code : __real_##name names; \
    }

WRAP(xlcfg__state_open,
     (const char *dir, bool write, unsigned ms, xlcfg__state **st,
      xlcfg_error *err), (dir, write, ms, st, err))
WRAP(xlcfg__state_seen,
     (xlcfg__state *st, const char *driver, const char *uuid, bool want,
      struct xlcfg__seen *seen, xlcfg_error *err),
     (st, driver, uuid, want, seen, err))
WRAP(xlcfg__state_devices,
     (xlcfg__state *st, const char *driver, const char *uuid,
      struct xlcfg__memories *list, xlcfg_error *err),
     (st, driver, uuid, list, err))
WRAP(xlcfg__state_record,
     (xlcfg__state *st, const struct xlcfg__record *rec, const char *was,
      char *version, xlcfg_error *err), (st, rec, was, version, err))
WRAP(xlcfg__state_intents,
     (xlcfg__state *st, const char *driver, const char *uuid,
      struct xlcfg_intents *list, xlcfg_error *err),
     (st, driver, uuid, list, err))
WRAP(xlcfg__state_template_get,
     (xlcfg__state *st, const char *driver, const char *uuid,
      xlcfg_doc **doc, xlcfg_error *err), (st, driver, uuid, doc, err))
WRAP(xlcfg__state_addresses,
     (xlcfg__state *st, const char *driver, const char *uuid,
      struct xlcfg__addresses *book, xlcfg_error *err),
     (st, driver, uuid, book, err))
/* inside the transaction of a record */
WRAP(xlcfg__state_note_addresses,
     (xlcfg__state *st, const struct xlcfg__record *rec, bool moved,
      int64_t revision, xlcfg_error *err), (st, rec, moved, revision, err))
WRAP(xlcfg__state_trim, (xlcfg__state *st, int64_t revision,
                         xlcfg_error *err), (st, revision, err))

#endif
