/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attach: by libvirt, and judged by what its XML shows afterwards, never by the
 * return code alone.  One XML is for what runs and what is kept.
 */
#include "driver/virt_i.h"
#include "core/key.h"
#include "driver/virt_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- abilities ---- */

bool xlcfg__virt_can(void *handle, enum xlcfg_kind kind,
                     enum xlcfg_action act, char *reason, size_t size)
{
    /* NULL: yes; libvirt's hotplug knows the rest not */
    static const struct {
        const char *plug, *update;
    } kinds[XLCFG_KINDS] = {
        [XLCFG_KIND_PCI] = { NULL, "libvirt changes no host device" },
        [XLCFG_KIND_USBDEV] = { NULL, "libvirt changes no host device" },
        [XLCFG_KIND_VFB] = { "libvirt hotplugs no graphics", NULL },
        [XLCFG_KIND_CHANNEL] = { NULL, "libvirt changes no channel" },
        [XLCFG_KIND_USBCTRL] = { "libvirt hotplugs no USB controller",
                                 "libvirt changes no controller" },
    };
    const struct virt *v = handle;
    const char *why = NULL;
    bool known = kind == XLCFG_KINDS || kind == XLCFG_KIND_DISK ||
        kind == XLCFG_KIND_NIC || kinds[kind].plug || kinds[kind].update;

    switch (act) {
    case XLCFG_ACT_XML: case XLCFG_ACT_WATCH:
        return true;
    case XLCFG_ACT_CREATE:
        why = v->is_qemu ? NULL : "only QEMU guests are created";
        break;
    case XLCFG_ACT_ATTACH: case XLCFG_ACT_DETACH: case XLCFG_ACT_UPDATE:
        why = !v->is_qemu ? "only QEMU guests are changed"
            : !known ? "libvirt has no such device"
            : kind == XLCFG_KINDS ? NULL
            : act == XLCFG_ACT_UPDATE ? kinds[kind].update
            : kinds[kind].plug;
        break;
    case XLCFG_ACT_SNAPSHOT: case XLCFG_ACT_CHECKPOINT:
    case XLCFG_ACT_EXPORT: case XLCFG_ACTS:
        snprintf(reason, size, "the libvirt driver has no %s",
                 act < XLCFG_ACTS ? xlcfg__action_name(act)
                 : "such action");
        return false;
    }
    if (why)
        snprintf(reason, size, "%s", why);
    return !why;
}

unsigned xlcfg__virt_affect(bool kept)
{
    return VIR_DOMAIN_AFFECT_LIVE | (kept ? VIR_DOMAIN_AFFECT_CONFIG : 0u);
}

/* ---- prepare ---- */

/*
 * Is such a device kept for the next start alone?  Then somebody else put it
 * there: libvirt keeps nothing of an attach that it did not do.
 */
static int kept_alone(const struct xlcfg__virt_place *at,
                      enum xlcfg_kind kind, const xlcfg_doc *body,
                      xlcfg_error *err)
{
    struct xlcfg_ident id;
    xmlNodePtr runs = NULL, kept = NULL;

    if (!at->kept)
        return 0;
    if (xlcfg__virt_device(at->live, kind, body, &runs) ||
        xlcfg__virt_device(at->kept, kind, body, &kept))
        return xlcfg__nomem(err);
    if (runs || !kept)
        return 0;
    xlcfg__key_of(kind, body, &id);
    return xlcfg__err(err, XLCFG_ERROR_DEVICE_EXISTS, id.key,
                      "what is kept for the next start has it already, and "
                      "what runs has not: detach it, or start the guest anew");
}

/* A frame buffer or channel is numbered by those before it. */
static size_t count_of(xmlDocPtr doc, enum xlcfg_kind kind)
{
    xmlNodePtr devices = xlcfg__xml_child(xmlDocGetRootElement(doc),
                                           "devices");
    size_t count = 0;

    for (xmlNodePtr n = devices ? devices->children : NULL; n; n = n->next)
        count += n->type == XML_ELEMENT_NODE && xlcfg__virt_kind(n) == kind;
    return count;
}

