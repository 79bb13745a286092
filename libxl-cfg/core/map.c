/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open addressing, FNV-1a, twice the room that was asked for. */
#include "core/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool xlcfg__map_init(xlcfg__map *map, size_t count)
{
    size_t room = 16;

    *map = (xlcfg__map){ 0 };
    while (room < count * 2)
        room *= 2;
    map->slots = calloc(room, sizeof(*map->slots));
    if (!map->slots)
        return false;
    map->room = room;
    return true;
}

void xlcfg__map_dispose(xlcfg__map *map)
{
    free(map->slots);
    *map = (xlcfg__map){ 0 };
}

static struct xlcfg__slot *slot_of(const xlcfg__map *map, const char *key)
{
    uint64_t h = 14695981039346656037u;

    for (const char *p = key; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    for (size_t i = h & (map->room - 1);; i = (i + 1) & (map->room - 1))
        if (!map->slots[i].key || !strcmp(map->slots[i].key, key))
            return &map->slots[i];
}

size_t xlcfg__map_put(xlcfg__map *map, const char *key, size_t value)
{
    struct xlcfg__slot *slot = slot_of(map, key);

    if (slot->key)
        return slot->value;
    slot->key = key;
    slot->value = value;
    map->count++;
    return XLCFG__MAP_NONE;
}

size_t xlcfg__map_get(const xlcfg__map *map, const char *key)
{
    struct xlcfg__slot *slot;

    if (!map->room)
        return XLCFG__MAP_NONE;
    slot = slot_of(map, key);
    return slot->key ? slot->value : XLCFG__MAP_NONE;
}
