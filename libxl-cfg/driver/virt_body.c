/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device elements and libxl bodies: made of each other, by the table of
 * fields. */
#include "core/key.h"
#include "driver/virt_body.h"
#include "driver/virt_field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

/* All rows as members; those of an object are gathered behind the rest. */
static int read_rows(enum xlcfg_kind kind, xmlNodePtr dev,
                     xlcfg__members *m, xlcfg_error *err)
{
    xlcfg__members inner = { 0 };
    const struct xlcfg__virt_row *row;
    char outer[32] = "";
    int rc = 0;

    for (row = xlcfg__virt_kinds[kind].rows; row->field; row++) {
        const char *slash = strchr(row->field, '/');
        xlcfg_doc *value;
        bool there;

        if (!xlcfg__virt_fits(row, dev))
            continue;
        rc = xlcfg__virt_read_row(row, dev, &value, &there, err);
        if (rc)
            break;
        if (!there)
            continue;
        if (slash)
            snprintf(outer, sizeof(outer), "%.*s",
                     (int)(slash - row->field), row->field);
        xlcfg__members_add(slash ? &inner : m,
                           slash ? slash + 1 : row->field, value);
    }
    if (!rc && *outer)
        xlcfg__members_add(m, outer, xlcfg__members_end(&inner));
    xlcfg__members_dispose(&inner);
    return rc;
}

/* Is a prefix declared around it, that it may use?  A copy takes along those
 * that it does. */
static bool has_prefixes(xmlNodePtr dev)
{
    for (xmlNodePtr n = dev->parent; n; n = n->parent)
        if (n->type == XML_ELEMENT_NODE && n->nsDef)
            return true;
    return false;
}

/* The element without what the body alone is to hold: a password. */
static xlcfg_doc *verbatim(enum xlcfg_kind kind, xmlNodePtr dev)
{
    xmlNodePtr copy;
    xlcfg_doc *text;

    if (kind != XLCFG_KIND_VFB && !has_prefixes(dev))
        return xlcfg__xml_text(dev);
    copy = xmlDocCopyNode(dev, dev->doc, 1);
    if (!copy)
        return NULL;
    xmlUnsetProp(copy, (const xmlChar *)"passwd");
    text = xlcfg__xml_text(copy);
    xmlFreeNode(copy);
    return text;
}

int xlcfg__virt_body(enum xlcfg_kind kind, xmlNodePtr dev, size_t nth,
                     xlcfg_doc **body_r, xlcfg_error *err)
{
    xlcfg__members m = { 0 };
    xlcfg_doc *body;
    int rc;

    rc = read_rows(kind, dev, &m, err);
    if (rc) {
        xlcfg__members_dispose(&m);
        return rc;
    }
    if (kind == XLCFG_KIND_VFB || kind == XLCFG_KIND_CHANNEL)
        xlcfg__members_set(&m, "devid", xlcfg__doc_int((int64_t)nth));
    xlcfg__members_add(&m, "x-libvirt", verbatim(kind, dev));
    body = xlcfg__members_end(&m);
    if (!body)
        return xlcfg__nomem(err);
    *body_r = body;
    return 0;
}

/* ---- writing ---- */

/* Fields that say how Xen serves a device, or that are made up for it. */
static const struct {
    const char *name, *expected;
} without_meaning[] = {
    { "x-libvirt", "a text" }, { "backend", "a text" },
    { "backend_domid", "a number" }, { "removable", "a number" },
    { "devid", "a number" }, { "nictype", "a text" }, { "type", "a text" },
    { "connection.unknown", "an object" },
};

/* Is it that?  A number may be a truth value, and null is no member. */
static bool is_a(const xlcfg_doc *value, const char *expected)
{
    switch (xlcfg_doc_kind(value)) {
    case XLCFG_DOC_NULL:
        return true;
    case XLCFG_DOC_STRING:
        return !strcmp(expected, "a text");
    case XLCFG_DOC_BOOL: case XLCFG_DOC_NUMBER:
        return !strcmp(expected, "a number");
    case XLCFG_DOC_OBJECT:
        return !strcmp(expected, "an object");
    default:
        return false;
    }
}

static int no_word(xlcfg_error *err, enum xlcfg_kind kind)
{
    return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL, "libvirt's <%s> has no "
                      "word for this value",
                      xlcfg__virt_kinds[kind].element);
}

