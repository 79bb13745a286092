/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which domains libvirt has: all of them, one by name, uuid or id, and the
 * handles that are kept of those that were listed. */
#include "driver/virt_i.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

/* A handle is a name, and lasts as long as its connection. */
struct xlcfg__virt_name {
    char uuid[37];
    virDomainPtr d;
    int kept;                   /* 1, 0; -1: not known (any more) */
};

void xlcfg__virt_forget_names(struct virt *v)
{
    for (size_t i = 0; i < v->named; i++)
        virDomainFree(v->names[i].d);
    free(v->names);
    v->names = NULL;
    v->named = 0;
}

/* Keep it as well, for xlcfg__virt_hold; where that fails it is looked up. */
static void learn_name(struct virt *v, const char *uuid, virDomainPtr d)
{
    struct xlcfg__virt_name *name = NULL, *more;

    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < v->named && !name; i++)
        if (!strcmp(v->names[i].uuid, uuid))
            name = &v->names[i];
    if (name)
        virDomainFree(name->d);
    /* by powers of two */
    if (!name && !(v->named & (v->named - 1)))
        more = realloc(v->names, (v->named ? 2 * v->named : 1) *
                       sizeof(*more));
    else
        more = v->names;
    if (more) {
        v->names = more;
        name = name ? name : &v->names[v->named++];
        snprintf(name->uuid, sizeof(name->uuid), "%s", uuid);
        virDomainRef(d);
        name->d = d;
        name->kept = -1;
    }
    pthread_mutex_unlock(&v->lock);
}

/* kept_r may be NULL; else that is told once. */
static virDomainPtr named(struct virt *v, const char *uuid, int *kept_r)
{
    virDomainPtr d = NULL;

    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < v->named && !d; i++)
        if (!strcmp(v->names[i].uuid, uuid)) {
            d = v->names[i].d;
            if (kept_r) {
                *kept_r = v->names[i].kept;
                v->names[i].kept = -1;
            }
        }
    if (d)
        virDomainRef(d);
    pthread_mutex_unlock(&v->lock);
    return d;
}

/* Which are kept: all but the transient ones, of which there are few. */
static void learn_kept(struct virt *v)
{
    virDomainPtr *all;
    int count = virConnectListAllDomains(v->conn, &all,
                                         VIR_CONNECT_LIST_DOMAINS_TRANSIENT);
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (count < 0)
        return;                 /* then each is asked */
    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < v->named; i++)
        v->names[i].kept = 1;
    for (int k = 0; k < count; k++) {
        if (virDomainGetUUIDString(all[k], uuid) < 0)
            *uuid = '\0';
        for (size_t i = 0; i < v->named; i++)
            if (!strcmp(v->names[i].uuid, uuid))
                v->names[i].kept = 0;
    }
    pthread_mutex_unlock(&v->lock);
    for (int k = 0; k < count; k++)
        virDomainFree(all[k]);
    free(all);
}

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
    learn_name(v, dom.uuid, d);
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
    pthread_mutex_lock(&v->lock);
    xlcfg__virt_forget_names(v);
    pthread_mutex_unlock(&v->lock);
    if (list_states(v, list, &rc, err)) {
        learn_kept(v);
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
    learn_kept(v);
    return rc;
}

static virDomainPtr lookup(struct virt *v, const char *name)
{
    virDomainPtr d = virDomainLookupByUUIDString(v->conn, name);
    char *end;
    unsigned long id;

    if (!d)
        d = virDomainLookupByName(v->conn, name);
    if (d || *name < '0' || *name > '9')
        return d;
    id = strtoul(name, &end, 10);
    if (!*end && id <= INT32_MAX)
        d = virDomainLookupByID(v->conn, (int)id);
    return d;
}

int xlcfg__virt_find(void *handle, const char *name,
                     struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    struct virt *v = handle;
    virDomainPtr d;
    int rc;

    rc = xlcfg__virt_ready(v, err);
    if (rc)
        return rc;
    d = lookup(v, name);
    if (!d)
        return xlcfg__virt_said(v->conn, XLCFG_ERROR_UNREACHABLE, name, err);
    rc = describe(v, d, -1, dom_r, err);
    if (!rc)
        learn_name(v, dom_r->uuid, d);
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

int xlcfg__virt_known(struct virt *v, const struct xlcfg_domain *dom,
                      virDomainPtr *d_r, xlcfg_error *err)
{
    int rc;

    rc = xlcfg__virt_ready(v, err);
    if (rc)
        return rc;
    *d_r = named(v, dom->uuid, NULL);
    return *d_r ? 0 : xlcfg__virt_reach(v, dom, d_r, err);
}

int xlcfg__virt_hold(struct virt *v, const struct xlcfg_domain *dom,
                     virDomainPtr *d_r, int *kept_r, xlcfg_error *err)
{
    int rc;

    *kept_r = -1;
    *d_r = named(v, dom->uuid, kept_r);
    if (*d_r)
        return 0;
    /* which may connect anew; seldom, for who is listed or found is named */
    pthread_mutex_lock(&v->lock);
    rc = xlcfg__virt_reach(v, dom, d_r, err);
    pthread_mutex_unlock(&v->lock);
    return rc;
}
