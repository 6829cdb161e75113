/* Small allocations that cannot sensibly be recovered from (names, tables, handles): they end the process
 * with a message and status GG_RESOURCE when the machine has no memory left. Tensors and buffers whose size
 * comes from outside use gg_try_malloc() or an arena, and report. What libraries allocate is of the first
 * kind too, in the program (jobs/command/allocation.c). All local.
 */
#ifndef GG_CORE_BASE_MEMORY_H
#define GG_CORE_BASE_MEMORY_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

void *gg_malloc(size_t bytes);
void *gg_calloc(size_t count, size_t bytes);
void *gg_realloc(void *memory, size_t bytes);
char *gg_strdup(const char *text);
char *gg_strndup(const char *text, size_t length);

/* printf into a new string, owned by the caller. */
char *gg_format(const char *format, ...) GG_PRINTF_LIKE(1, 2);

/* Memory whose size comes from outside.
 *   what   [in]  for the message: "the tokens of train-00000.h5"
 *   memory [out] owned by the caller (free); 64-byte aligned, and on huge pages if it is large and Linux has
 *                them
 * GG_RESOURCE with the size when it is not to be had. */
gg_status gg_try_malloc(size_t bytes, const char *what, void **memory) GG_MUST_USE;

/* Bytes that all calls of it were asked for and gave, freed or not: what a plan's memory is held against. */
size_t gg_memory_taken(void);

/* As malloc, calloc and realloc: NULL when there is no memory, for callers that report it. */
void *gg_malloc_or_null(size_t bytes);
void *gg_calloc_or_null(size_t count, size_t bytes);
void *gg_realloc_or_null(void *memory, size_t bytes);

/* Whether this thread is within a function whose caller will be told that there is no memory. */
bool gg_memory_may_be_refused(void);

/* Whether no 16 MiB more are to be had, now that something has failed: then it failed for that. */
bool gg_memory_is_short(void);

/* Ends the process at once, with a message and status GG_RESOURCE. What stdout holds is written, nothing else
 * is tidied up: exit() would call into libraries that have just run out of memory.
 *   what [in] for the message, such as "a product of 3 x 4 x 5"; or NULL, then `bytes` tells it */
_Noreturn void gg_out_of_memory(const char *what, size_t bytes);

/* Has gg_out_of_memory() call `function` before it leaves, those that came last first: to give back what the
 * process's end does not, and to end processes that wait for this one. It may allocate and may hang, which
 * ends it. */
void gg_out_of_memory_calls(void (*function)(void));

/* Zeroes memory with the rank's threads, each a contiguous part in their order, just as a loop over it with a
 * static schedule is dealt out. Where nobody has touched the memory before, it comes to stand near the
 * threads that will work on it (first touch). */
void gg_zero(void *memory, size_t bytes);

#endif
