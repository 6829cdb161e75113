/* Checkpoints that cannot be written: every rank learns it, the older file stays as it was, and neither a
 * final nor a temporary name is left behind. The system's writes fail on one rank of a grid, on any, or on
 * all. */
#include "tests/checkpoint_case.h"

#include "io/base/file.h"
#include "mpi/world/world.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char path[64], temporary[80];
static struct gg_world world;
static struct checkpoint_case part; /* of a grid of world.size feature shards */

/* The system's writes go through here: when armed, all behind the first `allowed_bytes` fail. */
static int64_t allowed_bytes = -1;
static int failing_errno;

static bool refuse_write(size_t bytes) {
    if (allowed_bytes < 0)
        return false;
    if ((int64_t)bytes <= allowed_bytes) {
        allowed_bytes -= (int64_t)bytes;
        return false;
    }
    allowed_bytes = 0;
    errno = failing_errno;
    return true;
}

static size_t total(const struct iovec *pieces, int count) {
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += pieces[i].iov_len;
    return bytes;
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset) {
    return refuse_write(bytes) ? -1 : syscall(SYS_pwrite64, fd, data, bytes, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t offset);
ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t offset) {
    return pwrite(fd, data, bytes, offset);
}
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) {
    return refuse_write(total(pieces, count)) ? -1 : syscall(SYS_pwritev, fd, pieces, count, offset, 0);
}
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t offset);
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t offset) {
    return pwritev(fd, pieces, count, offset);
}

/* A checkpoint of the given step; its file begins with another metadata checksum for each. */
static gg_status write_step(int64_t step) {
    struct gg_checkpoint_meta meta = case_meta();
    meta.step = step;
    return gg_checkpoint_write(world.comm, path, &part.graph.table, part.values[0], &gg_optimizer_adamw,
                               part.values + 1, &meta);
}

/* The file is a whole one of that step, and no temporary file is beside it. */
static void check_step(int64_t step) {
    struct gg_checkpoint_contents contents;
    CHECK_OK(gg_checkpoint_open(world.comm, path, &contents));
    assert_int_equal(contents.meta.step, step);
    gg_checkpoint_contents_free(&contents);
    float *values = case_buffer(&part.graph.table);
    CHECK_OK(gg_checkpoint_read(world.comm, path, &part.graph.table, values, NULL, NULL));
    assert_memory_equal(values, part.values[0], (size_t)part.graph.table.local_elements * sizeof(float));
    free(values);
    assert_false(gg_file_exists(temporary));
    MPI_Barrier(world.comm);
}

static void no_room(void **state) {
    (void)state;
    CHECK_OK(write_step(1));
    struct rlimit old, tight;
    getrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_IGN);
    tight = old;
    tight.rlim_cur = 100000;
    setrlimit(RLIMIT_FSIZE, &tight);
    CHECK_FAILS(write_step(2), GG_STORAGE, path);
    setrlimit(RLIMIT_FSIZE, &old);
    check_step(1);
    const struct gg_checkpoint_meta meta = case_meta();
    CHECK_FAILS(gg_checkpoint_write(world.comm, "no-such-folder/x.h5", &part.graph.table, part.values[0],
                                    NULL, NULL, &meta),
                GG_STORAGE, "no-such-folder");
}

/* Fails all writes of the ranks in `ranks` (a bit each) behind their first `bytes`; whether it was noticed.
 */
static bool fails_after(int64_t bytes, unsigned ranks, int error) {
    failing_errno = error;
    allowed_bytes = (ranks >> world.rank & 1) != 0 ? bytes : -1;
    const gg_status status = write_step(2);
    allowed_bytes = -1;
    if (status == GG_OK)
        return false;
    if (status != GG_STORAGE || strstr(gg_failure(), path) == NULL)
        fail_msg("status %d: %s", (int)status, gg_failure());
    return true;
}

static void writes_that_fail(void **state) {
    (void)state;
    enum { ROUNDS = 24 };
    CHECK_OK(write_step(1));
    const int64_t bytes = gg_file_size(path);
    int failed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        /* All ranks fail, or only the last one. */
        const unsigned ranks = i % 2 == 0 ? ~0u : 1u << (world.size - 1);
        const bool noticed = fails_after(bytes / world.size * i / ROUNDS, ranks, i % 3 == 0 ? EIO : ENOSPC);
        failed += noticed;
        check_step(noticed ? 1 : 2);
        if (!noticed)
            CHECK_OK(write_step(1));
    }
    assert_true(failed >= ROUNDS / 2);
    CHECK_OK(write_step(3));
    check_step(3);
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    snprintf(path, sizeof path, "test_checkpoint_storage_%d.h5", world.size);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    case_create(&part, world.size, 1, world.rank, 0);
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_room), cmocka_unit_test(writes_that_fail)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Barrier(world.comm);
    if (world.rank == 0)
        unlink(path);
    case_free(&part);
    gg_world_stop(&world);
    return failed;
}
