/* The folder of a run's checkpoints. */
#include "io/checkpoint/checkpoint.h"

#include "core/base/memory.h"
#include "io/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The step of step-NNNNNNNN<ending>, or -1 when the name is not of that form. */
static int64_t step_of(const char *name, const char *ending) {
    static const char prefix[] = "step-";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return -1;
    const char *digits = name + sizeof prefix - 1;
    const size_t count = strspn(digits, "0123456789");
    if (count < 8 || count > 18 || strcmp(digits + count, ending) != 0)
        return -1;
    return strtoll(digits, NULL, 10);
}

char *gg_checkpoint_path(const char *folder, int64_t step) {
    return gg_format("%s/step-%08lld.h5", folder, (long long)step);
}

int64_t gg_checkpoint_named_step(const char *path) {
    const char *slash = strrchr(path, '/');
    return step_of(slash != NULL ? slash + 1 : path, ".h5");
}

static int by_step(const void *a, const void *b) {
    const int64_t left = ((const struct gg_checkpoint_file *)a)->step,
                  right = ((const struct gg_checkpoint_file *)b)->step;
    return (left > right) - (left < right);
}

/* Lists the names step-NNNNNNNN<ending> of a folder. */
static gg_status list_folder(const char *folder, const char *ending, struct gg_checkpoint_list *list) {
    *list = (struct gg_checkpoint_list){0};
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return errno == ENOENT ? GG_OK : gg_fail(gg_file_status(errno), "%s: %s", folder, strerror(errno));
    int error = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        error = errno;
        if (entry == NULL)
            break;
        const int64_t step = step_of(entry->d_name, ending);
        if (step < 0)
            continue;
        list->items = gg_realloc(list->items, (size_t)(list->count + 1) * sizeof *list->items);
        list->items[list->count++] =
            (struct gg_checkpoint_file){step, gg_format("%s/%s", folder, entry->d_name)};
    }
    closedir(directory);
    if (error != 0) { /* what was not listed may be there */
        gg_checkpoint_list_free(list);
        return gg_fail(gg_file_status(error), "%s: cannot be listed: %s", folder, strerror(error));
    }
    if (list->count > 0)
        qsort(list->items, (size_t)list->count, sizeof *list->items, by_step);
    return GG_OK;
}

gg_status gg_checkpoint_list(const char *folder, struct gg_checkpoint_list *list) {
    return list_folder(folder, ".h5", list);
}

void gg_checkpoint_list_free(struct gg_checkpoint_list *list) {
    for (int i = 0; i < list->count; i++)
        free(list->items[i].path);
    free(list->items);
    *list = (struct gg_checkpoint_list){0};
}

gg_status gg_checkpoint_newest(const char *folder, char **path) {
    struct gg_checkpoint_list list;
    *path = NULL;
    GG_TRY(gg_checkpoint_list(folder, &list));
    if (list.count > 0)
        *path = gg_strdup(list.items[list.count - 1].path);
    gg_checkpoint_list_free(&list);
    return GG_OK;
}

char *gg_checkpoint_best_path(const char *folder) {
    return gg_format("%s/best.h5", folder);
}

static gg_status remove_file(const char *path) {
    if (unlink(path) != 0 && errno != ENOENT)
        return gg_fail(GG_STORAGE, "%s: cannot be removed: %s", path, strerror(errno));
    return GG_OK;
}

gg_status gg_checkpoint_check_folder(const char *folder) {
    static const char longest[] = "/step-999999999999999999.h5.misnamed.99";
    const size_t most = PATH_MAX - sizeof longest;
    if (strlen(folder) > most)
        return gg_fail(GG_USAGE,
                       "%.40s...: a name of %zu characters, and at most %zu leave room for the names of "
                       "checkpoints in it",
                       folder, strlen(folder), most);
    return GG_OK;
}

gg_status gg_checkpoint_prune(const char *folder, int64_t step, int64_t keep, int64_t keep_every) {
    struct gg_checkpoint_list list;
    gg_status status = GG_OK;
    GG_TRY(gg_checkpoint_list(folder, &list));
    int count = list.count;
    while (count > 0 && list.items[count - 1].step > step)
        count--;
    for (int i = 0; i < count - keep; i++) {
        const struct gg_checkpoint_file *file = &list.items[i];
        if (keep_every > 0 && file->step % keep_every == 0)
            continue;
        const gg_status removed = remove_file(file->path);
        status = status != GG_OK ? status : removed;
    }
    gg_checkpoint_list_free(&list);
    return status;
}

/* A copy, as file systems without hard links need it. */
static gg_status copy_file(const char *from, const char *to) {
    enum { BYTES = 1 << 20 };
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    const int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    char *buffer = gg_malloc(BYTES);
    bool good = out >= 0;
    for (ssize_t got = 1; good && got > 0;) {
        got = read(in, buffer, BYTES);
        good = got >= 0;
        for (ssize_t done = 0, put; good && done < got; done += put) {
            put = write(out, buffer + done, (size_t)(got - done));
            good = put > 0;
        }
    }
    const int error = errno;
    free(buffer);
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) != 0)
        good = false;
    return good ? GG_OK : gg_fail(GG_STORAGE, "%s: cannot be written: %s", to, strerror(error));
}

gg_status gg_checkpoint_name_best(const char *folder, int64_t step) {
    char *path = gg_checkpoint_path(folder, step), *best = gg_checkpoint_best_path(folder);
    char *temporary = gg_format("%s.tmp", best);
    gg_status status = remove_file(temporary);
    if (status == GG_OK && link(path, temporary) != 0)
        status = copy_file(path, temporary);
    if (status == GG_OK)
        status = gg_file_commit(temporary, best);
    /* Two links of one file are left as they are when one is renamed to the other. */
    const gg_status removed = remove_file(temporary);
    free(temporary);
    free(best);
    free(path);
    return status != GG_OK ? status : removed;
}

gg_status gg_checkpoint_remove_temporaries(const char *folder) {
    struct gg_checkpoint_list list;
    gg_status status = GG_OK;
    GG_TRY(list_folder(folder, ".h5.tmp", &list));
    char *best = gg_format("%s/best.h5.tmp", folder);
    status = remove_file(best);
    free(best);
    for (int i = 0; i < list.count; i++) {
        const gg_status removed = remove_file(list.items[i].path);
        status = status != GG_OK ? status : removed;
    }
    gg_checkpoint_list_free(&list);
    return status;
}
