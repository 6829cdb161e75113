/* Checkpoints over grids: what any P x Q grid writes, any other reads bit for bit, and the files are the same
 * byte for byte. */
#include "tests/checkpoint_case.h"

#include "io/base/file.h"
#include "jobs/command/settings.h"
#include "mpi/world/world.h"

#include <unistd.h>

static struct gg_world world;

/* Every grid that fits into the world. */
static const struct { int p, q; } grids[] = {{1, 1}, {2, 1}, {1, 2}, {3, 1}, {1, 3}, {4, 1}, {2, 2}, {1, 4}};
enum { GRIDS = sizeof grids / sizeof *grids };

static void file_name(char name[64], int grid) {
    snprintf(name, 64, "test_checkpoint_%d_%d.h5", world.size, grid);
}

/* The ranks of a grid; MPI_COMM_NULL on those outside. Rank r is at p = r % P, q = r / P, as a column-major
 * BLACS grid. */
static MPI_Comm grid_comm(int grid) {
    MPI_Comm comm;
    const bool inside = world.rank < grids[grid].p * grids[grid].q;
    MPI_Comm_split(world.comm, inside ? 0 : MPI_UNDEFINED, world.rank, &comm);
    return comm;
}

static bool fits(int grid) {
    return grids[grid].p * grids[grid].q <= world.size;
}

static void create(struct checkpoint_case *c, int grid) {
    case_create(c, grids[grid].p, grids[grid].q, world.rank % grids[grid].p, world.rank / grids[grid].p);
}

static void write_all(void) {
    for (int grid = 0; grid < GRIDS; grid++) {
        MPI_Comm comm = fits(grid) ? grid_comm(grid) : MPI_COMM_NULL;
        if (comm == MPI_COMM_NULL)
            continue;
        struct checkpoint_case c;
        char name[64];
        create(&c, grid);
        file_name(name, grid);
        const struct gg_checkpoint_meta meta = case_meta();
        CHECK_OK(gg_checkpoint_write(comm, name, &c.graph.table, c.values[0], &gg_optimizer_adamw,
                                     c.values + 1, &meta));
        case_free(&c);
        MPI_Comm_free(&comm);
    }
    MPI_Barrier(world.comm);
}

static void files_are_equal(void **state) {
    (void)state;
    write_all();
    char name[64], *first, *other;
    size_t first_bytes, other_bytes;
    file_name(name, 0);
    CHECK_OK(gg_file_read(name, 1 << 26, &first, &first_bytes));
    for (int grid = 1; grid < GRIDS; grid++) {
        if (!fits(grid))
            continue;
        file_name(name, grid);
        CHECK_OK(gg_file_read(name, 1 << 26, &other, &other_bytes));
        assert_int_equal(first_bytes, other_bytes);
        for (size_t i = 0; i < first_bytes; i++)
            if (first[i] != other[i])
                fail_msg("grid %dx%d: byte %zu of %zu differs", grids[grid].p, grids[grid].q, i, first_bytes);
        free(other);
    }
    free(first);
    MPI_Barrier(world.comm);
}

static void check_same(const float *got, const float *expected, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (memcmp(&got[i], &expected[i], sizeof(float)) != 0)
            fail_msg("element %lld: %.9g, expected %.9g", (long long)i, (double)got[i], (double)expected[i]);
}

/* Reads a file on a grid and compares; every buffer starts as garbage, so that padding is seen to be cleared.
 */
static void read_on(MPI_Comm comm, const char *name, int grid) {
    struct checkpoint_case c;
    create(&c, grid);
    float *read[3];
    for (int i = 0; i < 3; i++) {
        read[i] = case_buffer(&c.graph.table);
        for (int t = 0; t < c.graph.table.count; t++) {
            const struct gg_parameter *p = &c.graph.table.items[t];
            memset(read[i] + p->offset, 0xcd, (size_t)(p->local_rows * p->local_columns) * sizeof(float));
        }
    }
    CHECK_OK(gg_checkpoint_read(comm, name, &c.graph.table, read[0], &gg_optimizer_adamw, read + 1));
    for (int i = 0; i < 3; i++)
        check_same(read[i], c.values[i], c.graph.table.local_elements);
    memset(read[0], 0, (size_t)c.graph.table.local_elements * sizeof(float));
    CHECK_OK(gg_checkpoint_read(comm, name, &c.graph.table, read[0], NULL, NULL));
    check_same(read[0], c.values[0], c.graph.table.local_elements);
    for (int i = 0; i < 3; i++)
        free(read[i]);
    case_free(&c);
}

