#include "core/base/memory.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *checked(void *memory, size_t bytes) {
    if (memory == NULL && bytes > 0) {
        fprintf(stderr, "gridgpt: out of memory (%zu bytes)\n", bytes);
        exit(GG_RESOURCE);
    }
    return memory;
}

void *gg_malloc(size_t bytes) {
    return checked(malloc(bytes), bytes);
}

void *gg_calloc(size_t count, size_t bytes) {
    return checked(calloc(count, bytes), count * bytes);
}

void *gg_realloc(void *memory, size_t bytes) {
    return checked(realloc(memory, bytes), bytes);
}

char *gg_strdup(const char *text) {
    return gg_strndup(text, strlen(text));
}

char *gg_strndup(const char *text, size_t length) {
    char *copy = gg_malloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *gg_format(const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    GG_ASSERT(length >= 0);
    char *text = gg_malloc((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

gg_status gg_try_malloc(size_t bytes, const char *what, void **memory) {
    const size_t huge_page = (size_t)2 << 20, line = 64;
    const bool large = bytes >= 16 * huge_page;
    const size_t alignment = large ? huge_page : line;
    const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    *memory = rounded >= bytes ? aligned_alloc(alignment, rounded > 0 ? rounded : alignment) : NULL;
    if (*memory == NULL)
        return gg_fail(GG_RESOURCE, "no memory for %s: %.1f MiB wanted", what, (double)bytes / 1048576.0);
#ifdef MADV_HUGEPAGE
    if (large) /* a wish: where it is not granted, pages are small */
        (void)!madvise(*memory, rounded, MADV_HUGEPAGE);
#endif
    return GG_OK;
}

void gg_zero(void *memory, size_t bytes) {
    const size_t page = 4096;
#pragma omp parallel for schedule(static)
    for (size_t from = 0; from < bytes; from += page)
        memset((char *)memory + from, 0, bytes - from < page ? bytes - from : page);
}
