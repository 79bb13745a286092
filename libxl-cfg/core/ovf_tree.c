/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents as elements, and back, without loss. */
#include "core/ovf.h"

#include <stdlib.h>
#include <string.h>

#define X(s) ((const xmlChar *)(s))

/* ---- out ---- */

/* May XML hold this text as it is?  A carriage return would be read as a line
 * feed, each blank of an attribute as a space. */
static bool is_plain(const char *s, size_t len, bool attribute)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c < 0x20 && (attribute || (c != '\t' && c != '\n')))
            return false;
        if (xlcfg__xml_odd(s + i))
            return false;
    }
    return true;
}

char *xlcfg__ovf_legible(const char *text)
{
    char *out = malloc(3 * strlen(text) + 1), *p = out;

    while (out && *text) {
        size_t odd = xlcfg__xml_odd(text);

        if (odd)
            p = stpcpy(p, "\xef\xbf\xbd");
        else
            *p++ = *text;
        text += odd ? odd : 1;
    }
    if (out)
        *p = '\0';
    return out;
}

/* Its JSON form has no control characters. */
static char *escape(const xlcfg_doc *string)
{
    char *text = NULL, *p;
    size_t len, at = 0;
    char *out;

    if (xlcfg_doc_print(string, 0, &text, &len, NULL))
        return NULL;
    out = calloc(1, 2 * len + 1);
    for (p = text; out && *p; p++) {
        if (xlcfg__xml_odd(p) == 3) {
            memcpy(out + at, (unsigned char)p[2] == 0xbe ? "\\ufffe"
                   : "\\uffff", 6);
            at += 6;
            p += 2;
        } else {
            out[at++] = *p;
        }
    }
    free(text);
    return out;
}

static xmlNodePtr add_text(xmlNodePtr parent, xmlNsPtr ns, const char *name,
                           const char *text)
{
    /* xmlNewTextChild escapes, xmlNewChild takes entities. */
    return xmlNewTextChild(parent, ns, X(name), X(text));
}

/* A string that is an element, character for character, is put as one. */
static bool put_element(xmlNodePtr parent, xmlNsPtr ns, const xlcfg_doc *doc,
                        bool *done)
{
    const char *text = xlcfg_doc_string(doc);
    xlcfg_doc *again = NULL;
    xmlNodePtr root, node;
    xmlDocPtr xml = NULL;
    bool ok = true;

    *done = false;
    /* Around a comment, blanks would come in when it is laid out. */
    if (*text != '<' || strstr(text, "<!") || strstr(text, "<?") ||
        xlcfg__xml_parse(text, doc->count, NULL, XLCFG__XML_DEPTH, &xml,
                         NULL))
        return true;
    root = xmlDocGetRootElement(xml);
    again = xlcfg__xml_text(root);
    if (!again)
        ok = false;
    if (ok && xlcfg__doc_equal(again, doc)) {
        node = xmlNewChild(parent, ns, X("xml"), NULL);
        root = node ? xmlDocCopyNode(root, parent->doc, 1) : NULL;
        ok = root && xmlAddChild(node, root);
        *done = ok;
    }
    xlcfg_doc_free(again);
    xmlFreeDoc(xml);
    return ok;
}

static bool put_string(xmlNodePtr parent, xmlNsPtr ns, const xlcfg_doc *doc)
{
    const char *text = xlcfg_doc_string(doc);
    xmlNodePtr node;
    bool done, ok;
    char *escaped;

    if (!put_element(parent, ns, doc, &done))
        return false;
    if (done)
        return true;
    /* A text of blanks alone would not be kept by every reader. */
    if (is_plain(text, doc->count, false) &&
        strspn(text, " \t\n") != doc->count)
        return add_text(parent, ns, "string", text);
    if (!doc->count)
        return xmlNewChild(parent, ns, X("string"), NULL);
    escaped = escape(doc);
    node = escaped ? add_text(parent, ns, "string", escaped) : NULL;
    ok = node && xmlNewProp(node, X("form"), X("json"));
    free(escaped);
    return ok;
}

bool xlcfg__ovf_name(xmlNodePtr node, const char *attr,
                     const char *json_attr, const xlcfg_doc *string)
{
    const char *text = xlcfg_doc_string(string);
    char *escaped;
    bool ok;

    if (is_plain(text, string->count, true))
        return xmlNewProp(node, X(attr), X(text));
    escaped = escape(string);
    ok = escaped && xmlNewProp(node, X(json_attr), X(escaped));
    free(escaped);
    return ok;
}

static bool put_member(xmlNodePtr parent, xmlNsPtr ns,
                       const struct xlcfg_member *m)
{
    xmlNodePtr node = xmlNewChild(parent, ns, X("member"), NULL);

    return node && xlcfg__ovf_name(node, "name", "json-name", m->name) &&
        xlcfg__ovf_put(node, ns, m->value);
}

