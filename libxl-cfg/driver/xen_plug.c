/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plugging on Xen.  libxl attaches, for scripts are its trade.  An unplug is
 * asked for here, by online 0 and state 5 in one transaction, and libxl only
 * clears away what the guest has let go of: its own removal would force after
 * ten seconds.  What has no backend of its own (a PCI device in its slot, a
 * USB device in its port, QEMU's USB controller) libxl removes in one go.
 */
#include "driver/xen_plug.h"
#include "driver/xen_plug_kind.h"
#include "driver/xen_plug_loop.h"
#include "driver/xen_plug_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what can be done ---- */

static bool no(char *reason, size_t size, enum xlcfg_kind kind,
               enum xlcfg__xen_verb verb)
{
    char name[64];

    if (verb == XLCFG__XEN_INSERT) {
        snprintf(reason, size, "libxl changes nothing of a %s that is "
                 "plugged; it knows the medium of a cdrom drive alone "
                 "(libxl_cdrom_insert)", xlcfg__kinds[kind].name);
        return false;
    }
    xlcfg__xen_verb_name(kind, verb, name, sizeof(name));
    snprintf(reason, size, "libxl has no %s: a %s %s with its domain", name,
             xlcfg__kinds[kind].name,
             xlcfg__xen_has(kind, XLCFG__XEN_REMOVE) ? "comes"
             : "comes and goes");
    return false;
}

bool xlcfg__xen_can(void *handle, enum xlcfg_kind kind,
                    enum xlcfg_action act, char *reason, size_t size)
{
    static const struct {
        enum xlcfg_action act;
        enum xlcfg__xen_verb verb;
    } verbs[] = {
        { XLCFG_ACT_ATTACH, XLCFG__XEN_ADD },
        { XLCFG_ACT_DETACH, XLCFG__XEN_REMOVE },
        { XLCFG_ACT_UPDATE, XLCFG__XEN_INSERT },
    };

    (void)handle;
    if (act == XLCFG_ACT_CREATE || act == XLCFG_ACT_WATCH)
        return true;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (verbs[i].act == act)
            return kind == XLCFG_KINDS ||
                xlcfg__xen_has(kind, verbs[i].verb) ||
                no(reason, size, kind, verbs[i].verb);
    snprintf(reason, size, "%s: not done by the Xen driver",
             xlcfg__action_name(act));
    return false;
}

/* ---- attach ---- */

static int call_by_body(struct xlcfg__xen *xen,
                        const struct xlcfg_domain *dom,
                        enum xlcfg_kind kind, enum xlcfg__xen_verb verb,
                        const xlcfg_doc *body, xlcfg_error *err)
{
    const struct xlcfg__xen_order order = {
        .kind = kind, .verb = verb, .domid = (uint32_t)dom->domid,
    };

    return xlcfg__xen_call_body(&xen->hand, &order, body, err);
}

int xlcfg__xen_attach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      xlcfg_error *err)
{
    return call_by_body(handle, dom, kind, XLCFG__XEN_ADD, body, err);
}

/* ---- detach ---- */

/* By libxl. */
static int call_by_nodes(struct xlcfg__xen *xen,
                         const struct xlcfg__xen_nodes *nodes,
                         enum xlcfg__xen_verb verb, xlcfg_error *err)
{
    const struct xlcfg__xen_order order = {
        .kind = nodes->kind, .verb = verb, .domid = nodes->domid,
    };

    return xlcfg__xen_call(&xen->hand, &order, nodes->json, err);
}

/* It has a directory of its own and a body by its number. */
static bool has_nodes(enum xlcfg_kind kind)
{
    return kind != XLCFG_KIND_PCI && kind != XLCFG_KIND_USBDEV;
}

/* libxl removes it in one go, and waits for whom it has to wait for. */
static int remove_by_body(struct xlcfg__xen *xen,
                          const struct xlcfg_domain *dom,
                          enum xlcfg_kind kind, const xlcfg_doc *body,
                          bool force, xlcfg_error *err)
{
    return call_by_body(xen, dom, kind, force ? XLCFG__XEN_DESTROY
                        : XLCFG__XEN_REMOVE, body, err);
}

