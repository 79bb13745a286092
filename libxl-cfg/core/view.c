/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Views: a domain as one source tells it. */
#include "core/view.h"
#include "core/map.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const live_names[XLCFG_LIVES] = {
    [XLCFG_LIVE_ABSENT] = "absent",
    [XLCFG_LIVE_PARTIAL] = "partial",
    [XLCFG_LIVE_COMING] = "coming",
    [XLCFG_LIVE_PRESENT] = "present",
    [XLCFG_LIVE_FAILED] = "failed",
    [XLCFG_LIVE_LEAVING] = "leaving",
    [XLCFG_LIVE_ORPHANED] = "orphaned",
    [XLCFG_LIVE_LEAKED] = "leaked",
    [XLCFG_LIVE_UNKNOWN] = "unknown",
};

const char *xlcfg__live_name(enum xlcfg_live live)
{
    return live_names[live];
}

void xlcfg__view_init(struct xlcfg_view *view)
{
    *view = (struct xlcfg_view){ 0 };
}

void xlcfg__dev_dispose(struct xlcfg_dev *dev)
{
    free(dev->reason);
    xlcfg_doc_free(dev->body);
    xlcfg_doc_free(dev->address);
}

void xlcfg__view_dispose(struct xlcfg_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        xlcfg__dev_dispose(&view->devs[i]);
    free(view->devs);
    xlcfg__arena_drop(view->texts);
    xlcfg_doc_free(view->rest);
    xlcfg__items_dispose(&view->unknown);
    free(view->index);
    *view = (struct xlcfg_view){ 0 };
}

/* Room for `more` devices.  Fourfold each time, to be moved seldom: what is
 * not used of it is not touched. */
static bool view_room(struct xlcfg_view *view, size_t more)
{
    size_t room = view->room ? view->room * 4 : 16;
    struct xlcfg_dev *bigger;

    if (more <= view->room - view->count)
        return true;
    if (room - view->count < more)
        room = view->count + more;
    bigger = realloc(view->devs, room * sizeof(*bigger));
    if (!bigger)
        return false;
    view->devs = bigger;
    view->room = room;
    return true;
}

int xlcfg__view_reserve(struct xlcfg_view *view, size_t count)
{
    return view_room(view, count) ? 0 : XLCFG_ERROR_NOMEM;
}

static void disk_match(const char *key, struct xlcfg_ident *id)
{
    const char *slash = strchr(key, '/');
    int devid = slash ? xlcfg__vdev_number(slash + 1) : -1;

    if (devid >= 0)
        snprintf(id->match, sizeof(id->match), "disk/#%d", devid);
}

/* Text of the view's own; NULL: no memory. */
static const char *own_text(struct xlcfg_view *view, const char *s)
{
    if (!view->texts)
        view->texts = xlcfg__arena_new(512);
    return view->texts ? xlcfg__arena_text(view->texts, s) : NULL;
}

/* As xlcfg__view_add, of a device whose identity is known. */
static int add_known(struct xlcfg_view *view, enum xlcfg_kind kind,
                     xlcfg_doc *body, const struct xlcfg_ident *id,
                     enum xlcfg_live live, struct xlcfg_dev **dev_r)
{
    struct xlcfg_dev dev = { .kind = kind, .live = live, .body = body };

    dev.key = own_text(view, id->key);
    dev.match = strcmp(id->match, id->key) ? own_text(view, id->match)
        : dev.key;
    if (id->alt[0])
        dev.alt = strcmp(id->alt, id->key) ? own_text(view, id->alt)
            : dev.key;
    if (!dev.key || !dev.match || (id->alt[0] && !dev.alt) ||
        !view_room(view, 1)) {
        xlcfg_doc_free(body);
        return XLCFG_ERROR_NOMEM;
    }
    view->devs[view->count] = dev;
    if (dev_r)
        *dev_r = &view->devs[view->count];
    view->count++;
    return 0;
}

int xlcfg__view_add(struct xlcfg_view *view, enum xlcfg_kind kind,
                    xlcfg_doc *body, const char *key,
                    enum xlcfg_live live, struct xlcfg_dev **dev_r)
{
    struct xlcfg_ident id;

