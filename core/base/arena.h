/* One allocation that many tensors share.
 *
 * The code that lays out tensors runs twice: once on a measuring arena, which only counts (so that the run
 * can print its memory before it allocates any), once on a real one. Both hand out 64-byte aligned pieces in
 * the same order. All local.
 */
#ifndef GG_CORE_BASE_ARENA_H
#define GG_CORE_BASE_ARENA_H

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct gg_arena {
    char *memory; /* NULL: measuring */
    size_t used_bytes, capacity_bytes;
};

/* A piece of `bytes` bytes, zeroed by the rank's threads, each its part (gg_zero), so that it stands near
 * those who will work on it; NULL from a measuring arena. More than was measured is an internal error. */
void *gg_arena_take(struct gg_arena *arena, size_t bytes);

/* `count` float32. */
float *gg_arena_floats(struct gg_arena *arena, int64_t count);

/* Turns a measuring arena into a real one of the measured size. GG_RESOURCE when there is no memory;
 * `what` names it in the message. */
gg_status gg_arena_allocate(struct gg_arena *arena, const char *what) GG_MUST_USE;

/* Frees the memory; the arena measures again. */
void gg_arena_free(struct gg_arena *arena);

#endif
