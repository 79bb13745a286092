/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handles of domains, each of a connection.
 *
 * Those of the connection itself are kept as they are listed or found.  When
 * many ask at once each asks on a lane, a connection of its own: on one that
 * they share, libvirt's client has each wait for whoever reads the socket, and
 * four at once take twice as long as on four.  To another host, or where there
 * is no daemon, a further connection costs more than it gives.
 */
#include "driver/virt_i.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many domains are known when further connections are worth their price,
 * of some milliseconds each. */
#define MANY 12

/* ---- names ---- */

/* It is, and was asked for alone, just now. */
#define KEPT_NOW 2

/* A handle is a name, and lasts as long as its connection. */
struct xlcfg__virt_name {
    char uuid[37];
    virDomainPtr d;
    int kept;                   /* 1, 0; KEPT_NOW; -1: not known (any more) */
    struct xlcfg_domain told;   /* what libvirt said of it last, when it ran
                                   and was kept; no uuid: it did not */
};

static void drop(struct xlcfg__virt_name *name)
{
    virDomainFree(name->d);
    xlcfg__domain_dispose(&name->told);
}

static void forget(struct xlcfg__virt_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        drop(&names->all[i]);
    free(names->all);
    names->all = NULL;
    names->count = 0;
}

static struct xlcfg__virt_name *name_of(struct xlcfg__virt_names *names,
                                        const char *uuid)
{
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->all[i].uuid, uuid))
            return &names->all[i];
    return NULL;
}

static void learn(struct xlcfg__virt_names *names, const char *uuid,
                  virDomainPtr d)
{
    struct xlcfg__virt_name *name = name_of(names, uuid), *more;
    size_t n = names->count;

    if (name) {
        drop(name);
    } else if (n & (n - 1)) {
        name = &names->all[names->count++];
    } else {
        /* by powers of two */
        more = realloc(names->all, (n ? 2 * n : 1) * sizeof(*more));
        if (!more)
            return;
        names->all = more;
        name = &more[names->count++];
    }
    snprintf(name->uuid, sizeof(name->uuid), "%s", uuid);
    virDomainRef(d);
    name->d = d;
    name->kept = -1;
    name->told = (struct xlcfg_domain){ .domid = -1 };
}

void xlcfg__virt_forget_names(struct virt *v)
{
    pthread_mutex_lock(&v->lock);
    forget(&v->lanes[0].names);
    pthread_mutex_unlock(&v->lock);
}

void xlcfg__virt_learn_name(struct virt *v, const char *uuid, virDomainPtr d)
{
    pthread_mutex_lock(&v->lock);
    learn(&v->lanes[0].names, uuid, d);
    pthread_mutex_unlock(&v->lock);
}

/* A name that XML writes as it is. */
static bool is_plain(const char *name)
{
    for (; *name; name++)
        if (*name < ' ' || *name > '~' || strchr("<>&'\"", *name))
            return false;
    return true;
}

virDomainPtr xlcfg__virt_recall_name(struct virt *v, const char *name)
{
    struct xlcfg__virt_names *names = &v->lanes[0].names;
    virDomainPtr d = NULL;

    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < names->count && !d; i++) {
        const char *its = virDomainGetName(names->all[i].d);

        if (its && is_plain(its) &&
            (!strcmp(names->all[i].uuid, name) || !strcmp(its, name)))
            d = names->all[i].d;
    }
    if (d)
        virDomainRef(d);
    pthread_mutex_unlock(&v->lock);
    return d;
}

void xlcfg__virt_unlearn_name(struct virt *v, const char *uuid)
{
    struct xlcfg__virt_names *names = &v->lanes[0].names;
    struct xlcfg__virt_name *name;

    pthread_mutex_lock(&v->lock);
    name = name_of(names, uuid);
    if (name) {
        drop(name);
        *name = names->all[--names->count];
    }
    pthread_mutex_unlock(&v->lock);
}

void xlcfg__virt_note_told(struct virt *v, const struct xlcfg_domain *dom)
{
    struct xlcfg__virt_name *name;

    pthread_mutex_lock(&v->lock);
    name = name_of(&v->lanes[0].names, dom->uuid);
    if (name) {
        xlcfg__domain_dispose(&name->told);
        if (xlcfg__domain_copy(&name->told, dom))
            name->told = (struct xlcfg_domain){ .domid = -1 };
    }
    pthread_mutex_unlock(&v->lock);
}

bool xlcfg__virt_recall_told(struct virt *v, const char *name,
                             struct xlcfg_domain *dom_r)
{
    struct xlcfg__virt_names *names = &v->lanes[0].names;
    bool found = false;

    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < names->count && !found; i++) {
        const struct xlcfg_domain *told = &names->all[i].told;

        found = told->uuid[0] && is_plain(told->name) &&
            (!strcmp(told->uuid, name) || !strcmp(told->name, name)) &&
            !xlcfg__domain_copy(dom_r, told);
    }
    pthread_mutex_unlock(&v->lock);
    return found;
}

void xlcfg__virt_note_kept(struct virt *v, const char *uuid, bool kept)
{
    struct xlcfg__virt_name *name;

    pthread_mutex_lock(&v->lock);
    name = name_of(&v->lanes[0].names, uuid);
    if (name)
        name->kept = kept ? KEPT_NOW : -1;
    pthread_mutex_unlock(&v->lock);
}

