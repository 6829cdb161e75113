#include "core/base/arena.h"

#include "core/base/memory.h"

#include <stdlib.h>

enum { ALIGNMENT = 64 };

void *gg_arena_take(struct gg_arena *arena, size_t bytes) {
    const size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    const size_t offset = arena->used_bytes;
    arena->used_bytes += rounded;
    if (arena->memory == NULL)
        return NULL;
    GG_ASSERT(arena->used_bytes <= arena->capacity_bytes);
    gg_zero(arena->memory + offset, rounded);
    return arena->memory + offset;
}

float *gg_arena_floats(struct gg_arena *arena, int64_t count) {
    return gg_arena_take(arena, (size_t)count * sizeof(float));
}

gg_status gg_arena_allocate(struct gg_arena *arena, const char *what) {
    GG_ASSERT(arena->memory == NULL);
    void *memory;
    GG_TRY(gg_try_malloc(arena->used_bytes, what, &memory));
    *arena = (struct gg_arena){.memory = memory, .capacity_bytes = arena->used_bytes};
    return GG_OK;
}

void gg_arena_free(struct gg_arena *arena) {
    free(arena->memory);
    *arena = (struct gg_arena){0};
}