/* What a value must be for its row; NULL: it is. */
static const char *check_value(const struct xlcfg__virt_row *row,
                               const xlcfg_doc *want)
{
    const char *s = xlcfg_doc_string(want);
    int64_t n;

    switch (row->how) {
    case XLCFG__AS_TEXT: case XLCFG__AS_SOURCE: case XLCFG__AS_FORMAT:
        if (xlcfg_doc_kind(want) != XLCFG_DOC_STRING)
            return "a string";
        if (!strcmp(row->field, "mac") && !xlcfg__is_mac(s))
            return "a MAC address: six bytes in hexadecimal, with colons";
        return xlcfg__xml_holds(s) ? NULL : XLCFG__XML_TEXT;
    case XLCFG__AS_NUMBER: case XLCFG__AS_HEX:
        return xlcfg__doc_is_int(want, 0, INT32_MAX, &n) ? NULL
            : "a whole number from 0 to 2147483647";
    case XLCFG__AS_WRITABLE: case XLCFG__AS_CDROM:
        return xlcfg__doc_is_int(want, INT32_MIN, INT32_MAX, &n) ? NULL
            : "a number: 0 for no, 1 for yes";
    case XLCFG__AS_USB_VERSION: case XLCFG__AS_ON: case XLCFG__AS_EMPTY:
        break;
    }
    return NULL;
}

static const xlcfg_doc *lookup(const xlcfg_doc *body, const char *field)
{
    const char *slash = strchr(field, '/');
    char outer[32];

    if (!slash)
        return xlcfg_doc_get(body, field);
    snprintf(outer, sizeof(outer), "%.*s", (int)(slash - field), field);
    return xlcfg_doc_get(xlcfg_doc_get(body, outer), slash + 1);
}

/* The text a value is written as; NULL: it has none. */
static const char *text_for(const struct xlcfg__virt_row *row,
                            const xlcfg_doc *want, char *buf, size_t size)
{
    const char *s = xlcfg_doc_string(want);

    switch (row->how) {
    case XLCFG__AS_TEXT: case XLCFG__AS_SOURCE:
        return s;
    case XLCFG__AS_NUMBER: case XLCFG__AS_HEX:
        snprintf(buf, size, row->how == XLCFG__AS_HEX ? "0x%02" PRIx64
                 : "%" PRId64, xlcfg__doc_to_int(want, 0));
        return buf;
    case XLCFG__AS_FORMAT:
        return xlcfg__virt_format(s);
    case XLCFG__AS_CDROM:
        return xlcfg__doc_to_int(want, 0) ? "cdrom" : "disk";
    case XLCFG__AS_WRITABLE: case XLCFG__AS_USB_VERSION: case XLCFG__AS_ON:
    case XLCFG__AS_EMPTY:
        break;
    }
    return NULL;
}

static int write_row(enum xlcfg_kind kind, const struct xlcfg__virt_row *row,
                     xmlNodePtr dev, const xlcfg_doc *want, xlcfg_error *err)
{
    const char *path = row->how == XLCFG__AS_SOURCE
        ? xlcfg__virt_source_path(dev) : row->path;
    const char *text = check_value(row, want);
    char buf[32];

    if (text)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL, "expected %s", text);
    if (row->how == XLCFG__AS_FORMAT && xlcfg_doc_string(want) &&
        !strcmp(xlcfg_doc_string(want), "empty")) {
        xlcfg__xml_drop(xlcfg__xml_child(dev, "source"));
        return 0;
    }
    if (row->how == XLCFG__AS_WRITABLE) {
        if (!xlcfg__doc_to_int(want, 1))
            return xlcfg__xml_make(dev, path) ? 0 : xlcfg__nomem(err);
        xlcfg__xml_drop(xlcfg__xml_child(dev, path));
        return 0;
    }
    text = text_for(row, want, buf, sizeof(buf));
    if (!text)
        return no_word(err, kind);
    return xlcfg__xml_set(dev, path, text) ? 0 : xlcfg__nomem(err);
}

static int expect(const xlcfg_doc *value, const char *name,
                  const char *expected, xlcfg_error *err)
{
    if (is_a(value, expected))
        return 0;
    xlcfg__err(err, XLCFG_ERROR_INVAL, NULL, "expected %s", expected);
    xlcfg__err_step(err, name);
    return XLCFG_ERROR_INVAL;
}

/* Of a field the first step is the member. */
static int no_member(xlcfg_error *err, enum xlcfg_kind kind)
{
    const struct xlcfg__virt_row *row = xlcfg__virt_kinds[kind].rows;
    char list[200] = "";
    size_t used = 0, last = 0;

    for (; row->field && used < sizeof(list); row++) {
        size_t len = strcspn(row->field, "/");

        if (last == len && !strncmp(row->field, row[-1].field, len))
            continue;
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%.*s, ",
                                 (int)len, row->field);
        last = len;
    }
    return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL, "libvirt's <%s> has no "
                      "word for this member, expected one of %sx-libvirt",
                      xlcfg__virt_kinds[kind].element, list);
}

