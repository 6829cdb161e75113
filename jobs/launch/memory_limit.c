#include "jobs/launch/memory_limit.h"

#include "core/base/memory.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

/* A limit, and what counts to it now. */
struct limit {
    const char *what;
    size_t most, held; /* bytes */
    int ranks;         /* that share it, each with parts as large as this one's */
};

/* A figure in kB of /proc/self/status, as "VmSize:", in bytes; 0 when it is not there. */
static size_t status_bytes(const char *name) {
    char line[256];
    unsigned long long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && kilobytes == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0 && sscanf(line + strlen(name), "%llu", &kilobytes) != 1)
            break;
    if (file != NULL)
        fclose(file);
    return (size_t)kilobytes * 1024;
}

/* GG_RESOURCE when the parts do not fit below the limit with what is there. */
static gg_status compare(const struct limit *limit, const struct gg_memory_part *parts, int count) {
    const double mebibyte = 1048576.0;
    size_t all = 0, until = 0;
    int first = -1;
    for (int i = 0; i < count; i++) {
        all += parts[i].bytes;
        until += parts[i].bytes;
        if (first < 0 && limit->held + (size_t)limit->ranks * until > limit->most)
            first = i;
    }
    if (first < 0)
        return GG_OK;
    char sharing[64] = "";
    if (limit->ranks > 1)
        snprintf(sharing, sizeof sharing, " on each of the %d ranks that share it", limit->ranks);
    return gg_fail(GG_RESOURCE,
                   "no memory for %s: %.1f MiB in use and %.1f more wanted%s come to %.1f, and %s is %.1f",
                   parts[first].what, (double)limit->held / mebibyte, (double)all / mebibyte, sharing,
                   (double)(limit->held + (size_t)limit->ranks * all) / mebibyte, limit->what,
                   (double)limit->most / mebibyte);
}

static gg_status compare_ulimits(const struct gg_memory_part *parts, int count) {
    static const struct {
        int resource;
        const char *what, *held;
    } kinds[] = {{RLIMIT_AS, "the limit of the address space (ulimit -v)", "VmSize:"},
                 {RLIMIT_DATA, "the limit of the data segment (ulimit -d)", "VmData:"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct rlimit set;
        if (getrlimit((__rlimit_resource_t)kinds[i].resource, &set) != 0 || set.rlim_cur == RLIM_INFINITY)
            continue;
        const struct limit limit = {kinds[i].what, (size_t)set.rlim_cur, status_bytes(kinds[i].held), 1};
        GG_TRY(compare(&limit, parts, count));
    }
    return GG_OK;
}

/* A file of a control group that holds a number; SIZE_MAX: it says "max" or is not there. */
static size_t group_number(const char *group, const char *name) {
    char *path = gg_format("%s/%s", group, name);
    unsigned long long bytes;
    FILE *file = fopen(path, "r");
    const bool read = file != NULL && fscanf(file, "%llu", &bytes) == 1;
    if (file != NULL)
        fclose(file);
    free(path);
    return read ? (size_t)bytes : SIZE_MAX;
}

/* What a control group's members may have in memory and swapped out; SIZE_MAX: no limit. */
static size_t group_limit(const char *group) {
    const size_t most = group_number(group, "memory.max");
    size_t swap = group_number(group, "memory.swap.max");
    struct sysinfo info;
    const size_t machine = sysinfo(&info) == 0 ? (size_t)info.totalswap * info.mem_unit : 0;
    swap = swap < machine ? swap : machine;
    return most < SIZE_MAX - swap ? most + swap : SIZE_MAX;
}

/* The control group with the tightest limit of those that this process is in, owned; NULL when none is
 * limited. */
static char *tightest_group(const char *cgroups, size_t *most) {
    char line[PATH_MAX], *tightest = NULL;
    *most = SIZE_MAX;
    FILE *file = fopen("/proc/self/cgroup", "r");
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = strncmp(line, "0::/", 4) == 0;
    if (file != NULL)
        fclose(file);
    if (!found)
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    char *group = gg_format("%s%s", cgroups, line + strlen("0::"));
    for (bool more = true; more;) {
        const size_t limit = group_limit(group);
        if (limit < *most) {
            *most = limit;
            free(tightest);
            tightest = gg_strdup(group);
        }
        more = strlen(group) > strlen(cgroups);
        if (more)
            *strrchr(group, '/') = '\0';
    }
    free(group);
    return tightest;
}

static int colour_of(const char *text) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return (int)(hash & INT_MAX);
}

/* Collective; the ranks' results differ. */
static gg_status compare_group(const struct gg_world *world, const struct gg_memory_part *parts, int count,
                               const char *cgroups) {
    size_t most;
    char *group = tightest_group(cgroups, &most);
    MPI_Comm node, sharing;
    MPI_Comm_split_type(world->comm, MPI_COMM_TYPE_SHARED, world->rank, MPI_INFO_NULL, &node);
    MPI_Comm_split(node, group != NULL ? colour_of(group) : MPI_UNDEFINED, world->rank, &sharing);
    MPI_Comm_free(&node);
    gg_status status = GG_OK;
    if (group != NULL) {
        uint64_t held = status_bytes("RssAnon:");
        int ranks;
        MPI_Allreduce(MPI_IN_PLACE, &held, 1, MPI_UINT64_T, MPI_SUM, sharing);
        MPI_Comm_size(sharing, &ranks);
        MPI_Comm_free(&sharing);
        char *what = gg_format("memory.max of %s", group);
        const struct limit limit = {what, most, (size_t)held, ranks};
        status = compare(&limit, parts, count);
        free(what);
    }
    free(group);
    return status;
}

gg_status gg_memory_limit_check(const struct gg_world *world, const struct gg_memory_part *parts, int count,
                                const char *cgroups) {
    GG_TRY(gg_agree(world->comm, compare_ulimits(parts, count)));
    return gg_agree(world->comm,
                    compare_group(world, parts, count, cgroups != NULL ? cgroups : "/sys/fs/cgroup"));
}
