/* Safetensors files that are made by hand: what they hold is read, in all types, and what is wrong is refused with the
 * file and the tensor. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/huggingface/safetensors.h"
#include "io/huggingface/safetensors_write.h"
#include "io/huggingface/transposition.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char folder[] = "test_safetensors.folder";
static const char *const files[] = {"model.safetensors", "model.safetensors.index.json", "a.safetensors",
                                    "b.safetensors", "pytorch_model.bin"};

static char *path_of(const char *name) {
    return gg_format("%s/%s", folder, name);
}

static void put(const char *name, const void *data, size_t bytes) {
    char *path = path_of(name);
    CHECK_OK(gg_file_write(path, data, bytes));
    free(path);
}

static int empty_folder(void **state) {
    (void)state;
    mkdir(folder, 0777);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = path_of(files[i]);
        unlink(path);
        free(path);
    }
    return 0;
}

static int remove_folder(void **state) {
    empty_folder(state);
    rmdir(folder);
    return 0;
}

/* A file with this header, the data behind it, and the length that is to be said of the header (0: its own). */
static void put_file(const char *name, const char *header, const void *data, size_t data_bytes,
                     uint64_t length) {
    const size_t bytes = strlen(header);
    char *file = gg_calloc(8 + bytes + data_bytes, 1);
    length = length != 0 ? length : bytes;
    for (int i = 0; i < 8; i++)
        file[i] = (char)(length >> (8 * i));
    memcpy(file + 8, header, bytes);
    if (data != NULL)
        memcpy(file + 8 + bytes, data, data_bytes);
    put(name, file, 8 + bytes + data_bytes);
    free(file);
}

static void all_types_are_read(void **state) {
    (void)state;
    static const char header[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                                 "\"half\":{\"dtype\":\"F16\",\"shape\":[2,5],\"data_offsets\":[12,32]},"
                                 "\"single\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},"
                                 "\"brain\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[32,36]},"
                                 "\"none\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[36,36]},"
                                 "\"scalar\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[36,44]}}   ";
    static const float single[] = {1.5f, -0.0f, 3e38f};
    /* 1, -2, the largest, the least normal, the least, the largest subnormal, both zeros, infinity, not a number */
    static const uint16_t half[] = {0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001,
                                    0x03ff, 0x0000, 0x8000, 0x7c00, 0x7e01};
    static const float halves[] = {1, -2, 65504, 0x1p-14f, 0x1p-24f, 1023 * 0x1p-24f, 0, -0.0f, INFINITY};
    static const uint16_t brain[] = {0x3f80, 0xc049};
    char data[44] = {0};
    memcpy(data, single, 12);
    memcpy(data + 12, half, 20);
    memcpy(data + 32, brain, 4);
    put_file("model.safetensors", header, data, sizeof data, 0);
    struct gg_safetensors set;
    CHECK_OK(gg_safetensors_open(folder, &set));
    assert_int_equal(set.count, 5);
    struct gg_safetensors_reader reader = {.set = &set, .fd = -1, .file = -1};
    float values[10];
    CHECK_OK(gg_safetensors_read(&reader, gg_safetensors_find(&set, "single"), 0, 3, values));
    assert_memory_equal(values, single, sizeof single);
    CHECK_OK(gg_safetensors_read(&reader, gg_safetensors_find(&set, "half"), 0, 10, values));
    assert_memory_equal(values, halves, sizeof halves);
    assert_true(isnan(values[9]));
    CHECK_OK(gg_safetensors_read(&reader, gg_safetensors_find(&set, "half"), 2, 3, values));
    assert_memory_equal(values, halves + 2, 3 * sizeof(float));
    CHECK_OK(gg_safetensors_read(&reader, gg_safetensors_find(&set, "brain"), 0, 2, values));
    assert_true(values[0] == 1 && values[1] == -3.140625f);
    CHECK_OK(gg_safetensors_read(&reader, gg_safetensors_find(&set, "none"), 0, 0, values));
    assert_int_equal(gg_safetensors_find(&set, "scalar")->dimensions, 0);
    assert_true(gg_safetensors_find(&set, "scalar")->type >= GG_SAFETENSORS_READABLE);
    assert_null(gg_safetensors_find(&set, "Half"));
    gg_safetensors_reader_close(&reader);
    gg_safetensors_free(&set);
}

/* One tensor, of these fields, in a file with so many bytes of data. */
#define TENSOR(dtype, shape, offsets)                                                                        \
    "{\"x\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const struct {
    const char *header;
    size_t data_bytes;
    uint64_t length;
    const char *said;
} hostile[] = {
    {TENSOR("F31", "[1]", "[0,4]"), 4, 0, "tensor x: dtype 'F31' is not known"},
    {TENSOR("F32", "[2]", "[0,4]"), 4, 0, "tensor x: data_offsets: 4 bytes, and its shape and dtype have 8"},
    {TENSOR("F32", "[1]", "[0,4]"), 3, 0, "tensor x: data_offsets: 0 to 4, and the file has 3 bytes of data"},
    {TENSOR("F32", "[1]", "[0,4]"), 5, 0, "the tensors end at byte 4 of the data, and the file has 5"},
    {TENSOR("F32", "[1]", "[4,8]"), 8, 0, "tensor x begins at byte 4 of the data, behind a hole from 0"},
    {TENSOR("F32", "[1]", "[-4,0]"), 4, 0, "data_offsets"},
    {TENSOR("F32", "[1]", "[4,0]"), 4, 0, "data_offsets"},
    {TENSOR("F32", "[1]", "[0,4,8]"), 4, 0, "data_offsets: a pair of offsets is wanted"},
    {TENSOR("F32", "[1]", "[0,4.0]"), 4, 0, "data_offsets: a pair of offsets is wanted"},
    {TENSOR("F32", "[1]", "[0,18446744073709551620]"), 4, 0, "not JSON"},
    {TENSOR("F32", "[-1,-1]", "[0,4]"), 4, 0, "shape: item 0 is no size"},
    {TENSOR("F32", "[1.0]", "[0,4]"), 4, 0, "shape: item 0 is no size"},
    {TENSOR("F32", "1", "[0,4]"), 4, 0, "shape: a list"},
    {TENSOR("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, 0, "shape: a list of at most 8 sizes"},
    {TENSOR("F32", "[4294967296,4294967296]", "[0,0]"), 0, 0, "shape: its elements are more"},
    {TENSOR("F32", "[4611686018427387904]", "[0,0]"), 0, 0, "shape: its bytes are more"},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
     "\"y\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
     6, 0, "tensor y begins at byte 2 of the data, within another, which ends at 4"},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
     "\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
     8, 0, "not JSON"},
    {"{\"x\":1}", 0, 0, "tensor x: dtype '' is not known"},
    {"[]", 0, 0, "its header is no JSON object"},
    {" {}", 0, 0, "its header is no JSON object"},
    {"{} {}", 0, 0, "its header: not JSON"},
    {"{}", 0, 3, "truncated: a header of 3 bytes in a file of 10"},
    {"{}", 0, 100000001, "a header of 100000001 bytes, and at most 100000000 are allowed"},
    {"{}", 0, UINT64_MAX, "a header of 18446744073709551615 bytes"},
};

