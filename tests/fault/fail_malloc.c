/* Loaded into gridgpt in front of the C library (LD_PRELOAD): makes allocations fail as they do when the
 * memory has run out. Counts those of the program itself (its code asked) apart from those of all libraries.
 *
 *   GG_FAIL_CLASS   "ours" or "libraries": whose allocations are meant
 *   GG_FAIL_NTH     which of them fails, counted from 1; unset or 0: none
 *   GG_FAIL_REST    set: all behind that one fail too, of every class
 *   GG_FAIL_REPORT  a file that is given a line for each of: an allocation that failed ("failed BYTES at
 * PLACE"); the end ("counted OURS LIBRARIES MAPPINGS"); a crash ("crashed SIGNAL in OBJECT", and its stack)
 *
 * The object of a crash is the innermost one on the stack but for the C library, which is mostly only the
 * place where a bad pointer of its caller's is seen.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

enum { OURS, LIBRARIES, MAPPINGS, CLASSES, FRAMES = 40 };
static const char *const class_names[CLASSES] = {"ours", "libraries", "mappings"};

static uintptr_t program_from, program_to;
static bool active, rest;
static bool stands_behind; /* the program has an malloc of its own, which calls ours */
static int meant;
static long nth;
static int report = -1;
static atomic_long counted[CLASSES];
static atomic_bool failing;

static __attribute__((format(printf, 1, 2))) void tell(const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (report >= 0 && length > 0)
        (void)!write(report, line, length < (int)sizeof line ? (size_t)length : sizeof line - 1);
}

static bool is_ours(const void *address) {
    return (uintptr_t)address >= program_from && (uintptr_t)address < program_to;
}

/* Where an address stands: the object's name without its folder, and how far into it. */
static const char *object_of(const void *address, uintptr_t *offset) {
    Dl_info info;
    *offset = (uintptr_t)address;
    if (dladdr(address, &info) == 0 || info.dli_fname == NULL)
        return "?";
    *offset = (uintptr_t)address - (uintptr_t)info.dli_fbase;
    const char *slash = strrchr(info.dli_fname, '/');
    return slash != NULL ? slash + 1 : info.dli_fname;
}

static void tell_stack(void *const *frames, int count) {
    for (int i = 0; i < count; i++) {
        uintptr_t offset;
        const char *object = object_of(frames[i], &offset);
        tell("  %s+0x%lx\n", object, (unsigned long)offset);
    }
}

static void crashed(int signal_number) {
    void *frames[FRAMES];
    const int count = backtrace(frames, FRAMES);
    const char *guilty = "?";
    for (int i = 2; i < count; i++) { /* behind this function and the kernel's frame */
        uintptr_t offset;
        const char *object = object_of(frames[i], &offset);
        if (strncmp(object, "libc.so", 7) != 0) {
            guilty = is_ours(frames[i]) ? "gridgpt" : object;
            break;
        }
    }
    tell("crashed %d in %s\n", signal_number, guilty);
    tell_stack(frames, count);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static int find_program(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size;
    (void)unused;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0)
            continue;
        program_from = info->dlpi_addr + segment->p_vaddr;
        program_to = program_from + segment->p_memsz;
    }
    return 1; /* the first object is the program */
}

__attribute__((constructor)) static void begin(void) {
    if (strcmp(program_invocation_short_name, "gridgpt") != 0)
        return;
    const char *class = getenv("GG_FAIL_CLASS"), *number = getenv("GG_FAIL_NTH"),
               *file = getenv("GG_FAIL_REPORT");
    dl_iterate_phdr(find_program, NULL);
    stands_behind = is_ours(dlsym(RTLD_DEFAULT, "malloc"));
    for (int i = 0; i < CLASSES; i++)
        if (class != NULL && strcmp(class, class_names[i]) == 0)
            meant = i;
    nth = number != NULL ? atol(number) : 0;
    rest = getenv("GG_FAIL_REST") != NULL;
    if (file != NULL)
        report = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    void *frames[2];
    backtrace(frames, 2); /* loads what it needs now */
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], crashed);
    active = true;
}

__attribute__((destructor)) static void end(void) {
    if (active)
        tell("counted %ld %ld %ld\n", atomic_load(&counted[OURS]), atomic_load(&counted[LIBRARIES]),
             atomic_load(&counted[MAPPINGS]));
}

/* Whether this allocation is to fail; errno is set then. */
static bool refuse_one_of(int class, const void *caller, size_t bytes) {
    if (!active)
        return false;
    const long number = atomic_fetch_add(&counted[class], 1) + 1;
    const bool hit = class == meant && number == nth;
    if (!hit && !(rest && atomic_load(&failing)))
        return false;
    if (hit) {
        atomic_store(&failing, true);
        active = false; /* dladdr and backtrace may allocate */
        uintptr_t offset;
        const char *object = object_of(caller, &offset);
        tell("failed %zu at %s+0x%lx\n", bytes, object, (unsigned long)offset);
        void *frames[FRAMES];
        const int count = backtrace(frames, FRAMES);
        tell_stack(frames, count);
        active = true;
    }
    errno = ENOMEM;
    return true;
}

static bool refuse(const void *caller, size_t bytes) {
    return refuse_one_of(is_ours(caller) ? OURS : LIBRARIES, caller, bytes);
}

/* Who asked. In the program everybody asks its own functions (jobs/command/allocation.c), which keep a frame pointer;
 * the caller is then whoever called those. */
#pragma GCC diagnostic ignored "-Wframe-address"
#define CALLER                                                                                               \
    (stands_behind && is_ours(__builtin_return_address(0)) ? __builtin_return_address(1)                     \
                                                           : __builtin_return_address(0))

void *malloc(size_t bytes) {
    return refuse(CALLER, bytes) ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
    return refuse(CALLER, count * bytes) ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes) {
    return bytes > 0 && refuse(CALLER, bytes) ? NULL : __libc_realloc(memory, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
    return refuse(CALLER, bytes) ? NULL : __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    return refuse(CALLER, bytes) ? NULL : __libc_memalign(alignment, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
    void *made = refuse(CALLER, bytes) ? NULL : __libc_memalign(alignment, bytes);
    if (made == NULL)
        return ENOMEM;
    *memory = made;
    return 0;
}

void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
    const bool memory = address == NULL && protection != PROT_NONE && (flags & MAP_ANONYMOUS) != 0 &&
                        (flags & MAP_HUGETLB) == 0;
    if (memory && refuse_one_of(MAPPINGS, CALLER, bytes))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, offset);
}
