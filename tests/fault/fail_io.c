/* Loaded into a program in front of the C library (LD_PRELOAD): makes writes to checkpoint files, and renames
 * to their final names, fail as a bad or full storage does.
 *
 *   GG_FAIL_ERROR   ENOSPC (else EIO)
 *   GG_FAIL_AFTER   bytes of this process that still go through to temporary checkpoint files; then all fail
 *   GG_FAIL_COUNT   how many writes fail before all go through again; unset: for ever
 *   GG_FAIL_RENAME  which of this process's renames of checkpoints fails, counted from 1
 *   GG_FAIL_RANK    only this rank's calls fail; unset: every rank's
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
    const char *error = getenv("GG_FAIL_ERROR");
    return error != NULL && strcmp(error, "ENOSPC") == 0 ? ENOSPC : EIO;
}

static bool is_checkpoint(int fd) {
    char link[64], name[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, name, sizeof name - 1);
    name[length > 0 ? length : 0] = '\0';
    return ends_with(name, ".h5.tmp");
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
