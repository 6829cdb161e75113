#include "core/model/lifetimes_internal.h"

#include "core/base/memory.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

enum { ALIGNMENT = 64 };

int gg_buffer_append(struct gg_buffer_list *buffers, size_t bytes) {
    if (buffers->count == buffers->capacity) {
        buffers->capacity = buffers->capacity > 0 ? 2 * buffers->capacity : 64;
        buffers->items = gg_realloc(buffers->items, (size_t)buffers->capacity * sizeof *buffers->items);
    }
    const size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    buffers->items[buffers->count] = (struct gg_buffer){rounded, INT_MAX, -1, 0};
    return buffers->count++;
}

void gg_buffer_use(struct gg_buffer_list *buffers, int index, int time) {
    struct gg_buffer *buffer = &buffers->items[index];
    buffer->first = time < buffer->first ? time : buffer->first;
    buffer->last = time > buffer->last ? time : buffer->last;
}

/* The largest first; of equals the one that lives first, so that the order is the same everywhere. */
static int by_size(const void *a, const void *b) {
    const struct gg_buffer *left = *(struct gg_buffer *const *)a, *right = *(struct gg_buffer *const *)b;
    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    if (left->first != right->first)
        return left->first < right->first ? -1 : 1;
    return left < right ? -1 : left > right;
}

static struct gg_buffer **sorted(const struct gg_buffer_list *buffers) {
    struct gg_buffer **order = gg_malloc((size_t)(buffers->count + 1) * sizeof *order);
    for (int i = 0; i < buffers->count; i++)
        order[i] = &buffers->items[i];
    qsort(order, (size_t)buffers->count, sizeof *order, by_size);
    return order;
}

static bool at_once(const struct gg_buffer *a, const struct gg_buffer *b) {
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest place for a buffer beside those that were placed, which are sorted by offset. */
static size_t lowest_place(const struct gg_buffer *buffer, struct gg_buffer *const *placed, int count) {
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        if (!at_once(placed[i], buffer))
            continue;
        if (placed[i]->offset >= at + buffer->bytes)
            break;
        const size_t end = placed[i]->offset + placed[i]->bytes;
        at = end > at ? end : at;
    }
    return at;
}

static void insert_by_offset(struct gg_buffer **placed, int count, struct gg_buffer *buffer) {
    int i = count;
    for (; i > 0 && placed[i - 1]->offset > buffer->offset; i--)
        placed[i] = placed[i - 1];
    placed[i] = buffer;
}

void gg_buffers_place(struct gg_buffer_list *buffers) {
    struct gg_buffer **order = sorted(buffers);
    struct gg_buffer **placed = gg_malloc((size_t)(buffers->count + 1) * sizeof *placed);
    int count = 0;
    buffers->bytes = 0;
    for (int i = 0; i < buffers->count; i++) {
        struct gg_buffer *buffer = order[i];
        if (buffer->first > buffer->last)
            continue;
        buffer->offset = lowest_place(buffer, placed, count);
        insert_by_offset(placed, count++, buffer);
        const size_t end = buffer->offset + buffer->bytes;
        buffers->bytes = end > buffers->bytes ? end : buffers->bytes;
    }
    free(order);
    free(placed);
}

/* Whether a buffer covers memory that nobody touched; notes that it is touched now. */
static bool covers_new(const struct gg_buffer *buffer, bool *touched, size_t page) {
    bool new = false;
    for (size_t p = buffer->offset / page; p * page < buffer->offset + buffer->bytes; p++) {
        new = new || !touched[p];
        touched[p] = true;
    }
    return new;
}

void gg_buffers_touch(const struct gg_buffer_list *buffers, char *memory) {
    const size_t page = (size_t)2 << 20;
    bool *touched = gg_calloc(buffers->bytes / page + 1, sizeof *touched);
    struct gg_buffer **order = sorted(buffers);
    for (int i = 0; i < buffers->count; i++)
        if (order[i]->first <= order[i]->last && covers_new(order[i], touched, page))
            gg_zero(memory + order[i]->offset, order[i]->bytes);
    free(order);
    free(touched);
}

void gg_buffers_free(struct gg_buffer_list *buffers) {
    free(buffers->items);
    *buffers = (struct gg_buffer_list){0};
}
