/* Loaded into a program in front of the C library (LD_PRELOAD): makes writes to checkpoint files, renames to
 * their final names, and their opening and reading, fail as a bad or full storage does.
 *
 *   GG_FAIL_ERROR   ENOSPC, EACCES, ESTALE, EMFILE, ENFILE, ENOMEM, ENOENT (else EIO)
 *   GG_FAIL_AFTER   bytes of this process that still go through to temporary checkpoint files; then all fail
 *   GG_FAIL_COUNT   how many writes (or of the next) fail before all go through again; unset: for ever
 *   GG_FAIL_READ    what fails in the file GG_FAIL_FILE (the end of its name): "open", "header" (reads of
 * HDF5's), "tensor" (reads of values); or "list": reading the names in the folder GG_FAIL_FILE GG_FAIL_RENAME
 * which of this process's renames of checkpoints fails, counted from 1 GG_FAIL_RANK    only this rank's calls
 * fail; unset: every rank's
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static bool ends_with(const char *text, const char *ending) {
    const size_t length = strlen(text), tail = strlen(ending);
    return length >= tail && strcmp(text + length - tail, ending) == 0;
}

static long number(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text != NULL ? atol(text) : otherwise;
}

static bool meant(void) {
    const char *rank = getenv("GG_FAIL_RANK"), *mine = getenv("OMPI_COMM_WORLD_RANK");
    return rank == NULL || mine == NULL || strcmp(rank, mine) == 0;
}

static int error_number(void) {
    static const struct {
        const char *name;
        int number;
    } errors[] = {{"ENOSPC", ENOSPC}, {"EACCES", EACCES}, {"ESTALE", ESTALE}, {"EMFILE", EMFILE},
                  {"ENFILE", ENFILE}, {"ENOMEM", ENOMEM}, {"ENOENT", ENOENT}};
    const char *error = getenv("GG_FAIL_ERROR");
    for (size_t i = 0; error != NULL && i < sizeof errors / sizeof *errors; i++)
        if (strcmp(error, errors[i].name) == 0)
            return errors[i].number;
    return EIO;
}

static bool named(int fd, const char *ending) {
    char link[64], name[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, name, sizeof name - 1);
    name[length > 0 ? length : 0] = '\0';
    return ends_with(name, ending);
}

static bool is_checkpoint(int fd) {
    return named(fd, ".h5.tmp");
}

/* Whether a call at that place of reading must fail; `name` NULL: of the file of `fd`. */
static bool refuse_reading(const char *place, const char *name, int fd) {
    static atomic_long failed;
    const char *wanted = getenv("GG_FAIL_READ"), *file = getenv("GG_FAIL_FILE");
    if (wanted == NULL || file == NULL || strcmp(wanted, place) != 0 || !meant())
        return false;
    if (!(name != NULL ? ends_with(name, file) : named(fd, file)))
        return false;
    if (atomic_fetch_add(&failed, 1) >= number("GG_FAIL_COUNT", LONG_MAX))
        return false;
    errno = error_number();
    return true;
}

/* Whether a write of so many bytes must fail; errno is set then. */
static bool refuse(int fd, size_t bytes) {
    static atomic_long written, failed;
    const long after = number("GG_FAIL_AFTER", -1);
    if (after < 0 || !meant() || !is_checkpoint(fd))
        return false;
    if (atomic_fetch_add(&written, (long)bytes) + (long)bytes <= after ||
        atomic_fetch_add(&failed, 1) >= number("GG_FAIL_COUNT", LONG_MAX))
        return false;
    errno = error_number();
    return true;
}

static size_t total(const struct iovec *pieces, int count) {
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += pieces[i].iov_len;
    return bytes;
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset) {
    return refuse(fd, bytes) ? -1 : syscall(SYS_pwrite64, fd, data, bytes, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t offset);
ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t offset) {
    return pwrite(fd, data, bytes, offset);
}
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
    return refuse(fd, total(pieces, count)) ? -1 : syscall(SYS_pwritev, fd, pieces, count, offset, 0);
}
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t offset);
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t offset) {
    return pwritev(fd, pieces, count, offset);
}

int rename(const char *from, const char *to) {
    static atomic_long renames;
    const long failing = number("GG_FAIL_RENAME", 0);
    if (failing > 0 && meant() && ends_with(to, ".h5") && atomic_fetch_add(&renames, 1) + 1 == failing) {
        errno = error_number();
        return -1;
    }
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int open(const char *name, int flags, ...) {
    va_list args;
    va_start(args, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return refuse_reading("open", name, -1) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, name, flags, mode);
}

ssize_t pread(int fd, void *data, size_t bytes, off_t offset) {
    /* 8 bytes: the signature, by which a file is known at all. */
    return bytes != 8 && refuse_reading("header", NULL, fd) ? -1
                                                            : syscall(SYS_pread64, fd, data, bytes, offset);
}
ssize_t preadv(int fd, const struct iovec *pieces, int count, off_t offset) {
    return refuse_reading("tensor", NULL, fd) ? -1 : syscall(SYS_preadv, fd, pieces, count, offset, 0);
}

struct dirent *readdir(DIR *folder) {
    if (refuse_reading("list", NULL, dirfd(folder)))
        return NULL;
    struct dirent *(*next)(DIR *);
    *(void **)&next = dlsym(RTLD_NEXT, "readdir");
    return next(folder);
}
