#include "io/corpus/input_spool.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/corpus/text_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 20 };

static gg_status copy_all(int from, int to, const char *from_name, const char *to_name) {
    char *buffer = gg_malloc(COPY_BYTES);
    gg_status status = GG_OK;
    while (status == GG_OK) {
        const ssize_t got = read(from, buffer, COPY_BYTES);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            status = gg_fail(GG_STORAGE, "%s: %s", from_name, strerror(errno));
        for (ssize_t done = 0; done < got && status == GG_OK;) {
            const ssize_t put = write(to, buffer + done, (size_t)(got - done));
            if (put >= 0)
                done += put;
            else if (errno != EINTR)
                status = gg_fail(GG_STORAGE, "%s: cannot be written: %s", to_name, strerror(errno));
        }
    }
    free(buffer);
    return status;
}

static gg_status copy_input(const char *input, const char *copy) {
    const bool standard = strcmp(input, "-") == 0;
    const int from = standard ? STDIN_FILENO : open(input, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return gg_fail(GG_STORAGE, "%s: %s", input, strerror(errno));
    const int to = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    gg_status status = GG_OK;
    if (to < 0)
        status = gg_fail(GG_STORAGE, "%s: cannot be written: %s", copy, strerror(errno));
    else
        status = copy_all(from, to, standard ? "standard input" : input, copy);
    if (to >= 0 && close(to) != 0 && status == GG_OK)
        status = gg_fail(GG_STORAGE, "%s: cannot be written: %s", copy, strerror(errno));
    if (!standard)
        close(from);
    if (status != GG_OK && to >= 0)
        unlink(copy);
    return status;
}

/* Rank 0: the path to read for an input; a copy where it is no regular file. */
static gg_status make_readable(const char *input, size_t number, const char *folder, char **path) {
    struct stat info;
    const bool standard = strcmp(input, "-") == 0;
    if (!standard && stat(input, &info) != 0)
        return gg_fail(GG_STORAGE, "%s: %s", input, strerror(errno));
    if (!standard && S_ISDIR(info.st_mode))
        return gg_fail(GG_STORAGE, "%s: is a folder, not a file", input);
    if (!standard && S_ISREG(info.st_mode)) {
        *path = gg_strdup(input);
        return GG_OK;
    }
    *path = gg_format("%s/input-%zu.tmp", folder, number);
    return copy_input(input, *path);
}

/* Rank 0: the file to read for an input. */
static gg_status look_at(const char *input, size_t number, const char *folder, bool text,
                         struct gg_input_file *file) {
    GG_TRY(make_readable(input, number, folder, &file->path));
    file->bytes = gg_file_size(file->path);
    if (file->bytes < 0)
        return gg_fail(GG_STORAGE, "%s: %s", file->path, strerror(errno));
    return text ? gg_text_input_probe(file->path, &file->packed) : GG_OK;
}

gg_status gg_input_spool(const struct gg_world *world, const struct gg_text_list *inputs, const char *folder,
                         bool text, struct gg_input_files *files) {
    files->items = gg_calloc(inputs->count, sizeof *files->items);
    files->count = inputs->count;
    gg_status status = GG_OK;
    for (size_t i = 0; i < inputs->count && status == GG_OK && world->rank == 0; i++)
        status = look_at(inputs->items[i], i, folder, text, &files->items[i]);
    GG_TRY(gg_agree(world->comm, status));
    for (size_t i = 0; i < files->count; i++) {
        struct gg_input_file *file = &files->items[i];
        int64_t facts[2] = {file->bytes, file->packed};
        gg_broadcast_text(world->comm, &file->path);
        MPI_Bcast(facts, 2, MPI_INT64_T, 0, world->comm);
        file->bytes = facts[0];
        file->packed = facts[1] != 0;
        files->bytes += file->bytes;
    }
    return GG_OK;
}

void gg_input_spool_end(const struct gg_world *world, const struct gg_text_list *inputs,
                        struct gg_input_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        char *path = files->items[i].path;
        if (world->rank == 0 && path != NULL && strcmp(path, inputs->items[i]) != 0)
            unlink(path);
        free(path);
    }
    free(files->items);
    *files = (struct gg_input_files){0};
}
