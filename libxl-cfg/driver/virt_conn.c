/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The libvirt driver: any hypervisor that libvirt runs, by its URI.
 *
 *     xlcfg -c qemu:///system list
 *
 * This is the connection: opening it, and again when the daemon has come
 * back; which domains there are; and the table of the driver.
 */
#include "driver/virt_i.h"
#include "driver/virt_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STEP_MS 10
/* Calls on their way at once: libvirtd has some 20 threads for all. */
#define ABREAST 4
/* The first start of an embedded driver asks each emulator what it can. */
#define EMBED_MS 30000

/* ---- names ---- */

/* A handle is a name, and lasts as long as its connection. */
struct xlcfg__virt_name {
    char uuid[37];
    virDomainPtr d;
    int kept;                   /* 1, 0; -1: not known (any more) */
};

static void forget_names(struct virt *v)
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

static virDomainPtr named(struct virt *v, const char *uuid, int *kept_r)
{
    virDomainPtr d = NULL;

    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < v->named && !d; i++)
        if (!strcmp(v->names[i].uuid, uuid)) {
            d = v->names[i].d;
            *kept_r = v->names[i].kept;
            v->names[i].kept = -1;
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

/* ---- open, close ---- */

static bool is_mine(const char *uri)
{
    static const char *const schemes[] = {
        "qemu", "test", "lxc", "ch", "bhyve", "vz", "openvz", "vbox", "esx",
        "vpx", "gsx", "hyperv", "vmwareplayer", "vmwarews", "vmwarefusion",
    };

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t n = strlen(schemes[i]);

        if (!strncmp(uri, schemes[i], n) &&
            (uri[n] == ':' || uri[n] == '+') && strstr(uri + n, "://"))
            return true;
    }
    return false;
}

/* A host's ids begin again at each of its boots; of another host's boot
 * nothing is known. */
static void read_boot(struct virt *v)
{
    const char *host = strstr(v->uri, "://");
    FILE *f;

    if (!host || host[3] != '/')
        return;
    f = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (f && fscanf(f, "%36s", v->boot) != 1)
        v->boot[0] = '\0';
    if (f)
        fclose(f);
}

static void nap(void)
{
    static const struct timespec step = { 0, STEP_MS * 1000000 };

    nanosleep(&step, NULL);
}

/*
 * An embedded driver finds the guests that run while it is being opened, and
 * compares them with QEMU in threads of its own.  A look before they are
 * done is old, and a process that ends before leaves their work half done.
 */
static void await_guests(struct virt *v)
{
    virDomainPtr *all;
    int count = virConnectListAllDomains(v->conn, &all,
                                         VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    unsigned left = v->deadline_ms;

    for (int i = 0; i < count; i++) {
        virDomainControlInfo info = { .state = VIR_DOMAIN_CONTROL_OK };

        while (left && virDomainGetControlInfo(all[i], &info, 0) == 0 &&
               info.state != VIR_DOMAIN_CONTROL_OK) {
            nap();
            left -= left < STEP_MS ? left : STEP_MS;
        }
        virDomainFree(all[i]);
    }
    if (count >= 0)
        free(all);
}

static void virt_close(void *handle)
{
    struct virt *v = handle;

    if (v->events && v->conn)
        xlcfg__virt_events_leave(v->events, v->conn);
    /* nor is their work to end half done */
    if (v->is_embed && v->conn)
        await_guests(v);
    forget_names(v);
    if (v->conn)
        virConnectClose(v->conn);
    pthread_mutex_destroy(&v->lock);
    xlcfg__virt_events_free(v->events);
    xlcfg__virt_memo_free(v->memo);
    free(v->uri);
    free(v);
}

static int connect_now(struct virt *v, xlcfg_error *err)
{
    const char *type;

    v->conn = xlcfg__virt_dial(v->uri, v->limit_ms, err);
    if (!v->conn)
        return err ? err->code : XLCFG_ERROR_UNREACHABLE;
    /* a daemon that has hung is noticed; local drivers have no such thing */
    v->is_remote = virConnectSetKeepAlive(v->conn, 2, 3) >= 0;
    type = virConnectGetType(v->conn);
    v->is_qemu = type && !strcmp(type, "QEMU");
    if (virConnectGetLibVersion(v->conn, &v->version) < 0)
        v->version = 0;
    if (v->is_embed)
        await_guests(v);
    return 0;
}

static int virt_open(const char *uri, const struct xlcfg_driver_options *opt,
                     void **handle_r, xlcfg_error *err)
{
    struct virt *v;
    int rc;

    if (!is_mine(uri))
        return XLCFG_DECLINED;
    rc = xlcfg__virt_load(uri, err);
    if (rc)
        return rc;
    if (!xlcfg__virt_start())
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, uri,
                          "libvirt's event loop did not start");
    v = calloc(1, sizeof(*v));
    if (!v)
        return xlcfg__nomem(err);
    pthread_mutex_init(&v->lock, NULL);
    v->uri = strdup(uri);
    v->events = xlcfg__virt_events_new();
    v->memo = xlcfg__virt_memo_new();
    if (!v->uri || !v->events || !v->memo) {
        virt_close(v);
        return xlcfg__nomem(err);
    }
    v->is_embed = strstr(uri, ":///embed") != NULL;
    v->deadline_ms = opt->deadline_ms ? opt->deadline_ms : 3000;
    v->limit_ms = v->is_embed ? EMBED_MS : v->deadline_ms;
    read_boot(v);
    rc = connect_now(v, err);
    if (rc) {
        virt_close(v);
        return rc;
    }
    *handle_r = v;
    return 0;
}

