/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's calls that both programs of this room make to fail.  The
 * includer has made fails() say which, and fail_code with what. */
#ifndef XLCFG_TESTS_FAULT_WRAP_H
#define XLCFG_TESTS_FAULT_WRAP_H

#include "store/state.h"

static int fail_code;
static bool fails(const char *call, xlcfg_error *err);

#define WRAP(name, types, names) \
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

#endif
