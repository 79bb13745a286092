/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain's XML, cut into its devices without being taken apart. */
#include "driver/virt_part.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct xlcfg__virt_parts {
    atomic_uint refs;
    char *text;                 /* all of it */
    size_t len;
    bool running;               /* the text is of what runs */
    size_t count, room;
    struct xlcfg__virt_part *v;
};

static void forget(struct xlcfg__virt_part *part)
{
    xlcfg_doc_free(part->body);
    xlcfg_doc_free(part->address);
    free(part->alias);
    free(part->untyped);
    part->body = part->address = NULL;
    part->alias = part->untyped = NULL;
}

void xlcfg__virt_parts_forget(struct xlcfg__virt_parts *p)
{
    for (size_t i = 0; i < p->count; i++)
        forget(&p->v[i]);
}

struct xlcfg__virt_parts *xlcfg__virt_parts_ref(struct xlcfg__virt_parts *p)
{
    if (p)
        atomic_fetch_add(&p->refs, 1);
    return p;
}

void xlcfg__virt_parts_free(struct xlcfg__virt_parts *p)
{
    if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    xlcfg__virt_parts_forget(p);
    free(p->v);
    free(p->text);
    free(p);
}

/* ---- cutting ---- */

/* Where a scan is: in a text without comments, sections and instructions each
 * '<' begins a tag. */
struct scan {
    const char *at, *end;
    int depth;                  /* of the element the tag is of; 1: the root */
};

struct tag {
    const char *from, *to;      /* with its brackets */
    size_t name;                /* bytes of its name, behind the bracket */
    bool opens, closes;
    bool prefixed;
};

static bool is_end_of_name(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '/' ||
        c == '>';
}

/* False: no further tag, or something that is not to be cut. */
static bool next_tag(struct scan *s, struct tag *tag)
{
    const char *p = memchr(s->at, '<', (size_t)(s->end - s->at));

    if (!p || s->end - p < 3 || p[1] == '!' || p[1] == '?')
        return false;
    *tag = (struct tag){ .from = p, .closes = p[1] == '/' };
    tag->opens = !tag->closes;
    for (p += 1 + tag->closes; p < s->end && !is_end_of_name(*p); p++)
        tag->prefixed = tag->prefixed || *p == ':';
    tag->name = (size_t)(p - tag->from) - 1;
    for (; p < s->end && *p != '>'; p++) {
        tag->prefixed = tag->prefixed || *p == ':';
        if (*p != '\'' && *p != '"')
            continue;
        p = memchr(p + 1, *p, (size_t)(s->end - p) - 1);
        if (!p)
            return false;
    }
    if (p == s->end)
        return false;
    if (tag->opens && p[-1] == '/')
        tag->closes = true;
    tag->to = p + 1;
    s->at = tag->to;
    s->depth += tag->opens;
    return true;
}

static bool is(const struct tag *tag, const char *name)
{
    return tag->opens && tag->name == strlen(name) &&
        !memcmp(tag->from + 1, name, tag->name);
}

static bool within(const struct tag *tag, const char *text)
{
    return memmem(tag->from, (size_t)(tag->to - tag->from), text,
                  strlen(text));
}

static bool add(struct xlcfg__virt_parts *p, const struct tag *tag)
{
    size_t more = p->room ? 2 * p->room : 32;
    struct xlcfg__virt_part *v;

    if (p->count == p->room) {
        v = realloc(p->v, more * sizeof(*v));
        if (!v)
            return false;
        p->v = v;
        p->room = more;
    }
    p->v[p->count++] = (struct xlcfg__virt_part){
        .at = (size_t)(tag->from - p->text), .plain = true,
        .kind = XLCFG_KINDS,
    };
    return true;
}

