/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* New domains: transient, or defined and started; what fails leaves nothing
 * behind, and a start that was cut off can go on. */
#include "driver/virt_qmp.h"
#include "driver/virt_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As long as libvirt itself waits for whoever holds a domain. */
#define BUSY_MS 30000

/* Is one of that name or uuid there?  *same_r: under both, not running. */
static int is_there(struct virt *v, const char *name, const char *uuid,
                    bool *there_r, bool *same_r, xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;     /* none there: no error */
    virDomainPtr a, b;
    int rc = 0;

    a = virDomainLookupByName(v->conn, name);
    if (!a)
        rc = xlcfg__virt_said(v->conn, XLCFG_ERROR_UNREACHABLE, name, &why);
    b = uuid ? virDomainLookupByUUIDString(v->conn, uuid) : NULL;
    if (uuid && !b && (!rc || rc == XLCFG_ERROR_DOMAIN_NOTFOUND))
        rc = xlcfg__virt_said(v->conn, XLCFG_ERROR_UNREACHABLE, uuid, &why);
    if (rc == XLCFG_ERROR_DOMAIN_NOTFOUND)
        rc = 0;
    else if (rc && err)
        *err = why;
    *there_r = a || b;
    *same_r = a && b && !strcmp(virDomainGetName(b), name) &&
        virDomainIsActive(a) == 0;
    if (a)
        virDomainFree(a);
    if (b)
        virDomainFree(b);
    return rc;
}

/*
 * A document that does not say what runs it gets KVM where libvirt lists it,
 * which it does when a QEMU that it tried could use it; else QEMU alone.
 */
static int kind_of_guest(struct virt *v, const xlcfg_doc *config, char **xml,
                         xlcfg_error *err)
{
    static const char kvm[] = "<domain type=\"kvm\"";
    char *caps, *at;
    bool has;

    if (xlcfg_doc_get(config, "x-libvirt"))
        return 0;
    caps = virConnectGetCapabilities(v->conn);
    if (!caps)
        return xlcfg__virt_said(v->conn, XLCFG_ERROR_UNREACHABLE, v->uri,
                                err);
    has = strstr(caps, "<domain type='kvm'") != NULL;
    free(caps);
    at = has ? NULL : strstr(*xml, kvm);
    if (at) {
        size_t skip = sizeof(kvm) - 1;

        /* "qemu" is a letter longer than "kvm" */
        char *longer = malloc(strlen(*xml) + 2);

        if (!longer)
            return xlcfg__nomem(err);
        memcpy(longer, *xml, (size_t)(at - *xml));
        strcpy(stpcpy(longer + (at - *xml), "<domain type=\"qemu\""),
               at + skip);
        free(*xml);
        *xml = longer;
    }
    return 0;
}

/* Was it KVM that this failed for?  Then it is said what goes without. */
static int for_want_of_kvm(int rc, const char *xml, xlcfg_error *err)
{
    size_t len = err ? strnlen(err->message, sizeof(err->message)) : 0;

    if (err && strstr(xml, "<domain type=\"kvm\"") &&
        strcasestr(err->message, "kvm"))
        snprintf(err->message + len, sizeof(err->message) - len,
                 "; without KVM it runs with <domain type='qemu'> in "
                 "/x-libvirt");
    return rc;
}

/* Define and start.  again: it was there, and stays when it does not start. */
static virDomainPtr define(struct virt *v, const char *xml, bool start,
                           bool again, int *rc, xlcfg_error *err)
{
    virDomainPtr d = virDomainDefineXMLFlags(v->conn, xml, 0);

    if (d && start && virDomainCreate(d) < 0) {
        *rc = xlcfg__virt_said_of(d, XLCFG_ERROR_REFUSED, err);
        if (!again && virDomainUndefineFlags(
                d, VIR_DOMAIN_UNDEFINE_NVRAM |
                VIR_DOMAIN_UNDEFINE_MANAGED_SAVE) < 0)
            (void)virDomainUndefine(d);
        virDomainFree(d);
        return NULL;
    }
    if (!d)
        *rc = xlcfg__virt_said(v->conn, XLCFG_ERROR_REFUSED, v->uri, err);
    return d;
}