static void any_grid_reads_any(void **state) {
    (void)state;
    /* The files are equal, so that two of them stand for all. */
    const int files[] = {0, world.size - 1};
    for (int i = 0; i < (world.size > 1 ? 2 : 1); i++) {
        const int written = files[i];
        for (int grid = 0; grid < GRIDS; grid++) {
            if (!fits(grid))
                continue;
            MPI_Comm comm = grid_comm(grid);
            if (comm == MPI_COMM_NULL)
                continue;
            char name[64];
            file_name(name, written);
            read_on(comm, name, grid);
            MPI_Comm_free(&comm);
        }
    }
    MPI_Barrier(world.comm);
}

static void metadata_reach_every_rank(void **state) {
    (void)state;
    char name[64];
    file_name(name, 0);
    struct gg_checkpoint_contents contents;
    CHECK_OK(gg_checkpoint_open(world.comm, name, &contents));
    const struct gg_checkpoint_meta expected = case_meta(), *meta = &contents.meta;
    assert_int_equal(meta->step, expected.step);
    assert_int_equal(meta->updates, expected.updates);
    assert_int_equal(meta->consumed_samples, expected.consumed_samples);
    assert_int_equal(meta->data_seed, expected.data_seed);
    assert_true(meta->data_fingerprint == expected.data_fingerprint);
    assert_true(meta->tokenizer_fingerprint == expected.tokenizer_fingerprint);
    assert_true(meta->train_loss == 3.25 && isnan(meta->val_loss));
    assert_string_equal(meta->settings_yaml, expected.settings_yaml);
    assert_int_equal(meta->tokenizer_bytes, expected.tokenizer_bytes);
    assert_string_equal(meta->tokenizer_json, expected.tokenizer_json);
    assert_int_equal(contents.count, 3 * 28);
    assert_string_equal(contents.tensors[0].name, "transformer.wte.weight");
    assert_string_equal(contents.tensors[27].name, "transformer.ln_f.bias");
    assert_string_equal(contents.tensors[28].group, "optimizer/exp_avg");
    assert_true(contents.tensors[0].rows == 187 && contents.tensors[0].columns == 48);
    assert_int_equal(contents.tensors[27].dimensions, 1);
    bool good[3 * 28];
    CHECK_OK(gg_checkpoint_verify(name, &contents, good));
    for (int i = 0; i < contents.count; i++)
        assert_true(good[i]);
    gg_checkpoint_contents_free(&contents);
    MPI_Barrier(world.comm);
}

/* What adapters stand beside reaches every rank too, and another base is refused with both checksums. */
static void check_base(const char *name, const struct gg_checkpoint_meta *meta) {
    struct gg_checkpoint_contents contents;
    CHECK_OK(gg_checkpoint_open(world.comm, name, &contents));
    assert_string_equal(contents.meta.base_path, meta->base_path);
    assert_true(contents.meta.base_checksum == meta->base_checksum);
    CHECK_FAILS(gg_checkpoint_check_base("a.h5", meta, name, &contents), GG_BAD_DATA, "holds adapters alone");
    free(contents.meta.base_path);
    contents.meta.base_path = NULL;
    char both[200];
    snprintf(both, sizeof both, "checksum 00fedcba98765432, and those of %s have %016llx", name,
             (unsigned long long)gg_checkpoint_weights_checksum(&contents));
    CHECK_FAILS(gg_checkpoint_check_base("a.h5", meta, name, &contents), GG_BAD_DATA, both);
    struct gg_checkpoint_meta right = *meta;
    right.base_checksum = gg_checkpoint_weights_checksum(&contents);
    CHECK_OK(gg_checkpoint_check_base("a.h5", &right, name, &contents));
    contents.tensors[0].checksum++;
    assert_true(gg_checkpoint_weights_checksum(&contents) != right.base_checksum);
    gg_checkpoint_contents_free(&contents);
    MPI_Barrier(world.comm);
}

