/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files under a disk.  What runs shows them all, also where nobody chose
 * them, and so says nothing of that; a definition that names them pins them, or
 * that there are none.  Where it names those that run it is the same disk, and
 * both have them: what is printed of a guest that runs is to pin them, too.
 */
#include "driver/virt_i.h"
#include "core/key.h"
#include "driver/virt_xml.h"

#include <string.h>

#define OPENS "<backingStore"
#define MARK " " XLCFG__VIRT_CHAIN "=\"\""
#define CLOSES "</backingStore>"
#define BEHIND "<target"

/* Where it stands in a text, with its mark. */
struct chain {
    const char *at, *mark, *behind, *end;
};

static bool find_chain(const char *text, struct chain *c)
{
    const char *last;

    /* the first is the one that the others are in */
    c->at = strstr(text, OPENS);
    c->mark = c->at ? strstr(c->at, MARK) : NULL;
    c->end = c->at ? strchr(c->at, '>') : NULL;
    if (!c->mark || !c->end || c->mark > c->end)
        return false;
    c->behind = c->mark + strlen(MARK);
    c->end++;
    if (c->end[-2] == '/')
        return true;
    for (last = c->end; (last = strstr(last, CLOSES)); )
        c->end = last += strlen(CLOSES);
    return true;
}

/* NULL: no memory. */
static xlcfg_doc *joined(const char *a, size_t alen, const char *b,
                         size_t blen, const char *c, size_t clen,
                         const char *rest)
{
    return xlcfg__doc_strf("%.*s%.*s%.*s%s", (int)alen, a, (int)blen, b,
                           (int)clen, c, rest);
}

/* The text without the mark; with no chain, as nobody named it. */
static xlcfg_doc *cleaned(const char *text, const struct chain *c,
                          bool without)
{
    if (without)
        return joined(text, (size_t)(c->at - text), "", 0, "", 0, c->end);
    return joined(text, (size_t)(c->mark - text), c->behind,
                  (size_t)(c->end - c->behind), "", 0, c->end);
}

static struct xlcfg_dev *find_dev(struct xlcfg_view *view, const char *match)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->devs[i].kind == XLCFG_KIND_DISK && view->devs[i].body &&
            !strcmp(view->devs[i].match, match))
            return &view->devs[i];
    return NULL;
}

/* The one that runs gets the chain where libvirt writes it. */
static int give(struct xlcfg_dev *dev, const struct chain *c)
{
    const char *text = xlcfg__doc_getstr(dev->body, "x-libvirt");
    const char *to = text ? strstr(text, BEHIND) : NULL;
    xlcfg_doc *now, *body;

    if (!to)
        return 0;
    now = joined(text, (size_t)(to - text), c->at, (size_t)(c->mark - c->at),
                 c->behind, (size_t)(c->end - c->behind), to);
    body = now ? xlcfg__doc_with(dev->body, "x-libvirt", now) : NULL;
    if (!body)
        return XLCFG_ERROR_NOMEM;
    xlcfg_doc_free(dev->body);
    dev->body = body;
    return 0;
}

/* One disk that is kept; NULL: no memory. */
static xlcfg_doc *share(const xlcfg_doc *disk, struct xlcfg_view *view)
{
    const char *text = xlcfg__doc_getstr(disk, "x-libvirt");
    struct xlcfg_dev *dev = NULL;
    struct xlcfg_ident id;
    struct chain c;
    xlcfg_doc *now;

    if (!text || !find_chain(text, &c))
        return xlcfg_doc_ref(disk);
    if (view) {
        xlcfg__key_of(XLCFG_KIND_DISK, disk, &id);
        dev = find_dev(view, id.match);
    }
    if (dev && give(dev, &c))
        return NULL;
    now = cleaned(text, &c, !dev);
    return now ? xlcfg__doc_with(disk, "x-libvirt", now) : NULL;
}

static bool is_marked(const xlcfg_doc *disks)
{
    for (size_t i = 0; i < xlcfg_doc_count(disks); i++) {
        const char *text = xlcfg__doc_getstr(xlcfg_doc_at(disks, i),
                                             "x-libvirt");
        struct chain c;

        if (text && find_chain(text, &c))
            return true;
    }
    return false;
}

int xlcfg__virt_share_chains(xlcfg_doc **kept, struct xlcfg_view *view,
                             xlcfg_error *err)
{
    const xlcfg_doc *disks = xlcfg_doc_get(*kept, "disks");
    xlcfg__items list = { 0 };
    xlcfg_doc *all;

    if (!is_marked(disks))
        return 0;
    for (size_t i = 0; i < xlcfg_doc_count(disks); i++)
        xlcfg__items_add(&list, share(xlcfg_doc_at(disks, i), view));
    all = xlcfg__items_end(&list);
    all = all ? xlcfg__doc_with(*kept, "disks", all) : NULL;
    if (!all)
        return xlcfg__nomem(err);
    xlcfg_doc_free(*kept);
    *kept = all;
    return 0;
}
