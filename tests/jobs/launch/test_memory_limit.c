/* Limits of memory against what is about to be taken: below them nothing is said, above them every rank
 * refuses with the numbers and with the first part that does not fit; one rank's limit is enough, and ranks
 * in one control group count together. */
#include "tests/check.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/base/hdf5_error.h"
#include "jobs/launch/memory_limit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct gg_world world;
static char no_cgroups[] = "test_memory_limit.none", cgroups[64];

enum { MIB = 1 << 20 };

static const struct gg_memory_part small[] = {{"the state", 10 * MIB}, {"the activations", 20 * MIB}};
static const struct gg_memory_part large[] = {{"the state", 10 * MIB}, {"the activations", 400u * MIB}};

/* A figure of /proc/self/status in bytes. */
static size_t status_bytes(const char *name) {
    char *text;
    size_t bytes;
    unsigned long long kilobytes = 0;
    CHECK_OK(gg_file_read("/proc/self/status", 65536, &text, &bytes));
    const char *line = strstr(text, name);
    if (line != NULL)
        sscanf(line + strlen(name), ": %llu", &kilobytes);
    free(text);
    assert_true(kilobytes > 0);
    return (size_t)kilobytes * 1024;
}

/* With so much more than is there now for a resource, on the ranks in `ranks` (a bit each). */
static gg_status check_below(int resource, const char *figure, size_t more, unsigned ranks,
                             const struct gg_memory_part *parts) {
    struct rlimit old, tight;
    getrlimit((__rlimit_resource_t)resource, &old);
    tight = old;
    if ((ranks >> world.rank & 1) != 0)
        tight.rlim_cur = status_bytes(figure) + more;
    setrlimit((__rlimit_resource_t)resource, &tight);
    const gg_status status = gg_memory_limit_check(&world, parts, 2, no_cgroups);
    setrlimit((__rlimit_resource_t)resource, &old);
    return status;
}

static void ulimits(void **state) {
    (void)state;
    CHECK_OK(gg_memory_limit_check(&world, large, 2, no_cgroups));
    static const struct {
        int resource;
        const char *figure, *told;
    } kinds[] = {{RLIMIT_AS, "VmSize", "(ulimit -v)"}, {RLIMIT_DATA, "VmData", "(ulimit -d)"}};
    if (getenv("GG_SANITIZE") != NULL && getenv("GG_SANITIZE")[0] != '\0')
        skip(); /* which want more address space than any limit leaves */
    for (size_t i = 0; i < 2; i++) {
        CHECK_OK(check_below(kinds[i].resource, kinds[i].figure, 100 * MIB, ~0u, small));
        CHECK_FAILS(check_below(kinds[i].resource, kinds[i].figure, 100 * MIB, ~0u, large), GG_RESOURCE,
                    kinds[i].told);
        assert_non_null(strstr(gg_failure(), "no memory for the activations: "));
        assert_non_null(strstr(gg_failure(), "410.0 more wanted"));
        CHECK_FAILS(check_below(kinds[i].resource, kinds[i].figure, 5 * MIB, ~0u, large), GG_RESOURCE,
                    "no memory for the state: ");
        /* The last rank alone. */
        CHECK_FAILS(check_below(kinds[i].resource, kinds[i].figure, 100 * MIB, 1u << (world.size - 1), large),
                    GG_RESOURCE, world.size > 1 ? "rank " : "no memory");
    }
}

/* What fails for want of memory has that status, whatever HDF5 calls it. */
static void short_of_memory(void **state) {
    (void)state;
    struct rlimit old, tight;
    if (getenv("GG_SANITIZE") != NULL && getenv("GG_SANITIZE")[0] != '\0')
        skip();
    getrlimit(RLIMIT_AS, &old);
    tight = old;
    tight.rlim_cur = status_bytes("VmSize") + 8 * MIB;
    setrlimit(RLIMIT_AS, &tight);
    const gg_status status = gg_hdf5_fail(GG_STORAGE, "x.h5: cannot be opened");
    setrlimit(RLIMIT_AS, &old);
    CHECK_FAILS(status, GG_RESOURCE, "x.h5: cannot be opened: no memory");
    CHECK_FAILS(gg_hdf5_fail(GG_STORAGE, "x.h5: cannot be opened"), GG_STORAGE, "x.h5: cannot be opened");
}

/* Sets a control group's file, on one rank for all. */
static void set(const char *group, const char *name, const char *text) {
    if (world.rank == 0) {
        char *path = gg_format("%s/%s", group, name);
        CHECK_OK(gg_folder_create(group));
        CHECK_OK(gg_file_write(path, text, strlen(text)));
        free(path);
    }
    MPI_Barrier(world.comm);
}

/* The folder of this process's own control group below `cgroups`, owned; NULL: the system has version 1 only.
 */
static char *own_group(void) {
    char *text, *group = NULL;
    size_t bytes;
    CHECK_OK(gg_file_read("/proc/self/cgroup", 65536, &text, &bytes));
    char *line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
    if (line != NULL) {
        char *path = strchr(line, '/');
        path[strcspn(path, "\n")] = '\0';
        group = gg_format("%s%s", cgroups, path);
    }
    free(text);
    return group;
}

static void control_groups(void **state) {
    (void)state;
    char *group = own_group(), number[32];
    if (group == NULL)
        skip();
    set(group, "memory.max", "max\n");
    set(group, "memory.swap.max", "0\n");
    CHECK_OK(gg_memory_limit_check(&world, large, 2, cgroups));

    uint64_t held = status_bytes("RssAnon");
    MPI_Allreduce(MPI_IN_PLACE, &held, 1, MPI_UINT64_T, MPI_SUM, world.comm);
    const unsigned long long room = (unsigned long long)world.size * 100 * MIB;
    snprintf(number, sizeof number, "%llu\n", (unsigned long long)held + room);
    set(group, "memory.max", number);
    CHECK_OK(gg_memory_limit_check(&world, small, 2, cgroups));
    CHECK_FAILS(gg_memory_limit_check(&world, large, 2, cgroups), GG_RESOURCE, "memory.max of ");
    assert_non_null(strstr(gg_failure(), "no memory for the activations: "));
    if (world.size > 1)
        assert_non_null(strstr(gg_failure(), "ranks that share it"));
    /* Room for one of them. */
    if (world.size > 1) {
        snprintf(number, sizeof number, "%llu\n", (unsigned long long)held + 40 * MIB);
        set(group, "memory.max", number);
        CHECK_FAILS(gg_memory_limit_check(&world, small, 2, cgroups), GG_RESOURCE, "memory.max of ");
    }
    /* The group around it. */
    snprintf(number, sizeof number, "%llu\n", (unsigned long long)held + room);
    set(group, "memory.max", "max\n");
    set(cgroups, "memory.max", number);
    CHECK_FAILS(gg_memory_limit_check(&world, large, 2, cgroups), GG_RESOURCE, "memory.max of ");
    free(group);
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    snprintf(cgroups, sizeof cgroups, "test_memory_limit_%d.d", world.size);
    const struct CMUnitTest tests[] = {cmocka_unit_test(ulimits), cmocka_unit_test(short_of_memory),
                                       cmocka_unit_test(control_groups)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gg_world_stop(&world);
    return failed;
}