/* Blocks that do not come out even: 50 columns in blocks of 8 dealt out over the ranks, 7 rows over none, so
 * that the last block is cut and some ranks end in padding. */
static void uneven_blocks(void **state) {
    (void)state;
    const int shards = world.size;
    struct gg_parameter item = {.name = "odd.weight",
                                .layout = GG_LAYOUT_MATRIX,
                                .rows = 7,
                                .columns = 50,
                                .dimensions = 2,
                                .column_block = 8,
                                .initial = GG_INITIAL_NORMAL,
                                .deviation = 1,
                                .local_rows = 9,
                                .local_columns = (7 + shards - 1) / shards * 8};
    const int64_t elements = item.local_rows * item.local_columns;
    const struct gg_parameter_table table = {&item, 1, elements, {shards, world.rank, 1, 0}, elements};
    struct gg_parameter whole_item = item;
    whole_item.column_block = whole_item.local_columns = 50;
    whole_item.local_rows = 7;
    const struct gg_parameter_table whole = {&whole_item, 1, 350, {1, 0, 1, 0}, 350};
    float *values = case_buffer(&table), *expected = case_buffer(&whole), read[350];
    gg_parameters_initialise(&table, 5, values);
    gg_parameters_initialise(&whole, 5, expected);
    char name[64];
    snprintf(name, sizeof name, "test_checkpoint_odd_%d.h5", world.size);
    struct gg_checkpoint_meta meta = case_meta();
    meta.tokenizer_json = NULL;
    meta.tokenizer_bytes = 0;
    meta.base_path = (char *)"/some where/base.h5";
    meta.base_checksum = 0x00fedcba98765432;
    CHECK_OK(gg_checkpoint_write(world.comm, name, &table, values, NULL, NULL, &meta));
    check_base(name, &meta);
    CHECK_OK(gg_checkpoint_read(MPI_COMM_SELF, name, &whole, read, NULL, NULL));
    check_same(read, expected, 350);
    float *again = case_buffer(&table);
    memset(again, 0xcd, (size_t)table.local_elements * sizeof *again);
    CHECK_OK(gg_checkpoint_read(world.comm, name, &table, again, NULL, NULL));
    check_same(again, values, table.local_elements);

    CHECK_FAILS(gg_checkpoint_read(MPI_COMM_SELF, name, &whole, read, &gg_optimizer_adamw,
                                   (float *const[]){read, read}),
                GG_BAD_DATA, "no optimizer state");
    whole_item.columns = 49;
    CHECK_FAILS(gg_checkpoint_read(MPI_COMM_SELF, name, &whole, read, NULL, NULL), GG_BAD_DATA,
                "7 x 50 there and 7 x 49");
    strcpy(whole_item.name, "even.weight");
    CHECK_FAILS(gg_checkpoint_read(MPI_COMM_SELF, name, &whole, read, NULL, NULL), GG_BAD_DATA,
                "tensor even.weight is not in it");
    MPI_Barrier(world.comm);
    free(again);
    free(values);
    free(expected);
    if (world.rank == 0)
        unlink(name);
}

static void clean(void) {
    MPI_Barrier(world.comm);
    for (int grid = 0; world.rank == 0 && grid < GRIDS; grid++) {
        char name[64];
        file_name(name, grid);
        unlink(name);
    }
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_equal),
        cmocka_unit_test(any_grid_reads_any),
        cmocka_unit_test(metadata_reach_every_rank),
        cmocka_unit_test(uneven_blocks),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    clean();
    gg_world_stop(&world);
    return failed;
}
