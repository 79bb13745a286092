/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The libvirt driver: any hypervisor that libvirt runs, by its URI.
 *
 *     xlcfg -c qemu:///system list
 *
 * This is the connection: opening it, and again when the daemon has come
 * back; and the table of the driver.
 */
#include "driver/virt_hush.h"
#include "driver/virt_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STEP_MS 10
/* The first start of an embedded driver asks each emulator what it can. */
#define EMBED_MS 30000

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
    struct xlcfg__virt_hushed was;

    xlcfg__virt_hush(&was);
    xlcfg__virt_end_ahead(v);
    if (v->events && v->conn)
        xlcfg__virt_events_leave(v->events, v->conn);
    /* nor is their work to end half done */
    if (v->is_embed && v->conn)
        await_guests(v);
    xlcfg__virt_forget_names(v);
    xlcfg__virt_close_lanes(v);
    if (v->conn)
        virConnectClose(v->conn);
    xlcfg__virt_unhush(&was);
    pthread_mutex_destroy(&v->lock);
    pthread_mutex_destroy(&v->opening);
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
    v->refused = false;
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
    pthread_mutex_init(&v->opening, NULL);
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
        xlcfg__virt_forget_names(v);
        virConnectClose(v->conn);
        v->conn = NULL;
    }
    rc = connect_now(v, err);
    if (!rc && (joined || v->watched))
        v->watched = xlcfg__virt_events_join(v->events, v->conn,
                                             v->is_remote);
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

/* A device's body is asked for its words when it is prepared: only with the
 * element that is there does a change of it mean something. */
static int virt_check(void *handle, enum xlcfg_kind kind,
                      const xlcfg_doc *body, xlcfg_error *err)
{
    char *xml;
    int rc;

    (void)handle;
    if (kind != XLCFG_KINDS)
        return 0;
    rc = xlcfg__virt_to_xml(body, &xml, err);
    if (!rc)
        free(xml);
    return rc;
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
    .list = xlcfg__virt_list,
    .find = xlcfg__hushed_find,
    .told = xlcfg__virt_told,
    .ask = xlcfg__virt_ask_again,
    .print = xlcfg__virt_print,
    .index = xlcfg__virt_index,
    .live = xlcfg__virt_live,
    .stored = xlcfg__hushed_stored,
    .can = xlcfg__virt_can,
    .prepare = xlcfg__hushed_prepare, .place = xlcfg__virt_book_place,
    .attach = xlcfg__hushed_attach,
    .detach = xlcfg__hushed_detach,
    .update = xlcfg__hushed_update,
    .clean = xlcfg__hushed_clean,
    .create = xlcfg__hushed_create,
    .check = virt_check, .check_update = xlcfg__virt_check_update,
    .to_xml = virt_to_xml,
    .from_xml = virt_from_xml,
    .device_from_xml = virt_device_from_xml,
    .watch_fd = virt_watch_fd,
    .watch_next = virt_watch_next,
    .forget = xlcfg__hushed_forget,
    .keep = xlcfg__hushed_keep,
    .capacity = xlcfg__hushed_capacity,
    .look = xlcfg__virt_look,
    .abreast = XLCFG__VIRT_LANES,
    .go_on = xlcfg__hushed_go_on,
    .ready = xlcfg__virt_soon,
    .finish = xlcfg__virt_end_ahead,
};
