/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libvirt keeps of a domain for its next start, without what a start
 * writes into it. */
#include "driver/virt_i.h"
#include "driver/virt_body.h"
#include "driver/virt_field.h"
#include "driver/virt_xml.h"

#include <stdlib.h>
#include <string.h>

static bool is_untyped(xmlDocPtr live, const char *target)
{
    xmlNodePtr devices = xlcfg__xml_child(xmlDocGetRootElement(live),
                                          "devices");

    for (xmlNodePtr n = devices ? devices->children : NULL; n; n = n->next)
        if (xlcfg__virt_has_no_format(n) &&
            xlcfg__xml_has(n, "target@dev", target))
            return true;
    return false;
}

/* ---- what is to be compared with the text of what runs ---- */

struct raw {
    const char *xml;
    xmlDocPtr doc;              /* NULL: not needed yet */
    xmlNodePtr was;             /* the device before it was changed; NULL: it
                                   was not */
};

/* Before each change.  False: no memory. */
static bool note_was(struct raw *raw, xmlNodePtr dev)
{
    if (!raw->was)
        raw->was = xmlDocCopyNode(dev, dev->doc, 1);
    return raw->was;
}

/* The one that runs, as libvirt shows it; NULL: none, or no memory. */
static xmlNodePtr partner(struct raw *raw, xmlNodePtr dev, const char *path)
{
    char *name = xlcfg__xml_get(dev, path), *other;
    xmlNodePtr n = NULL;
    bool same = false;

    if (!raw->doc && xlcfg__virt_parse(raw->xml, strlen(raw->xml), "domain",
                                       &raw->doc, NULL))
        raw->doc = NULL;
    if (raw->doc && name)
        n = xlcfg__virt_first(raw->doc);
    for (; n && !same; n = same ? n : n->next) {
        other = xmlStrEqual(n->name, dev->name) ? xlcfg__xml_get(n, path)
            : NULL;
        same = other && !strcmp(other, name);
        xmlFree(other);
    }
    xmlFree(name);
    return n;
}

/* A drive that is empty has forgotten the format of what was in it, and has
 * the usual one: see canon_disk in virt_canon.c.  parts NULL: those of tree,
 * which nothing was taken out of.  False: no memory. */
static bool liken_empty(xmlNodePtr drive,
                        const struct xlcfg__virt_parts *parts,
                        xmlDocPtr tree, struct raw *raw)
{
    xmlNodePtr driver = xlcfg__xml_child(drive, "driver");
    char *name = driver ? xlcfg__xml_get(drive, "target@dev") : NULL;
    bool ok = true;

    if (name && (parts ? xlcfg__virt_parts_untyped(parts, name)
                 : is_untyped(tree, name)))
        ok = note_was(raw, drive) && xlcfg__virt_set_type(driver, "raw");
    xmlFree(name);
    return ok;
}

/* The chain that runs, without the numbers that the run gave it, and without
 * the end that was found where the other names none. */
static void strip_chain(xmlNodePtr is, xmlNodePtr was)
{
    for (; is; was = was ? xlcfg__xml_child(was, "backingStore") : NULL) {
        xmlNodePtr source = xlcfg__xml_child(is, "source");
        xmlNodePtr under = xlcfg__xml_child(is, "backingStore");

        xmlUnsetProp(is, (const xmlChar *)"index");
        if (source)
            xmlUnsetProp(source, (const xmlChar *)"index");
        if (under && !under->children && was &&
            !xlcfg__xml_child(was, "backingStore")) {
            xlcfg__xml_drop(under);
            return;
        }
        is = under;
    }
}

/* What the run shows of the files under a disk says nothing of what somebody
 * chose; what is kept does, but where it is the same.  False: no memory. */
static bool liken_chain(xmlNodePtr disk, struct raw *raw)
{
    xmlNodePtr was = xlcfg__xml_child(disk, "backingStore"), is;
    char path[256];

    if (!was)
        return true;
    is = partner(raw, disk, "target@dev");
    is = is ? xlcfg__xml_child(is, "backingStore") : NULL;
    strip_chain(is, was);
    if (!is || !xlcfg__virt_covers(is, was, path, sizeof(path)) ||
        !xlcfg__virt_covers(was, is, path, sizeof(path)))
        return true;
    if (!note_was(raw, disk))
        return false;
    xlcfg__xml_drop(was);
    return true;
}

