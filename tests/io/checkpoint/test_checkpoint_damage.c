/* Checkpoints that are damaged, cut or foreign: refused with the file's name, never taken for good, never a
 * crash. */
#include "tests/checkpoint_case.h"

#include "core/base/random.h"
#include "io/base/file.h"
#include "mpi/world/world.h"

#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

static const char path[] = "test_checkpoint_damage.h5";
static struct gg_world world;
static struct checkpoint_case whole;

static gg_status write_it(void) {
    const struct gg_checkpoint_meta meta = case_meta();
    return gg_checkpoint_write(world.comm, path, &whole.graph.table, whole.values[0], &gg_optimizer_adamw,
                               whole.values + 1, &meta);
}

static gg_status read_it(float *const values[3]) {
    return gg_checkpoint_read(world.comm, path, &whole.graph.table, values[0], &gg_optimizer_adamw,
                              values + 1);
}

/* Reads the file as it is now: refused with its name, or as good as it was written. Returns whether it was
 * taken. */
static bool refused_or_identical(const char *what, int64_t at) {
    static float *values[3];
    for (int i = 0; i < 3; i++)
        values[i] = values[i] != NULL ? values[i] : case_buffer(&whole.graph.table);
    struct gg_checkpoint_contents contents;
    gg_status status = gg_checkpoint_examine(path, &contents);
    if (status == GG_OK)
        status = read_it(values);
    if (status != GG_OK) {
        gg_checkpoint_contents_free(&contents);
        if (status != GG_BAD_DATA || strstr(gg_failure(), path) == NULL)
            fail_msg("%s at %lld: status %d: %s", what, (long long)at, (int)status, gg_failure());
        return false;
    }
    for (int i = 0; i < 3; i++)
        if (memcmp(values[i], whole.values[i], (size_t)whole.graph.table.local_elements * sizeof(float)) != 0)
            fail_msg("%s at %lld: other values were taken", what, (long long)at);
    const struct gg_checkpoint_meta meta = case_meta();
    assert_int_equal(contents.meta.step, meta.step);
    assert_string_equal(contents.meta.settings_yaml, meta.settings_yaml);
    assert_string_equal(contents.meta.tokenizer_json, meta.tokenizer_json);
    gg_checkpoint_contents_free(&contents);
    return true;
}

static void bit_flips(void **state) {
    (void)state;
    enum { FLIPS = 1500 };
    CHECK_OK(write_it());
    char *data;
    size_t bytes;
    CHECK_OK(gg_file_read(path, 1 << 26, &data, &bytes));
    int taken = 0;
    FILE *file = fopen(path, "r+b");
    for (int i = 0; i < FLIPS; i++) {
        /* Every other flip falls among the first 64 KiB, where most of HDF5's own structures are. */
        const uint64_t random = gg_random_bits(7, 1, (uint64_t)i);
        const int64_t at = (int64_t)((random >> 3) % (i % 2 == 0 || bytes < 65536 ? bytes : 65536));
        fseek(file, at, SEEK_SET);
        fputc(data[at] ^ (1 << (random & 7)), file);
        fflush(file);
        taken += refused_or_identical("bit flip", at);
        fseek(file, at, SEEK_SET);
        fputc(data[at], file);
        fflush(file);
    }
    fclose(file);
    assert_true(refused_or_identical("no flip", 0));
    print_message("%d of %d flips fell into bytes that hold nothing\n", taken, FLIPS);
    assert_true(taken < FLIPS / 2);
    free(data);
}

static void truncations(void **state) {
    (void)state;
    CHECK_OK(write_it());
    char *data;
    size_t bytes;
    CHECK_OK(gg_file_read(path, 1 << 26, &data, &bytes));
    for (int i = 0; i < 200; i++) {
        const uint64_t random = gg_random_bits(7, 2, (uint64_t)i);
        const size_t length = i < 20 ? (size_t)i * 5 : i < 40 ? bytes - (size_t)(i - 19) : random % bytes;
        FILE *file = fopen(path, "wb");
        assert_int_equal(fwrite(data, 1, length, file), length);
        fclose(file);
        assert_false(refused_or_identical("cut", (int64_t)length));
        /* The same with zeros in the place of what is lost, as after a crash of the machine. */
        if (i >= 40) {
            assert_int_equal(truncate(path, (off_t)bytes), 0);
            refused_or_identical("zeros from", (int64_t)length);
        }
    }
    free(data);
}

