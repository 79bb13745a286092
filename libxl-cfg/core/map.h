/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text to index: a hash map over borrowed keys, for matching views. */
#ifndef XLCFG_CORE_MAP_H
#define XLCFG_CORE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct xlcfg__map {
    struct xlcfg__slot {
        const char *key;
        uint32_t hash;
        uint32_t value;
    } *slots;
    size_t room, count;
} xlcfg__map;

#define XLCFG__MAP_NONE ((size_t)-1)

/* Room for count keys without growing; false: out of memory. */
bool xlcfg__map_init(xlcfg__map *map, size_t count);
void xlcfg__map_dispose(xlcfg__map *map);
/* The value there already, or XLCFG__MAP_NONE when key was new and is put.
 * Never puts more keys than _init was told, nor values over UINT32_MAX. */
size_t xlcfg__map_put(xlcfg__map *map, const char *key, size_t value);
size_t xlcfg__map_get(const xlcfg__map *map, const char *key);

#endif
