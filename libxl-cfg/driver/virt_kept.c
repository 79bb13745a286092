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

/* The definition, as far as a start changes it without a wish of anybody.  tree
 * is live_xml, if that was taken apart already, or NULL. */
static int likened(const char *kept_xml, const char *live_xml,
                   xmlDocPtr tree, xlcfg_doc **config_r, xlcfg_error *err)
{
    xmlDocPtr kept = NULL, live = NULL;
    xmlNodePtr a, b;
    int rc;

    rc = xlcfg__virt_parse(kept_xml, strlen(kept_xml), "domain", &kept, err);
    if (!rc && *live_xml && !tree)
        rc = xlcfg__virt_parse(live_xml, strlen(live_xml), "domain", &live,
                               err);
    if (rc)
        goto out;
    a = xmlDocGetRootElement(kept);
    b = *live_xml ? xmlDocGetRootElement(tree ? tree : live) : NULL;
    if (b && !liken_cpu(a, b)) {
        rc = xlcfg__nomem(err);
        goto out;
    }
    if (b)
        liken_drives(a, b);
    rc = xlcfg__virt_from_tree(kept, config_r, NULL, err);
out:
    xmlFreeDoc(kept);
    xmlFreeDoc(live);
    return rc;
}

int xlcfg__virt_understand_kept(struct virt *v,
                                const struct xlcfg_domain *dom,
                                struct xlcfg__virt_text *text,
                                const char *live_xml, xmlDocPtr live,
                                xlcfg_doc **config_r,
                                unsigned long *number_r, xlcfg_error *err)
{
    struct xlcfg__virt_sense sense = { .number = 0 };
    int rc = 0;

    if (xlcfg__virt_recall(v->memo, text, &sense)) {
        free(text->xml);
    } else {
        rc = likened(text->xml, live_xml, live, &sense.config, err);
        if (rc == XLCFG_ERROR_PARSE)
            xlcfg__err_in(err, dom->name);
        if (!rc)
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
    char *kept = xlcfg__virt_xml(d, VIR_DOMAIN_XML_INACTIVE);
    char *live = kept && dom->domid >= 0 ? xlcfg__virt_xml(d, 0) : NULL;
    int rc;

    if (!kept || (dom->domid >= 0 && !live))
        rc = xlcfg__virt_said_of(d, XLCFG_ERROR_UNREACHABLE, err);
    else
        rc = likened(kept, live ? live : "", NULL, config_r, err);
    if (rc == XLCFG_ERROR_PARSE)
        xlcfg__err_in(err, dom->name);
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
