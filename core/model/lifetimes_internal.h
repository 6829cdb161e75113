/* Memory of buffers that live for a stretch of time: two that never live at once may share it.
 */
#ifndef GG_CORE_MODEL_LIFETIMES_INTERNAL_H
#define GG_CORE_MODEL_LIFETIMES_INTERNAL_H

#include <stddef.h>

struct gg_buffer {
    size_t bytes;
    int first, last; /* the times it is used at, these included; first > last: never */
    size_t offset;   /* gg_buffers_place; a multiple of 64 */
};

struct gg_buffer_list {
    struct gg_buffer *items; /* owned */
    int count, capacity;
    size_t bytes; /* of all, placed */
};

/* Appends a buffer that is not used yet; returns its index. */
int gg_buffer_append(struct gg_buffer_list *buffers, size_t bytes);

/* Notes that a buffer is used at a time. */
void gg_buffer_use(struct gg_buffer_list *buffers, int index, int time);

/* Gives every buffer its offset: the largest first, each at the lowest place that nobody who lives at the
 * same time has (Pisarchyk and Lee 2020, "Efficient memory management for deep neural net inference",
 * section 5.2). */
void gg_buffers_place(struct gg_buffer_list *buffers);

/* Zeroes the memory, each part as its largest buffer is shared out over the threads that will work on it
 * (gg_zero), so that it comes to stand near them. */
void gg_buffers_touch(const struct gg_buffer_list *buffers, char *memory);

void gg_buffers_free(struct gg_buffer_list *buffers);

#endif
