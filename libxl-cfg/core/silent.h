/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hotplug that never said a word: its backend is neither ready nor failed.
 * libxl itself gives a script 40 seconds; after that nobody waits any more.
 */
#ifndef XLCFG_CORE_SILENT_H
#define XLCFG_CORE_SILENT_H

#include "core/intent.h"
#include "core/view.h"

#define XLCFG__SILENT_S 40

/* What was last recorded of a device. */
struct xlcfg__recorded {
    const char *key, *state;
    int64_t since;              /* seconds since the epoch */
};

/*
 * Of the devices that are still coming at `now`, those that were recorded as
 * attaching XLCFG__SILENT_S ago, or as failed, become failed, with the
 * reason.  One whose attach is at work (an intent that is acting) is left to
 * its owner, and to settling.  NOMEM or 0.
 */
int xlcfg__view_silent(struct xlcfg_view *live,
                       const struct xlcfg_intents *intents,
                       const struct xlcfg__recorded *list, size_t count,
                       int64_t now);

#endif
