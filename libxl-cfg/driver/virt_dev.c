/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding a device in a domain's XML, and seeing that nothing of one that
 * was sent is missing in what is read back. */
#include "driver/virt_i.h"
#include "core/key.h"
#include "driver/virt_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static xmlNodePtr devices_of(xmlDocPtr doc)
{
    return xlcfg__xml_child(xmlDocGetRootElement(doc), "devices");
}

xmlNodePtr xlcfg__virt_first(xmlDocPtr doc)
{
    xmlNodePtr devices = doc ? devices_of(doc) : NULL;

    return devices ? devices->children : NULL;
}

/* Bodies are made of the canonical form; the element stays as it is. */
static int body_of(enum xlcfg_kind kind, xmlNodePtr dev, size_t nth,
                   xlcfg_doc **body_r)
{
    xmlNodePtr copy = xmlDocCopyNode(dev, dev->doc, 1);
    int rc;

    if (!copy)
        return XLCFG_ERROR_NOMEM;
    xlcfg__virt_canon_device(copy, xmlHasProp(xmlDocGetRootElement(dev->doc),
                                              (const xmlChar *)"id"));
    rc = xlcfg__virt_body(kind, copy, nth, body_r, NULL);
    xmlFreeNode(copy);
    return rc;
}

static bool same_address(const xlcfg_doc *a, const xlcfg_doc *b)
{
    bool nomem = false, same;
    xlcfg_doc *x = xlcfg__virt_address(a, &nomem);
    xlcfg_doc *y = xlcfg__virt_address(b, &nomem);

    same = x && y && xlcfg__doc_equal(x, y);
    xlcfg_doc_free(x);
    xlcfg_doc_free(y);
    return same;
}

/* Of several of one identity (a MAC may stand twice) the one at the same
 * address, else the first. */
int xlcfg__virt_device(xmlDocPtr doc, enum xlcfg_kind kind,
                       const xlcfg_doc *body, xmlNodePtr *dev_r)
{
    xmlNodePtr devices = devices_of(doc), found = NULL;
    struct xlcfg_ident want, id;
    bool sure = false;
    size_t nth = 0;
    int rc;

    xlcfg__key_of(kind, body, &want);
    for (xmlNodePtr n = devices ? devices->children : NULL; n && !sure;
         n = n->next) {
        xlcfg_doc *have;

        if (n->type != XML_ELEMENT_NODE || xlcfg__virt_kind(n) != kind)
            continue;
        rc = body_of(kind, n, nth++, &have);
        if (rc == XLCFG_ERROR_NOMEM)
            return rc;
        if (rc)
            continue;
        xlcfg__key_of(kind, have, &id);
        if (!strcmp(id.match, want.match)) {
            sure = same_address(have, body);
            found = !found || sure ? n : found;
        }
        xlcfg_doc_free(have);
    }
    *dev_r = found;
    return 0;
}

xmlNodePtr xlcfg__virt_by_alias(xmlDocPtr doc, const char *alias)
{
    xmlNodePtr devices = devices_of(doc);

    for (xmlNodePtr n = devices ? devices->children : NULL; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE &&
            xlcfg__xml_has(n, "alias@name", alias))
            return n;
    return NULL;
}

int xlcfg__virt_lone(enum xlcfg_kind kind, const xlcfg_doc *body,
                     xmlDocPtr *doc_r, xmlNodePtr *dev_r, xlcfg_error *err)
{
    xmlDocPtr doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNodePtr root = doc ? xmlNewNode(NULL, (const xmlChar *)"devices")
                          : NULL;
    int rc;

    if (!root) {
        xmlFreeDoc(doc);
        return xlcfg__nomem(err);
    }
    xmlDocSetRootElement(doc, root);
    rc = xlcfg__virt_element(kind, body, root, err);
    if (rc) {
        xmlFreeDoc(doc);
        return rc;
    }
    *doc_r = doc;
    *dev_r = root->children;
    return 0;
}

int xlcfg__virt_alias_in(xmlDocPtr doc, enum xlcfg_kind kind,
                         const xlcfg_doc *body, char **alias_r,
                         xlcfg_error *err)
{
    xmlNodePtr dev;
    int rc;

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
    return rc;
}

int xlcfg__virt_alias_of(virDomainPtr d, enum xlcfg_kind kind,
                         const xlcfg_doc *body, char **alias_r,
                         xlcfg_error *err)
{
    xmlDocPtr doc;
    int rc;

    rc = xlcfg__virt_desc(d, 0, &doc, err);
    if (rc)
        return rc;
    rc = xlcfg__virt_alias_in(doc, kind, body, alias_r, err);
    xmlFreeDoc(doc);
    return rc;
}

