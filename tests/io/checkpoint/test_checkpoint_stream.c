/* A checkpoint that is written in stretches is the file that is written at once, byte for byte. */
#include "tests/checkpoint_case.h"

#include "io/base/file.h"
#include "io/checkpoint/checkpoint_stream.h"

#include <unistd.h>

static const char at_once[] = "test_checkpoint_stream_whole.h5", streamed[] = "test_checkpoint_stream.h5",
                  temporary[] = "test_checkpoint_stream.h5.tmp";
static struct checkpoint_case written;

/* Puts elements [from, to) of a tensor, `step` at a time. */
static void put_range(gg_checkpoint_stream *stream, int index, int64_t from, int64_t to, int64_t step) {
    const struct gg_parameter *p = &written.graph.table.items[index];
    for (int64_t i = from; i < to; i += step)
        CHECK_OK(gg_checkpoint_stream_put(stream, index, written.values[0] + p->offset + i,
                                          to - i < step ? to - i : step));
}

/* Every second tensor whole, then the others, two of them in turns. */
static void put_all(gg_checkpoint_stream *stream) {
    const struct gg_parameter_table *table = &written.graph.table;
    for (int i = 0; i < table->count; i += 2)
        put_range(stream, i, 0, table->items[i].rows * table->items[i].columns, 1000);
    for (int i = 1; i < table->count; i += 2)
        put_range(stream, i, 0, table->items[i].rows * table->items[i].columns / 3, 7);
    for (int i = 1; i < table->count; i += 2) {
        const int64_t elements = table->items[i].rows * table->items[i].columns;
        put_range(stream, i, elements / 3, elements, elements);
    }
}

static void the_same_bytes(void **state) {
    (void)state;
    const struct gg_checkpoint_meta meta = case_meta();
    CHECK_OK(gg_checkpoint_write(MPI_COMM_SELF, at_once, &written.graph.table, written.values[0], NULL, NULL,
                                 &meta));
    gg_checkpoint_stream *stream;
    CHECK_OK(gg_checkpoint_stream_create(streamed, &written.graph.table, &meta, &stream));
    put_all(stream);
    assert_false(gg_file_exists(streamed));
    CHECK_OK(gg_checkpoint_stream_finish(stream));
    gg_checkpoint_stream_destroy(&stream);
    assert_null(stream);
    assert_false(gg_file_exists(temporary));

    struct gg_checkpoint_contents contents;
    CHECK_OK(gg_checkpoint_examine(streamed, &contents));
    CHECK_OK(gg_checkpoint_verify(streamed, &contents, NULL));
    gg_checkpoint_contents_free(&contents);
    char *a, *b;
    size_t a_bytes, b_bytes;
    CHECK_OK(gg_file_read(at_once, 1 << 26, &a, &a_bytes));
    CHECK_OK(gg_file_read(streamed, 1 << 26, &b, &b_bytes));
    assert_int_equal(a_bytes, b_bytes);
    assert_memory_equal(a, b, a_bytes);
    free(a);
    free(b);
}

static void nothing_half_written(void **state) {
    (void)state;
    const struct gg_checkpoint_meta meta = case_meta();
    unlink(streamed);
    gg_checkpoint_stream *stream;
    CHECK_OK(gg_checkpoint_stream_create(streamed, &written.graph.table, &meta, &stream));
    assert_true(gg_file_exists(temporary));
    put_range(stream, 0, 0, 100, 100);
    gg_checkpoint_stream_destroy(&stream);
    assert_false(gg_file_exists(temporary));
    assert_false(gg_file_exists(streamed));
    CHECK_FAILS(gg_checkpoint_stream_create("no-such-folder/x.h5", &written.graph.table, &meta, &stream),
                GG_STORAGE, "no-such-folder");
    gg_checkpoint_stream_destroy(&stream);
}

static int create_case(void **state) {
    (void)state;
    case_create(&written, 1, 1, 0, 0);
    return 0;
}

static int remove_files(void **state) {
    (void)state;
    unlink(at_once);
    unlink(streamed);
    case_free(&written);
    return 0;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes),
        cmocka_unit_test(nothing_half_written),
    };
    const int failed = cmocka_run_group_tests(tests, create_case, remove_files);
    MPI_Finalize();
    return failed;
}
