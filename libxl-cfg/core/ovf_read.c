/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An OVF envelope of anybody: checked, and our own section of it, if any. */
#include "core/json.h"
#include "core/ovf.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(s) ((const xmlChar *)(s))
#define NOTES_MAX 1000

/* ---- small steps, by local names ---- */

bool xlcfg__ovf_is(xmlNodePtr node, const char *name)
{
    return node && node->type == XML_ELEMENT_NODE &&
        !strcmp((const char *)node->name, name);
}

xmlNodePtr xlcfg__ovf_child(xmlNodePtr node, const char *name)
{
    for (xmlNodePtr n = node ? node->children : NULL; n; n = n->next)
        if (xlcfg__ovf_is(n, name))
            return n;
    return NULL;
}

char *xlcfg__ovf_attr(xmlNodePtr node, const char *name)
{
    for (xmlAttrPtr a = node ? node->properties : NULL; a; a = a->next)
        if (!strcmp((const char *)a->name, name))
            return (char *)xmlNodeGetContent((xmlNodePtr)a);
    return NULL;
}

char *xlcfg__ovf_text(xmlNodePtr node, const char *child)
{
    xmlNodePtr n = xlcfg__ovf_child(node, child);

    return n ? (char *)xmlNodeGetContent(n) : NULL;
}