/* Free what a script should have freed. */
static int free_loop(struct xlcfg__xen *xen,
                     const struct xlcfg__xen_loop *loop, bool dry_run,
                     xlcfg__items *steps, xlcfg_error *err)
{
    if (!xlcfg__xen_loop_leaked(xen->xs, loop))
        return 0;
    if (steps)
        xlcfg__items_add(steps, xlcfg__doc_strf("free /dev/loop%d (%s)",
                                                loop->number,
                                                loop->backing));
    return dry_run ? 0 : xlcfg__xen_loop_free(loop, err);
}

/* While the guest lets go of it, the child begins that will clear it away. */
static int ask_and_clear(struct xlcfg__xen *xen,
                         const struct xlcfg__xen_nodes *nodes,
                         unsigned wait_ms, xlcfg_error *err)
{
    struct xlcfg__xen_loop loop;
    struct xlcfg__wire *wire;
    int rc;

    rc = xlcfg__xen_nodes_ask(nodes, &wire, err);
    if (rc)
        return rc;
    xlcfg__xen_call_ready(&xen->hand);
    xlcfg__xen_loop_of(xen->xs, nodes, &loop);
    rc = xlcfg__xen_nodes_wait(nodes, wire, wait_ms, err);
    if (!rc)
        rc = call_by_nodes(xen, nodes, XLCFG__XEN_REMOVE, err);
    return rc ? rc : free_loop(xen, &loop, false, NULL, err);
}

static int detach_found(struct xlcfg__xen *xen,
                        const struct xlcfg__xen_nodes *nodes, bool force,
                        unsigned wait_ms, xlcfg_error *err)
{
    unsigned used;

    if (!nodes->path[0][0])
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, NULL,
                          "there is no such device");
    if (!nodes->json)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, nodes->path[0],
                          "it is only half there: settle clears it away");
    used = nodes->kind == XLCFG_KIND_USBCTRL && !force
        ? xlcfg__xen_ports_used(xen->xs, nodes) : 0;
    if (used)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, nodes->path[0],
                          "%u of its ports %s a USB device: detach %s "
                          "first", used, used == 1 ? "holds" : "hold",
                          used == 1 ? "it" : "them");
    if (force || nodes->emulated)
        return call_by_nodes(xen, nodes, force ? XLCFG__XEN_DESTROY
                             : XLCFG__XEN_REMOVE, err);
    return ask_and_clear(xen, nodes, wait_ms, err);
}

int xlcfg__xen_detach(void *handle, const struct xlcfg_domain *dom,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      unsigned flags, unsigned wait_ms, xlcfg_error *err)
{
    bool force = flags & XLCFG_DETACH_FORCE;
    struct xlcfg__xen_nodes nodes;
    int devid, rc;

    if (!xlcfg__xen_has(kind, XLCFG__XEN_REMOVE))
        return xlcfg__err(err, XLCFG_ERROR_NI, xlcfg__kinds[kind].name,
                          "cannot be detached here");
    if (!has_nodes(kind))
        return remove_by_body(handle, dom, kind, body, force, err);
    devid = xlcfg__xen_devid(kind, body);
    if (devid < 0)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL,
                          "the body does not say which %s it is",
                          xlcfg__kinds[kind].name);
    rc = xlcfg__xen_nodes_find(handle, kind, (uint32_t)dom->domid,
                               (unsigned)devid, &nodes);
    rc = rc ? xlcfg__nomem(err)
            : detach_found(handle, &nodes, force, wait_ms, err);
    xlcfg__xen_nodes_dispose(&nodes);
    return rc;
}

/* ---- clearing away ---- */

static bool is_litter(struct xlcfg__xen *xen,
                      const struct xlcfg__xen_nodes *nodes,
                      const struct xlcfg_dev *dev)
{
    struct xlcfg__xs_value state;
    bool gone;

    switch (dev->live) {
    case XLCFG_LIVE_PARTIAL:
    case XLCFG_LIVE_COMING:
    case XLCFG_LIVE_FAILED:
    case XLCFG_LIVE_ORPHANED:
    case XLCFG_LIVE_LEAKED:
        return true;
    case XLCFG_LIVE_LEAVING:
        if (!has_nodes(dev->kind))
            return false;
        xlcfg__xs_read(xen->xs, &state, "%s/state", nodes->back);
        gone = xlcfg__xs_absent(&state) ||
            !strcmp(xlcfg__xs_text(&state), "6");
        xlcfg__xs_value_dispose(&state, 1);
        return gone;
    case XLCFG_LIVE_ABSENT:
    case XLCFG_LIVE_PRESENT:
    case XLCFG_LIVE_UNKNOWN:
    case XLCFG_LIVES:
        break;
    }
    return false;
}

