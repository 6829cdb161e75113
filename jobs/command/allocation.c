/* Memory that libraries ask for and that is not there ends the program as memory for our own tables does:
 * with a message and status GG_RESOURCE.
 *
 * They would have to be told otherwise, and most cannot live with it: HDF5 1.10 overwrites its heap, crashes
 * or takes an intact file for a damaged one (which then would be set aside), JSON and YAML parsers call a
 * good text a bad one, oneDNN's constructors throw into C and its code generator writes to where it got no
 * room. So the program has allocation functions of its own, in front of the next ones (the C library's, or
 * those of an allocator that is preloaded; free is always theirs). Of the program alone, not of the library
 * that tests link.
 *
 * NULL is still returned to our own callers who report it (gg_try_malloc and *_or_null), and to whoever wants
 * more than the whole machine has: that is a mistake, most of all a damaged file's, and no lack of memory.
 * Built without sanitizers only, which have allocation functions of their own.
 */
#include "core/base/memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#ifdef __GLIBC__

/* The next function of that name behind the program. It may be wanted before any constructor has run; looking
 * for it allocates nothing. */
#define NEXT(function)         next(#function, &next_##function)
#define DECLARE_NEXT(function) static _Atomic(uintptr_t) next_##function

DECLARE_NEXT(malloc);
DECLARE_NEXT(calloc);
DECLARE_NEXT(realloc);
DECLARE_NEXT(memalign);
DECLARE_NEXT(aligned_alloc);
DECLARE_NEXT(posix_memalign);
DECLARE_NEXT(mmap);

static uintptr_t next(const char *name, _Atomic(uintptr_t) *found) {
    uintptr_t address = atomic_load_explicit(found, memory_order_relaxed);
    if (address == 0) {
        address = (uintptr_t)dlsym(RTLD_NEXT, name);
        if (address == 0)
            abort();
        atomic_store_explicit(found, address, memory_order_relaxed);
    }
    return address;
}

static bool fits_the_machine(size_t bytes) {
    struct sysinfo info; /* from the kernel at once: sysconf() may read it from a file, and allocate */
    return sysinfo(&info) != 0 || bytes / info.mem_unit <= info.totalram + info.totalswap;
}

static void *checked(void *memory, size_t bytes) {
    if (memory == NULL && bytes > 0 && !gg_memory_may_be_refused() && fits_the_machine(bytes))
        gg_out_of_memory(NULL, bytes);
    return memory;
}

void *malloc(size_t bytes) {
    return checked(((void *(*)(size_t))NEXT(malloc))(bytes), bytes);
}

void *calloc(size_t count, size_t bytes) {
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all))
        all = SIZE_MAX;
    return checked(((void *(*)(size_t, size_t))NEXT(calloc))(count, bytes), all);
}

void *realloc(void *memory, size_t bytes) {
    return checked(((void *(*)(void *, size_t))NEXT(realloc))(memory, bytes), bytes);
}

void *memalign(size_t alignment, size_t bytes) {
    return checked(((void *(*)(size_t, size_t))NEXT(memalign))(alignment, bytes), bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    return checked(((void *(*)(size_t, size_t))NEXT(aligned_alloc))(alignment, bytes), bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
    const int error = ((int (*)(void **, size_t, size_t))NEXT(posix_memalign))(memory, alignment, bytes);
    if (error == ENOMEM)
        checked(NULL, bytes);
    return error;
}

/* Memory at any address that is to be used as it is, such as for code that is made. Whoever reserves
 * addresses only, or asks for huge pages, goes on without. */
void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
    void *memory = ((void *(*)(void *, size_t, int, int, int, off_t))NEXT(mmap))(address, bytes, protection,
                                                                                 flags, fd, offset);
    const bool plain = address == NULL && protection != PROT_NONE && (flags & MAP_ANONYMOUS) != 0 &&
                       (flags & MAP_HUGETLB) == 0;
    if (memory == MAP_FAILED && errno == ENOMEM && plain)
        checked(NULL, bytes);
    return memory;
}

#endif
