/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which domains libvirt has: all of them, or one by name, uuid or id. */
#include "driver/virt_i.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which domains there are ---- */

static const char *state_word(int state)
{
    switch (state) {
    case VIR_DOMAIN_RUNNING: case VIR_DOMAIN_BLOCKED:
        return "running";
    case VIR_DOMAIN_PAUSED: case VIR_DOMAIN_PMSUSPENDED:
        return "paused";
    case VIR_DOMAIN_SHUTDOWN:
        return "shutdown";
    case VIR_DOMAIN_SHUTOFF:
        return "stopped";
    case VIR_DOMAIN_CRASHED:
        return "crashed";
    }
    return "unknown";
}

/* After a restart libvirtd knows no reason, but what it manages itself. */
static bool is_saved(virDomainPtr d, int state, int reason)
{
    return state == VIR_DOMAIN_SHUTOFF &&
        (reason == VIR_DOMAIN_SHUTOFF_SAVED ||
         (reason == VIR_DOMAIN_SHUTOFF_UNKNOWN &&
          virDomainHasManagedSaveImage(d, 0) == 1));
}

/* Its number is of when it was looked up, its state of now: between the two
 * it may have ended, or begun. */
static unsigned number_of(virDomainPtr d, const char *uuid, int state)
{
    unsigned id = virDomainGetID(d);
    virDomainPtr now;

    if (state == VIR_DOMAIN_SHUTOFF)
        return (unsigned)-1;
    if (id != (unsigned)-1 || state == VIR_DOMAIN_CRASHED)
        return id;
    now = virDomainLookupByUUIDString(virDomainGetConnect(d), uuid);
    if (now) {
        id = virDomainGetID(now);
        virDomainFree(now);
    }
    return id;
}

/* state -1: to be asked for, and whether it is saved. */
static int describe(const struct virt *v, virDomainPtr d, int state,
                    struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    struct xlcfg_domain dom = { .domid = -1 };
    bool ask = state < 0;
    int reason = 0;
    unsigned id;

    if (virDomainGetUUIDString(d, dom.uuid) < 0 ||
        (ask && virDomainGetState(d, &state, &reason, 0) < 0))
        return xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    id = number_of(d, dom.uuid, state);
    dom.state = state_word(state);
    dom.saved = ask && is_saved(d, state, reason);
    dom.name = strdup(virDomainGetName(d));
    if (dom.name && id != (unsigned)-1) {
        dom.domid = id;
        if (asprintf(&dom.run, "%s%s%u", v->boot, v->boot[0] ? "/" : "",
                     id) < 0)
            dom.run = NULL;
    }
    if (!dom.name || (dom.domid >= 0 && !dom.run)) {
        xlcfg__domain_dispose(&dom);
        return xlcfg__nomem(err);
    }
    *dom_r = dom;
    return 0;
}

int xlcfg__virt_describe(const struct virt *v, virDomainPtr d,
                         struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    return describe(v, d, -1, dom_r, err);
}

/* One domain of a list.  state -1: to be asked for. */
static int list_one(struct virt *v, virDomainPtr d, int state,
                    struct xlcfg_domains *list, xlcfg_error *err)
{
    struct xlcfg_domain dom;
    int rc;

    rc = describe(v, d, state, &dom, err);
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
        return 0;               /* gone since it was listed */
    if (rc)
        return rc;
    xlcfg__virt_learn_name(v, dom.uuid, d);
    return xlcfg__domains_add(list, &dom) ? xlcfg__nomem(err) : 0;
}

/* The state alone, of all in one call: libvirt knows it by heart. */
static bool list_states(struct virt *v, struct xlcfg_domains *list, int *rc_r,
                        xlcfg_error *err)
{
    virDomainStatsRecordPtr *all;
    int count = virConnectGetAllDomainStats(v->conn, VIR_DOMAIN_STATS_STATE,
                                            &all, 0), rc = 0;

    if (count < 0)
        return false;
    for (int i = 0; i < count && !rc; i++) {
        int state = -1;

        if (virTypedParamsGetInt(all[i]->params, all[i]->nparams,
                                 "state.state", &state) != 1)
            state = -1;
        rc = list_one(v, all[i]->dom, state, list, err);
    }
    virDomainStatsRecordListFree(all);
    *rc_r = rc;
    return true;
}

