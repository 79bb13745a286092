/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a device stands that only runs, or was only asked for. */
#include "core/merge.h"

#include <string.h>

/* By this name among the first `count` rows; count: there is none. */
static size_t row_by_key(const struct xlcfg_row *rows, size_t count,
                         enum xlcfg_kind kind, const char *key)
{
    for (size_t i = count; i-- > 0;)
        if (rows[i].kind == kind && !strcmp(rows[i].key, key))
            return i;
    return count;
}

/* Beside the one that it stands beside in the live view. */
static size_t by_neighbour(const struct xlcfg_view *live,
                           const struct xlcfg_row *rows, size_t count,
                           const struct xlcfg_row *row)
{
    size_t at = 0, place;

    while (at < live->count && (live->devs[at].kind != row->kind ||
                                strcmp(live->devs[at].key, row->key)))
        at++;
    if (at == live->count)
        return count;
    for (size_t i = at; i-- > 0 && live->devs[i].kind == row->kind;) {
        place = row_by_key(rows, count, row->kind, live->devs[i].key);
        if (place < count)
            return place + 1;
    }
    for (size_t i = at + 1; i < live->count &&
         live->devs[i].kind == row->kind; i++) {
        place = row_by_key(rows, count, row->kind, live->devs[i].key);
        if (place < count)
            return place;
    }
    return count;
}

/* Disks of one bus stand by their names, of which a longer one comes later. */
static size_t by_name(const struct xlcfg_row *rows, size_t count,
                      const struct xlcfg_row *row)
{
    size_t bus = strlen("disk/vd"), len = strlen(row->key), place = count;

    if (row->kind != XLCFG_KIND_DISK || len < bus)
        return count;
    for (size_t i = 0; i < count; i++) {
        const struct xlcfg_row *r = &rows[i];
        size_t l = strlen(r->key);

        if (r->kind != row->kind || strncmp(r->key, row->key, bus))
            continue;
        if (l > len || (l == len && strcmp(r->key, row->key) > 0))
            return i;
        place = i + 1;
    }
    return place;
}

/* What only runs, or was only asked for, where the template will have it. */
static size_t place_for(const struct xlcfg_view *live,
                        const struct xlcfg_row *rows, size_t count,
                        const struct xlcfg_row *row)
{
    size_t place = by_neighbour(live, rows, count, row);

    if (place == count)
        place = by_name(rows, count, row);
    for (size_t i = 0; i < count && place == count; i++)
        if (rows[i].kind > row->kind)
            return i;
    return place;
}

void xlcfg__merge_order(const struct xlcfg_view *live, struct xlcfg_row *rows,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct xlcfg_row row = rows[i];
        size_t place = row.in_template ? i : place_for(live, rows, i, &row);

        memmove(&rows[place + 1], &rows[place],
                (i - place) * sizeof(*rows));
        rows[place] = row;
    }
}