/* Where libvirt lets a screen listen of which nobody has said where. */
#define USUAL_ADDRESS "127.0.0.1"

/* libvirt writes it behind the ports. */
static bool set_listen(xmlNodePtr screen)
{
    static const char *const first[] = {
        "type", "port", "tlsPort", "autoport", "websocket", NULL,
    };

    return xlcfg__virt_set_behind(screen, first, "listen", USUAL_ADDRESS);
}

/* Does it listen on an address that nobody has named? */
static bool is_open(xmlNodePtr screen)
{
    xmlNodePtr one = xlcfg__xml_child(screen, "listen");

    return one && xlcfg__xml_has(one, "@type", "address") &&
        !xmlHasProp(one, (const xmlChar *)"address") &&
        !xmlHasProp(screen, (const xmlChar *)"listen");
}

static bool liken_listen(xmlNodePtr screen, xmlNodePtr is)
{
    if (!xlcfg__xml_has(is, "@listen", USUAL_ADDRESS) ||
        !xlcfg__xml_has(is, "listen@address", USUAL_ADDRESS))
        return true;
    return set_listen(screen) &&
        xlcfg__xml_set(screen, "listen@address", USUAL_ADDRESS);
}

/* A port that a start chooses, and where it listens. */
static bool liken_screen(xmlNodePtr screen, struct raw *raw)
{
    bool any = xlcfg__xml_has(screen, "@websocket", "-1"), ok;
    bool open = is_open(screen);
    xmlNodePtr is = any || open ? partner(raw, screen, "@type") : NULL;
    char *port = is && any ? xlcfg__xml_get(is, "@websocket") : NULL;

    ok = !is || note_was(raw, screen);
    ok = ok && (!port || xmlSetProp(screen, (const xmlChar *)"websocket",
                                    (const xmlChar *)port));
    xmlFree(port);
    return ok && (!is || !open || liken_listen(screen, is));
}

/* See canon_tls in virt_canon.c. */
static void liken_source(xmlNodePtr dev)
{
    xmlNodePtr source = xlcfg__xml_child(dev, "source");

    if (source && xlcfg__xml_has(source, "@tls", "no"))
        xmlUnsetProp(source, (const xmlChar *)"tls");
}

static xmlNodePtr link_up(xmlNodePtr nic)
{
    xmlNodePtr link = nic ? xlcfg__xml_child(nic, "link") : NULL;

    return link && xlcfg__xml_has(link, "@state", "up") &&
        !link->properties->next ? link : NULL;
}

/* A link is up, whether that is said or not: it is where it was set since. */
static bool liken_link(xmlNodePtr nic, struct raw *raw)
{
    xmlNodePtr was = link_up(nic), is, after = NULL, copy;

    if (!was && (xlcfg__xml_child(nic, "link") ||
                 !strstr(raw->xml, "<link state='up'/>")))
        return true;
    is = link_up(partner(raw, nic, "mac@address"));
    if (!was == !is)
        return true;
    if (!note_was(raw, nic))
        return false;
    if (was) {
        xlcfg__xml_drop(was);
        return true;
    }
    copy = xmlDocCopyNode(is, nic->doc, 1);
    for (xmlNodePtr n = is->next; n && !after; n = n->next)
        after = n->type == XML_ELEMENT_NODE
            ? xlcfg__xml_child(nic, (const char *)n->name) : NULL;
    if (copy && (after ? xmlAddPrevSibling(after, copy)
                 : xmlAddChild(nic, copy)))
        return true;
    xmlFreeNode(copy);
    return false;
}

/* A disk that others write to is not cached where nobody said how. */
static bool liken_cache(xmlNodePtr disk, struct raw *raw)
{
    static const char *const first[] = { "name", "type", NULL };
    xmlNodePtr driver = xlcfg__xml_child(disk, "driver"), is;

    if (!driver || !xlcfg__xml_child(disk, "shareable") ||
        xmlHasProp(driver, (const xmlChar *)"cache"))
        return true;
    is = partner(raw, disk, "target@dev");
    return !is || !xlcfg__xml_has(is, "driver@cache", "none") ||
        (note_was(raw, disk) &&
         xlcfg__virt_set_behind(driver, first, "cache", "none"));
}

