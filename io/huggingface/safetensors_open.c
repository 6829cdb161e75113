/* The files of a model: one, or shards and their index. */
#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/base/file_vector.h"
#include "io/base/json_parse.h"
#include "io/huggingface/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char single[] = "model.safetensors", index_name[] = "model.safetensors.index.json";

void gg_safetensors_free(struct gg_safetensors *set) {
    for (int i = 0; i < set->path_count; i++)
        free(set->paths[i]);
    for (int i = 0; i < set->count; i++)
        free(set->tensors[i].name);
    free(set->paths);
    free(set->tensors);
    *set = (struct gg_safetensors){0};
}

static gg_status read_bytes(int fd, int64_t offset, void *memory, size_t bytes) {
    struct gg_file_vector vector = {.fd = fd};
    GG_TRY(gg_file_vector_add(&vector, offset, memory, bytes));
    return gg_file_vector_move(&vector);
}

/* The header of an open file. */
static gg_status read_header(struct gg_safetensors *set, int fd, int64_t file_bytes, int path) {
    unsigned char length[8];
    if (file_bytes < 8)
        return gg_fail(GG_BAD_DATA, "truncated: %lld bytes, and a header's length alone has 8",
                       (long long)file_bytes);
    GG_TRY(read_bytes(fd, 0, length, sizeof length));
    uint64_t bytes = 0;
    for (int i = 7; i >= 0; i--)
        bytes = bytes << 8 | length[i];
    if (bytes > GG_SAFETENSORS_HEADER_BYTES)
        return gg_fail(GG_BAD_DATA, "no safetensors file: a header of %llu bytes, and at most %d are allowed",
                       (unsigned long long)bytes, GG_SAFETENSORS_HEADER_BYTES);
    if ((int64_t)bytes > file_bytes - 8)
        return gg_fail(GG_BAD_DATA, "truncated: a header of %llu bytes in a file of %lld",
                       (unsigned long long)bytes, (long long)file_bytes);
    void *text;
    GG_TRY(gg_try_malloc((size_t)bytes + 1, "a header", &text));
    gg_status status = read_bytes(fd, 8, text, (size_t)bytes);
    if (status == GG_OK)
        status = gg_safetensors_add_header(set, text, (size_t)bytes, file_bytes - 8 - (int64_t)bytes, path);
    free(text);
    return status;
}

/* Adds a file and its tensors; takes the path. */
static gg_status add_file(struct gg_safetensors *set, char *path) {
    set->paths = gg_realloc(set->paths, ((size_t)set->path_count + 1) * sizeof *set->paths);
    set->paths[set->path_count++] = path;
    GG_TRY(gg_file_check_regular(path));
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gg_fail(gg_file_status(errno), "%s: %s", path, strerror(errno));
    const gg_status status = read_header(set, fd, (int64_t)lseek(fd, 0, SEEK_END), set->path_count - 1);
    close(fd);
    return status == GG_OK ? GG_OK : gg_fail_within(status, "%s", path);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct gg_safetensors_tensor *)a)->name,
                  ((const struct gg_safetensors_tensor *)b)->name);
}

/* Sorts the tensors by name; none may stand in two files. */
static gg_status sort_tensors(struct gg_safetensors *set) {
    if (set->count > 0)
        qsort(set->tensors, (size_t)set->count, sizeof *set->tensors, by_name);
    for (int i = 1; i < set->count; i++)
        if (by_name(&set->tensors[i - 1], &set->tensors[i]) == 0)
            return gg_fail(GG_BAD_DATA, "%s: tensor %.100s is in %s too", set->paths[set->tensors[i].file],
                           set->tensors[i].name, set->paths[set->tensors[i - 1].file]);
    return GG_OK;
}

/* Adds the shard that a file name of the index means, once. */
static gg_status add_shard(struct gg_safetensors *set, const char *folder, const char *name,
                           const char *file) {
    static const char ending[] = ".safetensors";
    const size_t length = file != NULL ? strlen(file) : 0;
    if (length < sizeof ending || strchr(file, '/') != NULL ||
        strcmp(file + length - (sizeof ending - 1), ending) != 0)
        return gg_fail(GG_BAD_DATA,
                       "weight_map: tensor %.100s: '%.100s' is no name of a shard in this folder", name,
                       file != NULL ? file : "");
    char *path = gg_format("%s/%s", folder, file);
    for (int i = 0; i < set->path_count; i++)
        if (strcmp(set->paths[i], path) == 0) {
            free(path);
            return GG_OK;
        }
    if (!gg_file_exists(path)) {
        free(path);
        return gg_fail(GG_BAD_DATA, "weight_map: tensor %.100s: shard %s is missing", name, file);
    }
    return add_file(set, path);
}

