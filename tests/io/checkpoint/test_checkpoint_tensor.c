/* Tensors of a checkpoint taken out one by one: the values that were written, and damage noticed. */
#include "tests/checkpoint_case.h"

#include "io/checkpoint/checkpoint_tensor.h"
#include "mpi/world/world.h"

#include <fcntl.h>
#include <unistd.h>

static const char name[] = "test_checkpoint_tensor.h5";
static struct checkpoint_case written;

static float *load(const char *path, const struct gg_checkpoint_tensor *tensor, gg_status *status) {
    float *values = gg_calloc((size_t)(tensor->rows * tensor->columns), sizeof *values);
    *status = gg_checkpoint_load_tensor(path, tensor, values);
    return values;
}

static void values_are_those_written(void **state) {
    (void)state;
    static const char *const groups[] = {"model", "optimizer/exp_avg", "optimizer/exp_avg_sq"};
    struct gg_checkpoint_contents contents;
    CHECK_OK(gg_checkpoint_examine(name, &contents));
    const struct gg_parameter_table *table = &written.graph.table;
    for (int g = 0; g < 3; g++)
        for (int i = 0; i < table->count; i++) {
            const struct gg_parameter *p = &table->items[i];
            const struct gg_checkpoint_tensor *tensor =
                gg_checkpoint_find_tensor(&contents, groups[g], p->name);
            assert_non_null(tensor);
            gg_status status;
            float *values = load(name, tensor, &status);
            CHECK_OK(status);
            for (int64_t r = 0; r < p->rows; r++)
                assert_memory_equal(values + r * p->columns,
                                    written.values[g] + p->offset + r * p->local_columns,
                                    (size_t)p->columns * sizeof(float));
            free(values);
        }
    assert_null(gg_checkpoint_find_tensor(&contents, "model", "transformer.none"));
    assert_null(gg_checkpoint_find_tensor(&contents, "optimizer", table->items[0].name));
    gg_checkpoint_contents_free(&contents);
}

static void damage_is_noticed(void **state) {
    (void)state;
    struct gg_checkpoint_contents contents;
    CHECK_OK(gg_checkpoint_examine(name, &contents));
    const struct gg_checkpoint_tensor *tensor =
        gg_checkpoint_find_tensor(&contents, "model", "transformer.h.1.mlp.c_fc.weight");
    gg_status status;
    free(load("missing.h5", tensor, &status));
    CHECK_FAILS(status, GG_STORAGE, "missing.h5");
    const int fd = open(name, O_RDWR);
    const char byte = 0x5a;
    assert_int_equal(pwrite(fd, &byte, 1, tensor->offset + 4 * (tensor->rows * tensor->columns - 1)), 1);
    free(load(name, tensor, &status));
    CHECK_FAILS(status, GG_BAD_DATA,
                "tensor model/transformer.h.1.mlp.c_fc.weight does not fit its checksum");
    assert_int_equal(ftruncate(fd, tensor->offset + 100), 0);
    free(load(name, tensor, &status));
    CHECK_FAILS(status, GG_STORAGE, "tensor model/transformer.h.1.mlp.c_fc.weight cannot be read");
    close(fd);
    gg_checkpoint_contents_free(&contents);
}

static int write_checkpoint(void **state) {
    (void)state;
    case_create(&written, 1, 1, 0, 0);
    const struct gg_checkpoint_meta meta = case_meta();
    return gg_checkpoint_write(MPI_COMM_SELF, name, &written.graph.table, written.values[0],
                               &gg_optimizer_adamw, written.values + 1, &meta) == GG_OK
               ? 0
               : -1;
}

static int remove_checkpoint(void **state) {
    (void)state;
    unlink(name);
    case_free(&written);
    return 0;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_written),
        cmocka_unit_test(damage_is_noticed),
    };
    const int failed = cmocka_run_group_tests(tests, write_checkpoint, remove_checkpoint);
    MPI_Finalize();
    return failed;
}
