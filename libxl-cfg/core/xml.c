/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XML: reading with bounds, and small steps in the tree. */
#include "core/xml.h"

#include <libxml/parser.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(s) ((const xmlChar *)(s))

int xlcfg__xml_bad(xlcfg_error *err, xmlNodePtr node, const char *fmt, ...)
{
    char where[160], text[700];
    va_list ap;

    snprintf(where, sizeof(where), "line %ld: <%.100s>", xmlGetLineNo(node),
             (const char *)node->name);
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return xlcfg__err(err, XLCFG_ERROR_PARSE, where, "%s", text);
}

/* ---- reading ---- */

/* The first thing that was wrong: later ones follow from it. */
struct trouble {
    bool any;
    int code, line;
    char element[100], text[300];
};

static void note(xmlParserCtxtPtr ctxt, int code, int line, const char *text)
{
    struct trouble *t = ctxt->_private;

    if (t->any)
        return;
    t->any = true;
    t->code = code;
    t->line = line;
    snprintf(t->element, sizeof(t->element), "%s",
             ctxt->name ? (const char *)ctxt->name : "");
    snprintf(t->text, sizeof(t->text), "%s", text);
    t->text[strcspn(t->text, "\n")] = '\0';
}

/* Stop at the first word of a document type: no entity is ever declared. */
static void refuse_dtd(void *arg, const xmlChar *name, const xmlChar *ext,
                       const xmlChar *sys)
{
    xmlParserCtxtPtr ctxt = arg;

    (void)name; (void)ext; (void)sys;
    note(ctxt, XML_ERR_OK, ctxt->input ? ctxt->input->line : 1,
         "a document type, and with it entities, is not taken");
    xmlStopParser(ctxt);
}

static void take_error(void *arg, xmlErrorPtr e)
{
    if (e->level >= XML_ERR_ERROR)
        note(arg, e->code, e->line, e->message ? e->message
             : "this is not XML");
}

/* Walk without recursion: the depth is the input's choice. */
static int check_depth(xmlNodePtr root, int most, xlcfg_error *err)
{
    xmlNodePtr n = root;
    int depth = 1;

    for (;;) {
        if (depth > most)
            return xlcfg__xml_bad(err, n, "elements nest deeper than %d",
                                  most);
        if (n->type == XML_ELEMENT_NODE && n->children) {
            n = n->children;
            depth++;
            continue;
        }
        while (n != root && !n->next) {
            n = n->parent;
            depth--;
        }
        if (n == root)
            return 0;
        n = n->next;
    }
}

static bool is_blank(xmlNodePtr n)
{
    return n->type == XML_COMMENT_NODE || n->type == XML_PI_NODE ||
        xmlIsBlankNode(n);
}

/* Comments, and blanks between elements; where there is text all stays, and
 * the blank that is all of an element is a text. */
static void strip(xmlNodePtr node)
{
    bool elements = false, text = false;
    xmlNodePtr next, n;

    for (n = node->children; n; n = n->next) {
        elements = elements || n->type == XML_ELEMENT_NODE;
        text = text || (n->type != XML_ELEMENT_NODE && !is_blank(n));
    }
    for (n = node->children; n; n = next) {
        next = n->next;
        if (n->type == XML_ELEMENT_NODE)
            strip(n);
        else if (!text && (elements || !xmlIsBlankNode(n)))
            xlcfg__xml_drop(n);
    }
}

static int parse_failed(const struct trouble *t, xlcfg_error *err)
{
    char where[160];

    if (t->code == XML_ERR_NO_MEMORY)
        return xlcfg__nomem(err);
    snprintf(where, sizeof(where), t->element[0] ? "line %d: <%s>"
             : "line %d", t->any ? t->line : 1, t->element);
    return xlcfg__err(err, XLCFG_ERROR_PARSE, where, "%s",
                      t->any ? t->text : "this is not XML");
}