int xlcfg__virt_prepare(void *handle, const struct xlcfg_domain *dom,
                        enum xlcfg_kind kind, const xlcfg_doc *body,
                        const struct xlcfg_view *live,
                        const struct xlcfg__addresses *book,
                        xlcfg_doc **body_r, xlcfg_error *err)
{
    struct xlcfg__virt_place at = { 0 };
    virDomainPtr d;
    xmlDocPtr doc = NULL;
    xmlNodePtr dev;
    int rc;

    (void)live;                 /* its bodies have lost their aliases */
    at.book = book;
    rc = xlcfg__virt_able(handle, dom, &d, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_lone(kind, body, &doc, &dev, err);
    if (!rc)
        rc = xlcfg__virt_place_recall(handle, d, dom->uuid, &at, err);
    if (!rc)
        rc = xlcfg__virt_settle_in(&at, kind, dev, err);
    if (!rc) {
        xlcfg__virt_canon_device(dev, false);
        rc = xlcfg__virt_body(kind, dev, count_of(at.live, kind), body_r,
                              err);
    }
    if (!rc) {
        rc = kept_alone(&at, kind, *body_r, err);
        if (rc) {
            xlcfg_doc_free(*body_r);
            *body_r = NULL;
        }
    }
    xlcfg__virt_place_free(&at);
    xmlFreeDoc(doc);
    virDomainFree(d);
    return rc;
}

/* ---- attach ---- */

/* Is all that was sent in what is read back?  REFUSED names what is not. */
static int compare(xmlDocPtr doc, bool kept, enum xlcfg_kind kind,
                   const xlcfg_doc *body, xmlNodePtr sent, xlcfg_error *err)
{
    xmlNodePtr dev = NULL;
    char path[256];

    if (xlcfg__virt_device(doc, kind, body, &dev))
        return xlcfg__nomem(err);
    if (!dev)
        return xlcfg__err(err, XLCFG_ERROR_REFUSED, (const char *)sent->name,
                          "libvirt said that it was done, and %s has no "
                          "such device", kept ? "what it keeps"
                          : "the guest");
    if (xlcfg__virt_covers(dev, sent, path, sizeof(path)))
        return 0;
    /* or what a start makes of it */
    xlcfg__virt_canon_device(dev, xmlHasProp(xmlDocGetRootElement(doc),
                                             (const xmlChar *)"id"));
    if (xlcfg__virt_covers(dev, sent, path, sizeof(path)))
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_REFUSED, path,
                      "libvirt has dropped this without a word");
}

int xlcfg__virt_read_back(struct virt *v, const struct xlcfg_domain *dom,
                          virDomainPtr d, enum xlcfg_kind kind,
                          const xlcfg_doc *body, xmlNodePtr sent, bool kept,
                          xmlDocPtr docs[2], xlcfg_error *err)
{
    int rc = 0;

    for (int i = 0; !rc && i < 1 + kept; i++) {
        char *xml = xlcfg__virt_xml(d, i ? VIR_DOMAIN_XML_INACTIVE : 0);
        xmlDocPtr doc = NULL;

        rc = xml ? xlcfg__virt_parse_desc(d, xml, &doc, err)
            : xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
        if (!rc)
            rc = compare(doc, i, kind, body, sent, err);
        if (docs)
            docs[i] = doc;
        else
            xmlFreeDoc(doc);
        if (!rc && !i)
            xlcfg__virt_saw(v->memo, dom->uuid, false, xml);
        else
            free(xml);
    }
    return rc;
}

/* libvirt takes no attach: because another came first, with this address or
 * as this very device? */
static int outrun(virDomainPtr d, enum xlcfg_kind kind, const xlcfg_doc *body,
                  xmlNodePtr dev, int rc, xlcfg_error *err)
{
    struct xlcfg__virt_place at = { 0 };

    if (!xlcfg__virt_place_read(d, &at, NULL)) {
        int other = kept_alone(&at, kind, body, err);

        if (other)
            rc = other;
        else if (xlcfg__virt_is_taken(&at, dev))
            rc = xlcfg__err(err, XLCFG_ERROR_LOCK_FAIL, virDomainGetName(d),
                            "another device was given this address");
    }
    xlcfg__virt_place_free(&at);
    return rc;
}

/* It was attached, but not whole: away with it.  The guest may hold on. */
static int undo(void *handle, const struct xlcfg_domain *dom,
                enum xlcfg_kind kind, const xlcfg_doc *body,
                xlcfg_error *err)
{
    size_t len = err ? strnlen(err->message, 600) : 0;
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc;

    rc = xlcfg__virt_detach(handle, dom, kind, body, 0, 5000, &why);
    rc = rc == XLCFG_LEFT ? 0 : rc;
    (void)xlcfg__virt_forget(handle, dom, kind, body, NULL);
    if (!rc)
        return XLCFG_ERROR_REFUSED;
    if (err) {
        snprintf(err->message + len, sizeof(err->message) - len,
                 "; it was asked to leave again: %.300s", why.message);
        err->code = XLCFG_ERROR_REFUSED;
    }
    return XLCFG_ASKED;
}

int xlcfg__virt_attach(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       xlcfg_error *err)
{
    struct virt *v = handle;
    xmlDocPtr doc = NULL;
    xmlNodePtr dev;
    virDomainPtr d;
    char *xml = NULL;
    bool kept = false, there = false;
    int rc;

    rc = xlcfg__virt_able(v, dom, &d, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_lone(kind, body, &doc, &dev, err);
    if (!rc)
        rc = xlcfg__virt_is_kept(d, &kept, err);
    if (rc)
        goto out;
    xml = xlcfg__virt_element_text(dev, err);
    if (!xml) {
        rc = XLCFG_ERROR_NOMEM;
        goto out;
    }
    rc = xlcfg__virt_do(v, d, XLCFG__VIRT_ATTACH, xml,
                        xlcfg__virt_affect(kept), err);
    if (rc && rc != XLCFG_ERROR_UNREACHABLE)
        rc = outrun(d, kind, body, dev, rc, err);
    if (rc)
        goto out;
    there = true;
    rc = xlcfg__virt_read_back(v, dom, d, kind, body, dev, kept, NULL, err);
out:
    free(xml);
    xmlFreeDoc(doc);
    virDomainFree(d);
    return rc == XLCFG_ERROR_REFUSED && there
        ? undo(handle, dom, kind, body, err) : rc;
}