void xlcfg__ovf_note(struct xlcfg__ovf_in *in, xmlNodePtr node,
                     const char *fmt, ...)
{
    xlcfg__members m = { 0 };
    char text[400];
    va_list ap;

    if (in->notes.count >= NOTES_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (in->notes.count == NOTES_MAX - 1)
        strcpy(text, "and more that is not told");
    /* What was cut may end in half a character. */
    for (size_t n = strlen(text); n && !xlcfg__utf8_ok(text, n); )
        text[--n] = '\0';
    xlcfg__members_add(&m, "line", xlcfg__doc_int(xmlGetLineNo(node)));
    xlcfg__members_add(&m, "element",
                       xlcfg__doc_str((const char *)node->name));
    xlcfg__members_add(&m, "message", xlcfg__doc_str(text));
    xlcfg__items_add(&in->notes, xlcfg__members_end(&m));
}

/* ---- the frame ---- */

/* ids of one sort must differ: a reference would mean two things. */
static int check_ids(xmlNodePtr section, const char *element,
                     const char *attr, xlcfg_error *err)
{
    xmlHashTablePtr seen = xmlHashCreate(64);
    int rc = seen ? 0 : xlcfg__nomem(err);

    for (xmlNodePtr n = section ? section->children : NULL; n && !rc;
         n = n->next) {
        char *id = xlcfg__ovf_is(n, element) ? xlcfg__ovf_attr(n, attr)
            : NULL;

        if (id && xmlHashLookup(seen, X(id)))
            rc = xlcfg__xml_bad(err, n, "the %s %.80s is there twice", attr,
                                id);
        else if (id && xmlHashAddEntry(seen, X(id), n))
            rc = xlcfg__nomem(err);
        xmlFree(id);
    }
    xmlHashFree(seen, NULL);
    return rc;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

char *xlcfg__ovf_unquote(const char *href)
{
    char *name = malloc(strlen(href) + 1), *p = name;

    for (; name && *href; href++) {
        if (*href == '%' && isxdigit((unsigned char)href[1]) &&
            isxdigit((unsigned char)href[2])) {
            *p = (char)(digit(href[1]) * 16 + digit(href[2]));
            href += 2;
            if (!*p || *p == '/') {
                *name = '\0';
                return name;
            }
            p++;
        } else {
            *p++ = *href;
        }
    }
    if (name)
        *p = '\0';
    return name;
}

/* Has it a part that is "..", and so leads anywhere? */
static bool climbs(const char *name)
{
    for (size_t n; ; name += n + 1) {
        n = strcspn(name, "/");
        if (n == 2 && !strncmp(name, "..", 2))
            return true;
        if (!name[n])
            return false;
    }
}

/* A file beside the envelope never climbs out of the folder, whatever of it
 * is written with %; what has a scheme is not looked for there. */
static int check_href(xmlNodePtr file, const char *href, xlcfg_error *err)
{
    char *name;
    int rc = 0;

    if (href[strcspn(href, ":/?#")] == ':')
        return 0;
    name = xlcfg__ovf_unquote(href);
    if (!name)
        return xlcfg__nomem(err);
    if (!*name)
        rc = xlcfg__xml_bad(err, file, "href=\"%.200s\" is no name of a "
                            "file: expected a name in the folder", href);
    else if (*name == '/' || climbs(name))
        rc = xlcfg__xml_bad(err, file, "href=\"%.200s\" leads out of the "
                            "folder: expected a name in it", href);
    free(name);
    return rc;
}

static int check_hrefs(xmlNodePtr references, xlcfg_error *err)
{
    int rc = 0;

    for (xmlNodePtr n = references ? references->children : NULL; n && !rc;
         n = n->next) {
        char *href = xlcfg__ovf_is(n, "File") ? xlcfg__ovf_attr(n, "href")
            : NULL;

        if (href)
            rc = check_href(n, href, err);
        xmlFree(href);
    }
    return rc;
}

/* The one virtual machine; collections may hold it. */
static int find_system(xmlNodePtr in, xmlNodePtr *system_r, xlcfg_error *err)
{
    int rc = 0;

    /* as deep as elements may be nested */
    for (xmlNodePtr n = in->children; n && !rc; n = n->next) {
        if (xlcfg__ovf_is(n, "VirtualSystemCollection")) {
            rc = find_system(n, system_r, err);
        } else if (xlcfg__ovf_is(n, "VirtualSystem") ||
                   xlcfg__ovf_is(n, "Content")) {
            if (*system_r)
                rc = xlcfg__xml_bad(err, n, "a second virtual machine: "
                                    "expected one");
            *system_r = n;
        }
    }
    return rc;
}

static const char *const in_collection[] = {
    "Info", "Name", "VirtualSystem", "VirtualSystemCollection", "Content",
    NULL,
};

/* Sections that were not read are named. */
static void note_others(struct xlcfg__ovf_in *in, xmlNodePtr parent,
                        const char *const *known)
{
    for (xmlNodePtr n = parent->children; n; n = n->next) {
        size_t i = 0;

        if (n->type != XML_ELEMENT_NODE)
            continue;
        while (known[i] && !xlcfg__ovf_is(n, known[i]))
            i++;
        if (!known[i])
            xlcfg__ovf_note(in, n, "not taken");
        else if (xlcfg__ovf_is(n, "VirtualSystemCollection"))
            note_others(in, n, in_collection);
    }
}

/* ---- our own section ---- */

static xmlNodePtr own_section(xmlNodePtr system)
{
    for (xmlNodePtr n = system->children; n; n = n->next)
        if (xlcfg__ovf_is(n, "ConfigurationSection") && n->ns &&
            !strcmp((const char *)n->ns->href, XLCFG__OVF_NS))
            return n;
    return NULL;
}

/* "1.5" is read, "2.0" is not: it may mean something else. */
static int check_version(xmlNodePtr section, xlcfg_error *err)
{
    char *version = xlcfg__ovf_attr(section, "version");
    char *end = NULL;
    unsigned long major = version ? strtoul(version, &end, 10) : 0;
    int rc = 0;

    if (!version || end == version || *end != '.' || major == 0)
        rc = xlcfg__xml_bad(err, section, "version=\"%.40s\": expected a "
                            "number such as 1.0", version ? version : "");
    else if (major > 1)
        rc = xlcfg__xml_bad(err, section, "version %.40s is newer than this "
                            "program: expected 1", version);
    xmlFree(version);
    return rc;
}

/* Passwords that the writer left out; NULL: out of memory. */
static xlcfg_doc *without_redacted(const xlcfg_doc *doc, bool *some)
{
    xlcfg__members m = { 0 };
    xlcfg__items items = { 0 };
    const char *text;

    if (xlcfg_doc_kind(doc) == XLCFG_DOC_ARRAY) {
        for (size_t i = 0; i < doc->count; i++)
            xlcfg__items_add(&items, without_redacted(doc->items[i], some));
        return xlcfg__items_end(&items);
    }
    if (xlcfg_doc_kind(doc) != XLCFG_DOC_OBJECT)
        return xlcfg_doc_ref((xlcfg_doc *)doc);
    for (size_t i = 0; i < doc->count; i++) {
        text = xlcfg_doc_string(doc->members[i].value);
        if (text && !strcmp(text, "<redacted>"))
            *some = true;
        else
            xlcfg__members_add(&m, xlcfg_doc_name(doc, i),
                               without_redacted(doc->members[i].value,
                                                some));
    }
    return xlcfg__members_end(&m);
}

static int take_config(struct xlcfg__ovf_in *in, xmlNodePtr section,
                       xlcfg_doc **config_r, xlcfg_error *err)
{
    xmlNodePtr holder = xlcfg__ovf_child(section, "Configuration");
    xmlNodePtr value = holder ? holder->children : NULL, more;
    xlcfg_doc *doc, *clean;
    bool some = false;
    int rc;

    while (value && value->type != XML_ELEMENT_NODE)
        value = value->next;
    more = value ? value->next : NULL;
    while (more && more->type != XML_ELEMENT_NODE)
        more = more->next;
    if (!value || more)
        return xlcfg__xml_bad(err, more ? more : section, "expected "
                              "<Configuration> with one <object>");
    rc = xlcfg__ovf_take(value, &doc, err);
    if (rc)
        return rc;
    if (xlcfg_doc_kind(doc) != XLCFG_DOC_OBJECT) {
        xlcfg_doc_free(doc);
        return xlcfg__xml_bad(err, value, "expected <object>");
    }
    clean = without_redacted(doc, &some);
    xlcfg_doc_free(doc);
    if (!clean)
        return xlcfg__nomem(err);
    if (some)
        xlcfg__ovf_note(in, holder, "its passwords were left out when it "
                        "was written");
    *config_r = clean;
    return 0;
}

static void add_word(xlcfg__members *m, const char *name, xmlNodePtr section,
                     const char *element)
{
    char *text = xlcfg__ovf_text(section, element);

    if (text)
        xlcfg__members_add(m, name, xlcfg__doc_str(text));
    xmlFree(text);
}

/* ---- all of it ---- */

static int read_own(struct xlcfg__ovf_in *in, xmlNodePtr section,
                    xlcfg__members *m, xlcfg_error *err)
{
    xlcfg_doc *config = NULL;
    int rc = check_version(section, err);

    if (!rc)
        rc = take_config(in, section, &config, err);
    if (!rc && !xlcfg__ovf_copies(in)) {
        xlcfg_doc_free(config);
        rc = xlcfg__nomem(err);
    }
    if (rc)
        return rc;
    xlcfg__members_add(m, "source", xlcfg__doc_str("libxl-cfg"));
    xlcfg__members_add(m, "config", config);
    add_word(m, "hash", section, "Hash");
    add_word(m, "address_hash", section, "AddressHash");
    return 0;
}

static int read_foreign(struct xlcfg__ovf_in *in, xlcfg__members *m,
                        xlcfg_error *err)
{
    static const char *const sections[] = {
        "References", "DiskSection", "NetworkSection", "Section",
        "VirtualSystem", "VirtualSystemCollection", "Content", NULL,
    };
    xlcfg_doc *config;
    int rc = xlcfg__ovf_hardware(in, &config, err);

    if (rc)
        return rc;
    xlcfg__members_add(m, "source", xlcfg__doc_str("ovf"));
    xlcfg__members_add(m, "config", config);
    note_others(in, in->envelope, sections);
    return 0;
}

static int read_envelope(xmlDocPtr xml, struct xlcfg__ovf_in *in,
                         xlcfg__members *m, xlcfg_error *err)
{
    xmlNodePtr root = xmlDocGetRootElement(xml), own;
    int rc;

    if (!xlcfg__ovf_is(root, "Envelope"))
        return xlcfg__xml_bad(err, root, "expected <Envelope>");
    in->envelope = root;
    rc = find_system(root, &in->system, err);
    if (!rc && !in->system)
        rc = xlcfg__xml_bad(err, root, "expected a <VirtualSystem> in it");
    if (!rc)
        rc = check_ids(xlcfg__ovf_child(root, "References"), "File", "id",
                       err);
    if (!rc)
        rc = check_hrefs(xlcfg__ovf_child(root, "References"), err);
    if (!rc)
        rc = check_ids(xlcfg__ovf_child(root, "DiskSection"), "Disk",
                       "diskId", err);
    if (rc)
        return rc;
    own = own_section(in->system);
    return own ? read_own(in, own, m, err) : read_foreign(in, m, err);
}

int xlcfg__ovf_read(const char *text, size_t len, const char *folder,
                    xlcfg_doc **doc_r, xlcfg_error *err)
{
    struct xlcfg__ovf_in in = { .folder = folder };
    xlcfg__members m = { 0 };
    xmlDocPtr xml;
    int rc;

    rc = xlcfg__xml_parse(text, len, NULL, XLCFG__OVF_DEPTH, &xml, err);
    if (rc)
        return rc;
    rc = read_envelope(xml, &in, &m, err);
    xmlFreeDoc(xml);
    if (rc) {
        xlcfg__members_dispose(&m);
        xlcfg__items_dispose(&in.notes);
        xlcfg__items_dispose(&in.disks);
        return rc;
    }
    xlcfg__members_add(&m, "disks", xlcfg__items_end(&in.disks));
    xlcfg__members_add(&m, "notes", xlcfg__items_end(&in.notes));
    *doc_r = xlcfg__members_end(&m);
    return *doc_r ? 0 : xlcfg__nomem(err);
}
