#include "jobs/launch/largest_cache.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

enum { CPUS = CPU_SETSIZE, LEVELS = 8 };

/* The numbers at the beginning of a file that tells of a cpu's cache; false: there is none. */
static bool read_number(int cpu, int index, const char *name, long long *number) {
    char path[128];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cache/index%d/%s", cpu, index, name);
    FILE *file = fopen(path, "r");
    const bool read = file != NULL && fscanf(file, "%lld", number) == 1;
    if (file != NULL)
        fclose(file);
    return read;
}

/* A cpu's cache of the highest level: KiB, and the first cpu of those that share it. */
static bool find_last(int cpu, long long *kib, long long *first) {
    long long level, highest = 0;
    for (int index = 0; index < LEVELS && read_number(cpu, index, "level", &level); index++)
        if (level > highest && read_number(cpu, index, "size", kib) &&
            read_number(cpu, index, "shared_cpu_list", first))
            highest = level;
    return highest > 0;
}

int64_t gg_largest_cache_bytes(void) {
    static bool counted[CPUS];
    cpu_set_t mine;
    int64_t bytes = 0;
    if (sched_getaffinity(0, sizeof mine, &mine) != 0)
        CPU_ZERO(&mine);
    for (int cpu = 0; cpu < CPUS; cpu++)
        counted[cpu] = false;
    for (int cpu = 0; cpu < CPUS; cpu++) {
        long long kib, first;
        if (!CPU_ISSET(cpu, &mine) || !find_last(cpu, &kib, &first) || first < 0 || first >= CPUS ||
            counted[first])
            continue;
        counted[first] = true;
        bytes += kib << 10;
    }
    return bytes > 0 ? bytes : (int64_t)32 << 20;
}
