/* A header's JSON, with every check that a file from outside needs. */
#include "core/base/memory.h"
#include "io/base/json_parse.h"
#include "io/huggingface/safetensors.h"

#include <stdlib.h>
#include <string.h>

/* The readable ones stand first, in the order of enum gg_safetensors_type. */
static const struct {
    const char *name;
    int bytes;
} types[] = {
    {"F32", 4},     {"BF16", 2},    {"F16", 2},         {"F64", 8},         {"I64", 8},
    {"I32", 4},     {"I16", 2},     {"I8", 1},          {"U64", 8},         {"U32", 4},
    {"U16", 2},     {"U8", 1},      {"BOOL", 1},        {"C64", 8},         {"F8_E4M3", 1},
    {"F8_E5M2", 1}, {"F8_E8M0", 1}, {"F8_E4M3FNUZ", 1}, {"F8_E5M2FNUZ", 1},
};
enum { TYPE_COUNT = sizeof types / sizeof *types };

static gg_status read_type(const json_t *value, struct gg_safetensors_tensor *t) {
    const char *name = json_string_value(value);
    for (t->type = 0; name != NULL && t->type < TYPE_COUNT; t->type++)
        if (strcmp(types[t->type].name, name) == 0) {
            t->type_name = types[t->type].name;
            return GG_OK;
        }
    return gg_fail(GG_BAD_DATA, "dtype '%.20s' is not known", name != NULL ? name : "");
}

/* The shape, and how many elements and bytes it comes to. */
static gg_status read_shape(const json_t *value, struct gg_safetensors_tensor *t) {
    const size_t dimensions = json_array_size(value);
    if (!json_is_array(value) || dimensions > GG_SAFETENSORS_DIMENSIONS)
        return gg_fail(GG_BAD_DATA, "shape: a list of at most %d sizes is wanted", GG_SAFETENSORS_DIMENSIONS);
    t->dimensions = (int)dimensions;
    t->elements = 1;
    for (int i = 0; i < t->dimensions; i++) {
        const json_t *size = json_array_get(value, (size_t)i);
        t->sizes[i] = json_is_integer(size) ? (int64_t)json_integer_value(size) : -1;
        if (t->sizes[i] < 0)
            return gg_fail(GG_BAD_DATA, "shape: item %d is no size", i);
        if (__builtin_mul_overflow(t->elements, t->sizes[i], &t->elements))
            return gg_fail(GG_BAD_DATA, "shape: its elements are more than can be counted");
    }
    if (__builtin_mul_overflow(t->elements, (int64_t)types[t->type].bytes, &t->bytes))
        return gg_fail(GG_BAD_DATA, "shape: its bytes are more than can be counted");
    return GG_OK;
}

/* Where its bytes stand: within the file, and as many as it has. */
static gg_status read_offsets(const json_t *value, int64_t data_bytes, struct gg_safetensors_tensor *t) {
    const json_t *from = json_array_get(value, 0), *to = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(from) || !json_is_integer(to))
        return gg_fail(GG_BAD_DATA, "data_offsets: a pair of offsets is wanted");
    const int64_t begin = (int64_t)json_integer_value(from), end = (int64_t)json_integer_value(to);
    if (begin < 0 || end < begin || end > data_bytes)
        return gg_fail(GG_BAD_DATA, "data_offsets: %lld to %lld, and the file has %lld bytes of data",
                       (long long)begin, (long long)end, (long long)data_bytes);
    if (end - begin != t->bytes)
        return gg_fail(GG_BAD_DATA, "data_offsets: %lld bytes, and its shape and dtype have %lld",
                       (long long)(end - begin), (long long)t->bytes);
    t->offset = begin;
    return GG_OK;
}

static gg_status read_tensor(const json_t *entry, int64_t data_bytes, struct gg_safetensors_tensor *t) {
    GG_TRY(read_type(json_object_get(entry, "dtype"), t));
    GG_TRY(read_shape(json_object_get(entry, "shape"), t));
    return read_offsets(json_object_get(entry, "data_offsets"), data_bytes, t);
}

static int by_offset(const void *a, const void *b) {
    const struct gg_safetensors_tensor *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* Whether the tensors' bytes follow upon one another, from the first byte of the data to the last. */
static gg_status check_places(struct gg_safetensors_tensor *tensors, int count, int64_t data_bytes) {
    int64_t at = 0;
    qsort(tensors, (size_t)count, sizeof *tensors, by_offset);
    for (int i = 0; i < count; i++) {
        if (tensors[i].offset != at)
            return gg_fail(GG_BAD_DATA, "tensor %.100s begins at byte %lld of the data, %s %lld",
                           tensors[i].name, (long long)tensors[i].offset,
                           tensors[i].offset < at ? "within another, which ends at" : "behind a hole from",
                           (long long)at);
        at += tensors[i].bytes;
    }
    if (at != data_bytes)
        return gg_fail(GG_BAD_DATA, "the tensors end at byte %lld of the data, and the file has %lld",
                       (long long)at, (long long)data_bytes);
    return GG_OK;
}

static gg_status add_tensors(struct gg_safetensors *set, const json_t *root, int64_t data_bytes, int path) {
    const int first = set->count;
    const char *name;
    json_t *entry;
    set->tensors =
        gg_realloc(set->tensors, ((size_t)first + json_object_size(root) + 1) * sizeof *set->tensors);
    json_object_foreach((json_t *)root, name, entry) {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        struct gg_safetensors_tensor *t = &set->tensors[set->count++];
        *t = (struct gg_safetensors_tensor){.name = gg_strdup(name), .file = path};
        const gg_status status = read_tensor(entry, data_bytes, t);
        if (status != GG_OK)
            return gg_fail_within(status, "tensor %.100s", name);
    }
    return check_places(set->tensors + first, set->count - first, data_bytes);
}

gg_status gg_safetensors_add_header(struct gg_safetensors *set, const char *text, size_t bytes,
                                    int64_t data_bytes, int path) {
    if (bytes == 0 || text[0] != '{')
        return gg_fail(GG_BAD_DATA, "its header is no JSON object");
    json_t *root;
    const int64_t first = set->count;
    gg_status status = gg_json_parse(text, bytes, &root);
    if (status == GG_OK)
        status = add_tensors(set, root, data_bytes, path);
    else
        status = gg_fail_within(status, "its header");
    for (int64_t i = first; status == GG_OK && i < set->count; i++)
        set->tensors[i].offset += 8 + (int64_t)bytes;
    json_decref(root);
    return status;
}
