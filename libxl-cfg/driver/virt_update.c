/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Update: by libvirt, and judged by what its XML shows afterwards: all of what
 * was sent, nothing of what was left out, and the same in what runs and in what
 * is kept, where it was.  Else it is put back.
 */
#include "driver/virt_i.h"
#include "driver/virt_body.h"
#include "driver/virt_field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is sent ---- */

/* What no device that runs loses, whatever libvirt says, and what is kept may
 * not get back: of an order to boot in, libvirt makes another. */
static const char *const lasting[] = {
    "boot", "rom", "serial", "wwn", "vendor", "product", "blockio",
    "geometry", "shareable",
};

static int check_lasting(const xlcfg_doc *was, xmlNodePtr is,
                         xlcfg_error *err)
{
    const char *text = xlcfg_doc_string(was);
    xmlDocPtr doc = NULL;
    xmlNodePtr old;
    int rc;

    if (!text)
        return 0;
    rc = xlcfg__virt_parse(text, strlen(text), (const char *)is->name, &doc,
                           err);
    if (rc)
        return rc;
    old = xmlDocGetRootElement(doc);
    for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]) && !rc; i++)
        if (xlcfg__xml_child(old, lasting[i]) &&
            !xlcfg__xml_child(is, lasting[i]))
            rc = xlcfg__err(err, XLCFG_ERROR_INVAL, "/x-libvirt",
                            "it leaves out <%s>, which libvirt takes out of "
                            "no device that runs: expected it to be there",
                            lasting[i]);
    xmlFreeDoc(doc);
    return rc;
}

/* What only libvirt says of a device. */
static void drop_said(xmlNodePtr dev)
{
    xmlNodePtr target = xlcfg__xml_child(dev, "target");
    xmlNodePtr source = xlcfg__xml_child(dev, "source");

    if (!xlcfg__xml_is(dev, "disk"))
        return;
    if (source)
        xmlUnsetProp(source, (const xmlChar *)"index");
    if (target)
        xmlUnsetProp(target, (const xmlChar *)"tray");
    xlcfg__xml_drop(xlcfg__xml_child(dev, "mirror"));
}

/* A card's member that stays what it was, beside an element that is given: it
 * goes where the element is of another type, or has a word of its own. */
static bool is_overtaken(const char *name, xmlNodePtr dev)
{
    const struct xlcfg__virt_row *row = xlcfg__virt_kinds[XLCFG_KIND_NIC].rows;
    char *own;

    for (; row->field && strcmp(row->field, name); row++) {
    }
    if (!row->field)
        return false;
    own = xlcfg__xml_get(dev, row->path);
    xmlFree(own);
    return own || !xlcfg__virt_fits(row, dev);
}

/* NULL: no memory. */
static xlcfg_doc *own_members(const xlcfg_doc *before, const xlcfg_doc *after)
{
    const char *text = xlcfg__doc_getstr(after, "x-libvirt");
    xlcfg__members m = { 0 };
    xmlDocPtr doc = NULL;

    if (!text || xlcfg__virt_parse(text, strlen(text), "interface", &doc,
                                   NULL))
        return xlcfg_doc_ref(after);    /* what is wrong is said later */
    for (size_t i = 0; i < xlcfg_doc_count(after); i++) {
        const char *name = xlcfg_doc_name(after, i);
        const xlcfg_doc *value = xlcfg_doc_at(after, i);
        const xlcfg_doc *was = xlcfg_doc_get(before, name);

        if (!was || !xlcfg__doc_equal(was, value) ||
            !is_overtaken(name, xmlDocGetRootElement(doc)))
            xlcfg__members_add(&m, name, xlcfg_doc_ref(value));
    }
    xmlFreeDoc(doc);
    return xlcfg__members_end(&m);
}

/* The element of the new body.  An element that is given is what it says;
 * of the one that was, what the body has no more goes. */
