/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hotplugs that never said a word. */
#include "core/silent.h"

#include <string.h>

static bool is_at_work(const struct xlcfg_intents *intents,
                       const struct xlcfg_dev *dev)
{
    for (size_t i = 0; i < intents->count; i++) {
        const struct xlcfg_intent *in = &intents->v[i];

        if (in->kind == dev->kind && in->phase == XLCFG_PHASE_ACTING &&
            (!strcmp(in->match, dev->match) ||
             (dev->alt && !strcmp(in->match, dev->alt))))
            return true;
    }
    return false;
}

static bool is_silent(const struct xlcfg__recorded *it, int64_t now)
{
    if (!strcmp(it->state, "failed"))
        return true;            /* and nothing better came since */
    return !strcmp(it->state, "attaching") &&
        now - it->since >= XLCFG__SILENT_S;
}

int xlcfg__view_silent(struct xlcfg_view *live,
                       const struct xlcfg_intents *intents,
                       const struct xlcfg__recorded *list, size_t count,
                       int64_t now)
{
    for (size_t i = 0; i < live->count; i++) {
        struct xlcfg_dev *dev = &live->devs[i];

        if (dev->live != XLCFG_LIVE_COMING || is_at_work(intents, dev))
            continue;
        for (size_t j = 0; j < count; j++) {
            if (strcmp(list[j].key, dev->key) || !is_silent(&list[j], now))
                continue;
            if (xlcfg__dev_because(dev, "timeout: its backend said nothing "
                                   "for %d seconds", XLCFG__SILENT_S))
                return XLCFG_ERROR_NOMEM;
            dev->live = XLCFG_LIVE_FAILED;
        }
    }
    return 0;
}