/* A page of the file exchanged with another, as a broken storage may do. */
static void torn_pages(void **state) {
    (void)state;
    enum { PAGE = 4096 };
    CHECK_OK(write_it());
    char *data;
    size_t bytes;
    CHECK_OK(gg_file_read(path, 1 << 26, &data, &bytes));
    const int pages = (int)(bytes / PAGE);
    for (int i = 0; i < 60; i++) {
        const uint64_t random = gg_random_bits(7, 3, (uint64_t)i);
        const int a = (int)(random % (uint64_t)pages), b = (int)((random >> 32) % (uint64_t)pages);
        FILE *file = fopen(path, "wb");
        fwrite(data, 1, bytes, file);
        fseek(file, (long)a * PAGE, SEEK_SET);
        fwrite(data + (size_t)b * PAGE, 1, PAGE, file);
        fclose(file);
        refused_or_identical("page", a);
    }
    free(data);
}

static void foreign_files(void **state) {
    (void)state;
    struct gg_checkpoint_contents contents;
    float *none[3] = {whole.values[0], NULL, NULL};
    CHECK_FAILS(gg_checkpoint_examine("no-such.h5", &contents), GG_STORAGE, "no-such.h5");
    CHECK_FAILS(gg_checkpoint_read(world.comm, "no-such.h5", &whole.graph.table, none[0], NULL, NULL),
                GG_STORAGE, "no-such.h5");
    CHECK_OK(gg_file_write(path, "model.layers: 12\n", 17));
    CHECK_FAILS(gg_checkpoint_examine(path, &contents), GG_BAD_DATA, "no HDF5 file");
    CHECK_OK(gg_file_write(path, "", 0));
    CHECK_FAILS(gg_checkpoint_examine(path, &contents), GG_BAD_DATA, path);
    CHECK_FAILS(gg_checkpoint_examine(".", &contents), GG_BAD_DATA, "folder");
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, "model", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    CHECK_FAILS(gg_checkpoint_examine(path, &contents), GG_BAD_DATA, "not a gridgpt checkpoint");
    assert_null(contents.tensors);
    unlink(path);
}

static void folder_listing(void **state) {
    (void)state;
    static const char folder[] = "test_checkpoint_damage.d";
    struct gg_checkpoint_list list;
    char *newest;
    CHECK_OK(gg_checkpoint_list("no-such-folder", &list));
    assert_int_equal(list.count, 0);
    CHECK_OK(gg_folder_create(folder));
    CHECK_OK(gg_checkpoint_newest(folder, &newest));
    assert_null(newest);
    static const char *const names[] = {"step-00000020.h5",     "step-00000100.h5",
                                        "step-00000003.h5",     "step-123456789.h5",
                                        "step-00000200.h5.tmp", "step-1.h5",
                                        "step-0000001x.h5",     "notes.h5"};
    char name[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        CHECK_OK(gg_file_write(name, "x", 1));
    }
    CHECK_OK(gg_checkpoint_list(folder, &list));
    assert_int_equal(list.count, 4);
    assert_int_equal(list.items[0].step, 3);
    assert_int_equal(list.items[3].step, 123456789);
    char *expected = gg_checkpoint_path(folder, 100);
    assert_string_equal(list.items[2].path, expected);
    free(expected);
    gg_checkpoint_list_free(&list);
    CHECK_OK(gg_checkpoint_newest(folder, &newest));
    assert_string_equal(newest, "test_checkpoint_damage.d/step-123456789.h5");
    free(newest);
    /* A file that is named for a step the run has not reached neither counts nor goes. */
    CHECK_OK(gg_checkpoint_prune(folder, 100, 2, 0));
    CHECK_OK(gg_checkpoint_list(folder, &list));
    assert_int_equal(list.count, 3);
    assert_int_equal(list.items[0].step, 20);
    assert_int_equal(list.items[2].step, 123456789);
    gg_checkpoint_list_free(&list);
    CHECK_OK(gg_checkpoint_prune(folder, 123456789, 2, 0));
    CHECK_OK(gg_checkpoint_remove_temporaries(folder));
    CHECK_OK(gg_checkpoint_list(folder, &list));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[0].step, 100);
    gg_checkpoint_list_free(&list);
    assert_false(gg_file_exists("test_checkpoint_damage.d/step-00000200.h5.tmp"));
    assert_true(gg_file_exists("test_checkpoint_damage.d/notes.h5"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        unlink(name);
    }
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    case_create(&whole, 1, 1, 0, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bit_flips),     cmocka_unit_test(truncations),    cmocka_unit_test(torn_pages),
        cmocka_unit_test(foreign_files), cmocka_unit_test(folder_listing),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    case_free(&whole);
    gg_world_stop(&world);
    return failed;
}
