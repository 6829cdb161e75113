#include "jobs/bench/bench_plain_file.h"

#include "core/base/clock.h"
#include "core/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 8 << 20 };

/* Writes until all is through. */
static gg_status write_pieces(int fd, const char *path, const char *buffer, int64_t bytes) {
    while (bytes > 0) {
        const ssize_t put = write(fd, buffer, bytes < PIECE ? (size_t)bytes : PIECE);
        if (put <= 0)
            return gg_fail(GG_STORAGE, "%s: cannot be written: %s", path, strerror(errno));
        bytes -= put;
    }
    if (fsync(fd) != 0)
        return gg_fail(GG_STORAGE, "%s: cannot be flushed to disk: %s", path, strerror(errno));
    return GG_OK;
}

static gg_status get_buffer(char **buffer) {
    void *memory;
    GG_TRY(gg_try_malloc(PIECE, "a plain file's buffer", &memory));
    for (int i = 0; i < PIECE; i++)
        ((char *)memory)[i] = (char)(i * 131 >> 3);
    *buffer = memory;
    return GG_OK;
}

gg_status gg_plain_file_write(const char *path, int64_t bytes, double *seconds) {
    char *buffer;
    GG_TRY(get_buffer(&buffer));
    char *temporary = gg_format("%s.tmp", path);
    const double begin = gg_clock_seconds();
    const int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    gg_status status = GG_OK;
    if (fd < 0) {
        status = gg_fail(GG_STORAGE, "%s: cannot be created: %s", temporary, strerror(errno));
    } else {
        status = write_pieces(fd, temporary, buffer, bytes);
        close(fd);
    }
    if (status == GG_OK && rename(temporary, path) != 0)
        status = gg_fail(GG_STORAGE, "%s: cannot be renamed: %s", temporary, strerror(errno));
    *seconds = gg_clock_seconds() - begin;
    if (status != GG_OK)
        unlink(temporary);
    free(temporary);
    free(buffer);
    return status;
}

void gg_plain_file_forget(const char *path) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

gg_status gg_plain_file_read(const char *path, double *seconds) {
    char *buffer;
    GG_TRY(get_buffer(&buffer));
    gg_plain_file_forget(path);
    const double begin = gg_clock_seconds();
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? 1 : -1;
    while (got > 0)
        got = read(fd, buffer, PIECE);
    const int error = errno;
    if (fd >= 0)
        close(fd);
    *seconds = gg_clock_seconds() - begin;
    free(buffer);
    return got == 0 ? GG_OK : gg_fail(GG_STORAGE, "%s: cannot be read: %s", path, strerror(error));
}