char *xlcfg__virt_element_text(xmlNodePtr dev, xlcfg_error *err)
{
    xlcfg_doc *text = xlcfg__xml_text(dev);
    char *copy = text ? strdup(xlcfg_doc_string(text)) : NULL;

    xlcfg_doc_free(text);
    if (!copy)
        xlcfg__nomem(err);
    return copy;
}

/* ---- comparing ---- */

/* 0x01 and 1 are one number, and MACs have no case. */
static bool same_text(const char *a, const char *b)
{
    char *end_a, *end_b;
    unsigned long long x, y;

    if (!strcasecmp(a, b))
        return true;
    if (*a < '0' || *a > '9' || *b < '0' || *b > '9')
        return false;
    x = strtoull(a, &end_a, 0);
    y = strtoull(b, &end_b, 0);
    return !*end_a && !*end_b && x == y;
}

static bool has_elements(xmlNodePtr node)
{
    for (xmlNodePtr n = node->children; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE)
            return true;
    return false;
}

static bool same_words(xmlNodePtr read, xmlNodePtr sent)
{
    char *a, *b;
    bool same;

    if (has_elements(sent) || !sent->children)
        return true;
    a = xlcfg__xml_get(read, "");
    b = xlcfg__xml_get(sent, "");
    same = a && b && same_text(a, b);
    xmlFree(a);
    xmlFree(b);
    return same;
}

/* path_r has the way to `sent`, of len characters. */
static bool covers(xmlNodePtr read, xmlNodePtr sent, char *path, size_t len,
                   size_t size)
{
    char deeper[256] = "";

    for (xmlAttrPtr a = sent->properties; a; a = a->next) {
        char at[64], *want, *have;
        bool same;

        snprintf(at, sizeof(at), "@%.60s", (const char *)a->name);
        want = xlcfg__xml_get(sent, at);
        have = xlcfg__xml_get(read, at);
        /* a name with % in it is a pattern that libvirt fills */
        same = want && have && (strchr(want, '%') || same_text(want, have));
        xmlFree(want);
        xmlFree(have);
        if (!same) {
            snprintf(path + len, size - len, "%s", at);
            return false;
        }
    }
    if (!same_words(read, sent))
        return false;
    for (xmlNodePtr n = sent->children; n; n = n->next) {
        size_t to = len;
        bool there = false;

        if (n->type != XML_ELEMENT_NODE)
            continue;
        to += (size_t)snprintf(path + len, size - len, "/%.60s",
                               (const char *)n->name);
        if (to >= size)
            return false;
        for (xmlNodePtr r = read->children; r && !there; r = r->next)
            if (r->type == XML_ELEMENT_NODE &&
                !strcmp((const char *)r->name, (const char *)n->name)) {
                there = covers(r, n, path, to, size);
                if (!there)
                    snprintf(deeper, sizeof(deeper), "%s", path);
            }
        if (!there) {
            if (*deeper)
                snprintf(path, size, "%s", deeper);
            else
                path[to] = '\0';
            return false;
        }
        path[len] = '\0';
    }
    return true;
}

bool xlcfg__virt_covers(xmlNodePtr read, xmlNodePtr sent, char *path_r,
                        size_t size)
{
    int len = snprintf(path_r, size, "%.60s", (const char *)sent->name);

    return covers(read, sent, path_r, (size_t)len, size);
}

/* ---- what is kept, and what runs ---- */

int xlcfg__virt_is_kept_as(xmlNodePtr live, xmlNodePtr kept, bool *same_r)
{
    xmlNodePtr a = xmlDocCopyNode(live, live->doc, 1);
    xmlNodePtr b = xmlDocCopyNode(kept, kept->doc, 1), address;
    char path[256];
    int rc = a && b ? 0 : XLCFG_ERROR_NOMEM;

    *same_r = false;
    if (!rc) {
        /* what is only of a run goes from both */
        xlcfg__virt_canon_device(a, true);
        xlcfg__virt_canon_device(b, true);
        address = xlcfg__xml_child(b, "address") ? NULL
            : xlcfg__xml_child(a, "address");
        if (address)
            xlcfg__xml_drop(address);
        *same_r = xlcfg__virt_covers(a, b, path, sizeof(path)) &&
            xlcfg__virt_covers(b, a, path, sizeof(path));
    }
    xmlFreeNode(a);
    xmlFreeNode(b);
    return rc;
}
