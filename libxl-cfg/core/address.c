/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The address book of a domain. */
#include "core/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool xlcfg__addresses_add(struct xlcfg__addresses *book,
                          enum xlcfg_kind kind, const char *match,
                          const char *key, const char *alt,
                          xlcfg_doc *address, int64_t revision)
{
    struct xlcfg__address *row;

    if (address && book->count == book->room) {
        size_t more = book->room ? book->room * 2 : 16;

        row = realloc(book->v, more * sizeof(*row));
        if (row) {
            book->v = row;
            book->room = more;
        }
    }
    if (!address || book->count == book->room) {
        xlcfg_doc_free(address);
        return false;
    }
    row = &book->v[book->count];
    *row = (struct xlcfg__address){
        .kind = kind, .match = strdup(match), .key = strdup(key),
        .alt = alt && *alt ? strdup(alt) : NULL, .address = address,
        .revision = revision,
    };
    book->count++;              /* what there is of it is disposed of */
    return row->match && row->key && (!alt || !*alt || row->alt);
}

void xlcfg__addresses_dispose(struct xlcfg__addresses *book)
{
    for (size_t i = 0; i < book->count; i++) {
        free(book->v[i].match);
        free(book->v[i].key);
        free(book->v[i].alt);
        xlcfg_doc_free(book->v[i].address);
    }
    free(book->v);
    *book = (struct xlcfg__addresses){ .choice = book->choice };
}

const struct xlcfg__address *
xlcfg__addresses_own(const struct xlcfg__addresses *book,
                     enum xlcfg_kind kind, const struct xlcfg_ident *id)
{
    const struct xlcfg__address *by_alt = NULL;
    bool nameless = !id->key[0] || !strcmp(id->key, id->alt);

    for (size_t i = 0; book->choice >= XLCFG__CHOICE_KEPT &&
         i < book->count; i++) {
        const struct xlcfg__address *row = &book->v[i];

        if (row->kind != kind)
            continue;
        if (id->match[0] && !strcmp(row->match, id->match))
            return row;
        if (nameless && id->alt[0] && row->alt &&
            !strcmp(row->alt, id->alt) &&
            (!by_alt || row->revision > by_alt->revision))
            by_alt = row;
    }
    return by_alt;
}

const struct xlcfg__address *
xlcfg__addresses_holder(const struct xlcfg__addresses *book,
                        enum xlcfg_kind kind, const char *match,
                        const struct xlcfg_ident *who)
{
    for (size_t i = 0; book->choice >= XLCFG__CHOICE_KEPT &&
         i < book->count; i++) {
        const struct xlcfg__address *row = &book->v[i];
        struct xlcfg_ident id;

        if (row->kind != kind || (!who->alt[0] && !row->alt))
            continue;
        xlcfg__key_of(kind, row->address, &id);
        if (!strcmp(row->match, match) || !strcmp(id.match, match))
            return row;
    }
    return NULL;
}

#define NAMED 8                 /* devices in a message */

static bool has(const struct xlcfg_view *live, const char *match)
{
    for (size_t i = 0; i < live->count; i++)
        if (live->devs[i].live != XLCFG_LIVE_ABSENT &&
            !strcmp(live->devs[i].match, match))
            return true;
    return false;
}

void xlcfg__addresses_named(const struct xlcfg__addresses *book,
                            enum xlcfg_kind kind,
                            const struct xlcfg_view *live, char *buf,
                            size_t size)
{
    size_t count = 0, len = 0;

    buf[0] = '\0';
    for (size_t i = 0; book->choice >= XLCFG__CHOICE_KEPT &&
         i < book->count; i++) {
        if (book->v[i].kind != kind || has(live, book->v[i].match))
            continue;
        if (count++ < NAMED && len < size)
            len += (size_t)snprintf(buf + len, size - len, "%s%.100s",
                                    count > 1 ? ", " : "", book->v[i].key);
    }
    if (count > NAMED && len < size)
        snprintf(buf + len, size - len, " and %zu more", count - NAMED);
}

xlcfg_doc *xlcfg__address_fill(const xlcfg_doc *body,
                               const xlcfg_doc *address)
{
    xlcfg__members m = { 0 };

    xlcfg__members_copy(&m, body);
    for (size_t i = 0; i < xlcfg_doc_count(address); i++) {
        const char *name = xlcfg_doc_name(address, i);

        if (!xlcfg_doc_get(body, name))
            xlcfg__members_add(&m, name,
                               xlcfg_doc_ref(xlcfg_doc_at(address, i)));
    }
    return xlcfg__members_end(&m);
}

/* ---- a whole configuration ---- */