/* Where QEMU puts a memory module of which nobody said where. */
static bool liken_memory(xmlNodePtr memory, struct raw *raw)
{
    xmlNodePtr address = xlcfg__xml_child(memory, "address"), is;
    char *base = NULL;
    bool ok = true;

    if (!address || !xmlHasProp(address, (const xmlChar *)"slot") ||
        xmlHasProp(address, (const xmlChar *)"base"))
        return true;
    is = partner(raw, memory, "address@slot");
    base = is ? xlcfg__xml_get(is, "address@base") : NULL;
    if (base)
        ok = xmlSetProp(address, (const xmlChar *)"base",
                        (const xmlChar *)base);
    xmlFree(base);
    return ok;
}

static bool liken_device(xmlNodePtr dev, const struct xlcfg__virt_beside *live,
                         xmlDocPtr tree, struct raw *raw)
{
    liken_source(dev);
    if (xlcfg__xml_is(dev, "interface"))
        return liken_link(dev, raw);
    if (xlcfg__xml_is(dev, "graphics"))
        return liken_screen(dev, raw);
    if (xlcfg__xml_is(dev, "memory"))
        return liken_memory(dev, raw);
    if (!xlcfg__xml_is(dev, "disk"))
        return true;
    if (!liken_chain(dev, raw) || !liken_cache(dev, raw))
        return false;
    if (xlcfg__xml_child(dev, "source"))
        return true;
    xmlUnsetProp(xlcfg__xml_child(dev, "target"), (const xmlChar *)"tray");
    return liken_empty(dev, live->parts, tree, raw);
}

/* The nth of its kind, and as it was defined. */
static int liken_one(xmlNodePtr dev, const struct xlcfg__virt_beside *live,
                     xmlDocPtr tree, struct raw *raw,
                     size_t nth[XLCFG_KINDS + 1], xlcfg__members *plain,
                     xlcfg_error *err)
{
    enum xlcfg_kind kind = dev->type == XML_ELEMENT_NODE
        ? xlcfg__virt_kind(dev) : XLCFG_KINDS;
    size_t n = nth[kind]++;
    int rc = 0;

    if (!liken_device(dev, live, tree, raw) ||
        (raw->was && kind < XLCFG_KINDS &&
         xlcfg__virt_add_plain(plain, kind, raw->was, n)))
        rc = xlcfg__nomem(err);
    xmlFreeNode(raw->was);
    raw->was = NULL;
    return rc;
}

/* A clock that is local when it is started goes on from the difference. */
static bool liken_clock(xmlNodePtr kept, xmlNodePtr live)
{
    xmlNodePtr was = xlcfg__xml_child(kept, "clock");
    xmlNodePtr is = xlcfg__xml_child(live, "clock");
    char *by = NULL;
    bool ok = true;

    if (!was || !is || !xlcfg__xml_has(was, "@offset", "variable") ||
        !xlcfg__xml_has(was, "@basis", "localtime") ||
        !xlcfg__xml_has(is, "@offset", "variable") ||
        !xlcfg__xml_has(is, "@basis", "utc"))
        return true;
    by = xlcfg__xml_get(is, "@adjustment");
    ok = xmlSetProp(was, (const xmlChar *)"basis", (const xmlChar *)"utc") &&
        (!by || xmlSetProp(was, (const xmlChar *)"adjustment",
                           (const xmlChar *)by));
    xmlFree(by);
    return ok;
}

/* Are those that run the first ones, as a start makes it of a number alone? */
static bool are_first(xmlNodePtr vcpus)
{
    bool off = false;

    for (xmlNodePtr n = vcpus->children; n; n = n->next) {
        if (!xlcfg__xml_is(n, "vcpu"))
            continue;
        if (xlcfg__xml_has(n, "@enabled", "no"))
            off = true;
        else if (off)
            return false;
    }
    return true;
}

/* What came to a processor while the guest ran is listed one by one; what is
 * kept has their number. */
