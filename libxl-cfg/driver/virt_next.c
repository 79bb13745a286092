/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the next start would make of the processor that is kept.
 *
 * A start checks <cpu>, names each feature, and takes a model in the place of
 * the host's: what runs is never what is kept.  Whether it is made of that is
 * told by the XML that libvirt gives for a migration, which has the <cpu> that
 * was asked for at this start; or by older ones, where the host chose, the
 * choice.
 */
#include "driver/virt_i.h"
#include "driver/virt_xml.h"

#include <string.h>

/* What a start decides, where it is asked to: "cpu" without it is what is left
 * to compare. */
static const char *const checked[] = { "check", NULL };
static const char *const chosen[] = { "check", "mode", "match", NULL };

static void drop_attrs(xmlNodePtr node, const char *const *names)
{
    for (; *names; names++)
        xmlUnsetProp(node, (const xmlChar *)*names);
}

static void drop_all(xmlNodePtr node, const char *name)
{
    xmlNodePtr n;

    while ((n = xlcfg__xml_child(node, name)))
        xlcfg__xml_drop(n);
}

/* NULL: no memory. */
static xmlNodePtr bare(xmlNodePtr cpu, bool by_host)
{
    xmlNodePtr copy = xmlDocCopyNode(cpu, cpu->doc, 1);
    xmlNodePtr model = copy ? xlcfg__xml_child(copy, "model") : NULL;

    if (!copy)
        return NULL;
    drop_attrs(copy, by_host ? chosen : checked);
    if (model)
        xmlUnsetProp(model, (const xmlChar *)"fallback");
    if (by_host) {
        drop_all(copy, "model");
        drop_all(copy, "vendor");
        drop_all(copy, "feature");
    }
    return copy;
}

/* Does what runs have this feature as it is wished?  An optional one is as the
 * host has it; a forced one is there. */
static bool has_feature(xmlNodePtr is, xmlNodePtr wish)
{
    char *name = xlcfg__xml_get(wish, "@name");
    bool there = !name || xlcfg__xml_has(wish, "@policy", "optional");

    for (xmlNodePtr n = is->children; n && !there; n = n->next)
        if (xlcfg__xml_is(n, "feature") && xlcfg__xml_has(n, "@name", name)) {
            char *policy = xlcfg__xml_get(wish, "@policy");

            there = !policy || xlcfg__xml_has(n, "@policy", policy) ||
                (!strcmp(policy, "force") &&
                 xlcfg__xml_has(n, "@policy", "require"));
            xmlFree(policy);
        }
    xmlFree(name);
    return there;
}

/* What is optional is as the host has it. */
static void drop_optional(xmlNodePtr wishes, xmlNodePtr other)
{
    xmlNodePtr next, same;

    for (xmlNodePtr n = wishes->children; n; n = next) {
        char *name = xlcfg__xml_is(n, "feature") &&
            xlcfg__xml_has(n, "@policy", "optional")
            ? xlcfg__xml_get(n, "@name") : NULL;

        next = n->next;
        if (!name)
            continue;
        for (same = other->children; same; same = same->next)
            if (xlcfg__xml_is(same, "feature") &&
                xlcfg__xml_has(same, "@name", name))
                break;
        if (same)
            xlcfg__xml_drop(same);
        xlcfg__xml_drop(n);
        xmlFree(name);
    }
}

/* Is that all the same?  False: no memory. */
static bool is_same(xmlNodePtr asked, xmlNodePtr kept, bool by_host,
                    bool *same_r)
{
    xmlNodePtr a = bare(asked, by_host), b = bare(kept, by_host);
    char path[256];
    bool ok = a && b;

    if (ok)
        drop_optional(b, a);
    *same_r = ok && xlcfg__virt_covers(a, b, path, sizeof(path)) &&
        xlcfg__virt_covers(b, a, path, sizeof(path));
    xmlFreeNode(a);
    xmlFreeNode(b);
    return ok;
}

