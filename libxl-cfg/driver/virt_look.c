/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking at one domain: in the live XML and in the definition that is kept.
 * The configuration is never asked of statistics, which wait for the guest;
 * and libvirt is asked first whether somebody holds the domain.
 */
#include "driver/virt_i.h"
#include "core/hash.h"
#include "driver/virt_body.h"
#include "driver/virt_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* From this version on a look at the XML waits for another's hotplug. */
#define XML_WAITS 11000000UL
/* Somebody who is in the monitor for longer than this is stuck there. */
#define STUCK_MS 1000
#define STEP_MS 10
#define TYPE ((const xmlChar *)"type")

static void nap(void)
{
    static const struct timespec step = { 0, STEP_MS * 1000000 };

    nanosleep(&step, NULL);
}

/* The XML, with its secrets where they may be read. */
static char *xml_of(virDomainPtr d, unsigned flags)
{
    char *xml = virDomainGetXMLDesc(d, flags | VIR_DOMAIN_XML_SECURE);

    return xml ? xml : virDomainGetXMLDesc(d, flags);
}

int xlcfg__virt_desc(virDomainPtr d, unsigned flags,
                     xmlDocPtr *doc_r, xlcfg_error *err)
{
    char *xml = xml_of(d, flags);
    int rc;

    if (!xml)
        return xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    rc = xlcfg__virt_parse(xml, strlen(xml), "domain", doc_r, err);
    free(xml);
    if (rc == XLCFG_ERROR_PARSE)
        xlcfg__err_in(err, virDomainGetName(d));
    return rc;
}

/*
 * Does somebody hold the domain?  Then from some version on its XML would be
 * waited for: true, nothing is to be read.  Before that it is libvirt's
 * memory that is shown; said when it is for long.
 */
static bool is_busy(struct virt *v, virDomainPtr d, struct xlcfg_view *view)
{
    unsigned left = v->version >= XML_WAITS ? v->deadline_ms / 3 : 0;
    virDomainControlInfo info;

    for (;; left -= left < STEP_MS ? left : STEP_MS) {
        /* a driver without this call has no such wait */
        if (virDomainGetControlInfo(d, &info, 0) < 0 ||
            info.state == VIR_DOMAIN_CONTROL_OK)
            return false;
        if (!left)
            break;
        nap();
    }
    if (info.state == VIR_DOMAIN_CONTROL_ERROR || v->version >= XML_WAITS) {
        xlcfg__view_note(view, "devices: libvirt is busy with this domain "
                         "for %llu ms, its XML would be waited for",
                         info.stateTime);
        return true;
    }
    if (info.stateTime >= STUCK_MS)
        xlcfg__view_note(view, "devices: QEMU has not answered libvirt for "
                         "%llu ms: what libvirt remembers is shown",
                         info.stateTime);
    return false;
}

/* Of each device in turn; null for none. */
static xlcfg_doc *addresses_of(const struct xlcfg_view *view)
{
    xlcfg__items it = { 0 };
    bool nomem = false;

    for (size_t i = 0; i < view->count; i++) {
        xlcfg_doc *at = xlcfg__virt_address(view->devs[i].body, &nomem);

        xlcfg__items_add(&it, at || nomem ? at : xlcfg__doc_null());
    }
    return xlcfg__items_end(&it);
}

/* Takes xml. */
static int understand(struct virt *v, const struct xlcfg_domain *dom,
                      char *xml, struct xlcfg_view *view, xlcfg_error *err)
{
    xlcfg_doc *config = NULL, *at = NULL;
    bool known = xlcfg__virt_recall(v->memo, dom->uuid, false, xml, &config,
                                    &at);
    int rc = 0;

    if (!known)
        rc = xlcfg__virt_from_xml(xml, strlen(xml), &config, err);
    if (rc == XLCFG_ERROR_PARSE)
        xlcfg__err_in(err, dom->name);
    if (!rc)
        rc = xlcfg__view_from_config(config, view, err);
    if (!rc && !known)
        at = addresses_of(view);
    if (!rc && !at)
        rc = xlcfg__nomem(err);
    for (size_t i = 0; !rc && i < view->count; i++) {
        const xlcfg_doc *one = xlcfg_doc_at(at, i);

        if (xlcfg_doc_kind(one) == XLCFG_DOC_OBJECT)
            view->devs[i].address = xlcfg_doc_ref(one);
    }
    if (!rc && !known)
        xlcfg__virt_learn(v->memo, dom->uuid, false, xml, config, at);
    else
        free(xml);
    xlcfg_doc_free(config);
    xlcfg_doc_free(at);
    return rc;
}

