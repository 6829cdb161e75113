/* Safetensors: the first byte chooses between a header alone (two bytes more tell how many bytes of data follow it), a
 * whole file, and the index of two shards. Of what is taken, every tensor lies within its file and can be read. */
#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/huggingface/safetensors.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_READ = 1 << 12 };

static const char *const names[] = {"model.safetensors", "model.safetensors.index.json", "a.safetensors",
                                    "b.safetensors"};
static char folder[64];

static void put(const char *name, const void *data, size_t bytes) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    GG_ASSERT(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    close(fd);
}

static void forget(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static void remove_folder(void) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        forget(names[i]);
    rmdir(folder);
}

/* A file with one tensor of four zeros. */
static void put_shard(const char *name, const char *tensor) {
    char header[128], file[256] = {0};
    const int bytes = snprintf(header, sizeof header,
                               "{\"%s\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", tensor);
    file[0] = (char)bytes;
    memcpy(file + 8, header, (size_t)bytes);
    put(name, file, 8 + (size_t)bytes + 16);
}

static void make_folder(void) {
    if (folder[0] != '\0')
        return;
    snprintf(folder, sizeof folder, "/dev/shm/gridgpt-fuzz-XXXXXX");
    GG_ASSERT(mkdtemp(folder) != NULL);
    atexit(remove_folder);
    put_shard("a.safetensors", "x");
    put_shard("b.safetensors", "y");
}

static void check_place(const struct gg_safetensors_tensor *t, int64_t file_bytes) {
    int64_t elements = 1;
    for (int k = 0; k < t->dimensions; k++)
        elements *= t->sizes[k];
    GG_ASSERT(elements == t->elements && t->bytes >= 0 && t->offset >= 8 &&
              t->offset <= file_bytes - t->bytes);
}

static void check_values(const struct gg_safetensors *set) {
    float values[MOST_READ];
    struct gg_safetensors_reader reader = {.set = set, .fd = -1, .file = -1};
    for (int i = 0; i < set->count; i++) {
        const struct gg_safetensors_tensor *t = &set->tensors[i];
        GG_ASSERT(gg_safetensors_find(set, t->name) == t);
        check_place(t, gg_file_size(set->paths[t->file]));
        if (t->type < GG_SAFETENSORS_READABLE && t->elements <= MOST_READ)
            GG_ASSERT(gg_safetensors_read(&reader, t, 0, t->elements, values) == GG_OK);
    }
    gg_safetensors_reader_close(&reader);
}

static void try_header(const uint8_t *data, size_t bytes) {
    if (bytes < 2)
        return;
    const int64_t data_bytes = data[0] | data[1] << 8;
    struct gg_safetensors set = {0};
    char *text = fuzz_text(data + 2, bytes - 2);
    const gg_status status = gg_safetensors_add_header(&set, text, bytes - 2, data_bytes, 0);
    if (status != GG_OK)
        fuzz_check_failure(status, GG_BAD_DATA);
    for (int i = 0; status == GG_OK && i < set.count; i++)
        check_place(&set.tensors[i], 8 + (int64_t)(bytes - 2) + data_bytes);
    gg_safetensors_free(&set);
    free(text);
}

static void try_folder(const char *name, const uint8_t *data, size_t bytes) {
    struct gg_safetensors set;
    make_folder();
    put(name, data, bytes);
    const gg_status status = gg_safetensors_open(folder, &set);
    if (status == GG_OK)
        check_values(&set);
    else
        fuzz_check_failure(status, GG_BAD_DATA);
    gg_safetensors_free(&set);
    forget(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes == 0)
        return 0;
    switch (data[0] % 3) {
    case 0:
        try_header(data + 1, bytes - 1);
        break;
    case 1:
        try_folder("model.safetensors", data + 1, bytes - 1);
        break;
    default:
        try_folder("model.safetensors.index.json", data + 1, bytes - 1);
    }
    return 0;
}