/* A member that no row speaks of must be what libvirt would say anyway. */
static int check_rest(enum xlcfg_kind kind, const xlcfg_doc *body,
                      xmlNodePtr dev, xlcfg_error *err)
{
    const struct xlcfg__virt_row *row;
    int rc = 0;

    for (size_t i = 0; i < xlcfg_doc_count(body) && !rc; i++) {
        const xlcfg_doc *value = xlcfg_doc_at(body, i);
        const char *name = xlcfg_doc_name(body, i);
        size_t len = strlen(name);
        bool known = false;

        for (size_t j = 0; j < COUNT(without_meaning) && !known; j++) {
            known = !strcmp(without_meaning[j].name, name);
            if (known)
                rc = expect(value, name, without_meaning[j].expected, err);
        }
        for (row = xlcfg__virt_kinds[kind].rows; !known && row->field; row++) {
            known = xlcfg__virt_fits(row, dev) &&
                !strncmp(row->field, name, len) &&
                (!row->field[len] || row->field[len] == '/');
            if (known && row->field[len])
                rc = expect(value, name, "an object", err);
        }
        if (!known) {
            no_member(err, kind);
            xlcfg__err_step(err, name);
            rc = XLCFG_ERROR_INVAL;
        }
    }
    return rc;
}

/* What libvirt would pass over, or refuse with no word of the member.  empty:
 * the element that came with the body has no source itself. */
static int check_disk(const xlcfg_doc *body, xmlNodePtr dev, bool empty,
                      xlcfg_error *err)
{
    bool cdrom = xlcfg__xml_has(dev, "@device", "cdrom");

    if (cdrom && xlcfg__doc_to_int(xlcfg_doc_get(body, "readwrite"), 0))
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/readwrite",
                          "expected 0: a CD-ROM is only read");
    if (empty || cdrom || xlcfg__xml_has(dev, "@device", "floppy") ||
        !xlcfg__virt_is_empty(dev))
        return 0;
    return xlcfg__err(err, XLCFG_ERROR_INVAL, "/pdev_path",
                      "expected a string: a disk that is no CD-ROM has a "
                      "source");
}

static int apply(enum xlcfg_kind kind, const xlcfg_doc *body,
                 xmlNodePtr dev, xlcfg_error *err)
{
    const struct xlcfg__virt_row *row;
    int rc;

    for (row = xlcfg__virt_kinds[kind].rows; row->field; row++) {
        const xlcfg_doc *want = lookup(body, row->field);
        xlcfg_doc *have = NULL;
        bool there, same;

        if (!want || !xlcfg__virt_fits(row, dev))
            continue;
        rc = xlcfg__virt_read_row(row, dev, &have, &there, err);
        if (rc == XLCFG_ERROR_PARSE)
            xlcfg__err_step(err, "x-libvirt");
        if (rc)
            return rc;
        same = there && xlcfg__doc_equal(have, want);
        xlcfg_doc_free(have);
        /* made up where the element has none */
        if (!there && !strcmp(row->field, "devid"))
            same = true;
        if (!same)
            rc = write_row(kind, row, dev, want, err);
        /* a field in an object has its slash */
        if (rc == XLCFG_ERROR_INVAL && err)
            snprintf(err->where, sizeof(err->where), "/%s", row->field);
        if (rc)
            return rc;
    }
    return check_rest(kind, body, dev, err);
}

/* Which type of element a body without one needs. */
static bool shape(enum xlcfg_kind kind, const xlcfg_doc *body, xmlNodePtr dev)
{
    const char *path = xlcfg__doc_getstr(body, "pdev_path");

    if (kind == XLCFG_KIND_DISK && path && !strncmp(path, "/dev/", 5))
        return xlcfg__xml_set(dev, "@type", "block");
    if (kind == XLCFG_KIND_NIC && !xlcfg_doc_get(body, "bridge"))
        return xlcfg__xml_set(dev, "@type", "user");
    if (kind == XLCFG_KIND_VFB && !xlcfg_doc_get(body, "vnc"))
        return xlcfg__xml_set(dev, "@type", "sdl");
    if (kind == XLCFG_KIND_CHANNEL &&
        xlcfg_doc_get(body, "connection.socket"))
        return xlcfg__xml_set(dev, "@type", "unix");
    return true;
}

