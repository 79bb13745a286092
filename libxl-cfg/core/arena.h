/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An arena: memory handed out piece by piece and given back all at once,
 * when the last who holds it lets go.  Handing out is for one thread, before
 * the arena is shared; holding and letting go are for any.
 *
 *     struct xlcfg__arena *a = xlcfg__arena_new(4096);
 *     key = xlcfg__arena_text(a, "nic/0");
 *     xlcfg__arena_drop(a);
 */
#ifndef XLCFG_CORE_ARENA_H
#define XLCFG_CORE_ARENA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xlcfg__chunk {
    struct xlcfg__chunk *next;
    struct xlcfg__arena *arena;
};

struct xlcfg__kept {
    struct xlcfg__kept *next;
    void (*let_go)(void *what);
    void *what;
};

struct xlcfg__arena {
    atomic_size_t holders;
    struct xlcfg__chunk *chunks;        /* the newest first */
    char *at, *end;                     /* what is free of the newest */
    size_t size;                        /* of the next one */
    struct xlcfg__kept *kept;           /* let go with the arena */
    const void *lately[2];              /* kept last: is seen again soonest */
};

/* With about `size` bytes to begin with; one holder.  NULL: no memory. */
struct xlcfg__arena *xlcfg__arena_new(size_t size);
void xlcfg__arena_drop(struct xlcfg__arena *arena);     /* NULL accepted */

/* A piece from a new chunk; see xlcfg__arena_take. */
void *xlcfg__arena_more(struct xlcfg__arena *arena, size_t size);

/* `size` bytes, aligned for pointers; NULL: no memory. */
static inline void *xlcfg__arena_take(struct xlcfg__arena *arena, size_t size)
{
    size_t left = (size_t)(arena->end - arena->at);
    char *p = arena->at;

    if (size > left)            /* chunks are multiples of 8, so is left */
        return xlcfg__arena_more(arena, size);
    arena->at += (size + 7) & ~(size_t)7;
    return p;
}

/* A copy of s; NULL: no memory. */
char *xlcfg__arena_text(struct xlcfg__arena *arena, const char *s);

/* Let go of `what` when the arena goes; at once, and false, when memory ran
 * out. */
bool xlcfg__arena_keep(struct xlcfg__arena *arena, void *what,
                       void (*let_go)(void *what));
/* Keep another arena, by one hold more of it; NULL accepted. */
bool xlcfg__arena_join(struct xlcfg__arena *arena,
                       struct xlcfg__arena *other);

static inline void xlcfg__arena_hold(struct xlcfg__arena *arena)
{
    atomic_fetch_add_explicit(&arena->holders, 1, memory_order_relaxed);
}

#endif
