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
    free(dev->key);
    free(dev->match);
    free(dev->alt);
    free(dev->reason);
    xlcfg_doc_free(dev->body);
    xlcfg_doc_free(dev->address);
}

void xlcfg__view_dispose(struct xlcfg_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        xlcfg__dev_dispose(&view->devs[i]);
    free(view->devs);
    xlcfg_doc_free(view->rest);
    xlcfg__items_dispose(&view->unknown);
    *view = (struct xlcfg_view){ 0 };
}

static bool view_room(struct xlcfg_view *view)
{
    size_t more = view->room ? view->room * 2 : 16;
    struct xlcfg_dev *bigger;

    if (view->count < view->room)
        return true;
    bigger = realloc(view->devs, more * sizeof(*bigger));
    if (!bigger)
        return false;
    view->devs = bigger;
    view->room = more;
    return true;
}

static void disk_match(const char *key, struct xlcfg_ident *id)
{
    const char *slash = strchr(key, '/');
    int devid = slash ? xlcfg__vdev_number(slash + 1) : -1;

    if (devid >= 0)
        snprintf(id->match, sizeof(id->match), "disk/#%d", devid);
}

int xlcfg__view_add(struct xlcfg_view *view, enum xlcfg_kind kind,
                    xlcfg_doc *body, const char *key,
                    enum xlcfg_live live, struct xlcfg_dev **dev_r)
{
    struct xlcfg_ident id;
    struct xlcfg_dev *dev;

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
    if (!view_room(view)) {
        xlcfg_doc_free(body);
        return XLCFG_ERROR_NOMEM;
    }
    dev = &view->devs[view->count];
    *dev = (struct xlcfg_dev){
        .kind = kind, .live = live, .key = strdup(id.key),
        .match = strdup(id.match), .body = body,
        .alt = id.alt[0] ? strdup(id.alt) : NULL,
    };
    if (!dev->key || !dev->match || (id.alt[0] && !dev->alt)) {
        xlcfg__dev_dispose(dev);
        return XLCFG_ERROR_NOMEM;
    }
    view->count++;
    if (dev_r)
        *dev_r = dev;
    return 0;
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
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    xlcfg__items_add(&view->unknown, note_doc(text));
}

/* A second nic with a MAC that is taken becomes "nic/MAC.2", ".3", ... */
static int rename_twin(struct xlcfg_dev *dev, xlcfg__map *map, size_t i)
{
    for (int n = 2;; n++) {
        char *key, *match;

        if (asprintf(&key, "%s.%d", dev->alt, n) < 0)
            return XLCFG_ERROR_NOMEM;
        if (xlcfg__map_get(map, key) != XLCFG__MAP_NONE) {
            free(key);
            continue;
        }
        match = strdup(key);
        if (!match) {
            free(key);
            return XLCFG_ERROR_NOMEM;
        }
        free(dev->key);
        free(dev->match);
        dev->key = key;
        dev->match = match;
        xlcfg__map_put(map, dev->match, i);
        return 0;
    }
}

/* Two entries of one identity: of nics known by MAC alone both stay, of
 * anything else the first stays and the second is noted. */
int xlcfg__view_settle(struct xlcfg_view *view)
{
    size_t out = 0;
    xlcfg__map map;
    int rc = 0;

    if (!xlcfg__map_init(&map, view->count))
        return XLCFG_ERROR_NOMEM;
    for (size_t i = 0; i < view->count; i++) {
        struct xlcfg_dev *dev = &view->devs[i];
        bool twin = !rc &&
            xlcfg__map_put(&map, dev->match, i) != XLCFG__MAP_NONE;

        if (twin && dev->alt && !strcmp(dev->key, dev->alt) &&
            dev->kind == XLCFG_KIND_NIC) {
            rc = rename_twin(dev, &map, i);
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
        rc = xlcfg__view_add(view, kind, xlcfg_doc_ref(item), NULL,
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
