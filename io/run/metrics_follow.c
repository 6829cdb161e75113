#include "io/run/metrics_follow.h"

#include "core/base/memory.h"
#include "io/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536 };

/* Copies all of a file to the end of another. Returns 0 or an errno. */
static int copy(int from, int to) {
    char block[BLOCK_BYTES];
    ssize_t length;
    for (off_t at = 0; (length = pread(from, block, sizeof block, at)) > 0; at += length) {
        const ssize_t written = write(to, block, (size_t)length);
        if (written != length)
            return written < 0 ? errno : ENOSPC;
    }
    return length < 0 ? errno : 0;
}

/* A new file at `path`, and its folder, when that is missing too; whole when it has its name.
 *   old [in] its first contents, -1: none */
static gg_status make_again(const char *path, int old, int *fd) {
    char *folder = gg_strdup(path), *temporary = gg_format("%s.tmp", path);
    gg_status status = gg_folder_create(dirname(folder));
    if (status == GG_OK) {
        const int made = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
        int error = made < 0 ? errno : 0;
        if (error == 0 && old >= 0)
            error = copy(old, made);
        if (error == 0 && rename(temporary, path) != 0)
            error = errno;
        if (error != 0) {
            status = gg_fail(GG_STORAGE, "%s: is gone, and cannot be made again: %s", path, strerror(error));
            unlink(temporary);
            if (made >= 0)
                close(made);
        } else {
            *fd = made;
        }
    }
    free(folder);
    free(temporary);
    return status;
}

/* Ends the last line of a file that somebody else wrote, should it have no end. */
static bool end_line(int fd, off_t bytes) {
    char last = '\n';
    return bytes == 0 || pread(fd, &last, 1, bytes - 1) != 1 || last == '\n' || write(fd, "\n", 1) == 1;
}

static gg_status take_over(const char *path, off_t bytes, int *fd) {
    const int found = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    if (found < 0 || !end_line(found, bytes)) {
        const gg_status status =
            gg_fail(GG_STORAGE, "%s: was replaced by another file, which cannot be written: %s", path,
                    strerror(errno));
        if (found >= 0)
            close(found);
        return status;
    }
    *fd = found;
    return GG_OK;
}

gg_status gg_metrics_follow(const char *path, int *fd, const char **notice) {
    struct stat named, opened;
    int next = *fd;
    *notice = NULL;
    if (fstat(*fd, &opened) != 0)
        opened = (struct stat){.st_nlink = 1}; /* on a network storage, and gone there with all it held */
    const bool missing = stat(path, &named) != 0;
    if (missing && errno != ENOENT && errno != ENOTDIR)
        return GG_OK; /* nobody can say; writing will show */
    if (!missing && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino)
        return GG_OK;
    if (!missing)
        GG_TRY(take_over(path, named.st_size, &next));
    else
        GG_TRY(make_again(path, opened.st_nlink == 0 ? *fd : -1, &next));
    *notice = !missing               ? "was replaced by another file: lines go there from now on"
              : opened.st_nlink == 0 ? "was deleted: made again, with all its lines"
                                     : "is under this name no more: a new one is begun";
    close(*fd);
    *fd = next;
    return GG_OK;
}
