/* Another program reads a checkpoint: h5py finds the weights and moments under their Hugging Face names,
 * equal to what was written, and numpy computes the same checksums (tests/io/checkpoint/read_checkpoint.py). */
#include "tests/checkpoint_case.h"

#include "io/base/file.h"
#include "mpi/world/world.h"

#include <sys/wait.h>
#include <unistd.h>

static struct gg_world world;

static int python(const char *arguments) {
    const char *program = getenv("GG_TEST_PYTHON"), *source = getenv("GG_SOURCE");
    char command[2048];
    snprintf(command, sizeof command, "'%s' '%s/tests/io/checkpoint/read_checkpoint.py' %s",
             program != NULL ? program : "python3", source != NULL ? source : ".", arguments);
    return WEXITSTATUS(system(command));
}

/* The values as plain float32, tensor behind tensor, for the script to compare with. */
static void write_plain(const struct checkpoint_case *c) {
    FILE *file = fopen("test_checkpoint_h5py.raw", "wb");
    assert_non_null(file);
    for (int i = 0; i < 3; i++)
        for (int t = 0; t < c->graph.table.count; t++) {
            const struct gg_parameter *p = &c->graph.table.items[t];
            const size_t count = (size_t)(p->rows * p->columns);
            assert_int_equal(fwrite(c->values[i] + p->offset, sizeof(float), count, file), count);
        }
    assert_int_equal(fclose(file), 0);
}

static void h5py_reads_it(void **state) {
    (void)state;
    struct checkpoint_case c;
    case_create(&c, 1, 1, 0, 0);
    const struct gg_checkpoint_meta meta = case_meta();
    CHECK_OK(gg_checkpoint_write(world.comm, "test_checkpoint_h5py.h5", &c.graph.table, c.values[0],
                                 &gg_optimizer_adamw, c.values + 1, &meta));
    write_plain(&c);
    assert_int_equal(python("test_checkpoint_h5py.h5 test_checkpoint_h5py.raw"), 0);
    case_free(&c);
    unlink("test_checkpoint_h5py.h5");
    unlink("test_checkpoint_h5py.raw");
}

int main(void) {
    if (python("--probe") != 0) {
        printf("skipped: $GG_TEST_PYTHON has no h5py and numpy\n");
        return 77;
    }
    if (gg_world_start(&world) != GG_OK)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(h5py_reads_it)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gg_world_stop(&world);
    return failed;
}
