/* What --verify promises: whichever bit of a small shard's or checkpoint's file is flipped, it is refused, or
 * the file is the same to any reader. h5py judges that: names in every order, attributes, sizes, values. */
#include "jobs/use/model_print.h"
#include "tests/check.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/checkpoint/checkpoint.h"
#include "io/shards/shard.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char path[] = "test_verify_flips.h5", list[] = "test_verify_flips.txt";
static FILE *nowhere;

static gg_status verify_checkpoint(void) {
    return gg_checkpoint_print(path, true, false, gg_model_print, nowhere);
}

static gg_status verify_shard(void) {
    return gg_shard_describe(path, true, nowhere);
}

/* Flips a bit of every `stride`-th byte in turn; those that pass are listed for h5py, which knows the file as
 * it was. */
static void flip_all(const char *seed, size_t stride, gg_status (*verify)(void)) {
    const char *source = getenv("GG_SOURCE"), *python = getenv("GG_TEST_PYTHON");
    assert_true(source != NULL && python != NULL);
    char *from = gg_format("%s/tests/fuzz/corpus/%s", source, seed), *data;
    size_t bytes, passed = 0, tried = 0;
    CHECK_OK(gg_file_read(from, 1 << 20, &data, &bytes));
    CHECK_OK(gg_file_write(path, data, bytes));
    CHECK_OK(verify());
    FILE *file = fopen(path, "r+b"), *passes = fopen(list, "w");
    assert_true(file != NULL && passes != NULL);
    setvbuf(file, NULL, _IONBF, 0);
    for (size_t at = 0; at < bytes; at += stride, tried++) {
        const int bit = (int)(at % 8);
        fseek(file, (long)at, SEEK_SET);
        fputc((unsigned char)data[at] ^ (1 << bit), file);
        const gg_status status = verify();
        if (status == GG_OK) {
            fprintf(passes, "%zu %d\n", at, bit);
            passed++;
        } else if (status != GG_BAD_DATA || strstr(gg_failure(), path) == NULL) {
            fail_msg("byte %zu, bit %d: status %d: %s", at, bit, (int)status, gg_failure());
        }
        fseek(file, (long)at, SEEK_SET);
        fputc((unsigned char)data[at], file);
    }
    fclose(file);
    fclose(passes);
    CHECK_OK(verify());
    print_message("%s: %zu of %zu flips make no difference\n", seed, passed, tried);
    char *command = gg_format("%s %s/tests/jobs/use/walk_flips.py %s %s", python, source, path, list);
    assert_int_equal(system(command), 0);
    free(command);
    free(data);
    free(from);
    unlink(path);
    unlink(list);
}

static void checkpoint_flips(void **state) {
    (void)state;
    flip_all("checkpoint/weights.h5", 3, verify_checkpoint);
}

static void shard_flips(void **state) {
    (void)state;
    flip_all("shard/shard16.h5", 1, verify_shard);
}

int main(void) {
    nowhere = fopen("/dev/null", "w");
    assert_non_null(nowhere);
    const struct CMUnitTest tests[] = {cmocka_unit_test(checkpoint_flips), cmocka_unit_test(shard_flips)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fclose(nowhere);
    return failed;
}
