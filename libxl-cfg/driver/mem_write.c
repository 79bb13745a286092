/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain in memory as its file has it, see mem_file.c. */
#include "driver/mem.h"

#include <string.h>

static bool is_override(const char *name)
{
    return !strcmp(name, "live") || !strcmp(name, "reason");
}

/* The override of a device: what it had, with the words of now. */
static xlcfg_doc *override_doc(const xlcfg_doc *was,
                               const struct xlcfg_dev *dev)
{
    xlcfg__members m = { 0 };

    for (size_t i = 0; i < xlcfg_doc_count(was); i++)
        if (!is_override(xlcfg_doc_name(was, i)))
            xlcfg__members_add(&m, xlcfg_doc_name(was, i),
                               xlcfg_doc_ref(xlcfg_doc_at(was, i)));
    if (dev && (dev->live != XLCFG_LIVE_PRESENT || !dev->body))
        xlcfg__members_add(&m, "live",
                           xlcfg__doc_str(xlcfg__live_name(dev->live)));
    if (dev && dev->reason)
        xlcfg__members_add(&m, "reason", xlcfg__doc_str(dev->reason));
    return xlcfg__members_end(&m);
}

static xlcfg_doc *overrides_doc(const struct mem_domain *md)
{
    struct xlcfg_view *view = (struct xlcfg_view *)&md->view;
    xlcfg__members m = { 0 };

    for (size_t i = 0; i < xlcfg_doc_count(md->devices); i++) {
        const char *key = xlcfg_doc_name(md->devices, i);

        xlcfg__members_add(&m, key,
                           override_doc(xlcfg_doc_at(md->devices, i),
                                        xlcfg__mem_dev(view, key)));
    }
    for (size_t i = 0; i < view->count; i++) {
        const struct xlcfg_dev *dev = &view->devs[i];

        if (!xlcfg_doc_get(md->devices, dev->key) &&
            (dev->live != XLCFG_LIVE_PRESENT || dev->reason || !dev->body))
            xlcfg__members_add(&m, dev->key, override_doc(NULL, dev));
    }
    return xlcfg__members_end(&m);
}

static xlcfg_doc *blind_doc(const struct mem_domain *md)
{
    xlcfg__items it = { 0 };

    for (int k = 0; k < XLCFG_KINDS; k++)
        if (!md->view.sees[k])
            xlcfg__items_add(&it, xlcfg__doc_str(xlcfg__kinds[k].name));
    return xlcfg__items_end(&it);
}

xlcfg_doc *xlcfg__mem_domain_doc(const struct mem_domain *md)
{
    const struct xlcfg_domain *dom = &md->dom;
    xlcfg__members m = { 0 };
    xlcfg__items unknown = { 0 };

    xlcfg__members_add(&m, "uuid", xlcfg__doc_str(dom->uuid));
    if (dom->name)
        xlcfg__members_add(&m, "name", xlcfg__doc_str(dom->name));
    xlcfg__members_add(&m, "domid", xlcfg__doc_int(dom->domid));
    xlcfg__members_add(&m, "state", xlcfg__doc_str(dom->state));
    if (dom->run)
        xlcfg__members_add(&m, "run", xlcfg__doc_str(dom->run));
    if (dom->started)
        xlcfg__members_add(&m, "started", xlcfg__doc_int(dom->started));
    if (md->stored)
        xlcfg__members_add(&m, "stored", xlcfg_doc_ref(md->stored));
    if (dom->domid >= 0) {
        xlcfg__members_add(&m, "live", xlcfg__view_config(&md->view));
        xlcfg__members_add(&m, "devices", overrides_doc(md));
    } else if (md->devices) {
        xlcfg__members_add(&m, "devices", xlcfg_doc_ref(md->devices));
    }
    for (size_t i = 0; i < md->view.unknown.count; i++)
        xlcfg__items_add(&unknown, xlcfg_doc_ref(md->view.unknown.v[i]));
    xlcfg__members_add(&m, "unknown", xlcfg__items_end(&unknown));
    xlcfg__members_add(&m, "blind", blind_doc(md));
    return xlcfg__members_end(&m);
}
