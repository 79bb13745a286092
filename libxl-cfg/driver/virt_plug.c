/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attach, detach, update, forget: by libvirt, and judged by what its XML
 * shows afterwards, never by the return code alone.
 *
 * One XML is for what runs and what is kept.  A detach asks the guest alone;
 * what is kept loses the device when the guest has let go of it (forget).
 */
#include "driver/virt_i.h"
#include "driver/virt_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An event may be lost: then the XML tells, looked at this often. */
#define LOOK_MS 500

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

static unsigned affect(bool kept)
{
    return VIR_DOMAIN_AFFECT_LIVE | (kept ? VIR_DOMAIN_AFFECT_CONFIG : 0u);
}

/* libvirt's no is REFUSED, or what class it has. */
static int ask(struct virt *v, virDomainPtr d, enum xlcfg__virt_ask what,
               const char *text, unsigned flags, xlcfg_error *err)
{
    struct xlcfg__virt_call call = {
        .ask = what, .text = text, .flags = flags,
    };
    int rc;

    rc = xlcfg__virt_ask(v, d, &call, err);
    return rc == XLCFG__VIRT_NO
        ? xlcfg__virt_said_no(&call, v->conn, XLCFG_ERROR_REFUSED,
                              virDomainGetName(d), err) : rc;
}

/* ---- prepare ---- */

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
    rc = xlcfg__virt_reach(handle, dom, &d, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_lone(kind, body, &doc, &dev, err);
    if (!rc)
        rc = xlcfg__virt_awake(d, err);
    if (!rc)
        rc = xlcfg__virt_place_read(d, &at, err);
    if (!rc)
        rc = xlcfg__virt_settle_in(&at, kind, dev, err);
    if (!rc) {
        xlcfg__virt_canon_device(dev, false);
        rc = xlcfg__virt_body(kind, dev, count_of(at.live, kind), body_r,
                              err);
    }
    xlcfg__virt_place_free(&at);
    xmlFreeDoc(doc);
    virDomainFree(d);
    return rc;
}

/* ---- attach ---- */

/* Is all that was sent in what is read back?  REFUSED names what is not. */
static int read_back(virDomainPtr d, enum xlcfg_kind kind,
                     const xlcfg_doc *body, xmlNodePtr sent,
                     xlcfg_error *err)
{
    struct xlcfg__virt_place at = { 0 };
    char path[256];
    int rc;

    rc = xlcfg__virt_place_read(d, &at, err);
    for (int i = 0; !rc && i < 2; i++) {
        xmlDocPtr doc = i ? at.kept : at.live;
        xmlNodePtr dev = NULL;

        if (!doc)
            continue;
        rc = xlcfg__virt_device(doc, kind, body, &dev);
        if (rc)
            xlcfg__nomem(err);
        else if (!dev)
            rc = xlcfg__err(err, XLCFG_ERROR_REFUSED,
                            (const char *)sent->name,
                            "libvirt said that it was done, and %s has no "
                            "such device", i ? "what it keeps"
                            : "the guest");
        else if (!xlcfg__virt_covers(dev, sent, path, sizeof(path)))
            rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, path,
                            "libvirt has dropped this without a word");
    }
    xlcfg__virt_place_free(&at);
    return rc;
}

/* libvirt takes no attach, because another came to this address first? */
static bool lost_its_place(virDomainPtr d, xmlNodePtr dev)
{
    struct xlcfg__virt_place at = { 0 };
    bool lost;

    lost = !xlcfg__virt_place_read(d, &at, NULL) &&
        xlcfg__virt_is_taken(&at, dev);
    xlcfg__virt_place_free(&at);
    return lost;
}

static char *element_text(xmlNodePtr dev, xlcfg_error *err)
{
    xlcfg_doc *text = xlcfg__xml_text(dev);
    char *copy = text ? strdup(xlcfg_doc_string(text)) : NULL;

    xlcfg_doc_free(text);
    if (!copy)
        xlcfg__nomem(err);
    return copy;
}

/*
 * It was attached, but not whole: away with it.  The guest may hold on: then
 * it is there, and nobody's; INVAL says that nothing of it is to be kept.
 */
