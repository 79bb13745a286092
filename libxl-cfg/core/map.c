/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open addressing, at least half as much room again as was asked for. */
#include "core/map.h"

#include <stdlib.h>
#include <string.h>

bool xlcfg__map_init(xlcfg__map *map, size_t count)
{
    size_t room = 16;

    *map = (xlcfg__map){ 0 };
    if (count > UINT32_MAX / 4)
        return false;
    while (room < count + count / 2)
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

/* Eight bytes at a time, each multiplied into the rest. */
static uint32_t hash_of(const char *key)
{
    const uint64_t mix = 0x9e3779b97f4a7c15u;
    size_t len = strlen(key);
    uint64_t h = len * mix, w;

    for (; len >= 8; key += 8, len -= 8) {
        memcpy(&w, key, 8);
        h = (h ^ w) * mix;
        h ^= h >> 32;
    }
    w = 0;
    memcpy(&w, key, len);
    h = (h ^ w) * mix;
    h ^= h >> 29;
    return (uint32_t)(h ^ h >> 32);
}

static struct xlcfg__slot *slot_of(const xlcfg__map *map, const char *key,
                                   uint32_t hash)
{
    for (size_t i = hash & (map->room - 1);; i = (i + 1) & (map->room - 1)) {
        struct xlcfg__slot *slot = &map->slots[i];

        if (!slot->key || (slot->hash == hash && !strcmp(slot->key, key)))
            return slot;
    }
}

size_t xlcfg__map_put(xlcfg__map *map, const char *key, size_t value)
{
    uint32_t hash = hash_of(key);
    struct xlcfg__slot *slot = slot_of(map, key, hash);

    if (slot->key)
        return slot->value;
    *slot = (struct xlcfg__slot){ key, hash, (uint32_t)value };
    map->count++;
    return XLCFG__MAP_NONE;
}

size_t xlcfg__map_get(const xlcfg__map *map, const char *key)
{
    struct xlcfg__slot *slot;

    if (!map->count)
        return XLCFG__MAP_NONE;
    slot = slot_of(map, key, hash_of(key));
    return slot->key ? slot->value : XLCFG__MAP_NONE;
}
