/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Detach and forget: by libvirt, and judged by what its XML shows afterwards,
 * never by the return code alone.
 *
 * A detach asks the guest alone; what is kept loses the device when the guest
 * has let go of it (forget).  The other way round, libvirt writes what is kept
 * last in an attach: killed before, it has left that to be done (keep).
 */
#include "driver/clock.h"
#include "driver/virt_qmp.h"
#include "driver/virt_body.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An event may be lost: then the XML tells, looked at this often. */
#define LOOK_MS 500

/* What QEMU has let go of libvirt lists until it has taken that in, which is
 * soon, unless somebody else holds the guest. */
#define TAKE_IN_MS 2000
#define TAKE_IN_STEP_MS 20

/* ---- detach ---- */

/* An alias that XML writes as it is. */
static bool is_plain(const char *alias)
{
    return !alias[strspn(alias, "abcdefghijklmnopqrstuvwxyz"
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")];
}

/* 0: gone.  PENDING: still listed. */
static int still_there(struct virt *v, virDomainPtr d, const char *uuid,
                       const char *alias, xlcfg_error *err)
{
    char *xml = xlcfg__virt_xml(d, 0);
    xmlDocPtr doc;
    int rc = 0;

    if (!xml)
        return xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    /* what is not in the text is in no element of it */
    if (!is_plain(alias) || strstr(xml, alias)) {
        rc = xlcfg__virt_parse_desc(d, xml, &doc, err);
        if (!rc) {
            rc = xlcfg__virt_by_alias(doc, alias) ? XLCFG_ERROR_PENDING : 0;
            xmlFreeDoc(doc);
        }
    }
    if (rc)
        free(xml);
    else
        xlcfg__virt_saw(v->memo, uuid, false, xml);
    return rc;
}

/* Has QEMU let go of it since libvirt was asked?  PENDING: libvirt lists it
 * all the same, and for longer than it takes to notice. */
static int await_notice(struct virt *v, virDomainPtr d, const char *uuid,
                        const char *alias, xlcfg_error *err)
{
    static const struct timespec step = { 0, TAKE_IN_STEP_MS * 1000000 };
    int rc = still_there(v, d, uuid, alias, err);

    for (int ms = 0; rc == XLCFG_ERROR_PENDING && ms < TAKE_IN_MS;
         ms += TAKE_IN_STEP_MS) {
        nanosleep(&step, NULL);
        rc = still_there(v, d, uuid, alias, err);
    }
    return rc ? rc : XLCFG_LEFT;
}

/* 0: libvirt lists it no more.  XLCFG_LEFT: and its event has come, for which
 * QEMU has first let go of it. */
static int await_leave(struct virt *v, virDomainPtr d, const char *uuid,
                       const char *alias, unsigned wait_ms, xlcfg_error *err)
{
    for (unsigned left = wait_ms;;) {
        unsigned step = left < LOOK_MS ? left : LOOK_MS;
        enum xlcfg__virt_word word = xlcfg__virt_heard(v->events, step);
        int rc;

        if (word == XLCFG__VIRT_STAYS)
            return xlcfg__err(err, XLCFG_ERROR_REFUSED, alias,
                              "the guest refused to let go of it");
        if (word == XLCFG__VIRT_LEFT)
            xlcfg__virt_is_calm(v->memo, uuid, xlcfg__now_ms());
        rc = still_there(v, d, uuid, alias, err);
        if (rc != XLCFG_ERROR_PENDING)
            return rc || word != XLCFG__VIRT_LEFT ? rc : XLCFG_LEFT;
        left -= step;
        if (!left)
            return xlcfg__err(err, XLCFG_ERROR_PENDING, alias,
                              "its unplug was asked for, the guest has not "
                              "let go of it");
    }
}

/* libvirt's no to a detach, unless it is none. */
static int asked_before(struct virt *v, struct xlcfg__virt_call *call,
                        const char *name, unsigned flags, xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc, code = call->no ? call->no->code : VIR_ERR_OK;

    rc = xlcfg__virt_said_no(call, v->conn, XLCFG_ERROR_REFUSED, name, &why);
    if (code == VIR_ERR_DEVICE_MISSING || xlcfg__virt_is_leaving(why.message))
        return 0;
    /* that is open still, in QEMU */
    if (rc == XLCFG_ERROR_REFUSED && flags & XLCFG_DETACH_AGAIN)
        rc = why.code = XLCFG_ERROR_PENDING;
    if (err)
        *err = why;
    return rc;
}

/*
 * QEMU has let go of it and libvirt has not noticed.  To be asked then is
 * what libvirt 9.0 may crash of: it frees the disk and reads it again.
 */
static int lost(struct virt *v, virDomainPtr d, const char *uuid,
                const xlcfg_doc *devices, const char *alias, unsigned flags,
                xlcfg_error *err)
{
    bool force = flags & XLCFG_DETACH_FORCE;

    if (devices && !xlcfg__qmp_has(devices, alias)) {
        int rc = await_notice(v, d, uuid, alias, err);

        if (rc != XLCFG_ERROR_PENDING)
            return rc;
        return force ? 0 : xlcfg__err(
            err, XLCFG_ERROR_PENDING, alias,
            "QEMU has let go of it, libvirt still lists it: that ends with "
            "this run of the guest, or now, by force (libvirt 9.0 may "
            "crash)");
    }
    if (force)
        return xlcfg__err(err, XLCFG_ERROR_NI, alias,
                          "QEMU takes nothing away without asking the "
                          "guest: a reset of the guest completes it");
    return 0;
}

/* ---- one, or another under its name ---- */

/* Is a word of these another in both?  A drive of another kind is another
 * device; what is in it is not asked. */
static bool differs(xmlNodePtr a, xmlNodePtr b)
{
    static const char *const words[] = {
        "@device", "@type", "source@file", "source@dev", "source@protocol",
        "source@name", "source@pool", "source@volume", "source@path",
        "source/host@name", "source/host@port", "source/host@socket",
        "source@network", "source@bridge", "model@type",
    };
    bool drive = xlcfg__xml_has(a, "@device", "cdrom") ||
        xlcfg__xml_has(a, "@device", "floppy"), yes = false;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !yes; i++) {
        char *x = xlcfg__xml_get(a, words[i]);
        char *y = xlcfg__xml_get(b, words[i]);

        yes = x && y && strcmp(x, y);
        xmlFree(x);
        xmlFree(y);
        if (drive)
            break;
    }
    return yes;
}

/* The source of that one is under this one: a snapshot was taken of it. */
static bool is_under(xmlNodePtr dev, xmlNodePtr that)
{
    xmlNodePtr store = xlcfg__xml_child(dev, "backingStore");
    xmlNodePtr mirror = xlcfg__xml_child(dev, "mirror");

    for (; store; store = xlcfg__xml_child(store, "backingStore"))
        if (xlcfg__xml_child(store, "source") && !differs(store, that))
            return true;
    return mirror;
}

/* Is what is kept under its name another than the one that left?  Then somebody
 * has defined that for the next start. */
static int is_another(enum xlcfg_kind kind, xmlNodePtr dev,
                      const xlcfg_doc *body, bool *another_r,
                      xlcfg_error *err)
{
    xmlDocPtr doc = NULL;
    xmlNodePtr left;
    int rc;

    *another_r = false;
    if (kind != XLCFG_KIND_DISK && kind != XLCFG_KIND_NIC)
        return 0;
    rc = xlcfg__virt_lone(kind, body, &doc, &left, err);
    if (!rc)
        *another_r = differs(dev, left) && !is_under(dev, left);
    xmlFreeDoc(doc);
    return rc;
}

/* What runs under its name: it, made of what it was; it or another, made of
 * something else; another.  An alias that was chosen is one device's. */
enum who { ITSELF, CHANGED, ANOTHER };

static int who_is(xmlDocPtr live, enum xlcfg_kind kind, const xlcfg_doc *body,
                  enum who *who_r, xlcfg_error *err)
{
    xmlNodePtr dev, that, shown = NULL;
    xmlDocPtr doc = NULL;
    char *was, *is;
    int rc = 0;

    *who_r = ITSELF;
    if (kind != XLCFG_KIND_DISK && kind != XLCFG_KIND_NIC)
        return 0;
    if (xlcfg__virt_device(live, kind, body, &dev))
        return xlcfg__nomem(err);
    if (!dev)
        return 0;
    rc = xlcfg__virt_lone(kind, body, &doc, &that, err);
    shown = rc ? NULL : xmlDocCopyNode(dev, live, 1);
    if (!rc && !shown)
        rc = xlcfg__nomem(err);
    if (rc) {
        xmlFreeDoc(doc);
        return rc;
    }
    xlcfg__virt_canon_device(shown, true);
    was = xlcfg__xml_get(that, "alias@name");
    is = xlcfg__xml_get(dev, "alias@name");
    if (was && !strncmp(was, "ua-", 3))
        *who_r = is && strcmp(was, is) ? ANOTHER : ITSELF;
    else if (is && !strncmp(is, "ua-", 3))
        *who_r = ANOTHER;
    else if (differs(shown, that) && !is_under(dev, that))
        *who_r = CHANGED;
    xmlFreeNode(shown);
    xmlFree(was);
    xmlFree(is);
    xmlFreeDoc(doc);
    return 0;
}

/*
 * A disk whose block job has ended with another image is the same, and so is a
 * card that was moved to another network: what QEMU has had since it began is
 * still the same, and what a disk is made of since a job is kept, too.
 */
static int judge_changed(struct virt *v, virDomainPtr d,
                         enum xlcfg_kind kind, const xlcfg_doc *body,
                         const struct xlcfg__virt_ground *ground,
                         const char *alias, enum who *who_r,
                         xlcfg_error *err)
{
    xmlNodePtr dev = NULL, other = NULL;
    xmlDocPtr kept = NULL;
    xlcfg_doc *hot;
    int rc;

    hot = ground->devices ? xlcfg__qmp_property(v, d, alias, "hotplugged")
        : NULL;
    if (hot && !xlcfg_doc_is_true(hot))
        *who_r = ITSELF;
    xlcfg_doc_free(hot);
    if (*who_r == ITSELF || kind == XLCFG_KIND_NIC)
        return 0;
    rc = xlcfg__virt_desc(d, VIR_DOMAIN_XML_INACTIVE, &kept, err);
    if (!rc && (xlcfg__virt_device(ground->live, kind, body, &dev) ||
                xlcfg__virt_device(kept, kind, body, &other)))
        rc = xlcfg__nomem(err);
    if (!rc && (!other || differs(dev, other)))
        *who_r = ANOTHER;
    xmlFreeDoc(kept);
    return rc;
}

/* Has the one that is to leave left before? */
static int has_left(struct virt *v, virDomainPtr d, enum xlcfg_kind kind,
                    const xlcfg_doc *body,
                    const struct xlcfg__virt_ground *ground,
                    const char *alias, unsigned flags, bool *left_r,
                    xlcfg_error *err)
{
    enum who who = ITSELF;
    int rc = who_is(ground->live, kind, body, &who, err);

    if (!rc && who == CHANGED && flags & XLCFG_DETACH_SAME_RUN)
        rc = judge_changed(v, d, kind, body, ground, alias, &who, err);
    else if (who == CHANGED)
        who = ANOTHER;
    if (!rc && who == CHANGED && !(flags & XLCFG_DETACH_FORCE))
        rc = xlcfg__err(err, XLCFG_ERROR_PENDING, alias,
                        "what runs under its name is made of something else "
                        "than when its unplug was asked for: it was changed, "
                        "or another came in its place, which is not asked to "
                        "leave; by force the unplug is closed");
    *left_r = who != ITSELF;
    return rc;
}

int xlcfg__virt_detach(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       unsigned flags, unsigned wait_ms, xlcfg_error *err)
{
    struct virt *v = handle;
    struct xlcfg__virt_ground ground;
    char *alias = NULL;
    bool left = false;
    virDomainPtr d;
    int rc;

    rc = xlcfg__virt_known(v, dom, &d, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_ask_ground(v, d, dom->uuid, &ground, err);
    if (!rc)
        rc = xlcfg__virt_alias_in(ground.live, kind, body, &alias, err);
    if (!rc && alias)
        rc = has_left(v, d, kind, body, &ground, alias, flags, &left, err);
    if (!rc && left)
        rc = XLCFG_LEFT;
    if (!rc && alias)
        rc = lost(v, d, dom->uuid, ground.devices, alias, flags, err);
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
            rc = asked_before(v, &call, dom->name, flags, err);
        if (!rc)
            rc = await_leave(v, d, dom->uuid, alias, wait_ms, err);
        xlcfg__virt_listen(v->events, "", "");
    }
    xmlFree(alias);
    xlcfg__virt_ground_dispose(&ground);
    virDomainFree(d);
    return rc;
}

/* ---- forget ---- */

/* A transient domain has nothing to forget it in: asked only when libvirt
 * says no, for it seldom does. */
static int forget_in(struct virt *v, virDomainPtr d, const char *xml,
                     xlcfg_error *err)
{
    xlcfg_error why = XLCFG_ERROR_INIT;
    bool kept = true;
    int rc;

    rc = xlcfg__virt_do(v, d, XLCFG__VIRT_DETACH, xml,
                        VIR_DOMAIN_AFFECT_CONFIG, &why);
    if (rc && !xlcfg__virt_is_kept(d, &kept, NULL) && !kept)
        return 0;
    return rc ? xlcfg__err_give(err, &why) : 0;
}

int xlcfg__virt_forget(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *body,
                       xlcfg_error *err)
{
    struct virt *v = handle;
    xmlDocPtr doc = NULL;
    xmlNodePtr dev = NULL;
    virDomainPtr d;
    char *xml = NULL;
    bool another = false;
    int rc;

    rc = xlcfg__virt_able(v, dom, &d, err);
    if (rc)
        return rc;
    /* of a transient domain: what runs, and so without it */
    rc = xlcfg__virt_desc(d, VIR_DOMAIN_XML_INACTIVE, &doc, err);
    if (!rc)
        rc = xlcfg__virt_device(doc, kind, body, &dev) ? xlcfg__nomem(err)
                                                       : 0;
    if (rc || !dev)
        goto out;
    xml = xlcfg__virt_element_text(dev, err);
    if (!xml) {
        rc = XLCFG_ERROR_NOMEM;
        goto out;
    }
    rc = is_another(kind, dev, body, &another, err);
    if (!rc && !another)
        rc = forget_in(v, d, xml, err);
out:
    free(xml);
    xmlFreeDoc(doc);
    virDomainFree(d);
    return rc;
}

/* ---- keep ---- */

int xlcfg__virt_keep(void *handle, const struct xlcfg_domain *dom,
                     enum xlcfg_kind kind, const xlcfg_doc *body,
                     xlcfg_error *err)
{
    struct xlcfg__virt_place at = { .live = NULL };
    xmlNodePtr dev = NULL, kept = NULL;
    struct virt *v = handle;
    char *xml = NULL;
    virDomainPtr d;
    int rc;

    rc = xlcfg__virt_able(v, dom, &d, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_place_read(d, &at, err);
    if (!rc && at.kept &&
        (xlcfg__virt_device(at.live, kind, body, &dev) ||
         xlcfg__virt_device(at.kept, kind, body, &kept)))
        rc = xlcfg__nomem(err);
    if (!rc && dev && !kept) {
        xml = xlcfg__virt_element_text(dev, err);
        rc = xml ? xlcfg__virt_do(v, d, XLCFG__VIRT_ATTACH, xml,
                                  VIR_DOMAIN_AFFECT_CONFIG, err)
            : XLCFG_ERROR_NOMEM;
    }
    free(xml);
    xlcfg__virt_place_free(&at);
    virDomainFree(d);
    return rc;
}