int xlcfg__virt_live(void *handle, const struct xlcfg_domain *dom,
                     struct xlcfg_view *view, xlcfg_error *err)
{
    static const enum xlcfg_kind seen[] = {
        XLCFG_KIND_DISK, XLCFG_KIND_NIC, XLCFG_KIND_PCI, XLCFG_KIND_VFB,
        XLCFG_KIND_CHANNEL, XLCFG_KIND_USBCTRL, XLCFG_KIND_USBDEV,
    };
    struct virt *v = handle;
    virDomainPtr d = NULL;
    char *xml;
    int rc;

    rc = xlcfg__virt_reach(v, dom, &d, err);
    if (rc)
        return rc;
    if (is_busy(v, d, view)) {
        rc = view->unknown.failed ? xlcfg__nomem(err) : 0;
        goto out;
    }
    xml = xml_of(d, 0);
    rc = xml ? understand(v, dom, xml, view, err)
        : xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    if (rc == XLCFG_ERROR_PARSE && err) {
        /* there, but not to be understood: said, nothing is made up */
        xlcfg__view_note(view, "devices: %s: %s", err->where, err->message);
        rc = view->unknown.failed ? xlcfg__nomem(err) : 0;
        goto out;
    }
    view->whole = true;
    for (size_t i = 0; !rc && i < sizeof(seen) / sizeof(seen[0]); i++)
        view->sees[seen[i]] = true;
    if (!rc && view->deep && v->is_qemu && dom->domid >= 0)
        rc = xlcfg__virt_deep(v, d, view, err);
out:
    virDomainFree(d);
    return rc;
}

/* The text libvirt has, whatever of it moved: to read it costs a tenth of
 * understanding it. */
int xlcfg__virt_index(void *handle, const struct xlcfg_domain *dom,
                      char **text_r, xlcfg_error *err)
{
    struct virt *v = handle;
    struct xlcfg_view busy;
    char hex[65] = "", *xml = NULL;
    virDomainPtr d;
    int rc;

    rc = xlcfg__virt_reach(v, dom, &d, err);
    if (rc)
        return rc;
    xlcfg__view_init(&busy);
    if (!is_busy(v, d, &busy)) {
        xml = virDomainGetXMLDesc(d, 0);
        if (!xml)
            rc = xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    }
    if (xml)
        xlcfg__hash_bytes(xml, strlen(xml), hex);
    xlcfg__view_dispose(&busy);
    free(xml);
    virDomainFree(d);
    if (rc)
        return rc;
    *text_r = strdup(hex);
    return *text_r ? 0 : xlcfg__nomem(err);
}

/* ---- what is kept ---- */

/* What a start makes of <cpu> is what the next start makes of it again. */
static bool liken_cpu(xmlNodePtr kept, xmlNodePtr live)
{
    xmlNodePtr is = xlcfg__xml_child(live, "cpu");
    xmlNodePtr was = xlcfg__xml_child(kept, "cpu"), copy;
    char *check = was ? xlcfg__xml_get(was, "@check") : NULL;
    bool same, ok = true;
    char path[256];

    if (was)
        xmlUnsetProp(was, (const xmlChar *)"check");
    same = is && was && (xlcfg__virt_covers(is, was, path, sizeof(path)) ||
                         (xlcfg__xml_has(was, "@mode", "host-model") &&
                          xlcfg__xml_has(is, "@mode", "custom")));
    copy = same ? xmlDocCopyNode(is, kept->doc, 1) : NULL;
    if (copy)
        xmlFreeNode(xmlReplaceNode(was, copy));
    else if (check)
        ok = xlcfg__xml_set(was, "@check", check);
    xmlFree(check);
    return ok && (copy || !same);
}