static int new_element(enum xlcfg_kind kind, const xlcfg_doc *before,
                       const xlcfg_doc *after, xmlDocPtr *doc_r,
                       xmlNodePtr *dev_r, xlcfg_error *err)
{
    const xlcfg_doc *was = xlcfg_doc_get(before, "x-libvirt");
    const xlcfg_doc *is = xlcfg_doc_get(after, "x-libvirt");
    xlcfg_doc *body = is && was && kind == XLCFG_KIND_NIC &&
        !xlcfg__doc_equal(is, was) ? own_members(before, after)
        : is || !was ? xlcfg_doc_ref(after)
        : xlcfg__doc_with(after, "x-libvirt", xlcfg_doc_ref(was));
    int rc;

    if (!body)
        return xlcfg__nomem(err);
    rc = xlcfg__virt_lone(kind, body, doc_r, dev_r, err);
    xlcfg_doc_free(body);
    if (rc)
        return rc;
    drop_said(*dev_r);
    rc = is && was && !xlcfg__doc_equal(is, was)
        ? check_lasting(was, *dev_r, err)
        : xlcfg__virt_leave_out(kind, before, after, *dev_r, err);
    if (rc) {
        xmlFreeDoc(*doc_r);
        *doc_r = NULL;
    }
    return rc;
}

int xlcfg__virt_check_update(void *handle, enum xlcfg_kind kind,
                             const xlcfg_doc *before, const xlcfg_doc *after,
                             xlcfg_error *err)
{
    xmlDocPtr doc = NULL;
    xmlNodePtr dev;
    int rc;

    (void)handle;
    rc = new_element(kind, before, after, &doc, &dev, err);
    xmlFreeDoc(doc);
    return rc;
}

/* At the place and with the alias of the device that runs. */
static int changed_element(virDomainPtr d,
                           enum xlcfg_kind kind, const xlcfg_doc *before,
                           const xlcfg_doc *after, xmlDocPtr *doc_r,
                           xmlNodePtr *dev_r, xlcfg_error *err)
{
    char *alias = NULL;
    int rc;

    rc = new_element(kind, before, after, doc_r, dev_r, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_alias_of(d, kind, before, &alias, err);
    if (!rc && !alias)
        rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, virDomainGetName(d),
                        "the guest has no such device any more");
    if (!rc && !xlcfg__xml_set(*dev_r, "alias@name", alias))
        rc = xlcfg__nomem(err);
    xmlFree(alias);
    if (rc) {
        xmlFreeDoc(*doc_r);
        *doc_r = NULL;
    }
    return rc;
}

/* As it was, to be put back. */
struct was {
    bool kept;                  /* for the next start too, and the same there */
    char *live_xml, *kept_xml;
};

static char *text_of(xmlNodePtr dev, int *rc, xlcfg_error *err)
{
    char *text = *rc ? NULL : xlcfg__virt_element_text(dev, err);

    if (!*rc && !text)
        *rc = XLCFG_ERROR_NOMEM;
    return text;
}

/* Somebody may have plugged it into what runs alone, or defined another for
 * the next start: then it is changed where it runs alone. */
static int see_before(virDomainPtr d, enum xlcfg_kind kind,
                      const xlcfg_doc *body, struct was *was,
                      xlcfg_error *err)
{
    xmlNodePtr dev = NULL, other = NULL;
    xmlDocPtr live = NULL, kept = NULL;
    bool persistent;
    int rc;

    rc = xlcfg__virt_is_kept(d, &persistent, err);
    if (!rc)
        rc = xlcfg__virt_desc(d, 0, &live, err);
    if (!rc && persistent)
        rc = xlcfg__virt_desc(d, VIR_DOMAIN_XML_INACTIVE, &kept, err);
    if (!rc && (xlcfg__virt_device(live, kind, body, &dev) ||
                (kept && xlcfg__virt_device(kept, kind, body, &other)) ||
                (dev && other &&
                 xlcfg__virt_is_kept_as(dev, other, &was->kept))))
        rc = xlcfg__nomem(err);
    if (!rc && !dev)
        rc = xlcfg__err(err, XLCFG_ERROR_REFUSED, virDomainGetName(d),
                        "the guest has no such device any more");
    /* the guest's, and not to be written */
    if (dev && xlcfg__xml_child(dev, "target"))
        xmlUnsetProp(xlcfg__xml_child(dev, "target"),
                     (const xmlChar *)"tray");
    was->live_xml = text_of(dev, &rc, err);
    if (was->kept)
        was->kept_xml = text_of(other, &rc, err);
    xmlFreeDoc(live);
    xmlFreeDoc(kept);
    return rc;
}

