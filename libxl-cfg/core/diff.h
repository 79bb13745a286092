/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What differs between two configurations, as data. */
#ifndef XLCFG_CORE_DIFF_H
#define XLCFG_CORE_DIFF_H

#include "core/view.h"

/*
 * {"from","to","changes"} as json-schema/diff.json has it: devices by key,
 * everything else by JSON pointer.  NULL: out of memory.  `over` true: only
 * what `to` speaks of is compared outside the devices (a live view is silent
 * about most of a template), and devices of kinds that it does not see are
 * left out.
 */
xlcfg_doc *xlcfg__diff(const char *from_name, const struct xlcfg_view *from,
                       const char *to_name, const struct xlcfg_view *to,
                       bool over);

#endif
