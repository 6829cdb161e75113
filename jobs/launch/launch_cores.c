/* Threads against cores. */
#include "jobs/launch/launch_check.h"

#include "core/base/memory.h"

#include <omp.h>
#include <stdlib.h>

/* Processors of OpenMP's first places. */
static cpu_set_t processors_of(int places) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int place = 0; place < places; place++) {
        const int count = omp_get_place_num_procs(place);
        int *ids = gg_calloc((size_t)count + 1, sizeof *ids);
        omp_get_place_proc_ids(place, ids);
        for (int i = 0; i < count; i++)
            CPU_SET((size_t)ids[i], &set);
        free(ids);
    }
    return set;
}

/* What this rank may run on. Where OpenMP binds threads, it has bound this one already, so that its places
 * tell and not the thread's own mask. */
static cpu_set_t allowed_processors(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    const int places = omp_get_num_places();
    return places == 0 && sched_getaffinity(0, sizeof set, &set) == 0 ? set : processors_of(places);
}

/* What so many threads will run on: bound thread i goes to place i (but to any when they are spread). */
static cpu_set_t used_processors(int threads) {
    const int places = omp_get_num_places();
    const omp_proc_bind_t bind = omp_get_proc_bind();
    if (bind != omp_proc_bind_false && bind != omp_proc_bind_spread && threads < places)
        return processors_of(threads);
    return allowed_processors();
}

/* The first of the processors that share a core with this one. */
static int first_sibling(int processor) {
    char path[96];
    int first = processor;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", processor);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%d", &first) != 1)
            first = processor;
        fclose(file);
    }
    return first;
}

/* Cores of a set of processors: those that share one count once. */
static int core_count(const cpu_set_t *processors) {
    cpu_set_t firsts;
    CPU_ZERO(&firsts);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, processors))
            CPU_SET((size_t)first_sibling(i), &firsts);
    return CPU_COUNT(&firsts);
}

/* What the ranks of a node have together. */
struct node {
    cpu_set_t used, allowed;
    int threads, ranks;
};

static struct node sum_up_node(const struct gg_world *world, const cpu_set_t *used, const cpu_set_t *allowed,
                               int threads) {
    struct node node;
    MPI_Comm comm;
    MPI_Comm_split_type(world->comm, MPI_COMM_TYPE_SHARED, world->rank, MPI_INFO_NULL, &comm);
    MPI_Allreduce(used, &node.used, sizeof *used, MPI_BYTE, MPI_BOR, comm);
    MPI_Allreduce(allowed, &node.allowed, sizeof *allowed, MPI_BYTE, MPI_BOR, comm);
    MPI_Allreduce(&threads, &node.threads, 1, MPI_INT, MPI_SUM, comm);
    MPI_Comm_size(comm, &node.ranks);
    MPI_Comm_free(&comm);
    return node;
}

/* Warns of the worst node. */
static bool warn_oversubscribed(const struct gg_world *world, const struct node *node) {
    struct {
        int threads, rank;
    } excess = {node->threads - CPU_COUNT(&node->used), world->rank}, worst;
    MPI_Allreduce(&excess, &worst, 1, MPI_2INT, MPI_MAXLOC, world->comm);
    if (worst.threads > 0 && world->rank == worst.rank)
        fprintf(
            stderr,
            "warning: the ranks of a node have %d threads on %d cores: they will wait for each other; lower "
            "compute.threads or the ranks, or bind them to different cores\n",
            node->threads, CPU_COUNT(&node->used));
    return worst.threads > 0;
}

gg_status gg_launch_check_cores(const struct gg_world *world, int threads, struct gg_launch_cores *cores) {
    const cpu_set_t used = used_processors(threads);
    const int processors = CPU_COUNT(&used);
    cores->allowed = allowed_processors();
    gg_status status = GG_OK;
    if (processors < threads)
        status =
            gg_fail(GG_USAGE,
                    "%d threads, but only %d cores to run on: start mpirun with --bind-to none or --map-by "
                    "slot:PE=%d, srun with --cpus-per-task=%d, or lower compute.threads (or OMP_NUM_THREADS)",
                    threads, processors, threads, threads);
    GG_TRY(gg_agree(world->comm, status));
    const struct node node = sum_up_node(world, &used, &cores->allowed, threads);
    cores->oversubscribed = warn_oversubscribed(world, &node);
    const int spare =
        core_count(&cores->allowed) > threads && core_count(&node.allowed) >= node.threads + node.ranks;
    int all;
    MPI_Allreduce(&spare, &all, 1, MPI_INT, MPI_MIN, world->comm);
    cores->spare = all != 0;
    return GG_OK;
}