bool xlcfg__ovf_put(xmlNodePtr parent, xmlNsPtr ns, const xlcfg_doc *doc)
{
    xmlNodePtr node;

    switch (xlcfg_doc_kind(doc)) {
    case XLCFG_DOC_NULL:
        return xmlNewChild(parent, ns, X("null"), NULL);
    case XLCFG_DOC_BOOL:
        return xmlNewChild(parent, ns, X(xlcfg_doc_is_true(doc) ? "true"
                                         : "false"), NULL);
    case XLCFG_DOC_NUMBER:
        return add_text(parent, ns, "number", xlcfg_doc_string(doc));
    case XLCFG_DOC_STRING:
        return put_string(parent, ns, doc);
    case XLCFG_DOC_ARRAY:
        node = xmlNewChild(parent, ns, X("array"), NULL);
        for (size_t i = 0; node && i < doc->count; i++)
            if (!xlcfg__ovf_put(node, ns, doc->items[i]))
                return false;
        return node;
    case XLCFG_DOC_OBJECT:
        node = xmlNewChild(parent, ns, X("object"), NULL);
        for (size_t i = 0; node && i < doc->count; i++)
            if (!put_member(node, ns, &doc->members[i]))
                return false;
        return node;
    }
    return false;
}

/* ---- in ---- */

static bool is_ours(xmlNodePtr node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && node->ns &&
        !strcmp((const char *)node->ns->href, XLCFG__OVF_NS) &&
        !strcmp((const char *)node->name, name);
}

/* A JSON string as it is written in JSON, with its quotes. */
static int unescape(xmlNodePtr node, const char *text, xlcfg_doc **doc_r,
                    xlcfg_error *err)
{
    xlcfg_doc *doc = NULL;
    int rc = xlcfg_doc_parse(text, strlen(text), &doc, err);

    if (rc == XLCFG_ERROR_NOMEM)
        return rc;
    if (rc || xlcfg_doc_kind(doc) != XLCFG_DOC_STRING) {
        xlcfg_doc_free(doc);
        return xlcfg__xml_bad(err, node, "expected a JSON string in its "
                              "quotes");
    }
    *doc_r = doc;
    return 0;
}

static int take_string(xmlNodePtr node, xlcfg_doc **doc_r, xlcfg_error *err)
{
    char *form = (char *)xmlGetNoNsProp(node, X("form"));
    char *text = (char *)xmlNodeGetContent(node);
    int rc = 0;

    for (xmlNodePtr n = node->children; n && !rc; n = n->next)
        if (n->type == XML_ELEMENT_NODE)
            rc = xlcfg__xml_bad(err, n, "expected text alone in <string>");
    if (!rc && form && strcmp(form, "json"))
        rc = xlcfg__xml_bad(err, node, "form=\"%.40s\": expected json",
                            form);
    if (!rc && form) {
        rc = unescape(node, text ? text : "", doc_r, err);
    } else if (!rc) {
        *doc_r = xlcfg__doc_str(text ? text : "");
        rc = *doc_r ? 0 : xlcfg__nomem(err);
    }
    xmlFree(form);
    xmlFree(text);
    return rc;
}

static int take_number(xmlNodePtr node, xlcfg_doc **doc_r, xlcfg_error *err)
{
    char *text = (char *)xmlNodeGetContent(node);
    xlcfg_doc *doc = NULL;
    int rc;

    if (!text)
        return xlcfg__nomem(err);
    rc = xlcfg_doc_parse(text, strlen(text), &doc, err);
    if (rc != XLCFG_ERROR_NOMEM &&
        (rc || xlcfg_doc_kind(doc) != XLCFG_DOC_NUMBER)) {
        xlcfg_doc_free(doc);
        doc = NULL;
        rc = xlcfg__xml_bad(err, node, "expected a number, found %.40s",
                            text);
    }
    if (!rc)
        *doc_r = doc;
    xmlFree(text);
    return rc;
}

static xmlNodePtr only_child(xmlNodePtr node)
{
    xmlNodePtr one = NULL;

    for (xmlNodePtr n = node->children; n; n = n->next) {
        if (n->type != XML_ELEMENT_NODE)
            continue;
        if (one)
            return NULL;
        one = n;
    }
    return one;
}