int xlcfg__virt_element(enum xlcfg_kind kind, const xlcfg_doc *body,
                        xmlNodePtr parent, xlcfg_error *err)
{
    const char *text = xlcfg__doc_getstr(body, "x-libvirt");
    const struct xlcfg__virt_kind_rows *k = &xlcfg__virt_kinds[kind];
    xmlDocPtr doc = NULL;
    xmlNodePtr dev;
    bool empty;
    int rc;

    if (xlcfg_doc_kind(body) != XLCFG_DOC_OBJECT)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL,
                          "expected an object");
    if (xlcfg_doc_get(body, "x-libvirt") && !text)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, "/x-libvirt",
                          "expected a string: libvirt's element");
    if (!k->rows)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL, "libvirt has no %s",
                          xlcfg__kinds[kind].title);
    rc = xlcfg__virt_parse(text ? text : k->skeleton,
                           strlen(text ? text : k->skeleton), k->element,
                           &doc, err);
    if (rc == XLCFG_ERROR_PARSE)
        xlcfg__err_step(err, "x-libvirt");
    if (rc)
        return rc;
    dev = xmlDocCopyNode(xmlDocGetRootElement(doc), parent->doc, 1);
    xmlFreeDoc(doc);
    if (!dev)
        return xlcfg__nomem(err);
    if (!xmlAddChild(parent, dev)) {
        xmlFreeNode(dev);
        return xlcfg__nomem(err);
    }
    if (!text && !shape(kind, body, dev))
        return xlcfg__nomem(err);
    empty = text && xlcfg__virt_is_empty(dev);
    rc = apply(kind, body, dev, err);
    return rc || kind != XLCFG_KIND_DISK ? rc
        : check_disk(body, dev, empty, err);
}

/* Goes with its element, when that says nothing else. */
static void drop_text(xmlNodePtr dev, const char *path)
{
    const char *at = strchr(path, '@');
    xmlNodePtr node = dev;
    char name[32];

    if (at > path) {
        snprintf(name, sizeof(name), "%.*s", (int)(at - path), path);
        node = xlcfg__xml_child(dev, name);
    }
    if (!node)
        return;
    xmlUnsetProp(node, (const xmlChar *)at + 1);
    if (node != dev && !node->properties && !node->children)
        xlcfg__xml_drop(node);
}

int xlcfg__virt_leave_out(enum xlcfg_kind kind, const xlcfg_doc *before,
                          const xlcfg_doc *after, xmlNodePtr dev,
                          xlcfg_error *err)
{
    const struct xlcfg__virt_row *row;

    for (row = xlcfg__virt_kinds[kind].rows; row->field; row++) {
        bool text = row->how == XLCFG__AS_TEXT ||
            row->how == XLCFG__AS_NUMBER;
        xlcfg_doc *have = NULL;
        bool there;
        int rc;

        if (!lookup(before, row->field) || lookup(after, row->field) ||
            !xlcfg__virt_fits(row, dev))
            continue;
        rc = xlcfg__virt_read_row(row, dev, &have, &there, err);
        xlcfg_doc_free(have);
        if (rc)
            return rc;
        if (there && text)
            drop_text(dev, row->path);
        else if (there) {
            char where[48];

            snprintf(where, sizeof(where), "/%s", row->field);
            return xlcfg__err(err, XLCFG_ERROR_INVAL, where,
                              "expected a value: libvirt's <%s> cannot leave "
                              "this out", xlcfg__virt_kinds[kind].element);
        }
    }
    return 0;
}

xlcfg_doc *xlcfg__virt_address_of(xmlNodePtr dev)
{
    xmlNodePtr at = xlcfg__xml_child(dev, "address");
    xlcfg__members m = { 0 };

    if (!at)
        return xlcfg__doc_null();
    for (xmlAttrPtr a = at->properties; a; a = a->next) {
        const char *plain = xlcfg__xml_value(a);
        char *value = plain ? NULL
            : (char *)xmlNodeGetContent((xmlNodePtr)a);

        plain = plain ? plain : value;
        xlcfg__members_set(&m, (const char *)a->name,
                           plain ? xlcfg__doc_word(plain) : NULL);
        xmlFree(value);
    }
    return xlcfg__members_end(&m);
}

xlcfg_doc *xlcfg__virt_address(const xlcfg_doc *body, bool *nomem_r)
{
    const char *text = xlcfg__doc_getstr(body, "x-libvirt");
    xlcfg_doc *address;
    xmlDocPtr doc;

    if (!text || xlcfg__virt_parse(text, strlen(text), NULL, &doc, NULL))
        return NULL;
    address = xlcfg__virt_address_of(xmlDocGetRootElement(doc));
    xmlFreeDoc(doc);
    *nomem_r = *nomem_r || !address;
    return xlcfg_doc_kind(address) == XLCFG_DOC_OBJECT ? address : NULL;
}
