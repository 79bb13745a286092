/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What differs between two configurations, as data. */
#ifndef XLCFG_CORE_DIFF_H
#define XLCFG_CORE_DIFF_H

#include "core/view.h"

/*
 * {"from","to","changes"} as json-schema/diff.json has it: devices by key,
 * everything else by JSON pointer.  NULL: out of memory.  `over` true: `to` is
 * a live view, which is silent about most of a template as the template is
 * about defaults: outside the devices only what both speak of is compared,
 * and devices of kinds that `to` does not see are left out.
 */
xlcfg_doc *xlcfg__diff(const char *from_name, const struct xlcfg_view *from,
                       const char *to_name, const struct xlcfg_view *to,
                       bool over);

#endif
