/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Diff of two views: a pure function. */
#include "core/diff.h"
#include "core/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct diff {
    xlcfg__items changes;
    bool over, whole;
};

static void change(struct diff *d, const char *what, const char *name,
                   const xlcfg_doc *from, const xlcfg_doc *to)
{
    xlcfg__members m = { 0 };

    xlcfg__members_add(&m, what, xlcfg__doc_str(name));
    xlcfg__members_add(&m, "kind",
                       xlcfg__doc_str(!from ? "added" : !to ? "removed"
                                      : "changed"));
    xlcfg__members_add(&m, "from",
                       from ? xlcfg_doc_ref(from) : xlcfg__doc_null());
    xlcfg__members_add(&m, "to",
                       to ? xlcfg_doc_ref(to) : xlcfg__doc_null());
    xlcfg__items_add(&d->changes, xlcfg__members_end(&m));
}

/* path with "/name" behind it, ~ and / of the name escaped; yours. */
static char *below(const char *path, const char *name)
{
    char *s = malloc(strlen(path) + 2 * strlen(name) + 2);
    char *p;

    if (!s)
        return NULL;
    p = s + sprintf(s, "%s/", path);
    for (; *name; name++) {
        if (*name == '~' || *name == '/') {
            *p++ = '~';
            *p++ = *name == '~' ? '0' : '1';
        } else {
            *p++ = *name;
        }
    }
    *p = '\0';
    return s;
}

static void compare(struct diff *d, const char *path, const xlcfg_doc *from,
                    const xlcfg_doc *to);

static void compare_member(struct diff *d, const char *path,
                           const char *name, const xlcfg_doc *from,
                           const xlcfg_doc *to)
{
    char *p = below(path, name);

    if (!p)
        d->changes.failed = true;
    else if (from && to)
        compare(d, p, from, to);
    else
        change(d, "path", p, from, to);
    free(p);
}

static void compare(struct diff *d, const char *path, const xlcfg_doc *from,
                    const xlcfg_doc *to)
{
    if (xlcfg_doc_kind(from) != XLCFG_DOC_OBJECT ||
        xlcfg_doc_kind(to) != XLCFG_DOC_OBJECT) {
        if (!xlcfg__doc_equal(from, to))
            change(d, "path", path, from, to);
        return;
    }
    for (size_t i = 0; i < from->count; i++) {
        const char *name = from->members[i].name->text;
        const xlcfg_doc *other = xlcfg_doc_get(to, name);

        if (other || !d->over)
            compare_member(d, path, name, from->members[i].value, other);
    }
    for (size_t i = 0; i < to->count; i++) {
        const char *name = to->members[i].name->text;

        if (!d->over && !xlcfg_doc_get(from, name))
            compare_member(d, path, name, NULL, to->members[i].value);
    }
}

static size_t partner(const struct xlcfg_dev *dev, const xlcfg__map *by,
                      const xlcfg__map *by_alt)
{
    size_t i = xlcfg__map_get(by, dev->match);

    if (i == XLCFG__MAP_NONE && dev->alt && !strcmp(dev->alt, dev->key))
        i = xlcfg__map_get(by_alt, dev->alt);
    return i;
}

/* Against a live view only what the field rules let it say counts. */
static void compare_body(struct diff *d, const struct xlcfg_dev *from,
                         const struct xlcfg_dev *to)
{
    xlcfg_doc *body = xlcfg_doc_ref(to->body);

    if (d->over && !d->whole) {
        xlcfg_doc_free(body);
        body = xlcfg__kind_merge(from->kind, from->body, to->body);
        if (!body)
            d->changes.failed = true;
    }
    if (body && !xlcfg__doc_equal(from->body, body))
        change(d, "key", from->key, from->body, body);
    xlcfg_doc_free(body);
}

static bool is_there(const struct xlcfg_dev *dev)
{
    switch (dev->live) {
    case XLCFG_LIVE_COMING:
    case XLCFG_LIVE_PRESENT:
    case XLCFG_LIVE_ORPHANED:
    case XLCFG_LIVE_UNKNOWN:
        return true;
    case XLCFG_LIVE_ABSENT:
    case XLCFG_LIVE_PARTIAL:
    case XLCFG_LIVE_FAILED:
    case XLCFG_LIVE_LEAVING:
    case XLCFG_LIVE_LEAKED:
    case XLCFG_LIVES:
        return false;
    }
    return false;
}

static void devices(struct diff *d, const struct xlcfg_view *from,
                    const struct xlcfg_view *to)
{
    xlcfg__map by = { 0 }, by_alt = { 0 };
    bool *taken = calloc(to->count + 1, sizeof(*taken));

    if (!taken || !xlcfg__map_init(&by, to->count) ||
        !xlcfg__map_init(&by_alt, to->count)) {
        d->changes.failed = true;
        goto out;
    }
    for (size_t i = 0; i < to->count; i++) {
        xlcfg__map_put(&by, to->devs[i].match, i);
        if (to->devs[i].alt)
            xlcfg__map_put(&by_alt, to->devs[i].alt, i);
    }
    for (size_t i = 0; i < from->count; i++) {
        const struct xlcfg_dev *f = &from->devs[i];
        size_t j = partner(f, &by, &by_alt);

        if (j != XLCFG__MAP_NONE) {
            taken[j] = true;
            if (!is_there(&to->devs[j]))
                change(d, "key", f->key, f->body, NULL);
            else if (to->devs[j].body)
                compare_body(d, f, &to->devs[j]);
        } else if (!d->over || to->sees[f->kind]) {
            change(d, "key", f->key, f->body, NULL);
        }
    }
    for (size_t j = 0; j < to->count; j++)
        if (!taken[j] && is_there(&to->devs[j]))
            change(d, "key", to->devs[j].key, NULL, to->devs[j].body);
out:
    xlcfg__map_dispose(&by);
    xlcfg__map_dispose(&by_alt);
    free(taken);
}

xlcfg_doc *xlcfg__diff(const char *from_name, const struct xlcfg_view *from,
                       const char *to_name, const struct xlcfg_view *to,
                       bool over)
{
    struct diff d = { .over = over, .whole = to->whole };
    xlcfg__members m = { 0 };

    devices(&d, from, to);
    if (to->rest || (from->rest && !over))      /* silence is no change */
        compare(&d, "", from->rest, to->rest);
    xlcfg__members_add(&m, "from", xlcfg__doc_str(from_name));
    xlcfg__members_add(&m, "to", xlcfg__doc_str(to_name));
    xlcfg__members_add(&m, "changes", xlcfg__items_end(&d.changes));
    return xlcfg__members_end(&m);
}
