#include "io/huggingface/export_folder.h"

#include "core/base/memory.h"
#include "io/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_dot(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Whether the name is free, or an empty folder's. */
static gg_status check_free(const char *path) {
    struct stat info;
    if (lstat(path, &info) != 0 && errno == ENOENT)
        return GG_OK;
    DIR *folder = opendir(path);
    bool empty = folder != NULL;
    for (const struct dirent *entry; empty && (entry = readdir(folder)) != NULL;)
        empty = is_dot(entry->d_name);
    if (folder != NULL)
        closedir(folder);
    if (!empty)
        return gg_fail(GG_USAGE, "%s: is there already and is no empty folder; name a new one", path);
    return GG_OK;
}

/* Removes the files of a folder and the folder; what else is in it stays, and it with that. */
static void remove_folder(const char *path) {
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        if (!is_dot(entry->d_name))
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        closedir(folder);
    rmdir(path);
}

/* A path without the slashes at its end. */
static char *trimmed(const char *path) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return gg_strndup(path, length);
}

gg_status gg_export_folder_begin(const char *path, struct gg_export_folder *f) {
    *f = (struct gg_export_folder){.path = trimmed(path)};
    f->temporary = gg_format("%s.tmp", f->path);
    GG_TRY(check_free(f->path));
    remove_folder(f->temporary);
    char *copy = gg_strdup(f->path);
    const gg_status status = gg_folder_create(dirname(copy));
    free(copy);
    GG_TRY(status);
    if (mkdir(f->temporary, 0777) != 0)
        return gg_fail(GG_STORAGE, "%s: folder cannot be made: %s", f->temporary, strerror(errno));
    f->made = true;
    return GG_OK;
}

gg_status gg_export_folder_finish(struct gg_export_folder *f) {
    if (rename(f->temporary, f->path) != 0)
        return gg_fail(GG_STORAGE, "%s: cannot be renamed to %s: %s", f->temporary, f->path, strerror(errno));
    f->made = false;
    char *copy = gg_strdup(f->path);
    const int fd = open(dirname(copy), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(copy);
    return GG_OK;
}

void gg_export_folder_end(struct gg_export_folder *f) {
    if (f->made)
        remove_folder(f->temporary);
    free(f->path);
    free(f->temporary);
    *f = (struct gg_export_folder){0};
}
