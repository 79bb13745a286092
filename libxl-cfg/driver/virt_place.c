/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The address book and libvirt's <address>: what is another device's, who
 * keeps it, and a whole configuration put back in its places.
 */
#include "driver/virt_i.h"
#include "driver/virt_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED 6                 /* devices in a message */

bool xlcfg__virt_put_address(xmlNodePtr dev, const xlcfg_doc *address)
{
    for (size_t i = 0; i < xlcfg_doc_count(address); i++) {
        const char *value = xlcfg_doc_string(xlcfg_doc_at(address, i));
        char path[64];

        snprintf(path, sizeof(path), "address@%.50s",
                 xlcfg_doc_name(address, i));
        if (value && !xlcfg__xml_set(dev, path, value))
            return false;
    }
    return true;
}

/* A member's number, by its path in the element. */
static int member(const xlcfg_doc *address, const char *path)
{
    const char *text = xlcfg__doc_getstr(address, strchr(path, '@') + 1);
    char *end;
    long n;

    if (!text || !*text)
        return -1;
    n = strtol(text, &end, 0);
    return *end || n < 0 || n > 65535 ? -1 : (int)n;
}

static bool is_of(const struct xlcfg__address *row, const char *type)
{
    const char *its = xlcfg__doc_getstr(row->address, "type");

    return its && !strcmp(its, type);
}

bool xlcfg__virt_is_anothers(const struct xlcfg__virt_place *at,
                             const char *element, const char *type,
                             const char *a, int x, const char *b, int y)
{
    const struct xlcfg__addresses *book = at->book;

    for (size_t i = 0; book && book->choice >= XLCFG__CHOICE_KEPT &&
         i < book->count; i++) {
        const struct xlcfg__address *row = &book->v[i];

        if (row != at->own && is_of(row, type) &&
            /* who had it last has it, of two that had it */
            (!at->own || row->revision >= at->own->revision ||
             !xlcfg__doc_equal(row->address, at->own->address)) &&
            (!element || row->kind == XLCFG_KIND_DISK) &&
            member(row->address, a) == x &&
            (!b || member(row->address, b) == y))
            return true;
    }
    return false;
}

/* Does a device that runs have this very address? */
static bool runs_there(xmlDocPtr live, const xlcfg_doc *address)
{
    xmlNodePtr devices = live ? xlcfg__xml_child(xmlDocGetRootElement(live),
                                                 "devices") : NULL;

    for (xmlNodePtr n = devices ? devices->children : NULL; n; n = n->next) {
        size_t same = 0;

        for (size_t i = 0; n->type == XML_ELEMENT_NODE &&
             i < xlcfg_doc_count(address); i++) {
            char path[64];

            snprintf(path, sizeof(path), "address@%.50s",
                     xlcfg_doc_name(address, i));
            same += xlcfg__xml_has(n, path, xlcfg_doc_string(
                xlcfg_doc_at(address, i)));
        }
        if (same && same == xlcfg_doc_count(address))
            return true;
    }
    return false;
}

static int where(const xlcfg_doc *address, char *buf, size_t size)
{
    if (!strcmp(xlcfg__doc_getstr(address, "type"), "pci"))
        return snprintf(buf, size, "bus %d slot %d",
                        member(address, "@bus"), member(address, "@slot"));
    if (!strcmp(xlcfg__doc_getstr(address, "type"), "usb"))
        return snprintf(buf, size, "bus %d port %d",
                        member(address, "@bus"), member(address, "@port"));
    if (!strcmp(xlcfg__doc_getstr(address, "type"), "drive"))
        return snprintf(buf, size, "controller %d unit %d",
                        member(address, "@controller"),
                        member(address, "@unit"));
    return snprintf(buf, size, "controller %d port %d",
                    member(address, "@controller"),
                    member(address, "@port"));
}