static bool has_devid(enum xlcfg_kind kind)
{
    const struct xlcfg_field *f = xlcfg__kinds[kind].fields;

    for (; f->name; f++)
        if (!strcmp(f->name, "devid"))
            return f->flags & XLCFG_FIELD_ADDRESS;
    return false;
}

static bool is_in(const xlcfg__items *it, enum xlcfg_kind kind,
                  const char *match)
{
    for (size_t i = 0; i < it->count; i++) {
        struct xlcfg_ident id;

        xlcfg__key_of(kind, it->v[i], &id);
        if (!strcmp(id.match, match))
            return true;
    }
    return false;
}

static int64_t newest(const struct xlcfg__addresses *book)
{
    int64_t revision = 0;

    for (size_t i = 0; i < book->count; i++)
        if (book->v[i].revision > revision)
            revision = book->v[i].revision;
    return revision;
}

/*
 * A number for an entry that has none, in the order of the array as libxl
 * would, but past those of others.  An entry that nothing tells from another
 * may well be the one that ran last under the number.
 */
static xlcfg_doc *number(const struct xlcfg__addresses *book,
                         enum xlcfg_kind kind, const xlcfg__items *it,
                         const xlcfg_doc *entry)
{
    const struct xlcfg__address *holder;
    int64_t last = newest(book);
    struct xlcfg_ident id;
    char match[64];
    int n = 0;

    xlcfg__key_of(kind, entry, &id);
    do {
        snprintf(match, sizeof(match), "%s/%d", xlcfg__kinds[kind].name,
                 n++);
        holder = xlcfg__addresses_holder(book, kind, match, &id);
        if (holder && !id.key[0] && holder->revision == last)
            holder = NULL;
    } while (holder || is_in(it, kind, match));
    return xlcfg__doc_with(entry, "devid", xlcfg__doc_int(n - 1));
}

static bool knows(const struct xlcfg__addresses *book, enum xlcfg_kind kind)
{
    for (size_t i = 0; i < book->count; i++)
        if (book->v[i].kind == kind)
            return book->choice >= XLCFG__CHOICE_KEPT;
    return false;
}

/* One with a second name is libxl's to number, as it always did, where the
 * book has nobody in the way. */
static bool lacks_number(const struct xlcfg__addresses *book,
                         enum xlcfg_kind kind, const xlcfg_doc *entry)
{
    struct xlcfg_ident id;

    if (!has_devid(kind) || kind == XLCFG_KIND_CHANNEL ||
        xlcfg_doc_kind(entry) != XLCFG_DOC_OBJECT ||
        xlcfg_doc_get(entry, "devid"))
        return false;
    xlcfg__key_of(kind, entry, &id);
    return !id.key[0] || knows(book, kind);
}

/* First what the book knows and the entries say, then what is left. */
static xlcfg_doc *apply(const struct xlcfg__addresses *book,
                        enum xlcfg_kind kind, const xlcfg_doc *array)
{
    xlcfg__items it = { 0 };

    for (size_t i = 0; i < xlcfg_doc_count(array); i++) {
        const xlcfg_doc *entry = xlcfg_doc_at(array, i);
        const struct xlcfg__address *own;
        struct xlcfg_ident id;

        xlcfg__key_of(kind, entry, &id);
        own = xlcfg_doc_kind(entry) == XLCFG_DOC_OBJECT
            ? xlcfg__addresses_own(book, kind, &id) : NULL;
        if (own) {
            xlcfg__key_of(kind, own->address, &id);
            if (id.match[0] && is_in(&it, kind, id.match))
                own = NULL;     /* two of one second name */
        }
        xlcfg__items_add(&it, own ? xlcfg__address_fill(entry, own->address)
                         : xlcfg_doc_ref(entry));
    }
    for (size_t i = 0; !it.failed && i < it.count; i++) {
        xlcfg_doc *with;

        if (!lacks_number(book, kind, it.v[i]))
            continue;
        with = number(book, kind, &it, it.v[i]);
        if (with) {
            xlcfg_doc_free(it.v[i]);
            it.v[i] = with;
        }
        it.failed = !with;
    }
    return xlcfg__items_end(&it);
}

xlcfg_doc *xlcfg__addresses_apply(const struct xlcfg__addresses *book,
                                  const xlcfg_doc *config)
{
    xlcfg__members m = { 0 };

    xlcfg__members_copy(&m, config);
    for (int k = 0; k < XLCFG_KINDS; k++) {
        const char *name = xlcfg__kinds[k].array;
        const xlcfg_doc *array = xlcfg_doc_get(config, name);

        if (xlcfg_doc_kind(array) == XLCFG_DOC_ARRAY)
            xlcfg__members_set(&m, name,
                               apply(book, (enum xlcfg_kind)k, array));
    }
    return xlcfg__members_end(&m);
}