/* A drive that is empty has forgotten the format of what was in it. */
static void liken_drives(xmlNodePtr kept, xmlNodePtr live)
{
    xmlNodePtr devices = xlcfg__xml_child(kept, "devices");
    xmlNodePtr there = xlcfg__xml_child(live, "devices");

    for (xmlNodePtr k = devices ? devices->children : NULL; k; k = k->next) {
        char *name = xlcfg__xml_is(k, "disk") &&
            !xlcfg__xml_child(k, "source")
            ? xlcfg__xml_get(k, "target@dev") : NULL;

        for (xmlNodePtr n = there ? there->children : NULL; name && n;
             n = n->next)
            if (xlcfg__xml_is(n, "disk") &&
                xlcfg__xml_has(n, "target@dev", name) &&
                xlcfg__xml_child(n, "driver") &&
                !xmlHasProp(xlcfg__xml_child(n, "driver"), TYPE))
                xmlUnsetProp(xlcfg__xml_child(k, "driver"), TYPE);
        xmlFree(name);
    }
}

/* The definition, as far as a start changes it without a wish of anybody. */
static int likened(const char *kept_xml, const char *live_xml,
                   xlcfg_doc **config_r, xlcfg_error *err)
{
    xmlDocPtr kept = NULL, live = NULL;
    xmlNodePtr a, b;
    int rc;

    rc = xlcfg__virt_parse(kept_xml, strlen(kept_xml), "domain", &kept, err);
    if (!rc && *live_xml)
        rc = xlcfg__virt_parse(live_xml, strlen(live_xml), "domain", &live,
                               err);
    if (rc)
        goto out;
    a = xmlDocGetRootElement(kept);
    b = live ? xmlDocGetRootElement(live) : NULL;
    if (b && !liken_cpu(a, b)) {
        rc = xlcfg__nomem(err);
        goto out;
    }
    if (b)
        liken_drives(a, b);
    rc = xlcfg__virt_from_tree(kept, config_r, err);
out:
    xmlFreeDoc(kept);
    xmlFreeDoc(live);
    return rc;
}

static int read_kept(struct virt *v, virDomainPtr d,
                     const struct xlcfg_domain *dom, xlcfg_doc **config_r,
                     xlcfg_error *err)
{
    char *kept = xml_of(d, VIR_DOMAIN_XML_INACTIVE), *both = NULL;
    char *live = kept && dom->domid >= 0 ? xml_of(d, 0) : NULL;
    int rc = 0;

    if (!kept || (dom->domid >= 0 && !live))
        rc = xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    else if (asprintf(&both, "%s\n%s", kept, live ? live : "") < 0) {
        both = NULL;
        rc = xlcfg__nomem(err);
    }
    if (!rc && !xlcfg__virt_recall(v->memo, dom->uuid, true, both, config_r,
                                   NULL)) {
        rc = likened(kept, live ? live : "", config_r, err);
        if (rc == XLCFG_ERROR_PARSE)
            xlcfg__err_in(err, dom->name);
        if (!rc) {
            xlcfg__virt_learn(v->memo, dom->uuid, true, both, *config_r,
                              NULL);
            both = NULL;
        }
    }
    free(both);
    free(kept);
    free(live);
    return rc;
}

int xlcfg__virt_stored(void *handle, const struct xlcfg_domain *dom,
                       xlcfg_doc **config_r, xlcfg_error *err)
{
    struct virt *v = handle;
    virDomainPtr d = NULL;
    int kept, rc;

    rc = xlcfg__virt_reach(v, dom, &d, err);
    if (rc)
        return rc;
    kept = virDomainIsPersistent(d);
    if (kept < 0)
        rc = xlcfg__virt_said(v->conn, XLCFG_ERROR_UNREACHABLE, dom->uuid,
                              err);
    else if (!kept)
        rc = xlcfg__err(err, XLCFG_ERROR_NOTFOUND, dom->uuid,
                        "a transient domain: nothing is kept for its next "
                        "start");
    else
        rc = read_kept(v, d, dom, config_r, err);
    virDomainFree(d);
    return rc;
}
