#include "io/base/file.h"

#include "core/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

gg_status gg_file_status(int error) {
    return error == EMFILE || error == ENFILE || error == ENOMEM ? GG_RESOURCE : GG_STORAGE;
}

gg_status gg_file_read(const char *path, size_t max_bytes, char **data, size_t *bytes) {
    *data = NULL;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return gg_fail(gg_file_status(errno), "%s: %s", path, strerror(errno));
    size_t capacity = 65536, length = 0;
    char *buffer = gg_malloc_or_null(capacity);
    while (buffer != NULL && length <= max_bytes) {
        length += fread(buffer + length, 1, capacity - length - 1, file);
        if (length < capacity - 1)
            break;
        char *larger = gg_realloc_or_null(buffer, capacity *= 2);
        if (larger == NULL)
            free(buffer);
        buffer = larger;
    }
    const bool failed = ferror(file) != 0;
    const int error = errno;
    fclose(file);
    if (buffer == NULL)
        return gg_fail(GG_RESOURCE, "%s: no memory to read it", path);
    if (failed || length > max_bytes) {
        free(buffer);
        if (failed)
            return gg_fail(GG_STORAGE, "%s: %s", path, strerror(error));
        return gg_fail(GG_BAD_DATA, "%s: larger than the %zu bytes expected of such a file", path, max_bytes);
    }
    buffer[length] = '\0';
    *data = buffer;
    *bytes = length;
    return GG_OK;
}

static gg_status sync_path(const char *path) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gg_fail(gg_file_status(errno), "%s: cannot be opened to flush it: %s", path, strerror(errno));
    const int result = fsync(fd), error = errno;
    close(fd);
    /* Some file systems cannot flush folders and say so. */
    if (result != 0 && error != EINVAL)
        return gg_fail(GG_STORAGE, "%s: cannot be flushed to disk: %s", path, strerror(error));
    return GG_OK;
}

gg_status gg_file_commit(const char *temporary, const char *path) {
    gg_status status = sync_path(temporary);
    if (status == GG_OK && rename(temporary, path) != 0)
        status = gg_fail(GG_STORAGE, "%s: cannot be renamed to %s: %s", temporary, path, strerror(errno));
    if (status != GG_OK) {
        unlink(temporary);
        return status;
    }
    char *copy = gg_strdup(path);
    status = sync_path(dirname(copy));
    free(copy);
    return status;
}

gg_status gg_file_write(const char *path, const void *data, size_t bytes) {
    char *temporary = gg_format("%s.tmp", path);
    FILE *file = fopen(temporary, "wb");
    gg_status status = GG_OK;
    if (file == NULL) {
        status = gg_fail(gg_file_status(errno), "%s: cannot be written: %s", temporary, strerror(errno));
    } else {
        const bool written = fwrite(data, 1, bytes, file) == bytes;
        if (fclose(file) != 0 || !written) {
            status = gg_fail(GG_STORAGE, "%s: cannot be written: %s", temporary, strerror(errno));
            unlink(temporary);
        } else {
            status = gg_file_commit(temporary, path);
        }
    }
    free(temporary);
    return status;
}

gg_status gg_folder_create(const char *path) {
    char *copy = gg_strdup(path);
    gg_status status = GG_OK;
    for (char *p = copy + 1; status == GG_OK; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        const char kept = *p;
        *p = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            status = gg_fail(GG_STORAGE, "%s: folder cannot be made: %s", copy, strerror(errno));
        *p = kept;
        if (kept == '\0')
            break;
    }
    struct stat info;
    if (status == GG_OK && (stat(copy, &info) != 0 || !S_ISDIR(info.st_mode)))
        status = gg_fail(GG_STORAGE, "%s: is in the way: a folder is wanted here", path);
    free(copy);
    return status;
}

bool gg_file_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

static gg_status stat_regular(const char *path, struct stat *info) {
    if (stat(path, info) != 0)
        return gg_fail(gg_file_status(errno), "%s: %s", path, strerror(errno));
    if (S_ISREG(info->st_mode))
        return GG_OK;
    const char *kind = S_ISDIR(info->st_mode)    ? "folder"
                       : S_ISFIFO(info->st_mode) ? "FIFO"
                       : S_ISSOCK(info->st_mode) ? "socket"
                                                 : "device";
    return gg_fail(GG_BAD_DATA, "%s: is a %s, not a file", path, kind);
}

gg_status gg_file_check_regular(const char *path) {
    struct stat info;
    /* Looked at before it is opened: a socket cannot be, and some devices do something when they are. */
    GG_TRY(stat_regular(path, &info));
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return gg_fail(gg_file_status(errno), "%s: %s", path, strerror(errno));
    close(fd);
    return GG_OK;
}

gg_status gg_file_identify(const char *path, struct gg_file_identity *identity) {
    struct stat info;
    GG_TRY(stat_regular(path, &info));
    *identity = (struct gg_file_identity){.device = (uint64_t)info.st_dev,
                                          .inode = (uint64_t)info.st_ino,
                                          .bytes = (int64_t)info.st_size,
                                          .seconds = (int64_t)info.st_mtim.tv_sec,
                                          .nanoseconds = (int64_t)info.st_mtim.tv_nsec};
    return GG_OK;
}

int64_t gg_file_size(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}