/* asked: of this start, or what the host chose for it.  False: no memory. */
static bool is_made(xmlNodePtr is, xmlNodePtr asked, xmlNodePtr kept,
                    bool *so_r)
{
    bool by_host = xlcfg__xml_has(kept, "@mode", "host-model") ||
        xlcfg__xml_has(kept, "@match", "minimum");

    if (!is_same(asked, kept, false, so_r))
        return false;
    if (*so_r || !by_host || !xlcfg__xml_has(asked, "@check", "full"))
        return true;
    if (!is_same(asked, kept, true, so_r))
        return false;
    for (xmlNodePtr n = kept->children; n && *so_r; n = n->next)
        *so_r = !xlcfg__xml_is(n, "feature") || has_feature(is, n);
    return true;
}

static xmlNodePtr cpu_of(xmlDocPtr doc)
{
    return doc ? xlcfg__xml_child(xmlDocGetRootElement(doc), "cpu") : NULL;
}

static int rest_of(const xlcfg_doc *config, xmlDocPtr *doc_r,
                   xlcfg_error *err)
{
    const char *xml = xlcfg__doc_getstr(config, "x-libvirt");

    return xml ? xlcfg__virt_parse(xml, strlen(xml), "domain", doc_r, err)
        : 0;
}

static int put_rest(xlcfg_doc **config, xmlDocPtr doc, xlcfg_error *err)
{
    xlcfg__members m = { 0 };
    xlcfg_doc *made;

    xlcfg__members_copy(&m, *config);
    xlcfg__members_set(&m, "x-libvirt",
                       xlcfg__xml_text(xmlDocGetRootElement(doc)));
    made = xlcfg__members_end(&m);
    if (!made)
        return xlcfg__nomem(err);
    xlcfg_doc_free(*config);
    *config = made;
    return 0;
}

/* This run goes on: its number is no other's. */
static bool runs_still(virDomainPtr d, const struct xlcfg_domain *dom)
{
    virDomainPtr now = virDomainLookupByID(virDomainGetConnect(d),
                                           (int)dom->domid);
    char uuid[VIR_UUID_STRING_BUFLEN];
    bool still = now && !virDomainGetUUIDString(now, uuid) &&
        !strcmp(uuid, dom->uuid);

    if (now)
        virDomainFree(now);
    return still;
}

/* What was asked for at this start; NULL: it does not run any more, or libvirt
 * does not say. */
static int ask(virDomainPtr d, const struct xlcfg_domain *dom,
               xmlDocPtr *doc_r)
{
    char *xml = xlcfg__virt_xml(d, VIR_DOMAIN_XML_MIGRATABLE);
    int rc = 0;

    if (xml && runs_still(d, dom))
        rc = xlcfg__virt_parse(xml, strlen(xml), "domain", doc_r, NULL);
    free(xml);
    return rc == XLCFG_ERROR_NOMEM ? rc : 0;
}

static int put_cpu(virDomainPtr d, const struct xlcfg_domain *dom,
                   xmlDocPtr live, xmlDocPtr kept, xlcfg_doc **stored,
                   xlcfg_error *err)
{
    xmlNodePtr is = cpu_of(live), was = cpu_of(kept), copy;
    xmlDocPtr start = NULL;
    bool so = false;
    int rc;

    if (!is || !was)
        return 0;
    rc = ask(d, dom, &start);
    if (!rc && cpu_of(start) && !is_made(is, cpu_of(start), was, &so))
        rc = XLCFG_ERROR_NOMEM;
    xmlFreeDoc(start);
    if (rc)
        return xlcfg__nomem(err);
    if (!so)
        return 0;
    copy = xmlDocCopyNode(is, kept, 1);
    if (!copy)
        return xlcfg__nomem(err);
    xmlFreeNode(xmlReplaceNode(was, copy));
    return put_rest(stored, kept, err);
}

int xlcfg__virt_next(virDomainPtr d, const struct xlcfg_domain *dom,
                     const xlcfg_doc *live, xlcfg_doc **stored,
                     xlcfg_error *err)
{
    xmlDocPtr is = NULL, was = NULL;
    int rc = rest_of(live, &is, err);

    if (!rc)
        rc = rest_of(*stored, &was, err);
    if (!rc)
        rc = put_cpu(d, dom, is, was, stored, err);
    xmlFreeDoc(is);
    xmlFreeDoc(was);
    return rc;
}
