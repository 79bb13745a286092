/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arenas: chunks that grow twofold, up to a bound. */
#include "core/arena.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a chunk.  A test makes them few, to have many to fail. */
#ifndef XLCFG__ARENA_MOST
#define XLCFG__ARENA_MOST ((size_t)512 << 10)
#endif
#define LEAST (XLCFG__ARENA_MOST < 256 ? XLCFG__ARENA_MOST : 256)

/* One more chunk with room for `size` bytes; arena NULL: its first, with the
 * arena at its head. */
static struct xlcfg__chunk *add(struct xlcfg__arena *arena, size_t size)
{
    struct xlcfg__chunk *chunk;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + 7) & ~(size_t)7;
    chunk = malloc(sizeof(*chunk) + size);
    if (!chunk)
        return NULL;
    chunk->next = arena ? arena->chunks : NULL;
    chunk->arena = arena ? arena : (struct xlcfg__arena *)(chunk + 1);
    chunk->arena->chunks = chunk;
    chunk->arena->at = (char *)(chunk + 1);
    chunk->arena->end = chunk->arena->at + size;
    return chunk;
}

struct xlcfg__arena *xlcfg__arena_new(size_t size)
{
    struct xlcfg__chunk *chunk;
    struct xlcfg__arena *arena;

    if (size < LEAST)
        size = LEAST;
    if (size > XLCFG__ARENA_MOST)
        size = XLCFG__ARENA_MOST;
    chunk = add(NULL, sizeof(*arena) + size);
    if (!chunk)
        return NULL;
    arena = chunk->arena;
    atomic_init(&arena->holders, 1);
    arena->at += sizeof(*arena);
    arena->size = size;
    arena->kept = NULL;
    arena->lately[0] = arena->lately[1] = NULL;
    return arena;
}

void *xlcfg__arena_more(struct xlcfg__arena *arena, size_t size)
{
    if (arena->size < XLCFG__ARENA_MOST)
        arena->size *= 2;
    if (!add(arena, size > arena->size ? size : arena->size))
        return NULL;
    return xlcfg__arena_take(arena, size);
}

char *xlcfg__arena_text(struct xlcfg__arena *arena, const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = xlcfg__arena_take(arena, size);

    return copy ? memcpy(copy, s, size) : NULL;
}

bool xlcfg__arena_keep(struct xlcfg__arena *arena, void *what,
                       void (*let_go)(void *what))
{
    struct xlcfg__kept *kept = xlcfg__arena_take(arena, sizeof(*kept));

    if (!kept) {
        let_go(what);
        return false;
    }
    *kept = (struct xlcfg__kept){ arena->kept, let_go, what };
    arena->kept = kept;
    return true;
}

static void let_arena_go(void *what)
{
    xlcfg__arena_drop(what);
}

bool xlcfg__arena_join(struct xlcfg__arena *arena,
                       struct xlcfg__arena *other)
{
    if (!other || other == arena || other == arena->lately[0] ||
        other == arena->lately[1])
        return true;
    xlcfg__arena_hold(other);
    if (!xlcfg__arena_keep(arena, other, let_arena_go))
        return false;
    arena->lately[1] = arena->lately[0];
    arena->lately[0] = other;
    return true;
}

void xlcfg__arena_drop(struct xlcfg__arena *arena)
{
    struct xlcfg__chunk *chunk, *next;

    if (!arena || atomic_fetch_sub_explicit(&arena->holders, 1,
                                            memory_order_acq_rel) != 1)
        return;
    for (struct xlcfg__kept *k = arena->kept; k; k = k->next)
        k->let_go(k->what);
    for (chunk = arena->chunks; chunk; chunk = next) {
        next = chunk->next;     /* the arena is in the last of them */
        free(chunk);
    }
}