static int take_xml(xmlNodePtr node, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xmlNodePtr one = only_child(node), alone;
    xmlDocPtr copy;

    if (!one)
        return xlcfg__xml_bad(err, node, "expected one element in <xml>");
    /* A copy has the namespaces that whoever wrote the envelope anew declared
     * further out. */
    copy = xmlNewDoc(X("1.0"));
    alone = copy ? xmlDocCopyNode(one, copy, 1) : NULL;
    if (alone)
        xmlDocSetRootElement(copy, alone);
    *doc_r = alone ? xlcfg__xml_text(alone) : NULL;
    xmlFreeDoc(copy);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

static int take_array(xmlNodePtr node, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg__items items = { 0 };
    int rc = 0;

    for (xmlNodePtr n = node->children; n && !rc; n = n->next) {
        xlcfg_doc *item;

        if (n->type != XML_ELEMENT_NODE)
            continue;
        rc = xlcfg__ovf_take(n, &item, err);
        if (!rc)
            xlcfg__items_add(&items, item);
    }
    if (rc) {
        xlcfg__items_dispose(&items);
        return rc;
    }
    *doc_r = xlcfg__items_end(&items);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

static int member_name(xmlNodePtr node, xlcfg_doc **name_r, xlcfg_error *err)
{
    char *name = (char *)xmlGetNoNsProp(node, X("name"));
    char *json = name ? NULL : (char *)xmlGetNoNsProp(node, X("json-name"));
    int rc = 0;

    if (json) {
        rc = unescape(node, json, name_r, err);
    } else if (name) {
        *name_r = xlcfg__doc_str(name);
        rc = *name_r ? 0 : xlcfg__nomem(err);
    } else {
        rc = xlcfg__xml_bad(err, node, "expected the attribute name");
    }
    xmlFree(name);
    xmlFree(json);
    return rc;
}

static int take_member(xmlNodePtr node, xlcfg__members *m, xlcfg_error *err)
{
    xmlNodePtr one = only_child(node);
    xlcfg_doc *name, *value;
    int rc;

    if (!is_ours(node, "member"))
        return xlcfg__xml_bad(err, node, "expected <member> in <object>");
    if (!one)
        return xlcfg__xml_bad(err, node, "expected one value in <member>");
    rc = member_name(node, &name, err);
    if (rc)
        return rc;
    rc = xlcfg__ovf_take(one, &value, err);
    if (!rc)
        xlcfg__members_add(m, xlcfg_doc_string(name), value);
    xlcfg_doc_free(name);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(xlcfg_doc_string(*(xlcfg_doc *const *)a),
                  xlcfg_doc_string(*(xlcfg_doc *const *)b));
}

/* Sorted, for the number of members is the input's choice. */
static int check_names(xmlNodePtr node, const xlcfg__members *m,
                       xlcfg_error *err)
{
    xlcfg_doc **names = calloc(m->count ? m->count : 1, sizeof(*names));
    int rc = 0;

    if (!names)
        return xlcfg__nomem(err);
    for (size_t i = 0; i < m->count; i++)
        names[i] = m->v[i].name;
    qsort(names, m->count, sizeof(*names), by_name);
    for (size_t i = 1; i < m->count && !rc; i++)
        if (!by_name(&names[i - 1], &names[i]))
            rc = xlcfg__xml_bad(err, node, "the name %.80s is there twice",
                                xlcfg_doc_string(names[i]));
    free(names);
    return rc;
}

static int take_object(xmlNodePtr node, xlcfg_doc **doc_r, xlcfg_error *err)
{
    xlcfg__members m = { 0 };
    int rc = 0;

    for (xmlNodePtr n = node->children; n && !rc; n = n->next)
        if (n->type == XML_ELEMENT_NODE)
            rc = take_member(n, &m, err);
    if (!rc && !m.failed)
        rc = check_names(node, &m, err);
    if (rc) {
        xlcfg__members_dispose(&m);
        return rc;
    }
    *doc_r = xlcfg__members_end(&m);
    return *doc_r ? 0 : xlcfg__nomem(err);
}

int xlcfg__ovf_take(xmlNodePtr node, xlcfg_doc **doc_r, xlcfg_error *err)
{
    if (is_ours(node, "object"))
        return take_object(node, doc_r, err);
    if (is_ours(node, "array"))
        return take_array(node, doc_r, err);
    if (is_ours(node, "string"))
        return take_string(node, doc_r, err);
    if (is_ours(node, "number"))
        return take_number(node, doc_r, err);
    if (is_ours(node, "xml"))
        return take_xml(node, doc_r, err);
    if (is_ours(node, "true") || is_ours(node, "false"))
        *doc_r = xlcfg__doc_bool(is_ours(node, "true"));
    else if (is_ours(node, "null"))
        *doc_r = xlcfg__doc_null();
    else
        return xlcfg__xml_bad(err, node, "expected object, array, string, "
                              "xml, number, true, false or null");
    return *doc_r ? 0 : xlcfg__nomem(err);
}
