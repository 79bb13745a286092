/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is a domain still all that it was?  libvirtd answers several questions at
 * once: both its texts, and its state and that it is kept.  Where a text would
 * wait for others, or somebody may be stuck in the guest's monitor, that is to
 * be found out first (virt_look.c).
 */
#include "driver/virt_i.h"

#include <stdlib.h>
#include <string.h>

enum { RUNS, STAYS, STATE };    /* what is asked */

int xlcfg__virt_told(void *handle, const char *name,
                     struct xlcfg_domain *dom_r)
{
    struct virt *v = handle;

    if (!v->is_remote || !v->conn || virConnectIsAlive(v->conn) != 1 ||
        !xlcfg__virt_recall_told(v, name, dom_r))
        return XLCFG_STALE;
    if (xlcfg__virt_cannot_be_stuck(v, dom_r->uuid))
        return 0;
    xlcfg__domain_dispose(dom_r);
    return XLCFG_STALE;
}

static bool is_told(struct virt *v, virDomainPtr d,
                    const struct xlcfg_domain *dom)
{
    struct xlcfg_domain now;
    bool same;

    if (!xlcfg__virt_describe_kept(v, d, &now))
        return false;
    same = !strcmp(now.uuid, dom->uuid) && !strcmp(now.name, dom->name) &&
        now.domid == dom->domid && !strcmp(now.state, dom->state);
    xlcfg__domain_dispose(&now);
    if (same)
        xlcfg__virt_note_kept(v, dom->uuid, true);
    return same;
}

int xlcfg__virt_ask_again(void *handle, const struct xlcfg_domain *dom,
                          unsigned which, char **text_r)
{
    struct xlcfg__virt_hold hold;
    struct virt *v = handle;
    bool said;

    *text_r = NULL;
    if (xlcfg__virt_hold(v, dom, true, &hold, NULL))
        return XLCFG_STALE;
    if (which == STATE) {
        said = is_told(v, hold.d, dom);
    } else {
        *text_r = xlcfg__virt_xml(hold.d, which == STAYS
                                  ? VIR_DOMAIN_XML_INACTIVE : 0);
        said = *text_r;
    }
    xlcfg__virt_let_go(v, &hold);
    return said ? 0 : XLCFG_STALE;
}

int xlcfg__virt_print(void *handle, const struct xlcfg_domain *dom,
                      char *const texts[XLCFG_ASKS], char print_r[48])
{
    struct xlcfg__virt_sense sense = { .number = 0 };
    struct virt *v = handle;
    bool known;

    known = xlcfg__virt_is_of(texts[RUNS], dom) &&
        xlcfg__virt_know(v, dom->uuid, texts[RUNS], texts[STAYS], &sense,
                         print_r);
    xlcfg__virt_sense_dispose(&sense);
    if (known)
        return 0;
    /* the look that comes begins with these */
    xlcfg__virt_saw(v->memo, dom->uuid, false, strdup(texts[RUNS]));
    xlcfg__virt_saw(v->memo, dom->uuid, true, strdup(texts[STAYS]));
    return XLCFG_STALE;
}
