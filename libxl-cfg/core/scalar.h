/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scalars of a Xen domain that no source has whole: the live view brings
 * raw xenstore numbers as private members of b_info, and here they become
 * libxl's members, with what the template knows.
 *
 *     x-target-node      memory/target, KiB
 *     x-videoram-node    memory/videoram, KiB
 *     x-max-vcpus        how many vcpus there are
 *
 *     rest = xlcfg__scalars_finish(tmpl->rest, live->rest);
 */
#ifndef XLCFG_CORE_SCALAR_H
#define XLCFG_CORE_SCALAR_H

#include "core/doc.h"

/*
 * target_memkb from xenstore's memory/target.  -1: not known (video and
 * the template's three).
 */
int64_t xlcfg__xen_memory(int64_t target_node, int64_t videoram_node,
                          bool is_hvm, int64_t tmpl_target,
                          int64_t tmpl_max, int64_t tmpl_video);

/*
 * live_rest with the private members turned into libxl's, and without them.
 * tmpl_rest NULL: there is no template.  NULL: live_rest was NULL, or out of
 * memory.
 */
xlcfg_doc *xlcfg__scalars_finish(const xlcfg_doc *tmpl_rest,
                                 const xlcfg_doc *live_rest);

#endif
