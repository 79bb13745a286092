/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libvirt keeps of a domain for its next start, without what a start
 * writes into it. */
#include "driver/virt_i.h"
#include "driver/virt_xml.h"

#include <stdlib.h>
#include <string.h>

#define TYPE ((const xmlChar *)"type")

/* Is this CPU what a start makes of that one?  It checks it, names each
 * feature, and allows no other model from then on. */
static int is_made_of(xmlNodePtr is, xmlNodePtr was, bool *so_r)
{
    xmlNodePtr plain = xmlDocCopyNode(was, was->doc, 1);
    xmlNodePtr model = plain ? xlcfg__xml_child(plain, "model") : NULL;
    char path[256];

    if (!plain)
        return XLCFG_ERROR_NOMEM;
    xmlUnsetProp(plain, (const xmlChar *)"check");
    if (model)
        xmlUnsetProp(model, (const xmlChar *)"fallback");
    *so_r = xlcfg__virt_covers(is, plain, path, sizeof(path)) ||
        (xlcfg__xml_has(was, "@mode", "host-model") &&
         xlcfg__xml_has(is, "@mode", "custom"));
    xmlFreeNode(plain);
    return 0;
}

/* What a start makes of <cpu> is what the next start makes of it again. */
static bool liken_cpu(xmlNodePtr kept, xmlNodePtr live)
{
    xmlNodePtr is = xlcfg__xml_child(live, "cpu");
    xmlNodePtr was = xlcfg__xml_child(kept, "cpu"), copy;
    bool so = false;

    if (!is || !was)
        return true;
    if (is_made_of(is, was, &so))
        return false;
    if (!so)
        return true;
    copy = xmlDocCopyNode(is, kept->doc, 1);
    if (!copy)
        return false;
    xmlFreeNode(xmlReplaceNode(was, copy));
    return true;
}

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

/* A drive that is empty has forgotten the format of what was in it.  parts
 * NULL: those of tree, which nothing was taken out of. */
static void liken_drives(xmlNodePtr kept,
                         const struct xlcfg__virt_parts *parts,
                         xmlDocPtr tree)
{
    xmlNodePtr devices = xlcfg__xml_child(kept, "devices");

    for (xmlNodePtr k = devices ? devices->children : NULL; k; k = k->next) {
        char *name = xlcfg__xml_is(k, "disk") &&
            !xlcfg__xml_child(k, "source")
            ? xlcfg__xml_get(k, "target@dev") : NULL;

        if (name && (parts ? xlcfg__virt_parts_untyped(parts, name)
                     : is_untyped(tree, name)))
            xmlUnsetProp(xlcfg__xml_child(k, "driver"), TYPE);
        xmlFree(name);
    }
}

int xlcfg__virt_liken(xmlDocPtr kept, const struct xlcfg__virt_beside *live,
                      xlcfg_error *err)
{
    xmlNodePtr domain = xmlDocGetRootElement(kept);
    xmlDocPtr tree = live->parts ? live->tree : NULL, whole = NULL;
    int rc = 0;

    if (!tree)
        rc = xlcfg__virt_parse(live->xml, strlen(live->xml), "domain",
                               &whole, err);
    if (rc)
        return rc;
    tree = tree ? tree : whole;
    liken_drives(domain, live->parts, tree);
    if (!liken_cpu(domain, xmlDocGetRootElement(tree)))
        rc = xlcfg__nomem(err);
    xmlFreeDoc(whole);
    return rc;
}

int xlcfg__virt_understand_kept(struct virt *v,
                                const struct xlcfg_domain *dom,
                                struct xlcfg__virt_text *text,
                                const struct xlcfg__virt_beside *live,
                                xlcfg_doc **config_r,
                                unsigned long *number_r, xlcfg_error *err)
{
    struct xlcfg__virt_sense sense = { .number = 0 };
    struct xlcfg__virt_parts *old;
    xmlDocPtr tree = NULL;
    int rc = 0;

    if (text->beside && xlcfg__virt_recall(v->memo, text, &sense)) {
        free(text->xml);
    } else {
        old = xlcfg__virt_last_parts(v->memo, text->uuid, true);
        rc = xlcfg__virt_take_apart(text->xml, old, live, &sense, &tree,
                                    err);
        xlcfg__virt_parts_free(old);
        xmlFreeDoc(tree);
        if (rc == XLCFG_ERROR_PARSE)
            xlcfg__err_in(err, dom->name);
        if (!rc && text->beside)
            xlcfg__virt_learn(v->memo, text, &sense);
        else
            free(text->xml);
    }
    text->xml = NULL;
    if (!rc)
        *config_r = xlcfg_doc_ref(sense.config);
    *number_r = sense.number;
    xlcfg__virt_sense_dispose(&sense);
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