/* One tag within <devices>, of any depth.  False: no memory. */
static bool take(struct xlcfg__virt_parts *p, int depth,
                 const struct tag *tag)
{
    struct xlcfg__virt_part *part;

    if (depth == 3 && tag->opens && !add(p, tag))
        return false;
    if (depth < 3)
        return true;
    part = &p->v[p->count - 1];
    part->plain = part->plain && !tag->prefixed;
    part->len = (size_t)(tag->to - p->text) - part->at;
    return true;
}

/* False: it is none that is cut. */
static bool cut(struct xlcfg__virt_parts *p)
{
    struct scan s = { .at = p->text, .end = p->text + p->len };
    bool inside = false, done = false;
    struct tag tag;

    while (next_tag(&s, &tag)) {
        if (s.depth == 1 && tag.opens) {
            p->running = within(&tag, " id='");
            if (!is(&tag, "domain") || (!p->running && within(&tag, "id")))
                return false;
        }
        if (s.depth < 3 && within(&tag, " xmlns="))
            return false;
        if (s.depth == 2 && tag.opens && !done)
            inside = is(&tag, "devices");
        if (inside && !take(p, s.depth, &tag))
            return false;
        if (inside && s.depth == 2 && tag.closes) {
            inside = false;
            done = true;
        }
        s.depth -= tag.closes;
        if (s.depth < 0)
            return false;
    }
    return done && !s.depth && !memchr(s.at, '<', (size_t)(s.end - s.at));
}

struct xlcfg__virt_parts *xlcfg__virt_cut(const char *xml)
{
    struct xlcfg__virt_parts *p;

    p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    atomic_init(&p->refs, 1);
    p->len = strlen(xml);
    p->text = p->len <= XLCFG__XML_SIZE ? malloc(p->len + 1) : NULL;
    if (p->text) {
        memcpy(p->text, xml, p->len + 1);
        if (cut(p))
            return p;
    }
    xlcfg__virt_parts_free(p);
    return NULL;
}

/* ---- what is known ---- */

/* What an empty element of the same name has the place of, among those of its
 * kind. */
static bool may_be_known(const struct xlcfg__virt_parts *p,
                         const struct xlcfg__virt_part *part)
{
    const char *text = p->text + part->at;

    return part->plain && (!strncmp(text, "<disk ", 6) ||
                           !strncmp(text, "<interface ", 11));
}

static bool copy(struct xlcfg__virt_part *part,
                 const struct xlcfg__virt_part *of)
{
    if (!xlcfg__virt_part_is(part, of->kind, of->body, of->address,
                             of->alias))
        return false;
    part->untyped = of->untyped ? strdup(of->untyped) : NULL;
    return part->untyped || !of->untyped;
}

bool xlcfg__virt_part_is(struct xlcfg__virt_part *part, enum xlcfg_kind kind,
                         const xlcfg_doc *body, const xlcfg_doc *address,
                         const char *alias)
{
    part->alias = alias ? strdup(alias) : NULL;
    if (alias && !part->alias)
        return false;
    part->kind = kind;
    part->body = xlcfg_doc_ref(body);
    part->address = xlcfg_doc_ref(address);
    return true;
}

typedef bool (*compare)(const char *a, size_t alen, const char *b,
                        size_t blen);

/* How many are tried for one: so many may come or go at once, and to try them
 * costs less than to read one. */
#define NEAR 64

/* Each of p that is like one of old; most stand in the same order. */
static void match(struct xlcfg__virt_parts *p,
                  const struct xlcfg__virt_parts *old, compare like)
{
    size_t next = 0;

    for (size_t i = 0; i < p->count; i++) {
        struct xlcfg__virt_part *part = &p->v[i];

        if (!may_be_known(p, part))
            continue;
        for (size_t tries = 0; tries < NEAR && tries < old->count &&
             !part->body; tries++) {
            const struct xlcfg__virt_part *of;

            of = &old->v[(next + tries) % old->count];
            if (!of->body || !may_be_known(old, of) ||
                !like(old->text + of->at, of->len, p->text + part->at,
                      part->len))
                continue;
            if (!copy(part, of))
                forget(part);
            next = (next + tries + 1) % old->count;
            break;
        }
    }
}

