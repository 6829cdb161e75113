/* Checkpoints that all replicas write together: for every D x P x Q of the world, with flat and with compact
 * moments, at once and behind, the file is the one that a single rank writes, byte for byte, and every share
 * reads back bit for bit. */
#include "tests/checkpoint_case.h"

#include "io/base/file.h"
#include "io/checkpoint/checkpoint_writer.h"
#include "mpi/world/topology.h"
#include "mpi/world/world.h"

#include <unistd.h>

/* Small, so that ranges begin and end within rows. */
enum { BUCKET_BYTES = 4 * 1001 };

static struct gg_world world;
static char folder[64];

struct shared_case {
    struct gg_topology topology;
    struct checkpoint_case values;
    struct gg_partition partition;
    struct gg_range *ranges;
    float *compact[3]; /* this replica's ranges */
    struct gg_checkpoint_share share;
};

static void shared_create(struct shared_case *c, int p, int q, bool compact) {
    const struct gg_place place = gg_place_of(world.size, p, q, world.rank);
    gg_topology_create(&world, &place, &c->topology);
    case_create(&c->values, p, q, c->topology.shards.feature_index, c->topology.shards.token_index);
    const struct gg_summation summation =
        gg_summation_make(c->topology.replicas, c->topology.replicas, GG_REDUCTION_TREE);
    c->partition = gg_partition_cut(c->values.graph.table.local_elements, BUCKET_BYTES, &summation);
    c->ranges = gg_malloc((size_t)c->partition.bucket_count * sizeof *c->ranges);
    const int64_t elements = gg_partition_ranges(&c->partition, c->topology.replica, c->ranges);
    c->share = (struct gg_checkpoint_share){.table = &c->values.graph.table,
                                            .ranges = c->ranges,
                                            .range_count = (int)c->partition.bucket_count,
                                            .optimizer = &gg_optimizer_adamw};
    for (int g = 0; g < 3; g++) {
        c->compact[g] = gg_calloc((size_t)elements + 1, sizeof(float));
        for (int i = 0; i < c->share.range_count; i++)
            memcpy(c->compact[g] + c->ranges[i].at, c->values.values[g] + c->ranges[i].from,
                   (size_t)(c->ranges[i].to - c->ranges[i].from) * sizeof(float));
        c->share.compact[g] = compact && g > 0;
        c->share.values[g] = c->share.compact[g] ? c->compact[g] : c->values.values[g];
    }
}

static void shared_free(struct shared_case *c) {
    for (int g = 0; g < 3; g++)
        free(c->compact[g]);
    free(c->ranges);
    case_free(&c->values);
    gg_topology_free(&c->topology);
}

/* The file that one rank writes. */
static void expected_file(char **data, size_t *bytes) {
    char name[80];
    snprintf(name, sizeof name, "%s/one-%d.h5", folder, world.rank);
    struct checkpoint_case one;
    const struct gg_checkpoint_meta meta = case_meta();
    case_create(&one, 1, 1, 0, 0);
    CHECK_OK(gg_checkpoint_write(MPI_COMM_SELF, name, &one.graph.table, one.values[0], &gg_optimizer_adamw,
                                 one.values + 1, &meta));
    case_free(&one);
    CHECK_OK(gg_file_read(name, 1 << 26, data, bytes));
    unlink(name);
}

static void check_file(const struct shared_case *c, const char *path) {
    char *expected, *data;
    size_t expected_bytes, bytes;
    expected_file(&expected, &expected_bytes);
    CHECK_OK(gg_file_read(path, 1 << 26, &data, &bytes));
    assert_int_equal(bytes, expected_bytes);
    for (size_t i = 0; i < bytes; i++)
        if (data[i] != expected[i])
            fail_msg("%d x %d x %d: byte %zu of %zu differs", c->topology.replicas,
                     c->topology.shards.feature_shards, c->topology.shards.token_shards, i, bytes);
    free(expected);
    free(data);
}

/* Reads into buffers of garbage. What the ranges hold of tensors must come out whole; the gaps between
 * tensors and the other replicas' ranges must stay as they were. */
static void check_read(struct shared_case *c, const char *path) {
    const struct gg_parameter_table *table = &c->values.graph.table;
    struct gg_checkpoint_share share = c->share;
    float *read[3];
    for (int g = 0; g < 3; g++) {
        read[g] = gg_malloc(((size_t)table->local_elements + 1) * sizeof(float));
        memset(read[g], 0xcd, ((size_t)table->local_elements + 1) * sizeof(float));
        share.values[g] = read[g];
    }
    const float garbage = read[0][0];
    CHECK_OK(gg_checkpoint_read_share(world.comm, path, &share));
    for (int g = 0; g < 3; g++) {
        int64_t checked = 0;
        for (int i = 0; i < table->count; i++) {
            const struct gg_parameter *p = &table->items[i];
            for (int64_t e = p->offset; e < p->offset + p->local_rows * p->local_columns; e++) {
                bool mine = false;
                for (int k = 0; k < share.range_count && !mine; k++) {
                    const struct gg_range *range = &share.ranges[k];
                    mine = e >= range->from && e < range->to;
                    if (mine && memcmp(&read[g][share.compact[g] ? range->at + e - range->from : e],
                                       &c->values.values[g][e], sizeof(float)) != 0)
                        fail_msg("group %d, %s: element %lld differs", g, p->name, (long long)e);
                }
                checked += mine;
                if (!mine && !share.compact[g] && memcmp(&read[g][e], &garbage, sizeof garbage) != 0)
                    fail_msg("group %d, %s: element %lld of another replica was touched", g, p->name,
                             (long long)e);
            }
        }
        assert_true(checked > table->local_elements / world.size / 2);
    }
    for (int g = 0; g < 3; g++)
        free(read[g]);
}