/* All but the transient ones, of which there are few. */
void xlcfg__virt_learn_kept(struct virt *v)
{
    struct xlcfg__virt_names *names = &v->lanes[0].names;
    virDomainPtr *all;
    int count = virConnectListAllDomains(v->conn, &all,
                                         VIR_CONNECT_LIST_DOMAINS_TRANSIENT);
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (count < 0)
        return;                 /* then each is asked */
    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < names->count; i++)
        names->all[i].kept = 1;
    for (int k = 0; k < count; k++) {
        struct xlcfg__virt_name *name = NULL;

        if (virDomainGetUUIDString(all[k], uuid) == 0)
            name = name_of(names, uuid);
        if (name)
            name->kept = 0;
    }
    pthread_mutex_unlock(&v->lock);
    for (int k = 0; k < count; k++)
        virDomainFree(all[k]);
    free(all);
}

/* Of the connection itself, to be freed.  NULL: none is known.  kept_r may be
 * NULL; else that is told once. */
static virDomainPtr named(struct virt *v, const char *uuid, int *kept_r)
{
    struct xlcfg__virt_name *name;
    virDomainPtr d = NULL;

    pthread_mutex_lock(&v->lock);
    name = name_of(&v->lanes[0].names, uuid);
    if (name) {
        d = name->d;
        virDomainRef(d);
    }
    if (name && kept_r) {
        *kept_r = name->kept;
        name->kept = -1;
    }
    pthread_mutex_unlock(&v->lock);
    return d;
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

/* ---- lanes ---- */

static bool is_near(const struct virt *v)
{
    const char *host = strstr(v->uri, "://");

    return v->is_remote && host && host[3] == '/';
}

/* The first that nobody has, taken; NULL: others go first. */
static struct xlcfg__virt_lane *take(struct virt *v, bool many)
{
    struct xlcfg__virt_lane *lane = NULL;
    unsigned count;

    pthread_mutex_lock(&v->lock);
    many = many || v->lanes[0].names.count >= MANY;
    count = many && is_near(v) ? XLCFG__VIRT_LANES : 1;
    for (unsigned i = 0; i < count && !lane; i++)
        if (!v->lanes[i].taken)
            lane = &v->lanes[i];
    if (lane)
        lane->taken = true;
    pthread_mutex_unlock(&v->lock);
    return lane;
}

static void hang_up(struct xlcfg__virt_lane *lane)
{
    forget(&lane->names);
    if (lane->conn)
        virConnectClose(lane->conn);
    lane->conn = NULL;
}

/* With all handles at once: one call, where each would be one.  A libvirt that
 * has as many clients as it may lets one wait: not so long that the answer
 * would be late. */
static bool dial(struct virt *v, struct xlcfg__virt_lane *lane)
{
    char uuid[VIR_UUID_STRING_BUFLEN];
    virDomainPtr *all;
    int count;

    lane->conn = xlcfg__virt_dial(v->uri, v->deadline_ms / 3, NULL);
    if (!lane->conn || virConnectSetKeepAlive(lane->conn, 2, 3) < 0)
        return false;
    count = virConnectListAllDomains(lane->conn, &all, 0);
    for (int i = 0; i < count; i++) {
        if (virDomainGetUUIDString(all[i], uuid) == 0)
            learn(&lane->names, uuid, all[i]);
        virDomainFree(all[i]);
    }
    if (count >= 0)
        free(all);
    return count >= 0;
}

/* The domain's handle on a lane that is the caller's.  NULL: there is none,
 * the connection's own will do. */
static virDomainPtr on_lane(struct virt *v, struct xlcfg__virt_lane *lane,
                            const char *uuid)
{
    struct xlcfg__virt_name *name;
    virDomainPtr d;

    if (lane->conn && virConnectIsAlive(lane->conn) != 1)
        hang_up(lane);
    if (!lane->conn && (v->refused || !dial(v, lane))) {
        hang_up(lane);
        v->refused = true;
        return NULL;
    }
    name = name_of(&lane->names, uuid);
    if (name) {
        virDomainRef(name->d);
        return name->d;
    }
    d = virDomainLookupByUUIDString(lane->conn, uuid);
    if (d)
        learn(&lane->names, uuid, d);
    return d;
}

int xlcfg__virt_hold(struct virt *v, const struct xlcfg_domain *dom,
                     bool many, struct xlcfg__virt_hold *hold_r,
                     xlcfg_error *err)
{
    struct xlcfg__virt_hold hold = { .kept = -1 };
    virDomainPtr other;
    int rc = 0;

    hold.d = named(v, dom->uuid, &hold.kept);
    hold.listed = hold.kept == 0 || hold.kept == 1;
    if (hold.kept == KEPT_NOW)
        hold.kept = 1;
    if (!hold.d) {
        /* which may connect anew; seldom, for who is listed or found is
         * named */
        pthread_mutex_lock(&v->opening);
        rc = xlcfg__virt_reach(v, dom, &hold.d, err);
        pthread_mutex_unlock(&v->opening);
    }
    if (rc)
        return rc;
    hold.lane = take(v, many);
    if (hold.lane && hold.lane != v->lanes) {
        other = on_lane(v, hold.lane, dom->uuid);
        if (other) {
            virDomainFree(hold.d);
            hold.d = other;
        }
    }
    *hold_r = hold;
    return 0;
}

void xlcfg__virt_let_go(struct virt *v, struct xlcfg__virt_hold *hold)
{
    virDomainFree(hold->d);
    if (!hold->lane)
        return;
    pthread_mutex_lock(&v->lock);
    hold->lane->taken = false;
    pthread_mutex_unlock(&v->lock);
}

void xlcfg__virt_close_lanes(struct virt *v)
{
    for (unsigned i = 1; i < XLCFG__VIRT_LANES; i++)
        hang_up(&v->lanes[i]);
}