static void hostile_files_are_refused(void **state) {
    (void)state;
    struct gg_safetensors set;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        put_file("model.safetensors", hostile[i].header, NULL, hostile[i].data_bytes, hostile[i].length);
        const gg_status status = gg_safetensors_open(folder, &set);
        CHECK_FAILS(status, GG_BAD_DATA, hostile[i].said);
        CHECK_FAILS(status, GG_BAD_DATA, "test_safetensors.folder/model.safetensors: ");
        assert_null(set.tensors);
    }
    put("model.safetensors", "1234567", 7);
    CHECK_FAILS(gg_safetensors_open(folder, &set), GG_BAD_DATA, "truncated: 7 bytes");
    put_file("model.safetensors", "{}", NULL, 0, 0);
    CHECK_OK(gg_safetensors_open(folder, &set));
    gg_safetensors_free(&set);
}

#define SHARD(name) "{\"" name "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"

static void put_index(const char *map) {
    char *text = gg_format("{\"weight_map\": %s}", map);
    put("model.safetensors.index.json", text, strlen(text));
    free(text);
}

static void indexes(void **state) {
    (void)state;
    static const struct {
        const char *map, *said;
    } refused[] = {
        {"{\"x\": \"a.safetensors\"}", "tensor y of test_safetensors.folder/b.safetensors"},
        {"{\"x\": \"a.safetensors\", \"y\": \"a.safetensors\"}",
         "weight_map: tensor y is not in a.safetensors"},
        {"{\"x\": \"a.safetensors\", \"y\": \"c.safetensors\"}",
         "weight_map: tensor y: shard c.safetensors is missing"},
        {"{\"x\": \"b.safetensors\", \"y\": \"a.safetensors\"}", "is not in"},
        {"{\"x\": \"../a.safetensors\"}", "weight_map: tensor x: '../a.safetensors' is no name"},
        {"{\"x\": \".safetensors\"}", "is no name of a shard"},
        {"{\"x\": \"a.bin\"}", "is no name of a shard"},
        {"{\"x\": 1}", "is no name of a shard"},
        {"[]", "weight_map: an object"},
        {"{\"x\": \"a.safetensors\", \"x\": \"b.safetensors\"}", "not JSON"},
    };
    const float values[] = {1, 2};
    struct gg_safetensors set;
    put_file("a.safetensors", SHARD("x"), &values[0], 4, 0);
    put_file("b.safetensors", SHARD("y"), &values[1], 4, 0);
    put_index("{\"x\": \"a.safetensors\", \"y\": \"b.safetensors\"}");
    CHECK_OK(gg_safetensors_open(folder, &set));
    struct gg_safetensors_reader reader = {.set = &set, .fd = -1, .file = -1};
    float value;
    CHECK_OK(gg_safetensors_read(&reader, gg_safetensors_find(&set, "y"), 0, 1, &value));
    assert_true(value == 2);
    CHECK_OK(gg_safetensors_read(&reader, gg_safetensors_find(&set, "x"), 0, 1, &value));
    assert_true(value == 1);
    gg_safetensors_reader_close(&reader);
    gg_safetensors_free(&set);
    for (size_t i = 1; i < sizeof refused / sizeof *refused; i++) {
        put_index(refused[i].map);
        CHECK_FAILS(gg_safetensors_open(folder, &set), GG_BAD_DATA, refused[i].said);
    }
    /* The index must tell of all that the shards hold. */
    put_file("b.safetensors",
             "{\"y\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
             "\"z\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[4,4]}}",
             NULL, 4, 0);
    put_index("{\"x\": \"a.safetensors\", \"y\": \"b.safetensors\"}");
    CHECK_FAILS(gg_safetensors_open(folder, &set), GG_BAD_DATA, "weight_map: tensor z of");
    put_file("b.safetensors", SHARD("x"), NULL, 4, 0);
    CHECK_FAILS(gg_safetensors_open(folder, &set), GG_BAD_DATA, "tensor x is in ");
}