    if (dev_r)
        *dev_r = NULL;
    id.key[0] = id.match[0] = id.alt[0] = '\0';
    if (body)
        xlcfg__key_of(kind, body, &id);
    if (key) {
        snprintf(id.key, sizeof(id.key), "%s", key);
        /* a disk that could not be read still is the one of its number */
        if (kind == XLCFG_KIND_DISK && !id.match[0])
            disk_match(key, &id);
        if (kind != XLCFG_KIND_DISK || !id.match[0])
            snprintf(id.match, sizeof(id.match), "%s", key);
    }
    if (!id.key[0]) {
        xlcfg__view_note(view, "/%s: an entry with no identity",
                         xlcfg__kinds[kind].array);
        xlcfg_doc_free(body);
        return view->unknown.failed ? XLCFG_ERROR_NOMEM : 0;
    }
    return add_known(view, kind, body, &id, live, dev_r);
}

int xlcfg__dev_because(struct xlcfg_dev *dev, const char *fmt, ...)
{
    va_list ap;
    char *s;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0)
        return XLCFG_ERROR_NOMEM;
    free(dev->reason);
    dev->reason = s;
    return 0;
}

/* Text of any bytes as a JSON string: what is not UTF-8 becomes '?'. */
static xlcfg_doc *note_doc(char *s)
{
    for (char *p = s; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            *p = '?';
    return xlcfg__doc_str(s);
}

void xlcfg__view_note(struct xlcfg_view *view, const char *fmt, ...)
{
    char text[1024];
    xlcfg_doc *note;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    note = note_doc(text);
    /* looked for twice and not found twice: said once */
    for (size_t i = 0; note && i < view->unknown.count; i++)
        if (!strcmp(view->unknown.v[i]->text, note->text)) {
            xlcfg_doc_free(note);
            return;
        }
    xlcfg__items_add(&view->unknown, note);
}

int xlcfg__view_not_read(const struct xlcfg_view *view, xlcfg_error *err)
{
    const char *note = view->unknown.v[0]->text;
    const char *colon = note[0] == '/' ? strstr(note, ": ") : NULL;
    char where[1024];

    if (!colon)
        return xlcfg__err(err, XLCFG_ERROR_INVAL, NULL, "%s", note);
    snprintf(where, sizeof(where), "%.*s", (int)(colon - note), note);
    return xlcfg__err(err, XLCFG_ERROR_INVAL, where, "%s", colon + 2);
}

/* A second nic with a MAC that is taken becomes "nic/MAC.2", ".3", ... */
static int rename_twin(struct xlcfg_view *view, struct xlcfg_dev *dev,
                       xlcfg__map *map, size_t i)
{
    char key[XLCFG_KEY_MAX + 16];

    for (int n = 2;; n++) {
        snprintf(key, sizeof(key), "%s.%d", dev->alt, n);
        if (xlcfg__map_get(map, key) == XLCFG__MAP_NONE)
            break;
    }
    dev->key = dev->match = own_text(view, key);
    if (!dev->key)
        return XLCFG_ERROR_NOMEM;
    xlcfg__map_put(map, dev->match, i);
    return 0;
}

/* Each kind in one run, and in it each match longer than the one before or
 * of a higher name: then none comes twice, and no map is needed to see it. */
static bool in_order(const struct xlcfg_view *view)
{
    bool seen[XLCFG_KINDS] = { 0 };
    size_t len = 0;

    for (size_t i = 0; i < view->count; i++) {
        const struct xlcfg_dev *dev = &view->devs[i], *last = dev - 1;
        size_t was = len;

        len = strlen(dev->match);
        if (i && last->kind == dev->kind) {
            if (len < was ||
                (len == was && memcmp(last->match, dev->match, len) >= 0))
                return false;
        } else if (seen[dev->kind]) {
            return false;
        }
        seen[dev->kind] = true;
    }
    return true;
}

/* Two entries of one identity: of nics known by MAC alone both stay, of
 * anything else the first stays and the second is noted. */
int xlcfg__view_settle(struct xlcfg_view *view)
{
    size_t out = 0;
    xlcfg__map map;
    int rc = 0;

    if (in_order(view))
        return view->unknown.failed ? XLCFG_ERROR_NOMEM : 0;
    if (!xlcfg__map_init(&map, view->count))
        return XLCFG_ERROR_NOMEM;
    for (size_t i = 0; i < view->count; i++) {
        struct xlcfg_dev *dev = &view->devs[i];
        bool twin = !rc &&
            xlcfg__map_put(&map, dev->match, i) != XLCFG__MAP_NONE;

        if (twin && dev->alt && !strcmp(dev->key, dev->alt) &&
            dev->kind == XLCFG_KIND_NIC) {
            rc = rename_twin(view, dev, &map, i);
            twin = false;
        }
        if (twin) {
            xlcfg__view_note(view, "/%s: a second entry for %s",
                             xlcfg__kinds[dev->kind].array, dev->key);
            xlcfg__dev_dispose(dev);
            continue;
        }
        view->devs[out++] = *dev;
    }
    view->count = out;
    xlcfg__map_dispose(&map);
    return rc ? rc : view->unknown.failed ? XLCFG_ERROR_NOMEM : 0;
}

static int add_array(struct xlcfg_view *view, enum xlcfg_kind kind,
                     const xlcfg_doc *array)
{
    const char *name = xlcfg__kinds[kind].array;
    int rc;

    if (xlcfg_doc_kind(array) != XLCFG_DOC_ARRAY) {
        xlcfg__view_note(view, "/%s: expected an array of objects", name);
        return 0;
    }
    if (!view_room(view, array->count))
        return XLCFG_ERROR_NOMEM;
    for (size_t i = 0; i < array->count; i++) {
        const xlcfg_doc *item = array->items[i];
        struct xlcfg_ident id;

        if (xlcfg_doc_kind(item) != XLCFG_DOC_OBJECT) {
            xlcfg__view_note(view, "/%s/%zu: expected an object", name, i);
            continue;
        }
        xlcfg__key_of(kind, item, &id);
        if (!id.key[0]) {
            xlcfg__view_note(view, "/%s/%zu: no usable identity", name, i);
            continue;
        }
        rc = add_known(view, kind, xlcfg_doc_ref(item), &id,
                       XLCFG_LIVE_PRESENT, NULL);
        if (rc)
            return rc;
    }
    return 0;
}

int xlcfg__view_from_config(const xlcfg_doc *config, struct xlcfg_view *view,
                            xlcfg_error *err)
{
    xlcfg__members rest = { 0 };
    int rc = 0;

    if (xlcfg_doc_kind(config) != XLCFG_DOC_OBJECT)
        return xlcfg__err(err, XLCFG_ERROR_PARSE, "",
                          "expected an object: a domain configuration");
    for (size_t i = 0; i < config->count && !rc; i++) {
        const char *name = config->members[i].name->text;
        const xlcfg_doc *value = config->members[i].value;
        enum xlcfg_kind kind = xlcfg__kind_by_array(name);

        if (kind != XLCFG_KINDS)
            rc = add_array(view, kind, value);
        else if ((!strcmp(name, "c_info") || !strcmp(name, "b_info")) &&
                 xlcfg_doc_kind(value) != XLCFG_DOC_OBJECT)
            xlcfg__view_note(view, "/%s: expected an object", name);
        else
            xlcfg__members_add(&rest, name, xlcfg_doc_ref(value));
    }
    view->rest = xlcfg__members_end(&rest);
    if (!rc && !view->rest)
        rc = XLCFG_ERROR_NOMEM;
    if (!rc)
        rc = xlcfg__view_settle(view);
    return rc == XLCFG_ERROR_NOMEM ? xlcfg__nomem(err) : rc;
}

xlcfg_doc *xlcfg__view_config(const struct xlcfg_view *view)
{
    xlcfg__items arrays[XLCFG_KINDS] = { 0 };
    xlcfg__members m = { 0 };

    xlcfg__members_copy(&m, view->rest);
    for (size_t i = 0; i < view->count; i++)
        if (view->devs[i].body)
            xlcfg__items_add(&arrays[view->devs[i].kind],
                             xlcfg_doc_ref(view->devs[i].body));
    for (int k = 0; k < XLCFG_KINDS; k++) {
        if (arrays[k].count || arrays[k].failed)
            xlcfg__members_add(&m, xlcfg__kinds[k].array,
                               xlcfg__items_end(&arrays[k]));
        xlcfg__items_dispose(&arrays[k]);
    }
    return xlcfg__members_end(&m);
}

xlcfg_doc *xlcfg__doc_overlay(const xlcfg_doc *base, const xlcfg_doc *over)
{
    xlcfg__members m = { 0 };

    if (xlcfg_doc_kind(over) != XLCFG_DOC_OBJECT ||
        xlcfg_doc_kind(base) != XLCFG_DOC_OBJECT)
        return xlcfg_doc_ref(over ? over : base);
    xlcfg__members_copy(&m, base);
    for (size_t i = 0; i < over->count; i++) {
        const char *name = over->members[i].name->text;

        xlcfg__members_set(&m, name,
                           xlcfg__doc_overlay(xlcfg_doc_get(base, name),
                                              over->members[i].value));
    }
    return xlcfg__members_end(&m);
}
