/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scalars of a Xen domain, finished. */
#include "core/scalar.h"

#include <string.h>

/* What libxl 4.17 takes off the target at creation, when an HVM guest
 * starts with less than its maximum; later changes do not. */
#define CREATION_FUDGE_KB 1024
/* "Choose yourself", as a template has it. */
#define MEMKB_DEFAULT 0xffffffffLL

static const char *const private_members[] = {
    "x-target-node", "x-videoram-node", "x-max-vcpus",
};

int64_t xlcfg__xen_memory(int64_t target_node, int64_t videoram_node,
                          bool is_hvm, int64_t tmpl_target,
                          int64_t tmpl_max, int64_t tmpl_video)
{
    int64_t video = videoram_node;

    if (video < 0 && is_hvm && tmpl_video >= 0 && tmpl_video < MEMKB_DEFAULT)
        video = tmpl_video;
    if (video < 0)
        video = 0;
    if (target_node < 0 || target_node > INT64_MAX - video)
        return -1;
    /* Untouched since creation, by its value: the constant is still off. */
    if (is_hvm && tmpl_target >= 0 && tmpl_max > tmpl_target &&
        target_node + video == tmpl_target - CREATION_FUDGE_KB)
        return tmpl_target;
    return target_node + video;
}

static int64_t number(const xlcfg_doc *object, const char *name)
{
    return xlcfg__doc_to_int(xlcfg_doc_get(object, name), -1);
}

static const char *type_of(const xlcfg_doc *rest)
{
    return xlcfg__doc_getstr(xlcfg_doc_get(rest, "c_info"), "type");
}

static xlcfg_doc *finish_build(const xlcfg_doc *tmpl_rest,
                               const xlcfg_doc *live_rest)
{
    const xlcfg_doc *live = xlcfg_doc_get(live_rest, "b_info");
    const xlcfg_doc *tmpl = xlcfg_doc_get(tmpl_rest, "b_info");
    const xlcfg_doc *vcpus = xlcfg_doc_get(live, "x-max-vcpus");
    const char *type = type_of(live_rest);
    xlcfg__members m = { 0 };
    int64_t memkb;

    if (!type)
        type = type_of(tmpl_rest);
    xlcfg__members_copy(&m, live);
    for (size_t i = 0;
         i < sizeof(private_members) / sizeof(private_members[0]); i++)
        xlcfg__members_drop(&m, private_members[i]);
    memkb = xlcfg__xen_memory(number(live, "x-target-node"),
                              number(live, "x-videoram-node"),
                              type && !strcmp(type, "hvm"),
                              number(tmpl, "target_memkb"),
                              number(tmpl, "max_memkb"),
                              number(tmpl, "video_memkb"));
    if (memkb >= 0)
        xlcfg__members_set(&m, "target_memkb", xlcfg__doc_int(memkb));
    if (vcpus && !xlcfg_doc_get(tmpl, "max_vcpus"))
        xlcfg__members_set(&m, "max_vcpus", xlcfg_doc_ref(vcpus));
    return xlcfg__members_end(&m);
}

xlcfg_doc *xlcfg__scalars_finish(const xlcfg_doc *tmpl_rest,
                                 const xlcfg_doc *live_rest)
{
    if (!live_rest)
        return NULL;
    if (xlcfg_doc_kind(xlcfg_doc_get(live_rest, "b_info")) !=
        XLCFG_DOC_OBJECT)
        return xlcfg_doc_ref(live_rest);
    return xlcfg__doc_with(live_rest, "b_info",
                           finish_build(tmpl_rest, live_rest));
}