static void other_folders(void **state) {
    (void)state;
    struct gg_safetensors set;
    CHECK_FAILS(gg_safetensors_open(folder, &set), GG_BAD_DATA, "holds neither model.safetensors nor");
    put("pytorch_model.bin", "x", 1);
    CHECK_FAILS(gg_safetensors_open(folder, &set), GG_BAD_DATA, "pytorch_model.bin: a pickle file");
    CHECK_FAILS(gg_safetensors_open(folder, &set), GG_BAD_DATA, "safe_serialization=True");
}

/* Writes two tensors, in stretches that fit neither, and reads them back. */
static void check_written(enum gg_safetensors_type type, const float *values, const float *expected) {
    static const struct gg_safetensors_item items[] = {{"first", 2, {3, 2}}, {"second", 1, {5, 0}}};
    char *path = path_of("model.safetensors");
    gg_safetensors_writer *writer;
    CHECK_OK(gg_safetensors_writer_create(path, items, 2, type, &writer));
    CHECK_OK(gg_safetensors_put(writer, values, 4));
    CHECK_OK(gg_safetensors_put(writer, values + 4, 7));
    CHECK_OK(gg_safetensors_writer_finish(writer));
    gg_safetensors_writer_destroy(&writer);
    free(path);
    struct gg_safetensors set;
    CHECK_OK(gg_safetensors_open(folder, &set));
    struct gg_safetensors_reader reader = {.set = &set, .fd = -1, .file = -1};
    float read[11];
    const struct gg_safetensors_tensor *first = gg_safetensors_find(&set, "first");
    assert_true(first->dimensions == 2 && first->sizes[0] == 3 && first->sizes[1] == 2);
    assert_int_equal(first->offset % 8, 0);
    CHECK_OK(gg_safetensors_read(&reader, first, 0, 6, read));
    CHECK_OK(gg_safetensors_read(&reader, gg_safetensors_find(&set, "second"), 0, 5, read + 6));
    assert_memory_equal(read, expected, sizeof read);
    gg_safetensors_reader_close(&reader);
    gg_safetensors_free(&set);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    static const float values[11] = {1, -2.5f, 0x1p-130f, 3.00390625f, 3.01171875f, 0, -0.0f, 1e38f, 5, 6, 7};
    /* Ties to even; 1e38 is not a bfloat16. */
    static const float rounded[11] = {1, -2.5f, 0x1p-130f, 3, 3.015625f, 0, -0.0f, 0x1.2cp+126f, 5, 6, 7};
    check_written(GG_SAFETENSORS_F32, values, values);
    check_written(GG_SAFETENSORS_BF16, values, rounded);
}

static void matrices_are_turned_over(void **state) {
    (void)state;
    enum { ROWS = 70, COLUMNS = 45, FROM = 50, TO = 73 };
    static float from[ROWS * FROM], to[COLUMNS * TO];
    for (int i = 0; i < ROWS * FROM; i++)
        from[i] = (float)i;
    for (int i = 0; i < COLUMNS * TO; i++)
        to[i] = -1;
    gg_transpose(from, FROM, ROWS, COLUMNS, to, TO);
    for (int c = 0; c < COLUMNS; c++)
        for (int r = 0; r < TO; r++)
            assert_true(to[c * TO + r] == (r < ROWS ? from[r * FROM + c] : -1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_types_are_read, empty_folder),
        cmocka_unit_test_setup(hostile_files_are_refused, empty_folder),
        cmocka_unit_test_setup(indexes, empty_folder),
        cmocka_unit_test_setup(other_folders, empty_folder),
        cmocka_unit_test_setup(what_is_written_is_read, empty_folder),
        cmocka_unit_test(matrices_are_turned_over),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