static int undo(void *handle, const struct xlcfg_domain *dom,
                enum xlcfg_kind kind, const xlcfg_doc *body,
                xlcfg_error *err)
{
    size_t len = err ? strnlen(err->message, 600) : 0;
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc;

    rc = xlcfg__virt_detach(handle, dom, kind, body, 0, 5000, &why);
    (void)xlcfg__virt_forget(handle, dom, kind, body, NULL);
    if (!rc)
        return XLCFG_ERROR_REFUSED;
    if (err) {
        snprintf(err->message + len, sizeof(err->message) - len,
                 "; it was asked to leave again: %.300s", why.message);
        err->code = XLCFG_ERROR_INVAL;
    }
    return XLCFG_ERROR_INVAL;
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

    rc = xlcfg__virt_reach(v, dom, &d, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_lone(kind, body, &doc, &dev, err);
    if (!rc)
        rc = xlcfg__virt_awake(d, err);
    if (!rc)
        rc = xlcfg__virt_is_kept(d, &kept, err);
    if (rc)
        goto out;
    xml = element_text(dev, err);
    if (!xml) {
        rc = XLCFG_ERROR_NOMEM;
        goto out;
    }
    rc = ask(v, d, XLCFG__VIRT_ATTACH, xml, affect(kept), err);
    if (rc && rc != XLCFG_ERROR_UNREACHABLE) {
        if (lost_its_place(d, dev))
            rc = xlcfg__err(err, XLCFG_ERROR_LOCK_FAIL, dom->name,
                            "another device was given this address");
    }
    if (rc)
        goto out;
    there = true;
    rc = read_back(d, kind, body, dev, err);
out:
    free(xml);
    xmlFreeDoc(doc);
    virDomainFree(d);
    return rc == XLCFG_ERROR_REFUSED && there
        ? undo(handle, dom, kind, body, err) : rc;
}

/* ---- detach ---- */

/* The alias of the running device; 0 and NULL: there is none. */
static int alias_of(virDomainPtr d, enum xlcfg_kind kind,
                    const xlcfg_doc *body, char **alias_r, xlcfg_error *err)
{
    xmlNodePtr dev;
    xmlDocPtr doc;
    int rc;

    rc = xlcfg__virt_desc(d, 0, &doc, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_device(doc, kind, body, &dev);
    if (rc)
        xlcfg__nomem(err);
    else if (!dev)
        *alias_r = NULL;
    else
        *alias_r = xlcfg__xml_get(dev, "alias@name");
    if (!rc && dev && !*alias_r)
        rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, (const char *)dev->name,
                        "it runs without an alias to call it by");
    xmlFreeDoc(doc);
    return rc;
}

/* 0: gone.  PENDING: still listed. */
static int still_there(virDomainPtr d, const char *alias,
                       xlcfg_error *err)
{
    xmlDocPtr doc;
    int rc;

    rc = xlcfg__virt_desc(d, 0, &doc, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_by_alias(doc, alias) ? XLCFG_ERROR_PENDING : 0;
    xmlFreeDoc(doc);
    return rc;
}

static int await_leave(struct virt *v, virDomainPtr d, const char *alias,
                       unsigned wait_ms, xlcfg_error *err)
{
    for (unsigned left = wait_ms;;) {
        unsigned step = left < LOOK_MS ? left : LOOK_MS;
        enum xlcfg__virt_word word = xlcfg__virt_heard(v->events, step);
        int rc;

        if (word == XLCFG__VIRT_STAYS)
            return xlcfg__err(err, XLCFG_ERROR_REFUSED, alias,
                              "the guest refused to let go of it");
        rc = still_there(d, alias, err);
        if (rc != XLCFG_ERROR_PENDING)
            return rc;
        left -= step;
        if (!left)
            return xlcfg__err(err, XLCFG_ERROR_PENDING, alias,
                              "its unplug was asked for, the guest has not "
                              "let go of it");
    }
}

/* libvirt's no to a detach, unless it is none. */
static int asked_before(struct virt *v, struct xlcfg__virt_call *call,
                        const char *name, xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc, code = call->no ? call->no->code : VIR_ERR_OK;

    rc = xlcfg__virt_said_no(call, v->conn, XLCFG_ERROR_REFUSED, name, &why);
    if (code == VIR_ERR_DEVICE_MISSING || xlcfg__virt_is_leaving(why.message))
        return 0;
    if (err)
        *err = why;
    return rc;
}

/*
 * QEMU has let go of it and libvirt has not noticed.  To be asked then is
 * what libvirt 9.0 may crash of: it frees the disk and reads it again.
 */
static int lost(struct virt *v, virDomainPtr d, const char *alias,
                unsigned flags, xlcfg_error *err)
{
    bool force = flags & XLCFG_DETACH_FORCE;

    if (v->is_qemu && xlcfg__virt_lost(v, d, alias))
        return force ? 0 : xlcfg__err(
            err, XLCFG_ERROR_PENDING, alias,
            "QEMU has let go of it, libvirt still lists it: that ends with "
            "this run of the guest, or now, by force (libvirt 9.0 may "
            "crash)");
    if (force)
        return xlcfg__err(err, XLCFG_ERROR_NI, alias,
                          "QEMU takes nothing away without asking the "
                          "guest: a reset of the guest completes it");
    return 0;
}

int xlcfg__virt_detach(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       unsigned flags, unsigned wait_ms, xlcfg_error *err)
{
    struct virt *v = handle;
    char *alias = NULL;
    virDomainPtr d;
    int rc;

    rc = xlcfg__virt_reach(v, dom, &d, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_awake(d, err);
    if (!rc)
        rc = alias_of(d, kind, body, &alias, err);
    if (!rc && alias)
        rc = lost(v, d, alias, flags, err);
    /* which may have found that QEMU does not answer */
    if (!rc && alias)
        rc = xlcfg__virt_awake(d, err);
    if (!rc && alias) {
        struct xlcfg__virt_call call = {
            .ask = XLCFG__VIRT_DETACH_ALIAS, .text = alias,
            .flags = VIR_DOMAIN_AFFECT_LIVE,
        };

        (void)xlcfg__virt_events_join(v->events, v->conn,
                                             v->is_remote);
        xlcfg__virt_listen(v->events, dom->uuid, alias);
        rc = xlcfg__virt_ask(v, d, &call, err);
        if (rc == XLCFG__VIRT_NO)
            rc = asked_before(v, &call, dom->name, err);
        if (!rc)
            rc = await_leave(v, d, alias, wait_ms, err);
        xlcfg__virt_listen(v->events, "", "");
    }
    xmlFree(alias);
    virDomainFree(d);
    return rc;
}

/* ---- forget ---- */

int xlcfg__virt_forget(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       xlcfg_error *err)
{
    struct virt *v = handle;
    xmlDocPtr doc = NULL;
    xmlNodePtr dev = NULL;
    virDomainPtr d;
    char *xml = NULL;
    bool kept = false;
    int rc;

    rc = xlcfg__virt_reach(v, dom, &d, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_awake(d, err);
    if (!rc)
        rc = xlcfg__virt_is_kept(d, &kept, err);
    if (rc || !kept)
        goto out;
    rc = xlcfg__virt_desc(d, VIR_DOMAIN_XML_INACTIVE, &doc, err);
    if (!rc)
        rc = xlcfg__virt_device(doc, kind, body, &dev) ? xlcfg__nomem(err)
                                                       : 0;
    if (rc || !dev)
        goto out;
    xml = element_text(dev, err);
    if (!xml) {
        rc = XLCFG_ERROR_NOMEM;
        goto out;
    }
    rc = ask(v, d, XLCFG__VIRT_DETACH, xml, VIR_DOMAIN_AFFECT_CONFIG, err);
out:
    free(xml);
    xmlFreeDoc(doc);
    virDomainFree(d);
    return rc;
}

/* ---- update ---- */

/* The element of the new body, at the place and with the alias of the
 * device that runs. */
static int changed_element(virDomainPtr d,
                           enum xlcfg_kind kind, const xlcfg_doc *before,
                           const xlcfg_doc *after, xmlDocPtr *doc_r,
                           xmlNodePtr *dev_r, xlcfg_error *err)
{
    const xlcfg_doc *was = xlcfg_doc_get(before, "x-libvirt");
    xlcfg_doc *body = xlcfg_doc_get(after, "x-libvirt") || !was
        ? xlcfg_doc_ref(after)
        : xlcfg__doc_with(after, "x-libvirt", xlcfg_doc_ref(was));
    char *alias = NULL;
    int rc;

    if (!body)
        return xlcfg__nomem(err);
    rc = xlcfg__virt_lone(kind, body, doc_r, dev_r, err);
    xlcfg_doc_free(body);
    if (rc)
        return rc;
    rc = alias_of(d, kind, before, &alias, err);
    if (!rc && !alias)
        rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, virDomainGetName(d),
                        "the guest has no such device any more");
    if (!rc && !xlcfg__xml_set(*dev_r, "alias@name", alias))
        rc = xlcfg__nomem(err);
    xmlFree(alias);
    if (rc)
        xmlFreeDoc(*doc_r);
    return rc;
}

int xlcfg__virt_update(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *before,
                       const xlcfg_doc *after, xlcfg_error *err)
{
    struct virt *v = handle;
    xmlDocPtr doc = NULL;
    xmlNodePtr dev;
    virDomainPtr d;
    char *xml = NULL;
    bool kept = false;
    int rc;

    rc = xlcfg__virt_reach(v, dom, &d, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_awake(d, err);
    if (!rc)
        rc = xlcfg__virt_is_kept(d, &kept, err);
    if (!rc)
        rc = changed_element(d, kind, before, after, &doc, &dev, err);
    if (rc)
        goto out;
    xml = element_text(dev, err);
    if (!xml) {
        rc = XLCFG_ERROR_NOMEM;
        goto out;
    }
    rc = ask(v, d, XLCFG__VIRT_UPDATE, xml, affect(kept), err);
    /* an alias that libvirt made is of this run: not in what is kept */
    xlcfg__virt_canon_device(dev, false);
    if (!rc)
        rc = read_back(d, kind, after, dev, err);
out:
    free(xml);
    xmlFreeDoc(doc);
    virDomainFree(d);
    return rc;
}