static bool same(const char *a, size_t alen, const char *b, size_t blen)
{
    return alen == blen && !memcmp(a, b, alen);
}

void xlcfg__virt_parts_recall(struct xlcfg__virt_parts *p,
                              const struct xlcfg__virt_parts *old)
{
    if (old && old->running == p->running)
        match(p, old, same);
}

bool xlcfg__virt_parts_known(const struct xlcfg__virt_parts *p)
{
    for (size_t i = 0; p && i < p->count; i++)
        if (p->v[i].body)
            return true;
    return false;
}

bool xlcfg__virt_parts_untyped(const struct xlcfg__virt_parts *live,
                               const char *target)
{
    for (size_t i = 0; i < live->count; i++)
        if (live->v[i].untyped && !strcmp(live->v[i].untyped, target))
            return true;
    return false;
}

/* ---- a definition, beside what runs ---- */

struct line {
    const char *at;
    size_t len;
};

/* The line at *p, without the blanks it begins with. */
static struct line line_at(const char **p, const char *end)
{
    const char *to = memchr(*p, '\n', (size_t)(end - *p));
    struct line l;

    to = to ? to : end;
    while (*p < to && **p == ' ')
        ++*p;
    l = (struct line){ *p, (size_t)(to - *p) };
    *p = to + (to < end);
    return l;
}

static bool begins(struct line l, const char *with)
{
    size_t n = strlen(with);

    return l.len >= n && !memcmp(l.at, with, n);
}

static bool holds(struct line l, const char *text)
{
    return memmem(l.at, l.len, text, strlen(text));
}

/* Is this all of the line: the beginning of an attribute's value, its end and
 * the element's? */
static bool is_lone(struct line l, const char *with)
{
    size_t n = strlen(with);

    return l.len >= n + 3 && begins(l, with) &&
        memchr(l.at + n, '\'', l.len - n) == l.at + l.len - 3 &&
        !memcmp(l.at + l.len - 3, "'/>", 3);
}

/* An element that a start adds. */
static bool is_made(struct line l)
{
    if (is_lone(l, "<alias name='"))
        return !begins(l, "<alias name='ua-");
    return is_lone(l, "<target dev='vnet") ||
        (l.len == strlen("<backingStore/>") && begins(l, "<backingStore/>"));
}

/* What a start writes, which in a definition is somebody's wish. */
static bool is_wish(struct line l)
{
    return begins(l, "<backingStore") || begins(l, "<mirror") ||
        (begins(l, "<source") && holds(l, " index='")) ||
        (begins(l, "<target") && holds(l, " tray='")) ||
        begins(l, "<interface type='network'");
}

/* The same source, with the number that the run gives it. */
static bool is_source_of(struct line live, struct line kept)
{
    static const char index[] = " index='";
    const char *at = memmem(live.at, live.len, index, strlen(index)), *to;
    size_t before, behind;

    if (!at || !begins(live, "<source "))
        return false;
    to = at + strlen(index);
    to += strspn(to, "0123456789");
    if (*to != '\'')
        return false;
    to++;
    before = (size_t)(at - live.at);
    behind = live.len - (size_t)(to - live.at);
    return kept.len == before + behind && !memcmp(kept.at, live.at, before) &&
        !memcmp(kept.at + before, to, behind);
}

