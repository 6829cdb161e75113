/* A storage that fails while a checkpoint is opened or read is not a damaged checkpoint: for every call of
 * the system that is made, and each error that it may give, every rank gets GG_STORAGE or GG_RESOURCE with
 * the file's name and the system's reason. */
#include "tests/checkpoint_case.h"

#include "io/base/file.h"
#include "mpi/world/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char path[64];
static struct gg_world world;
static struct checkpoint_case part; /* of a grid of world.size feature shards */

/* The calls that name the file, or read it: when armed, the one behind `allowed` others fails. */
static int64_t allowed = -1;
static int failing_errno, failures;

static bool refuse(bool meant) {
    if (!meant || allowed < 0 || allowed-- > 0)
        return false;
    failures++;
    errno = failing_errno;
    return true;
}

static bool is_it(int fd) {
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, name, sizeof name - 1);
    return length > (ssize_t)strlen(path) && memcmp(name + length - strlen(path), path, strlen(path)) == 0;
}

int open(const char *name, int flags, ...) {
    va_list args;
    va_start(args, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return refuse(strcmp(name, path) == 0) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, name, flags, mode);
}
ssize_t pread(int fd, void *data, size_t bytes, off_t offset) {
    return refuse(is_it(fd)) ? -1 : syscall(SYS_pread64, fd, data, bytes, offset);
}
ssize_t preadv(int fd, const struct iovec *pieces, int count, off_t offset) {
    return refuse(is_it(fd)) ? -1 : syscall(SYS_preadv, fd, pieces, count, offset, 0);
}

static gg_status read_all(void) {
    static float *values[3];
    for (int i = 0; i < 3; i++)
        values[i] = values[i] != NULL ? values[i] : case_buffer(&part.graph.table);
    return gg_checkpoint_read(world.comm, path, &part.graph.table, values[0], &gg_optimizer_adamw,
                              values + 1);
}

static gg_status examine(void) {
    struct gg_checkpoint_contents contents;
    const gg_status status = gg_checkpoint_examine(path, &contents);
    gg_checkpoint_contents_free(&contents);
    return status;
}

static gg_status verify(void) {
    struct gg_checkpoint_contents contents;
    GG_TRY(gg_checkpoint_examine(path, &contents));
    const gg_status status = gg_checkpoint_verify(path, &contents, NULL);
    gg_checkpoint_contents_free(&contents);
    return status;
}

/* Lets the n-th call fail, on the last rank or on all, for every n that there is; returns how many. */
static int every_call(const char *what, gg_status (*call)(void), bool everywhere, int error,
                      gg_status expected) {
    int n = 0;
    for (int more = 1; more != 0; n++) {
        failing_errno = error;
        failures = 0;
        allowed = everywhere || world.rank == world.size - 1 ? n : -1;
        const gg_status status = call();
        allowed = -1;
        more = failures;
        if (everywhere || call == read_all)
            MPI_Allreduce(MPI_IN_PLACE, &more, 1, MPI_INT, MPI_MAX, world.comm);
        if (status == GG_OK && more == 0)
            continue;
        if (status != expected || strstr(gg_failure(), path) == NULL ||
            strstr(gg_failure(), strerror(error)) == NULL)
            fail_msg("%s, call %d, %s: status %d: %s", what, n, strerror(error), (int)status, gg_failure());
    }
    return n - 1;
}

static void storage_errors(void **state) {
    (void)state;
    static const struct {
        int error;
        gg_status expected;
    } table[] = {{EIO, GG_STORAGE},     {EACCES, GG_STORAGE},  {ESTALE, GG_STORAGE}, {ENOENT, GG_STORAGE},
                 {EMFILE, GG_RESOURCE}, {ENFILE, GG_RESOURCE}, {ENOMEM, GG_RESOURCE}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const int error = table[i].error;
        const gg_status expected = table[i].expected;
        const int examined = every_call("examine", examine, true, error, expected);
        assert_true(examined > 20);
        if (error != EIO && error != EMFILE)
            continue;
        const int verified = every_call("verify", verify, true, error, expected);
        const int read = every_call("read", read_all, true, error, expected);
        const int last = every_call("read, last rank", read_all, false, error, expected);
        if (world.rank == 0)
            print_message("%d calls to examine, %d to verify, %d to read, %d of the last rank alone\n",
                          examined, verified, read, last);
        assert_true(verified > examined && read > examined && last > 20);
    }
    CHECK_OK(read_all());
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    snprintf(path, sizeof path, "test_checkpoint_errors_%d.h5", world.size);
    case_create(&part, world.size, 1, world.rank, 0);
    const struct gg_checkpoint_meta meta = case_meta();
    if (gg_checkpoint_write(world.comm, path, &part.graph.table, part.values[0], &gg_optimizer_adamw,
                            part.values + 1, &meta) != GG_OK)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(storage_errors)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Barrier(world.comm);
    if (world.rank == 0)
        unlink(path);
    case_free(&part);
    gg_world_stop(&world);
    return failed;
}