/* Each tensor is where the index tells, and it tells of all. */
static gg_status compare_map(const struct gg_safetensors *set, const char *folder, const json_t *map) {
    const char *name;
    json_t *file;
    json_object_foreach((json_t *)map, name, file) {
        const struct gg_safetensors_tensor *t = gg_safetensors_find(set, name);
        if (t == NULL || strcmp(set->paths[t->file] + strlen(folder) + 1, json_string_value(file)) != 0)
            return gg_fail(GG_BAD_DATA, "weight_map: tensor %.100s is not in %s", name,
                           json_string_value(file));
    }
    for (int i = 0; i < set->count; i++)
        if (json_object_get(map, set->tensors[i].name) == NULL)
            return gg_fail(GG_BAD_DATA, "weight_map: tensor %.100s of %s is missing", set->tensors[i].name,
                           set->paths[set->tensors[i].file]);
    return GG_OK;
}

static gg_status add_shards(struct gg_safetensors *set, const char *folder, const json_t *root) {
    const json_t *map = json_object_get(root, "weight_map");
    const char *name;
    json_t *file;
    if (!json_is_object(map))
        return gg_fail(GG_BAD_DATA, "weight_map: an object of tensors and shards is wanted");
    json_object_foreach((json_t *)map, name, file)
        GG_TRY(add_shard(set, folder, name, json_string_value(file)));
    GG_TRY(sort_tensors(set));
    return compare_map(set, folder, map);
}

static gg_status open_index(const char *folder, const char *path, struct gg_safetensors *set) {
    char *text;
    size_t bytes;
    json_t *root = NULL;
    GG_TRY(gg_file_check_regular(path));
    GG_TRY(gg_file_read(path, GG_SAFETENSORS_HEADER_BYTES, &text, &bytes));
    gg_status status = gg_json_parse(text, bytes, &root);
    free(text);
    if (status == GG_OK)
        status = add_shards(set, folder, root);
    json_decref(root);
    /* What a shard is to blame for names the shard. */
    return status == GG_OK || strncmp(gg_failure(), folder, strlen(folder)) == 0
               ? status
               : gg_fail_within(status, "%s", path);
}

static gg_status fail_missing(const char *folder) {
    static const char *const pickles[] = {"pytorch_model.bin", "pytorch_model.bin.index.json"};
    for (int i = 0; i < 2; i++) {
        char *path = gg_format("%s/%s", folder, pickles[i]);
        const bool there = gg_file_exists(path);
        free(path);
        if (there)
            return gg_fail(
                GG_BAD_DATA,
                "%s/%s: a pickle file, which may run any program and is not read; load the model with "
                "transformers and save it again: model.save_pretrained(FOLDER, "
                "safe_serialization=True) writes model.safetensors",
                folder, pickles[i]);
    }
    return gg_fail(GG_BAD_DATA, "%s: holds neither %s nor %s", folder, single, index_name);
}

gg_status gg_safetensors_open(const char *folder, struct gg_safetensors *set) {
    char *file = gg_format("%s/%s", folder, single), *index = gg_format("%s/%s", folder, index_name);
    gg_status status;
    *set = (struct gg_safetensors){0};
    if (gg_file_exists(file)) {
        status = add_file(set, gg_strdup(file));
        if (status == GG_OK)
            status = sort_tensors(set);
    } else if (gg_file_exists(index)) {
        status = open_index(folder, index, set);
    } else {
        status = fail_missing(folder);
    }
    free(file);
    free(index);
    if (status != GG_OK)
        gg_safetensors_free(set);
    return status;
}

const struct gg_safetensors_tensor *gg_safetensors_find(const struct gg_safetensors *set, const char *name) {
    const struct gg_safetensors_tensor key = {.name = (char *)name};
    return set->count > 0 ? bsearch(&key, set->tensors, (size_t)set->count, sizeof key, by_name) : NULL;
}
