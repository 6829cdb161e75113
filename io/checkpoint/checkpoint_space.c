#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/checkpoint/checkpoint_space_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

static double mebibytes(int64_t bytes) {
    return (double)bytes / 1048576.0;
}

int64_t gg_checkpoint_bytes_needed(const struct gg_checkpoint_meta *meta,
                                   const struct gg_checkpoint_tensor *tensors, int count) {
    int64_t bytes = (int64_t)(1 << 20) + (int64_t)meta->tokenizer_bytes +
                    (int64_t)strlen(meta->settings_yaml) +
                    (meta->base_path != NULL ? (int64_t)strlen(meta->base_path) : 0);
    for (int i = 0; i < count; i++)
        bytes += tensors[i].rows * tensors[i].columns * (int64_t)sizeof(float) + 8192;
    return bytes;
}

gg_status gg_checkpoint_look_for_space(const char *path, int64_t bytes) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < (rlim_t)bytes)
        return gg_fail(GG_STORAGE,
                       "%s: not written: it needs %.1f MiB, and files are limited to %.1f (ulimit -f)", path,
                       mebibytes(bytes), (double)limit.rlim_cur / 1048576.0);
    char *copy = gg_strdup(path);
    const char *folder = dirname(copy);
    struct statvfs info;
    gg_status status = GG_OK;
    if (statvfs(folder, &info) != 0) {
        status = gg_fail(GG_STORAGE, "%s: the folder cannot be used: %s", folder, strerror(errno));
    } else {
        const double available = (double)info.f_bavail * (double)info.f_frsize;
        if (available < (double)bytes)
            status = gg_fail(GG_STORAGE, "%s: not written: it needs %.1f MiB and %.1f MiB are free", path,
                             mebibytes(bytes), available / 1048576.0);
    }
    free(copy);
    return status;
}

gg_status gg_checkpoint_reserve_space(const char *path, const char *temporary, int64_t bytes) {
    /* Never the file of an earlier try: a rank of a killed run may still hold that one open. */
    unlink(temporary);
    const int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return gg_fail(gg_file_status(errno), "%s: cannot be created: %s", temporary, strerror(errno));
    const int result = fallocate(fd, 0, 0, bytes), error = errno;
    close(fd);
    if (result != 0 && error != EOPNOTSUPP && error != ENOSYS)
        return gg_fail(GG_STORAGE, "%s: no room for %.1f MiB: %s", path, mebibytes(bytes), strerror(error));
    return GG_OK;
}

void gg_checkpoint_remove_temporary(const char *temporary) {
    const int fd = open(temporary, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    unlink(temporary);
}