/* ---- what it came to ---- */

/* Is this part as it was, and not what libvirt says of any device? */
static bool is_as_was(xmlNodePtr is, xmlNodePtr was)
{
    char path[128];

    return is && !(xlcfg__xml_is(is, "link") &&
                   xlcfg__xml_has(is, "@state", "up")) &&
        xlcfg__virt_covers(is, was, path, sizeof(path)) &&
        xlcfg__virt_covers(was, is, path, sizeof(path));
}

/* What was left out that libvirt adds to no device by itself: it takes little
 * of it out of what runs, and says nothing. */
static int is_left_in(xmlNodePtr is, xmlNodePtr was, xmlNodePtr sent,
                      xlcfg_error *err)
{
    static const char *const parts[] = {
        "iotune", "bandwidth", "filterref", "coalesce", "tune", "link",
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        xmlNodePtr part = xlcfg__xml_child(was, parts[i]);

        if (part && !xlcfg__xml_child(sent, parts[i]) &&
            is_as_was(xlcfg__xml_child(is, parts[i]), part))
            return xlcfg__err(err, XLCFG_ERROR_REFUSED, parts[i],
                              "libvirt has not taken this out, and has said "
                              "nothing: what is to stay is to be in the "
                              "element, too");
    }
    return 0;
}

/* Of what libvirt does not change in what runs, it says nothing either, and
 * changes what is kept. */
static int do_agree(xmlNodePtr live, xmlNodePtr kept, xlcfg_error *err)
{
    char path[256] = "";
    bool same;

    if (xlcfg__virt_is_kept_as(live, kept, &same))
        return xlcfg__nomem(err);
    if (same)
        return 0;
    xlcfg__virt_canon_device(live, true);
    xlcfg__virt_canon_device(kept, true);
    if (xlcfg__virt_covers(kept, live, path, sizeof(path)))
        (void)xlcfg__virt_covers(live, kept, path, sizeof(path));
    return xlcfg__err(err, XLCFG_ERROR_REFUSED, path,
                      "libvirt has changed this in what it keeps alone, and "
                      "has said nothing");
}

/* now: what runs, and what is kept; the second may be NULL. */
static int judge(const xmlDocPtr now[2], enum xlcfg_kind kind,
                 const xlcfg_doc *body, const struct was *was,
                 xmlNodePtr sent, xlcfg_error *err)
{
    xmlNodePtr dev = NULL, other = NULL;
    xmlDocPtr old = NULL;
    int rc;

    rc = xlcfg__virt_parse(was->live_xml, strlen(was->live_xml),
                           (const char *)sent->name, &old, err);
    if (!rc && (xlcfg__virt_device(now[0], kind, body, &dev) ||
                (now[1] && xlcfg__virt_device(now[1], kind, body, &other))))
        rc = xlcfg__nomem(err);
    if (!rc && dev)
        rc = is_left_in(dev, xmlDocGetRootElement(old), sent, err);
    if (!rc && dev && other)
        rc = do_agree(dev, other, err);
    xmlFreeDoc(old);
    return rc;
}