static void every_layout(void **state) {
    (void)state;
    const struct gg_checkpoint_meta meta = case_meta();
    char path[80];
    snprintf(path, sizeof path, "%s/shared.h5", folder);
    for (int p = 1; p <= world.size; p++) {
        for (int q = 1; p * q <= world.size; q++) {
            if (world.size % (p * q) != 0)
                continue;
            for (int compact = 0; compact < 2; compact++) {
                struct shared_case c;
                shared_create(&c, p, q, compact);
                CHECK_OK(gg_checkpoint_write_share(world.comm, path, &c.share, &meta));
                check_file(&c, path);
                check_read(&c, path);
                MPI_Barrier(world.comm);
                shared_free(&c);
            }
        }
    }
    if (world.rank == 0)
        unlink(path);
}

/* Behind: what stood in the buffers at the beginning is written, whatever comes after. */
static void behind(void **state) {
    (void)state;
    assert_true(gg_checkpoint_writer_can_wait());
    for (int mode = 0; mode < 2; mode++) {
        struct shared_case c;
        gg_checkpoint_writer *writer;
        struct gg_checkpoint_outcome outcome;
        shared_create(&c, 1, 1, true);
        CHECK_OK(gg_checkpoint_writer_create(world.comm, &c.share, mode == 0, &writer));
        assert_false(gg_checkpoint_writer_busy(writer));
        for (int round = 0; round < 3; round++) {
            const struct gg_checkpoint_meta meta = case_meta();
            const struct gg_checkpoint_retention retention = {1, 0, false};
            gg_checkpoint_writer_begin(writer, folder, &meta, &retention);
            assert_true(gg_checkpoint_writer_busy(writer));
            const float kept = c.share.values[0][c.ranges[0].from];
            if (mode == 0)
                c.share.values[0][c.ranges[0].from] = 1e9f;
            /* The world goes on meanwhile. */
            for (int i = 0; i < 200; i++)
                CHECK_OK(gg_agree(world.comm, GG_OK));
            CHECK_OK(gg_checkpoint_writer_wait(writer, &outcome));
            c.share.values[0][c.ranges[0].from] = kept;
            assert_true(outcome.written && outcome.step == meta.step && outcome.write_seconds > 0);
            assert_false(gg_checkpoint_writer_busy(writer));
            char *path = gg_checkpoint_path(folder, meta.step);
            check_file(&c, path);
            free(path);
            MPI_Barrier(world.comm);
        }
        /* A failure is told by the wait, on every rank. */
        const struct gg_checkpoint_meta meta = case_meta();
        const struct gg_checkpoint_retention retention = {1, 0, false};
        gg_checkpoint_writer_begin(writer, "/proc/no-such-folder", &meta, &retention);
        CHECK_FAILS(gg_checkpoint_writer_wait(writer, &outcome), GG_STORAGE, "no-such-folder");
        assert_false(outcome.written);
        /* A folder that is gone is made again. */
        char gone[80];
        snprintf(gone, sizeof gone, "%s/gone", folder);
        gg_checkpoint_writer_begin(writer, gone, &meta, &retention);
        CHECK_OK(gg_checkpoint_writer_wait(writer, &outcome));
        assert_true(outcome.written && outcome.folder_made == (world.rank == 0));
        if (world.rank == 0) {
            char *name = gg_checkpoint_path(gone, meta.step);
            assert_int_equal(unlink(name), 0);
            assert_int_equal(rmdir(gone), 0);
            free(name);
        }
        gg_checkpoint_writer_destroy(&writer);
        shared_free(&c);
    }
    char *path = gg_checkpoint_path(folder, case_meta().step);
    if (world.rank == 0)
        unlink(path);
    free(path);
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    snprintf(folder, sizeof folder, "test_checkpoint_share_%d.d", world.size);
    if (gg_agree(world.comm, world.rank == 0 ? gg_folder_create(folder) : GG_OK) != GG_OK)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_layout), cmocka_unit_test(behind)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Barrier(world.comm);
    if (world.rank == 0)
        rmdir(folder);
    gg_world_stop(&world);
    return failed;
}