int xlcfg__xml_parse(const char *xml, size_t len, const char *root,
                     int depth, xmlDocPtr *doc_r, xlcfg_error *err)
{
    xmlParserCtxtPtr ctxt;
    xmlDocPtr doc = NULL;
    xmlNodePtr top;
    struct trouble trouble = { 0 };
    int rc;

    if (len > XLCFG__XML_SIZE)
        return xlcfg__err(err, XLCFG_ERROR_PARSE, "line 1",
                          "more than %zu MiB of XML", XLCFG__XML_SIZE >> 20);
    ctxt = xmlNewParserCtxt();
    if (!ctxt)
        return xlcfg__nomem(err);
    ctxt->_private = &trouble;
    ctxt->sax->internalSubset = refuse_dtd;
    ctxt->sax->serror = take_error;
    doc = xmlCtxtReadMemory(ctxt, xml, (int)len, NULL, NULL,
                            XML_PARSE_NONET | XML_PARSE_NOERROR |
                            XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES |
                            XML_PARSE_NOCDATA);
    top = doc && !trouble.any ? xmlDocGetRootElement(doc) : NULL;
    if (!top) {
        rc = parse_failed(&trouble, err);
        goto out;
    }
    rc = check_depth(top, depth, err);
    if (!rc && root && !xlcfg__xml_is(top, root))
        rc = xlcfg__xml_bad(err, top, "expected <%s>", root);
    if (rc)
        goto out;
    strip(top);
    *doc_r = doc;
    doc = NULL;
out:
    if (doc)
        xmlFreeDoc(doc);
    xmlFreeParserCtxt(ctxt);
    return rc;
}

/* ---- small steps ---- */

bool xlcfg__xml_is(xmlNodePtr node, const char *name)
{
    return node && node->type == XML_ELEMENT_NODE && !node->ns &&
        !strcmp((const char *)node->name, name);
}

xmlNodePtr xlcfg__xml_child(xmlNodePtr node, const char *name)
{
    for (xmlNodePtr n = node ? node->children : NULL; n; n = n->next)
        if (xlcfg__xml_is(n, name))
            return n;
    return NULL;
}

xmlNodePtr xlcfg__xml_make(xmlNodePtr node, const char *name)
{
    xmlNodePtr n = xlcfg__xml_child(node, name);

    return n ? n : xmlNewChild(node, NULL, X(name), NULL);
}

void xlcfg__xml_drop(xmlNodePtr node)
{
    if (!node)
        return;
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

/* The element a path ends in, and the attribute's name ("": its text). */
static xmlNodePtr walk(xmlNodePtr node, const char *path, bool make,
                       const char **attr_r)
{
    char name[32];
    size_t n;

    while (node && *path && *path != '@') {
        n = strcspn(path, "/@");
        snprintf(name, sizeof(name), "%.*s", (int)n, path);
        node = make ? xlcfg__xml_make(node, name)
            : xlcfg__xml_child(node, name);
        path += n + (path[n] == '/');
    }
    *attr_r = *path ? path + 1 : "";
    return node;
}

char *xlcfg__xml_get(xmlNodePtr node, const char *path)
{
    const char *attr;

    node = walk(node, path, false, &attr);
    if (!node)
        return NULL;
    return (char *)(*attr ? xmlGetNoNsProp(node, X(attr))
                    : xmlNodeGetContent(node));
}

bool xlcfg__xml_has(xmlNodePtr node, const char *path, const char *text)
{
    char *have = xlcfg__xml_get(node, path);
    bool same = have && !strcmp(have, text);

    xmlFree(have);
    return same;
}

size_t xlcfg__xml_odd(const char *s)
{
    const unsigned char *c = (const unsigned char *)s;

    if (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe)
        return 3;
    return c[0] && c[0] < 0x20 && !strchr("\t\n\r", c[0]);
}

bool xlcfg__xml_holds(const char *text)
{
    while (*text && !xlcfg__xml_odd(text))
        text++;
    return !*text;
}

bool xlcfg__xml_set(xmlNodePtr node, const char *path, const char *text)
{
    const char *attr;
    xmlNodePtr child;

    node = walk(node, path, true, &attr);
    if (!node)
        return false;
    if (*attr)
        return xmlSetProp(node, X(attr), X(text));
    while (node->children)
        xlcfg__xml_drop(node->children);
    child = xmlNewText(X(text));
    return child && xmlAddChild(node, child);
}

xlcfg_doc *xlcfg__xml_text(xmlNodePtr node)
{
    xmlBufferPtr buf = xmlBufferCreate();
    xlcfg_doc *doc = NULL;

    if (buf && xmlNodeDump(buf, node->doc, node, 0, 0) >= 0)
        doc = xlcfg__doc_strn((const char *)xmlBufferContent(buf),
                              (size_t)xmlBufferLength(buf));
    if (buf)
        xmlBufferFree(buf);
    return doc;
}