/* libvirt has done it, but not as it was sent: back to what it was. */
static int put_back(struct virt *v, virDomainPtr d, const struct was *was,
                    xlcfg_error *err)
{
    size_t len = err ? strnlen(err->message, 600) : 0;
    xlcfg_error why = XLCFG_ERROR_INIT;
    int rc = 0;

    if (was->kept)
        rc = xlcfg__virt_do(v, d, XLCFG__VIRT_UPDATE, was->kept_xml,
                            VIR_DOMAIN_AFFECT_CONFIG, &why);
    if (!rc)
        rc = xlcfg__virt_do(v, d, XLCFG__VIRT_UPDATE, was->live_xml,
                            VIR_DOMAIN_AFFECT_LIVE, &why);
    if (rc && err)
        snprintf(err->message + len, sizeof(err->message) - len,
                 "; not all could be put back: %.300s", why.message);
    return XLCFG_ERROR_REFUSED;
}

/* Is its source neither what it was nor what was sent? */
static bool is_a_third(xmlNodePtr is, xmlNodePtr was, xmlNodePtr sent)
{
    const char *path = xlcfg__virt_source_path(is);
    char *now = xlcfg__xml_get(is, path);
    bool third = !(now ? xlcfg__xml_has(was, path, now)
                   : !xlcfg__xml_child(was, "source")) &&
        !(now ? xlcfg__xml_has(sent, path, now)
          : !xlcfg__xml_child(sent, "source"));

    xmlFree(now);
    return third;
}

/* Not as it was sent: because somebody else has changed it since?  Then it is
 * theirs.  CONFLICT; else rc and its words stay. */
static int is_theirs(virDomainPtr d, const struct was *was,
                     const xlcfg_doc *body, xmlNodePtr sent, int rc,
                     xlcfg_error *err)
{
    xmlDocPtr live = NULL, old = NULL;
    xmlNodePtr dev = NULL;

    if (!xlcfg__virt_desc(d, 0, &live, NULL) &&
        !xlcfg__virt_parse(was->live_xml, strlen(was->live_xml), "disk", &old,
                           NULL) &&
        !xlcfg__virt_device(live, XLCFG_KIND_DISK, body, &dev) && dev &&
        is_a_third(dev, xmlDocGetRootElement(old), sent))
        rc = xlcfg__err(err, XLCFG_ERROR_CONFLICT, virDomainGetName(d),
                        "somebody else has changed it since: so it stays");
    xmlFreeDoc(live);
    xmlFreeDoc(old);
    return rc;
}

int xlcfg__virt_update(void *handle, const struct xlcfg_domain *dom,
                       enum xlcfg_kind kind, const xlcfg_doc *before,
                       const xlcfg_doc *after, xlcfg_error *err)
{
    struct virt *v = handle;
    xmlDocPtr doc = NULL, now[2] = { NULL, NULL };
    xmlNodePtr dev;
    struct was was = { .kept = false };
    virDomainPtr d;
    char *xml = NULL;
    int rc;

    rc = xlcfg__virt_able(v, dom, &d, err);
    if (rc)
        return rc;
    rc = see_before(d, kind, before, &was, err);
    if (!rc)
        rc = changed_element(d, kind, before, after, &doc, &dev, err);
    if (rc)
        goto out;
    xml = text_of(dev, &rc, err);
    if (!rc)
        rc = xlcfg__virt_do(v, d, XLCFG__VIRT_UPDATE, xml,
                            xlcfg__virt_affect(was.kept), err);
    /* an alias that libvirt made is of this run: not in what is kept */
    xlcfg__virt_canon_device(dev, false);
    if (!rc) {
        rc = xlcfg__virt_read_back(v, dom, d, kind, after, dev, was.kept,
                                   now, err);
        if (!rc)
            rc = judge(now, kind, after, &was, dev, err);
        xmlFreeDoc(now[0]);
        xmlFreeDoc(now[1]);
        if (rc == XLCFG_ERROR_REFUSED && kind == XLCFG_KIND_DISK)
            rc = is_theirs(d, &was, after, dev, rc, err);
        if (rc == XLCFG_ERROR_REFUSED)
            rc = put_back(v, d, &was, err);
    }
out:
    free(was.live_xml);
    free(was.kept_xml);
    free(xml);
    xmlFreeDoc(doc);
    virDomainFree(d);
    return rc ? rc : XLCFG_READ_BACK;
}