int xlcfg__virt_create(void *handle, const xlcfg_doc *config,
                       unsigned flags, struct xlcfg_domain *dom_r,
                       xlcfg_error *err)
{
    const xlcfg_doc *info = xlcfg_doc_get(config, "c_info");
    const char *name = xlcfg__doc_getstr(info, "name");
    const char *uuid = xlcfg__doc_getstr(info, "uuid");
    bool start = flags & XLCFG_CREATE_START;
    bool transient = flags & XLCFG_CREATE_TRANSIENT;
    struct virt *v = handle;
    bool there, same;
    virDomainPtr d = NULL;
    char *xml;
    int rc;

    if (!name)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/c_info/name",
                          "expected the name of the new domain");
    rc = xlcfg__virt_ready(v, err);
    if (!rc)
        rc = is_there(v, name, uuid, &there, &same, err);
    if (rc)
        return rc;
    if (there && !(start && same))
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, name,
                          "there is a domain of this name or uuid");
    rc = xlcfg__virt_to_xml(config, &xml, err);
    if (rc)
        return rc;
    rc = kind_of_guest(v, config, &xml, err);
    if (!rc && transient)
        d = virDomainCreateXML(v->conn, xml, 0);
    else if (!rc)
        d = define(v, xml, start, there, &rc, err);
    if (!rc && !d)
        rc = xlcfg__virt_said(v->conn, XLCFG_ERROR_REFUSED, name, err);
    if (rc)
        rc = for_want_of_kvm(rc, xml, err);
    free(xml);
    if (!rc)
        rc = xlcfg__virt_describe(v, d, dom_r, err);
    if (d)
        virDomainFree(d);
    return rc;
}

/* ---- a start that was cut off ---- */

static bool runs(virDomainPtr d)
{
    int state, reason;

    return virDomainGetState(d, &state, &reason, 0) == 0 &&
        state == VIR_DOMAIN_RUNNING;
}

/*
 * QEMU cannot be asked, or does not do it.  What libvirt has on record as
 * started, and had no process when libvirt was killed, is nobody's ever after:
 * it is listed, libvirt never looks for its QEMU, and no call of libvirt's
 * gets at it, not even to destroy it.
 */
static int not_now(virDomainPtr d, const xlcfg_error *why, xlcfg_error *err)
{
    const char *name = virDomainGetName(d);
    int state = VIR_DOMAIN_NOSTATE, reason = 0;

    if (why->code == XLCFG_ERROR_NI || why->code == XLCFG_ERROR_NOMEM ||
        virDomainGetState(d, &state, &reason, 0) < 0) {
        if (err)
            *err = *why;
        return why->code;
    }
    if (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_STARTING_UP)
        return xlcfg__err(
            err, XLCFG_ERROR_PENDING, name,
            "libvirt says that it is starting up, and lets nobody ask QEMU. "
            "If it has no QEMU, libvirt was killed before there was one, and "
            "never looks for it again: stop libvirt's daemon, remove %.60s.xml "
            "from where that keeps what runs (/run/libvirt/qemu), and start "
            "it anew (%.300s)", name, why->message);
    return xlcfg__err(err, XLCFG_ERROR_PENDING, name, "%.400s",
                      why->message);
}

/* libvirt starts the processors last.  It does not do so for a guest that it
 * finds when it is started itself; QEMU knows whether they ever ran. */
static int never_ran(struct virt *v, virDomainPtr d, xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    xlcfg_doc *said = NULL;
    const char *status;
    int rc;

    rc = xlcfg__qmp(v, d, "query-status", NULL, &said, &why);
    if (rc)
        return not_now(d, &why, err);
    status = xlcfg__doc_getstr(said, "status");
    if (!status || strcmp(status, "prelaunch"))
        rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, virDomainGetName(d),
                        "it has run, and was paused since: QEMU says %.40s",
                        status ? status : "nothing");
    xlcfg_doc_free(said);
    return rc;
}

static int let_run(struct virt *v, virDomainPtr d, xlcfg_error *err)
{
    struct xlcfg__virt_call call = { .ask = XLCFG__VIRT_RESUME };
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc;

    rc = xlcfg__virt_ask(v, d, &call, &why);
    if (rc == XLCFG__VIRT_NO)
        rc = xlcfg__virt_said_no(&call, v->conn, XLCFG_ERROR_REFUSED,
                                 virDomainGetName(d), &why);
    /* unless somebody else was faster */
    return rc && !runs(d) ? not_now(d, &why, err) : 0;
}

int xlcfg__virt_go_on(void *handle, const struct xlcfg_domain *dom,
                      xlcfg_error *err)
{
    struct virt *v = handle;
    virDomainControlInfo info;
    virDomainPtr d;
    int rc;

    if (!v->is_qemu)
        return xlcfg__err(err, XLCFG_ERROR_NI, dom->name,
                          "whether it has ever run only QEMU tells");
    rc = xlcfg__virt_known(v, dom, &d, err);
    if (rc)
        return rc;
    /* who asks now waits behind them */
    if (virDomainGetControlInfo(d, &info, 0) == 0 &&
        info.state != VIR_DOMAIN_CONTROL_OK)
        rc = xlcfg__err(err, XLCFG_ERROR_PENDING, dom->name,
                        "libvirt is busy with it for %llu ms%s",
                        info.stateTime, info.stateTime < BUSY_MS ? ""
                        : ", and may not get on with its QEMU any more: "
                        "then only to destroy it helps");
    if (!rc && !runs(d))
        rc = never_ran(v, d, err);
    if (!rc && !runs(d))
        rc = let_run(v, d, err);
    virDomainFree(d);
    return rc;
}