void xlcfg__virt_keepers(const struct xlcfg__virt_place *at,
                         const char *type, char *buf, size_t size)
{
    const struct xlcfg__addresses *book = at->book;
    size_t len = 0, count = 0;

    buf[0] = '\0';
    for (size_t i = 0; book && book->choice >= XLCFG__CHOICE_KEPT &&
         i < book->count; i++) {
        const struct xlcfg__address *row = &book->v[i];

        if (row == at->own || !is_of(row, type) ||
            runs_there(at->live, row->address) || count++ >= NAMED ||
            len >= size)
            continue;
        len += (size_t)snprintf(buf + len, size - len, "%s",
                                count == 1 ? ", or kept: " : ", ");
        if (len < size)
            len += (size_t)where(row->address, buf + len, size - len);
        if (len < size)
            len += (size_t)snprintf(buf + len, size - len, " for %.80s",
                                    row->key);
    }
    if (count > NAMED && len < size)
        len += (size_t)snprintf(buf + len, size - len, " and %zu more",
                                count - NAMED);
    if (count && len < size)
        snprintf(buf + len, size - len,
                 "; give one up, or let one be taken");
}

/* ---- a whole configuration ---- */

/* One body with the address of the book, when it says none itself. */
static int place_one(const struct xlcfg__addresses *book,
                     enum xlcfg_kind kind, const xlcfg_doc *body,
                     size_t index, xlcfg_doc **body_r, xlcfg_error *err)
{
    const struct xlcfg__address *own;
    struct xlcfg_ident id;
    xmlDocPtr doc = NULL;
    xmlNodePtr dev;
    int rc;

    xlcfg__key_of(kind, body, &id);
    own = xlcfg__addresses_own(book, kind, &id);
    if (!own || !xlcfg__doc_getstr(own->address, "type")) {
        *body_r = xlcfg_doc_ref(body);
        return 0;
    }
    rc = xlcfg__virt_lone(kind, body, &doc, &dev, err);
    if (rc)
        return rc;
    if (xlcfg__xml_child(dev, "address"))
        *body_r = xlcfg_doc_ref(body);
    else if (!xlcfg__virt_put_address(dev, own->address))
        rc = xlcfg__nomem(err);
    else
        rc = xlcfg__virt_body(kind, dev, index, body_r, err);
    xmlFreeDoc(doc);
    return rc;
}

static int place_all(const struct xlcfg__addresses *book,
                     enum xlcfg_kind kind, const xlcfg_doc *array,
                     xlcfg_doc **array_r, xlcfg_error *err)
{
    xlcfg__items it = { 0 };

    for (size_t i = 0; i < xlcfg_doc_count(array); i++) {
        xlcfg_doc *body = NULL;
        int rc;

        rc = place_one(book, kind, xlcfg_doc_at(array, i), i, &body, err);
        if (rc) {
            xlcfg__items_dispose(&it);
            return rc;
        }
        xlcfg__items_add(&it, body);
    }
    *array_r = xlcfg__items_end(&it);
    return *array_r ? 0 : xlcfg__nomem(err);
}

static bool knows(const struct xlcfg__addresses *book, enum xlcfg_kind kind)
{
    for (size_t i = 0; i < book->count; i++)
        if (book->v[i].kind == kind)
            return book->choice >= XLCFG__CHOICE_KEPT;
    return false;
}

int xlcfg__virt_book_place(void *handle, const xlcfg_doc *config,
                           const struct xlcfg__addresses *book,
                           xlcfg_doc **config_r, xlcfg_error *err)
{
    xlcfg__members m = { 0 };

    (void)handle;
    xlcfg__members_copy(&m, config);
    for (int k = 0; k < XLCFG_KINDS; k++) {
        const char *name = xlcfg__kinds[k].array;
        const xlcfg_doc *array = xlcfg_doc_get(config, name);
        xlcfg_doc *placed = NULL;
        int rc;

        if (xlcfg_doc_kind(array) != XLCFG_DOC_ARRAY ||
            !knows(book, (enum xlcfg_kind)k))
            continue;
        rc = place_all(book, (enum xlcfg_kind)k, array, &placed, err);
        if (rc) {
            xlcfg__members_dispose(&m);
            return rc;
        }
        xlcfg__members_set(&m, name, placed);
    }
    *config_r = xlcfg__members_end(&m);
    return *config_r ? 0 : xlcfg__nomem(err);
}
