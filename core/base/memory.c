#include "core/base/memory.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_CALLS = 4, CALLS_SECONDS = 5 };

/* Volatile, since compilers know malloc as a function that reads nothing of ours. */
static _Thread_local volatile bool may_be_refused;
static void (*_Atomic calls[MOST_CALLS])(void);

/* By the main thread only. */
void gg_out_of_memory_calls(void (*function)(void)) {
    for (int place = 0; place < MOST_CALLS; place++)
        if (calls[place] == NULL || calls[place] == function) {
            calls[place] = function;
            return;
        }
    GG_ASSERT(!"room for one more call");
}

bool gg_memory_may_be_refused(void) {
    return may_be_refused;
}

bool gg_memory_is_short(void) {
    const size_t bytes = (size_t)16 << 20;
    may_be_refused = true;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    may_be_refused = false;
    if (memory == MAP_FAILED)
        return true;
    munmap(memory, bytes);
    return false;
}

static void leave(int signal_number) {
    (void)signal_number;
    _exit(GG_RESOURCE);
}

/* Formatted on the stack and written by hand: stdio may be what could not allocate. Where what is called here
 * runs out of memory itself, the process leaves at once; other threads that come here wait for the end. */
_Noreturn void gg_out_of_memory(const char *what, size_t bytes) {
    static atomic_flag ending = ATOMIC_FLAG_INIT;
    static _Thread_local bool ending_here;
    if (ending_here)
        _exit(GG_RESOURCE);
    while (atomic_flag_test_and_set(&ending))
        pause();
    ending_here = true;
    char text[256];
    int length = what != NULL ? snprintf(text, sizeof text, "gridgpt: out of memory for %s\n", what)
                              : snprintf(text, sizeof text, "gridgpt: out of memory (%zu bytes)\n", bytes);
    if (length >= (int)sizeof text)
        length = (int)sizeof text - 1;
    (void)!write(STDERR_FILENO, text, (size_t)length);
    /* Not while another thread writes there, and not where it has no buffer yet: that may be what was
     * wanted. */
    if (__fbufsize(stdout) > 0 && ftrylockfile(stdout) == 0) {
        fflush(stdout);
        funlockfile(stdout);
    }
    /* It may have been within a library, under its locks, that memory ran out. */
    signal(SIGALRM, leave);
    alarm(CALLS_SECONDS);
    for (int i = MOST_CALLS - 1; i >= 0; i--) {
        void (*function)(void) = atomic_load(&calls[i]);
        if (function != NULL)
            function();
    }
    _exit(GG_RESOURCE);
}

static void *checked(void *memory, size_t bytes) {
    if (memory == NULL && bytes > 0)
        gg_out_of_memory(NULL, bytes);
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

void *gg_malloc_or_null(size_t bytes) {
    may_be_refused = true;
    void *memory = malloc(bytes);
    may_be_refused = false;
    return memory;
}

void *gg_calloc_or_null(size_t count, size_t bytes) {
    may_be_refused = true;
    void *memory = calloc(count, bytes);
    may_be_refused = false;
    return memory;
}

void *gg_realloc_or_null(void *memory, size_t bytes) {
    may_be_refused = true;
    void *larger = realloc(memory, bytes);
    may_be_refused = false;
    return larger;
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

static atomic_size_t taken;

size_t gg_memory_taken(void) {
    return atomic_load(&taken);
}

gg_status gg_try_malloc(size_t bytes, const char *what, void **memory) {
    const size_t huge_page = (size_t)2 << 20, line = 64;
    const bool large = bytes >= 16 * huge_page;
    const size_t alignment = large ? huge_page : line;
    const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    may_be_refused = true;
    *memory = rounded >= bytes ? aligned_alloc(alignment, rounded > 0 ? rounded : alignment) : NULL;
    may_be_refused = false;
    if (*memory == NULL)
        return gg_fail(GG_RESOURCE, "no memory for %s: %.1f MiB wanted", what, (double)bytes / 1048576.0);
    atomic_fetch_add(&taken, bytes);
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
