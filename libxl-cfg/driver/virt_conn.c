/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The libvirt driver: any hypervisor that libvirt runs, by its URI.
 *
 *     xlcfg -c qemu:///system list
 *
 * Devices are looked at in the live XML; an action that is not here yet is
 * answered with a no and its reason.
 */
#include "driver/driver.h"
#include "core/hash.h"
#include "driver/virt_body.h"
#include "driver/virt_xml.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From this version on a look at the XML waits for another's hotplug. */
#define XML_WAITS 11000000UL

struct virt {
    virConnectPtr conn;
    unsigned long version;      /* of the daemon; 0: not known */
};

/* ---- once a process ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool started;

static void no_words(void *arg, virErrorPtr e)
{
    (void)arg; (void)e;
}

static void *turn(void *arg)
{
    for (;;)
        if (virEventRunDefaultImpl() < 0)
            return arg;
}

/* The embedded driver needs the loop to run before it is opened. */
static void start(void)
{
    pthread_attr_t attr;
    pthread_t thread;

    virSetErrorFunc(NULL, no_words);
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0 ||
        pthread_attr_init(&attr))
        return;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    started = !pthread_create(&thread, &attr, turn, NULL);
    pthread_attr_destroy(&attr);
}

/* ---- errors ---- */

static int said(xlcfg_error *err, const char *where)
{
    virErrorPtr e = virGetLastError();
    int code = XLCFG_ERROR_UNREACHABLE;

    if (e && e->code == VIR_ERR_NO_DOMAIN)
        code = XLCFG_ERROR_DOMAIN_NOTFOUND;
    if (e && e->code == VIR_ERR_NO_MEMORY)
        code = XLCFG_ERROR_NOMEM;
    return xlcfg__err(err, code, where, "%s",
                      e && e->message ? e->message
                      : "libvirt gave no reason");
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

static void virt_close(void *handle)
{
    struct virt *v = handle;

    virConnectClose(v->conn);
    free(v);
}

static int virt_open(const char *uri, const struct xlcfg_driver_options *opt,
                     void **handle_r, xlcfg_error *err)
{
    struct virt *v;

    (void)opt;
    if (!is_mine(uri))
        return XLCFG_DECLINED;
    pthread_once(&once, start);
    if (!started)
        return xlcfg__err(err, XLCFG_ERROR_UNREACHABLE, uri,
                          "libvirt's event loop did not start");
    v = calloc(1, sizeof(*v));
    if (!v)
        return xlcfg__nomem(err);
    v->conn = virConnectOpenAuth(uri, NULL, 0);
    if (!v->conn) {
        free(v);
        return said(err, uri);
    }
    if (virConnectGetLibVersion(v->conn, &v->version) < 0)
        v->version = 0;
    *handle_r = v;
    return 0;
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

static int describe(virDomainPtr d, struct xlcfg_domain *dom_r,
                    xlcfg_error *err)
{
    struct xlcfg_domain dom = { .domid = -1 };
    unsigned id = virDomainGetID(d);
    int state;

    if (virDomainGetUUIDString(d, dom.uuid) < 0 ||
        virDomainGetState(d, &state, NULL, 0) < 0)
        return said(err, virDomainGetName(d));
    dom.state = state_word(state);
    dom.name = strdup(virDomainGetName(d));
    if (dom.name && id != (unsigned)-1) {
        dom.domid = id;
        if (asprintf(&dom.run, "%u", id) < 0)
            dom.run = NULL;
    }
    if (!dom.name || (dom.domid >= 0 && !dom.run)) {
        xlcfg__domain_dispose(&dom);
        return xlcfg__nomem(err);
    }
    *dom_r = dom;
    return 0;
}

static int virt_list(void *handle, struct xlcfg_domains *list,
                     xlcfg_error *err)
{
    struct virt *v = handle;
    virDomainPtr *all;
    int count = virConnectListAllDomains(v->conn, &all, 0);
    int rc = 0;

    if (count < 0)
        return said(err, NULL);
    for (int i = 0; i < count; i++) {
        struct xlcfg_domain dom;

        if (!rc) {
            rc = describe(all[i], &dom, err);
            if (!rc && xlcfg__domains_add(list, &dom))
                rc = xlcfg__nomem(err);
            else if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
                rc = 0;         /* gone since it was listed */
        }
        virDomainFree(all[i]);
    }
    free(all);
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
    virDomainPtr d = lookup(handle, name);
    int rc;

    if (!d)
        return said(err, name);
    rc = describe(d, dom_r, err);
    virDomainFree(d);
    return rc;
}

/* ---- one domain ---- */

static int reach(void *handle, const struct xlcfg_domain *dom,
                 virDomainPtr *d_r, xlcfg_error *err)
{
    struct virt *v = handle;
    virDomainPtr d = virDomainLookupByUUIDString(v->conn, dom->uuid);

    if (!d)
        return said(err, dom->uuid);
    *d_r = d;
    return 0;
}

static int read_config(virDomainPtr d, unsigned flags, xlcfg_doc **config_r,
                       xlcfg_error *err)
{
    char *xml = virDomainGetXMLDesc(d, flags);
    int rc;

    if (!xml)
        return said(err, virDomainGetName(d));
    rc = xlcfg__virt_from_xml(xml, strlen(xml), config_r, err);
    free(xml);
    if (rc == XLCFG_ERROR_PARSE)
        xlcfg__err_in(err, virDomainGetName(d));
    return rc;
}

/* Does somebody hold the domain, so that its XML would be waited for? */
static bool is_busy(struct virt *v, virDomainPtr d)
{
    virDomainControlInfo info;

    /* a driver without this call has no such wait */
    if (virDomainGetControlInfo(d, &info, 0) < 0)
        return false;
    return info.state == VIR_DOMAIN_CONTROL_ERROR ||
        (info.state != VIR_DOMAIN_CONTROL_OK && v->version >= XML_WAITS);
}

static int set_addresses(struct xlcfg_view *view)
{
    bool nomem = false;

    for (size_t i = 0; i < view->count && !nomem; i++)
        view->devs[i].address = xlcfg__virt_address(view->devs[i].body,
                                                    &nomem);
    return nomem ? XLCFG_ERROR_NOMEM : 0;
}

static int virt_live(void *handle, const struct xlcfg_domain *dom,
                     struct xlcfg_view *view, xlcfg_error *err)
{
    static const enum xlcfg_kind seen[] = {
        XLCFG_KIND_DISK, XLCFG_KIND_NIC, XLCFG_KIND_PCI, XLCFG_KIND_VFB,
        XLCFG_KIND_CHANNEL, XLCFG_KIND_USBCTRL, XLCFG_KIND_USBDEV,
    };
    xlcfg_doc *config = NULL;
    virDomainPtr d = NULL;
    int rc;

    rc = reach(handle, dom, &d, err);
    if (rc)
        return rc;
    if (is_busy(handle, d)) {
        xlcfg__view_note(view, "devices: libvirt is busy with this domain, "
                         "its XML would be waited for");
        rc = view->unknown.failed ? xlcfg__nomem(err) : 0;
        goto out;
    }
    rc = read_config(d, 0, &config, err);
    if (rc == XLCFG_ERROR_PARSE && err) {
        /* there, but not to be understood: said, nothing is made up */
        xlcfg__view_note(view, "devices: %s: %s", err->where, err->message);
        rc = view->unknown.failed ? xlcfg__nomem(err) : 0;
        goto out;
    }
    if (!rc)
        rc = xlcfg__view_from_config(config, view, err);
    if (!rc && set_addresses(view))
        rc = xlcfg__nomem(err);
    view->whole = true;
    for (size_t i = 0; !rc && i < sizeof(seen) / sizeof(seen[0]); i++)
        view->sees[seen[i]] = true;
out:
    xlcfg_doc_free(config);
    virDomainFree(d);
    return rc;
}

static int virt_index(void *handle, const struct xlcfg_domain *dom,
                      char **text_r, xlcfg_error *err)
{
    struct xlcfg_view view;
    char hex[65] = "", *text = NULL;
    size_t size = 0;
    FILE *f;
    int rc;

    xlcfg__view_init(&view);
    f = open_memstream(&text, &size);
    if (!f)
        return xlcfg__nomem(err);
    rc = virt_live(handle, dom, &view, err);
    for (size_t i = 0; i < view.count; i++)
        fprintf(f, "%s\n", view.devs[i].key);
    if (fclose(f) && !rc)
        rc = xlcfg__nomem(err);
    if (!rc && view.unknown.count == 0)
        xlcfg__hash_bytes(text, size, hex);
    free(text);
    xlcfg__view_dispose(&view);
    if (rc)
        return rc;
    *text_r = strdup(hex);
    return *text_r ? 0 : xlcfg__nomem(err);
}

static int virt_stored(void *handle, const struct xlcfg_domain *dom,
                       xlcfg_doc **config_r, xlcfg_error *err)
{
    virDomainPtr d = NULL;
    int kept, rc;

    rc = reach(handle, dom, &d, err);
    if (rc)
        return rc;
    kept = virDomainIsPersistent(d);
    if (kept < 0)
        rc = said(err, dom->uuid);
    else if (!kept)
        rc = xlcfg__err(err, XLCFG_ERROR_NOTFOUND, dom->uuid,
                        "a transient domain: nothing is kept for its next "
                        "start");
    else
        rc = read_config(d, VIR_DOMAIN_XML_INACTIVE, config_r, err);
    virDomainFree(d);
    return rc;
}

/* ---- abilities, XML ---- */

static bool virt_can(void *handle, enum xlcfg_kind kind,
                     enum xlcfg_action act, char *reason, size_t size)
{
    (void)handle; (void)kind;
    if (act == XLCFG_ACT_XML)
        return true;
    snprintf(reason, size, "the libvirt driver reads alone: it has no %s",
             act < XLCFG_ACTS ? xlcfg__action_name(act) : "such action");
    return false;
}

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
    .index = virt_index,
    .live = virt_live,
    .stored = virt_stored,
    .can = virt_can,
    .to_xml = virt_to_xml,
    .from_xml = virt_from_xml,
    .device_from_xml = virt_device_from_xml,
};