int xlcfg__virt_list(void *handle, struct xlcfg_domains *list,
                     xlcfg_error *err)
{
    struct virt *v = handle;
    virDomainPtr *all;
    int count, rc;

    rc = xlcfg__virt_ready(v, err);
    if (rc)
        return rc;
    xlcfg__virt_forget_names(v);
    if (list_states(v, list, &rc, err)) {
        xlcfg__virt_learn_kept(v);
        return rc;
    }
    count = virConnectListAllDomains(v->conn, &all, 0);
    if (count < 0)
        return xlcfg__virt_said(v->conn, XLCFG_ERROR_UNREACHABLE, v->uri,
                                err);
    for (int i = 0; i < count; i++) {
        if (!rc)
            rc = list_one(v, all[i], -1, list, err);
        virDomainFree(all[i]);
    }
    free(all);
    xlcfg__virt_learn_kept(v);
    return rc;
}

virDomainPtr xlcfg__virt_lookup(virConnectPtr conn, const char *name)
{
    virDomainPtr d = virDomainLookupByUUIDString(conn, name);
    char *end;
    unsigned long id;

    if (!d)
        d = virDomainLookupByName(conn, name);
    if (d || *name < '0' || *name > '9')
        return d;
    id = strtoul(name, &end, 10);
    if (!*end && id <= INT32_MAX)
        d = virDomainLookupByID(conn, (int)id);
    return d;
}

/* What the records of one domain say of it; false: nothing of use. */
static bool describe_record(struct virt *v, virDomainStatsRecordPtr *all,
                            int count, struct xlcfg_domain *dom_r)
{
    int state = VIR_DOMAIN_SHUTOFF;

    return count == 1 &&
        virTypedParamsGetInt(all[0]->params, all[0]->nparams, "state.state",
                             &state) == 1 &&
        state != VIR_DOMAIN_SHUTOFF &&      /* why is not among them */
        !describe(v, all[0]->dom, state, dom_r, NULL);
}

/* For the state of those of these domains that are kept. */
bool xlcfg__virt_describe_kept(struct virt *v, virDomainPtr d,
                               struct xlcfg_domain *dom_r)
{
    virDomainPtr one[] = { d, NULL };
    virDomainStatsRecordPtr *all;
    virErrorPtr no;
    int count;
    bool so;

    if (v->no_stats)
        return false;
    count = virDomainListGetStats(one, VIR_DOMAIN_STATS_STATE, &all,
                                  VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT);
    if (count < 0) {
        no = virGetLastError();
        v->no_stats = no && no->code == VIR_ERR_NO_SUPPORT;
        return false;
    }
    so = describe_record(v, all, count, dom_r);
    virDomainStatsRecordListFree(all);
    return so;
}

static void note_kept(struct virt *v, const struct xlcfg_domain *dom,
                      bool kept)
{
    xlcfg__virt_note_kept(v, dom->uuid, kept);
    if (kept)
        xlcfg__virt_note_told(v, dom);
}

/* By the handle it had before: fewer calls, and the look that follows is told
 * to see whether it is that one. */
static bool recall(struct virt *v, const char *name,
                   struct xlcfg_domain *dom_r)
{
    virDomainPtr d = xlcfg__virt_recall_name(v, name);
    bool kept = d && xlcfg__virt_describe_kept(v, d, dom_r);
    bool so = kept || (d && !describe(v, d, -1, dom_r, NULL));

    if (d)
        virDomainFree(d);
    if (!so)
        return false;
    note_kept(v, dom_r, kept);
    dom_r->recalled = true;
    if (!strcmp(dom_r->name, name) || !strcmp(dom_r->uuid, name))
        return true;
    xlcfg__domain_dispose(dom_r);       /* it has another name now */
    return false;
}

int xlcfg__virt_find(void *handle, const char *name,
                     struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    struct virt *v = handle;
    virDomainPtr d;
    bool kept;
    int rc;

    rc = xlcfg__virt_ready(v, err);
    if (rc || recall(v, name, dom_r))
        return rc;
    d = xlcfg__virt_lookup(v->conn, name);
    if (!d)
        return xlcfg__virt_said(v->conn, XLCFG_ERROR_UNREACHABLE, name, err);
    kept = xlcfg__virt_describe_kept(v, d, dom_r);
    rc = kept ? 0 : describe(v, d, -1, dom_r, err);
    if (!rc)
        xlcfg__virt_learn_name(v, dom_r->uuid, d);
    if (!rc)
        note_kept(v, dom_r, kept);
    virDomainFree(d);
    return rc;
}

/* ---- one domain ---- */

int xlcfg__virt_reach(struct virt *v, const struct xlcfg_domain *dom,
                      virDomainPtr *d_r, xlcfg_error *err)
{
    virDomainPtr d;
    int rc;

    rc = xlcfg__virt_ready(v, err);
    if (rc)
        return rc;
    d = virDomainLookupByUUIDString(v->conn, dom->uuid);
    if (!d)
        return xlcfg__virt_said(v->conn, XLCFG_ERROR_UNREACHABLE, dom->uuid,
                                err);
    *d_r = d;
    return 0;
}