static bool liken_vcpus(xmlNodePtr kept, xmlNodePtr live)
{
    xmlNodePtr vcpus = xlcfg__xml_child(live, "vcpus"), copy;
    xmlNodePtr number = xlcfg__xml_child(kept, "vcpu");

    if (!vcpus || !number || xlcfg__xml_child(kept, "vcpus") ||
        !are_first(vcpus))
        return true;
    copy = xmlDocCopyNode(vcpus, kept->doc, 1);
    if (copy && xmlAddNextSibling(number, copy))
        return true;
    xmlFreeNode(copy);
    return false;
}

int xlcfg__virt_liken(xmlDocPtr kept, const struct xlcfg__virt_beside *live,
                      xlcfg_doc **plain_r, xlcfg_error *err)
{
    size_t nth[XLCFG_KINDS + 1] = { 0 };
    xlcfg__members plain = { 0 };
    xmlNodePtr domain = xmlDocGetRootElement(kept);
    xmlDocPtr tree = live->parts ? live->tree : NULL, whole = NULL;
    struct raw raw = { .xml = live->xml };
    int rc = 0;

    if (!tree)
        rc = xlcfg__virt_parse(live->xml, strlen(live->xml), "domain",
                               &whole, err);
    if (rc)
        return rc;
    tree = tree ? tree : whole;
    for (xmlNodePtr n = xlcfg__virt_first(kept); n && !rc; n = n->next)
        rc = liken_one(n, live, tree, &raw, nth, &plain, err);
    *plain_r = xlcfg__members_end(&plain);
    if (!rc && !*plain_r)
        rc = xlcfg__nomem(err);
    if (!rc && (!liken_clock(domain, xmlDocGetRootElement(tree)) ||
                !liken_vcpus(domain, xmlDocGetRootElement(tree))))
        rc = xlcfg__nomem(err);
    xlcfg__virt_canon_usual(domain);
    xmlFreeDoc(raw.doc);
    xmlFreeDoc(whole);
    return rc;
}

int xlcfg__virt_understand_kept(struct virt *v,
                                const struct xlcfg_domain *dom,
                                struct xlcfg__virt_text *text,
                                const struct xlcfg__virt_beside *live,
                                struct xlcfg__virt_sense *sense_r,
                                xlcfg_error *err)
{
    xmlDocPtr tree = NULL;
    int rc = 0;

    if (text->beside && xlcfg__virt_recall(v->memo, text, sense_r)) {
        free(text->xml);
    } else {
        /* no part of an earlier one: it was made like what ran then */
        rc = xlcfg__virt_take_apart(text->xml, NULL, live, sense_r, &tree,
                                    err);
        xmlFreeDoc(tree);
        if (rc == XLCFG_ERROR_PARSE)
            xlcfg__err_in(err, dom->name);
        if (!rc && text->beside)
            xlcfg__virt_learn(v->memo, text, sense_r);
        else
            free(text->xml);
    }
    text->xml = NULL;
    return rc;
}

static int read_kept(virDomainPtr d, const struct xlcfg_domain *dom,
                     xlcfg_doc **config_r, xlcfg_error *err)
{
    struct xlcfg__virt_sense sense = { .number = 0 };
    char *kept = xlcfg__virt_xml(d, VIR_DOMAIN_XML_INACTIVE);
    char *live = kept && dom->domid >= 0 ? xlcfg__virt_xml(d, 0) : NULL;
    struct xlcfg__virt_beside beside = { .xml = live };
    xmlDocPtr tree = NULL;
    int rc;

    if (!kept || (dom->domid >= 0 && !live))
        rc = xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    else
        rc = xlcfg__virt_take_apart(kept, NULL, live ? &beside : NULL, &sense,
                                    &tree, err);
    if (rc == XLCFG_ERROR_PARSE)
        xlcfg__err_in(err, dom->name);
    if (!rc)
        *config_r = xlcfg_doc_ref(sense.config);
    xlcfg__virt_sense_dispose(&sense);
    xmlFreeDoc(tree);
    free(kept);
    free(live);
    return rc;
}

int xlcfg__virt_is_transient(const struct xlcfg_domain *dom,
                             xlcfg_error *err)
{
    return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, dom->uuid,
                      "a transient domain: nothing is kept for its next "
                      "start");
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
        rc = xlcfg__virt_is_transient(dom, err);
    else
        rc = read_kept(d, dom, config_r, err);
    virDomainFree(d);
    return rc;
}