/* Canonical, both are the same: see xlcfg__virt_canon_device. */
static bool is_start_of(const char *live, size_t livelen, const char *kept,
                        size_t keptlen)
{
    const char *liveend = live + livelen, *keptend = kept + keptlen;
    bool drive = !strncmp(kept, "<disk ", 6), source = false;

    while (kept < keptend) {
        struct line k = line_at(&kept, keptend), l = { NULL, 0 };
        bool alike = false;

        if (is_wish(k))
            return false;
        source = source || begins(k, "<source ");
        while (!alike && live < liveend) {
            l = line_at(&live, liveend);
            alike = l.len == k.len && !memcmp(l.at, k.at, l.len);
            if (!alike && !is_source_of(l, k) && !is_made(l))
                return false;
            alike = alike || is_source_of(l, k);
        }
        if (!alike)
            return false;
    }
    return live == liveend && (source || !drive);
}

void xlcfg__virt_parts_liken(struct xlcfg__virt_parts *kept,
                             const struct xlcfg__virt_parts *live)
{
    if (live->running && !kept->running)
        match(kept, live, is_start_of);
}

/* ---- the tree ---- */

/* The text with an empty element for each part that is known; NULL: no
 * memory. */
static char *shorten(const struct xlcfg__virt_parts *p, size_t *len_r)
{
    char *text = malloc(p->len + 1), *to = text;
    size_t from = 0;

    if (!text)
        return NULL;
    for (size_t i = 0; i <= p->count; i++) {
        const struct xlcfg__virt_part *part = i < p->count ? &p->v[i] : NULL;
        size_t n, at = part ? part->at : p->len;

        if (part && !part->body)
            continue;
        memcpy(to, p->text + from, at - from);
        to += at - from;
        if (!part)
            break;
        n = strcspn(p->text + at, " ");
        memcpy(to, p->text + at, n);
        memcpy(to + n, "/>", 2);
        to += n + 2;
        from = at + part->len;
    }
    *to = '\0';
    *len_r = (size_t)(to - text);
    return text;
}

bool xlcfg__virt_has_no_format(xmlNodePtr dev)
{
    xmlNodePtr driver = xlcfg__xml_is(dev, "disk")
        ? xlcfg__xml_child(dev, "driver") : NULL;

    return driver && !xmlHasProp(driver, (const xmlChar *)"type");
}

/* What the tree alone tells.  An empty drive of a definition is what the one
 * that runs makes of it: it says nothing by itself. */
static bool note(const struct xlcfg__virt_parts *p,
                 struct xlcfg__virt_part *part, xmlNodePtr dev)
{
    if (part->body)
        return true;
    if (!p->running && xlcfg__xml_is(dev, "disk") &&
        !xlcfg__xml_child(dev, "source"))
        part->plain = false;
    if (!xlcfg__virt_has_no_format(dev))
        return true;
    part->untyped = xlcfg__xml_get(dev, "target@dev");
    return part->untyped;
}

/* False: these are not its parts. */
static bool join(struct xlcfg__virt_parts *p, xmlDocPtr doc)
{
    xmlNodePtr devices = xlcfg__xml_child(xmlDocGetRootElement(doc),
                                          "devices");
    size_t i = 0;

    for (xmlNodePtr n = devices ? devices->children : NULL; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE) {
            if (i == p->count || !note(p, &p->v[i], n))
                return false;
            n->_private = &p->v[i++];
        }
    return i == p->count;
}

int xlcfg__virt_parse_parts(const char *xml, struct xlcfg__virt_parts *p,
                            xmlDocPtr *doc_r, xlcfg_error *err)
{
    size_t len = 0;
    char *text = xlcfg__virt_parts_known(p) ? shorten(p, &len) : NULL;
    xmlDocPtr doc = NULL;
    int rc;

    if (text)
        rc = xlcfg__virt_parse(text, len, "domain", &doc, err);
    else
        rc = xlcfg__virt_parse(xml, strlen(xml), "domain", &doc, err);
    if (!rc && p && !join(p, doc)) {
        xmlFreeDoc(doc);
        rc = xlcfg__err(err, XLCFG_ERROR_PARSE, "line 1",
                        "its devices are not those that were cut");
    }
    free(text);
    if (!rc)
        *doc_r = doc;
    return rc;
}
