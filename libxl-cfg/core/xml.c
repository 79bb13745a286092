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
 * the blank that is all of an element is a text.  True: an element has both
 * text and elements. */
static bool strip(xmlNodePtr node)
{
    bool elements = false, text = false, mixed;
    xmlNodePtr next, n;

    for (n = node->children; n; n = n->next) {
        elements = elements || n->type == XML_ELEMENT_NODE;
        text = text || (n->type != XML_ELEMENT_NODE && !is_blank(n));
    }
    mixed = elements && text;
    for (n = node->children; n; n = next) {
        next = n->next;
        if (n->type == XML_ELEMENT_NODE)
            mixed = strip(n) || mixed;
        else if (!text && (elements || !xmlIsBlankNode(n)))
            xlcfg__xml_drop(n);
    }
    return mixed;
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

void xlcfg__xml_init(void)
{
    xmlInitParser();
}

/* Does the parser know by itself which blanks are between elements?  It takes
 * each that a tag follows for one: not where there are comments and sections,
 * nor, which the tree tells, where text and elements stand beside each other. */
static bool is_simple(const char *xml, size_t len)
{
    const char *end = xml + len, *p = xml;

    while ((p = memchr(p, '<', (size_t)(end - p))) && ++p < end)
        if (*p == '!' || *p == '?')
            return false;
    return true;
}

/* simple: blanks are left out at once; *mixed_r: wrongly so, perhaps. */
static int parse(const char *xml, size_t len, bool simple, const char *root,
                 int depth, xmlDocPtr *doc_r, bool *mixed_r, xlcfg_error *err)
{
    xmlParserCtxtPtr ctxt;
    xmlDocPtr doc = NULL;
    xmlNodePtr top;
    struct trouble trouble = { 0 };
    int rc;

    ctxt = xmlNewParserCtxt();
    if (!ctxt)
        return xlcfg__nomem(err);
    ctxt->_private = &trouble;
    ctxt->sax->internalSubset = refuse_dtd;
    ctxt->sax->serror = take_error;
    doc = xmlCtxtReadMemory(ctxt, xml, (int)len, NULL, NULL,
                            XML_PARSE_NONET | XML_PARSE_NOERROR |
                            XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES |
                            XML_PARSE_NOCDATA |
                            (simple ? XML_PARSE_NOBLANKS : 0));
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
    *mixed_r = strip(top);
    *doc_r = doc;
    doc = NULL;
out:
    if (doc)
        xmlFreeDoc(doc);
    xmlFreeParserCtxt(ctxt);
    return rc;
}

int xlcfg__xml_parse(const char *xml, size_t len, const char *root,
                     int depth, xmlDocPtr *doc_r, xlcfg_error *err)
{
    bool simple = is_simple(xml, len), mixed;
    int rc;


    if (len > XLCFG__XML_SIZE)
        return xlcfg__err(err, XLCFG_ERROR_PARSE, "line 1",
                          "more than %zu MiB of XML", XLCFG__XML_SIZE >> 20);
    rc = parse(xml, len, simple, root, depth, doc_r, &mixed, err);
    if (rc || !simple || !mixed)
        return rc;
    xmlFreeDoc(*doc_r);
    return parse(xml, len, false, root, depth, doc_r, &mixed, err);
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

static xmlNodePtr child_of(xmlNodePtr node, const char *name, size_t len)
{
    xmlNodePtr n = node->children;

    while (n && (n->type != XML_ELEMENT_NODE || n->ns ||
                 strncmp((const char *)n->name, name, len) || n->name[len]))
        n = n->next;
    return n;
}

/* The element a path ends in, and the attribute's name ("": its text). */
static xmlNodePtr walk(xmlNodePtr node, const char *path, bool make,
                       const char **attr_r)
{
    char name[32];
    xmlNodePtr n;
    size_t len;

    while (node && *path && *path != '@') {
        len = strcspn(path, "/@");
        n = child_of(node, path, len);
        if (!n && make) {
            snprintf(name, sizeof(name), "%.*s", (int)len, path);
            n = xlcfg__xml_make(node, name);
        }
        node = n;
        path += len + (path[len] == '/');
    }
    *attr_r = *path ? path + 1 : "";
    return node;
}

/* The attribute's value where it stands in one piece, as nearly all do; NULL:
 * it does not, or there is none. */
static const char *value_in(xmlNodePtr node, const char *attr)
{
    xmlAttrPtr a = node->properties;

    while (a && (a->ns || strcmp((const char *)a->name, attr)))
        a = a->next;
    return a ? xlcfg__xml_value(a) : NULL;
}

const char *xlcfg__xml_value(xmlAttrPtr a)
{
    xmlNodePtr text = a->children;

    return !text ? "" : text->type == XML_TEXT_NODE && !text->next
        ? (const char *)text->content : NULL;
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
    const char *attr, *value;
    char *have;
    bool same;

    node = walk(node, path, false, &attr);
    value = node && *attr ? value_in(node, attr) : NULL;
    if (!node || value)
        return node && !strcmp(value, text);
    have = (char *)(*attr ? xmlGetNoNsProp(node, X(attr))
                    : xmlNodeGetContent(node));
    same = have && !strcmp(have, text);
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

/* ---- printing ---- */

static xlcfg_doc *print(xmlNodePtr node)
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

/* An element in which the library would write every character as it is. */
struct printed {
    char *to;                   /* NULL: only count */
    size_t len;
};

static void put(struct printed *p, const char *text, size_t len)
{
    if (p->to)
        memcpy(p->to + p->len, text, len);
    p->len += len;
}

static void put_text(struct printed *p, const char *text)
{
    put(p, text, strlen(text));
}

/* False: something in it needs another spelling. */
static bool put_plain(struct printed *p, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    while (*c >= ' ' && *c < 0x7f && *c != '<' && *c != '>' && *c != '&' &&
           *c != '"')
        c++;
    put(p, text, (size_t)((const char *)c - text));
    return !*c;
}

/* False: it holds something that is not simple. */
static bool put_node(struct printed *p, xmlNodePtr node)
{
    const char *name = (const char *)node->name, *value;

    if (node->type == XML_TEXT_NODE)
        return !strcmp(name, "text") && node->content &&
            put_plain(p, (const char *)node->content);
    if (node->type != XML_ELEMENT_NODE || node->ns || node->nsDef)
        return false;
    put(p, "<", 1);
    put_text(p, name);
    for (xmlAttrPtr a = node->properties; a; a = a->next) {
        value = a->ns ? NULL : xlcfg__xml_value(a);
        if (!value)
            return false;
        put(p, " ", 1);
        put_text(p, (const char *)a->name);
        put(p, "=\"", 2);
        if (!put_plain(p, value))
            return false;
        put(p, "\"", 1);
    }
    if (!node->children) {
        put(p, "/>", 2);
        return true;
    }
    put(p, ">", 1);
    for (xmlNodePtr n = node->children; n; n = n->next)
        if (!put_node(p, n))
            return false;
    put(p, "</", 2);
    put_text(p, name);
    put(p, ">", 1);
    return true;
}

/* NULL: the library is to print it; or no memory. */
static xlcfg_doc *print_simple(xmlNodePtr node)
{
    struct printed p = { NULL, 0 };
    xlcfg_doc *doc;
    char buf[4096], *all = buf;

    if (!put_node(&p, node))
        return NULL;
    if (p.len > sizeof(buf))
        all = malloc(p.len);
    if (!all)
        return NULL;
    p = (struct printed){ all, 0 };
    put_node(&p, node);
    doc = xlcfg__doc_strn(all, p.len);
    if (all != buf)
        free(all);
    return doc;
}

xlcfg_doc *xlcfg__xml_text(xmlNodePtr node)
{
    xlcfg_doc *simple = print_simple(node);

    return simple ? simple : print(node);
}