/* The daemon may have gone and come back. */
int xlcfg__virt_ready(struct virt *v, xlcfg_error *err)
{
    bool joined = false;
    int rc;

    if (v->conn && virConnectIsAlive(v->conn) != 0)
        return 0;
    if (v->conn) {
        joined = xlcfg__virt_events_leave(v->events, v->conn);
        forget_names(v);
        virConnectClose(v->conn);
        v->conn = NULL;
    }
    rc = connect_now(v, err);
    if (!rc && (joined || v->watched))
        v->watched = xlcfg__virt_events_join(v->events, v->conn,
                                             v->is_remote);
    return rc;
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

/* state -1: to be asked for, and whether it is saved. */
static int describe(const struct virt *v, virDomainPtr d, int state,
                    struct xlcfg_domain *dom_r, xlcfg_error *err)
{
    struct xlcfg_domain dom = { .domid = -1 };
    unsigned id = virDomainGetID(d);
    bool ask = state < 0;
    int reason = 0;

    if (virDomainGetUUIDString(d, dom.uuid) < 0 ||
        (ask && virDomainGetState(d, &state, &reason, 0) < 0))
        return xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
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

static int virt_list(void *handle, struct xlcfg_domains *list,
                     xlcfg_error *err)
{
    struct virt *v = handle;
    virDomainPtr *all;
    int count, rc;

    rc = xlcfg__virt_ready(v, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&v->lock);
    forget_names(v);
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

static int virt_find(void *handle, const char *name,
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

/* ---- hints ---- */

static int virt_watch_fd(void *handle, xlcfg_error *err)
{
    struct virt *v = handle;
    int rc;

    rc = xlcfg__virt_ready(v, err);
    if (rc)
        return rc;
    v->watched = xlcfg__virt_events_join(v->events, v->conn,
                                             v->is_remote);
    if (!v->watched)
        return xlcfg__virt_said(v->conn, XLCFG_ERROR_NI, v->uri, err);
    return xlcfg__virt_events_fd(v->events);
}

static int virt_watch_next(void *handle, char uuid_r[37], xlcfg_error *err)
{
    struct virt *v = handle;

    (void)err;
    return xlcfg__virt_events_next(v->events, uuid_r) ? 0 : 1;
}

/* ---- XML ---- */

static int virt_to_xml(void *handle, const xlcfg_doc *config, char **xml_r,
                       xlcfg_error *err)
{
    (void)handle;
    return xlcfg__virt_to_xml(config, xml_r, err);
}

static int virt_from_xml(void *handle, const char *xml, size_t len,
                         xlcfg_doc **config_r, xlcfg_error *err)
{
    (void)handle;
    return xlcfg__virt_from_xml(xml, len, config_r, err);
}

static int virt_device_from_xml(void *handle, const char *xml, size_t len,
                                enum xlcfg_kind *kind_r, xlcfg_doc **body_r,
                                xlcfg_error *err)
{
    (void)handle;
    return xlcfg__virt_device_from_xml(xml, len, kind_r, body_r, err);
}

const struct xlcfg_driver xlcfg__driver_virt = {
    .size = sizeof(struct xlcfg_driver),
    .name = "libvirt",
    .home = XLCFG_HOME_BACKEND,
    .scheme = "qemu",
    .open = virt_open,
    .close = virt_close,
    .list = virt_list,
    .find = virt_find,
    .index = xlcfg__virt_index,
    .live = xlcfg__virt_live,
    .stored = xlcfg__virt_stored,
    .can = xlcfg__virt_can,
    .prepare = xlcfg__virt_prepare, .place = xlcfg__virt_book_place,
    .attach = xlcfg__virt_attach,
    .detach = xlcfg__virt_detach,
    .update = xlcfg__virt_update,
    .clean = xlcfg__virt_clean,
    .create = xlcfg__virt_create,
    .to_xml = virt_to_xml,
    .from_xml = virt_from_xml,
    .device_from_xml = virt_device_from_xml,
    .watch_fd = virt_watch_fd,
    .watch_next = virt_watch_next,
    .forget = xlcfg__virt_forget,
    .capacity = xlcfg__virt_capacity,
    .look = xlcfg__virt_look,
    .abreast = ABREAST,
};