static void note_steps(struct xlcfg__xen *xen,
                       const struct xlcfg__xen_nodes *nodes,
                       xlcfg__items *steps)
{
    const char *paths[] = { nodes->path[1], nodes->path[0], nodes->back };

    for (int i = 0; i < 3; i++)
        if (*paths[i] && xlcfg__xen_node_exists(xen->xs, paths[i]))
            xlcfg__items_add(steps, xlcfg__doc_strf("remove %s", paths[i]));
}

static int remove_rest(void *arg, xlcfg_error *err)
{
    return xlcfg__xen_nodes_remove(arg, err);
}

static int clean_nodes(struct xlcfg__xen *xen,
                       struct xlcfg__xen_nodes *nodes, bool dry_run,
                       xlcfg__items *steps, xlcfg_error *err)
{
    struct xlcfg__xen_loop loop;
    int rc;

    note_steps(xen, nodes, steps);
    xlcfg__xen_loop_of(xen->xs, nodes, &loop);
    if (dry_run)
        return 0;
    /* libxl's own way runs the script that frees what the host gave; what it
     * leaves, whatever it answers, goes after it */
    if (nodes->json)
        (void)call_by_nodes(xen, nodes, XLCFG__XEN_DESTROY, NULL);
    rc = xlcfg__xen_child(remove_rest, nodes, XLCFG__XEN_LIBXL_MS,
                          &xen->hand, err);
    return rc ? rc : free_loop(xen, &loop, false, steps, err);
}

/* In a slot or a port: there is only libxl's way. */
static int clean_by_body(struct xlcfg__xen *xen,
                         const struct xlcfg_domain *dom,
                         const struct xlcfg_dev *dev, bool dry_run,
                         xlcfg__items *steps, xlcfg_error *err)
{
    xlcfg__items_add(steps, xlcfg__doc_strf("remove %s from the domain",
                                            dev->key));
    return dry_run ? 0 : remove_by_body(xen, dom, dev->kind, dev->body,
                                        true, err);
}

static int clean_one(struct xlcfg__xen *xen, const struct xlcfg_domain *dom,
                     struct xlcfg__xen_nodes *nodes,
                     const struct xlcfg_dev *dev, bool dry_run,
                     xlcfg__items *steps, xlcfg_error *err)
{
    int rc;

    if (!is_litter(xen, nodes, dev))
        return xlcfg__err(err, dev->live == XLCFG_LIVE_LEAVING
                          ? XLCFG_ERROR_PENDING : XLCFG_ERROR_INVAL,
                          dev->key, "it is %s: nothing was left behind",
                          xlcfg__live_name(dev->live));
    rc = has_nodes(dev->kind)
        ? clean_nodes(xen, nodes, dry_run, steps, err)
        : clean_by_body(xen, dom, dev, dry_run, steps, err);
    return !rc && steps->failed ? xlcfg__nomem(err) : rc;
}

int xlcfg__xen_clean(void *handle, const struct xlcfg_domain *dom,
                     const struct xlcfg_dev *dev, bool dry_run,
                     xlcfg__items *steps, xlcfg_error *err)
{
    struct xlcfg__xen_nodes nodes = { .json = NULL };
    int devid = xlcfg__xen_devid(dev->kind, dev->body);
    int rc = 0;

    if (!xlcfg__xen_has(dev->kind, XLCFG__XEN_REMOVE) ||
        (has_nodes(dev->kind) && devid < 0))
        return xlcfg__err(err, XLCFG_ERROR_NI, dev->key,
                          "cannot be cleared away here");
    if (dev->live == XLCFG_LIVE_ABSENT)
        return 0;
    if (has_nodes(dev->kind))
        rc = xlcfg__xen_nodes_find(handle, dev->kind, (uint32_t)dom->domid,
                                   (unsigned)devid, &nodes);
    if (rc)
        rc = xlcfg__nomem(err);
    else if (!has_nodes(dev->kind) || nodes.path[0][0])
        rc = clean_one(handle, dom, &nodes, dev, dry_run, steps, err);
    xlcfg__xen_nodes_dispose(&nodes);
    return rc;
}
