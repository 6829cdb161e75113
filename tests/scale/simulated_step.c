/* What a rank of a simulated job does: a step whose kernels are time that goes by, and whose sums are the real
 * reducer's, or the library's. */
#include "tests/scale/simulated_waiting.h"
#include "tests/scale/simulation.h"

#include "core/kernels/tree_sum.h"
#include "core/plan/partition.h"
#include "mpi/reduce/reduction.h"
#include "mpi/world/world.h"

#include <mpi.h>
#include <stdio.h>

struct rank {
    const struct simulation *simulation;
    const struct backward_trace *trace;
    double seconds_per_flop; /* and per token */
    int size;
    gg_reducer *reducer;
};

/* Adding up takes as long as memory takes for what it reads and writes. */
static double memory_bandwidth;

void __wrap_gg_tree_sum(const struct gg_share *shares, int count, float *sum, int64_t elements);
void __wrap_gg_tree_sum(const struct gg_share *shares, int count, float *sum, int64_t elements) {
    (void)shares, (void)sum;
    simulated_sleep((count + 1.0) * sizeof(float) * (double)elements / memory_bandwidth);
}

static struct gg_partition partition_of(const struct rank *r, int64_t elements) {
    const bool pairwise = r->simulation->way == SIMULATED_PAIRWISE;
    const struct gg_summation summation =
        gg_summation_make(r->size, r->size, pairwise ? GG_REDUCTION_PAIRWISE : GG_REDUCTION_TREE);
    return gg_partition_cut(elements, GG_BUCKET_BYTES, &summation);
}

/* Calls the hook as the model does; a thread goes on with the sums until the kernel ends. */
static void play_backward(const struct rank *r) {
    const struct gg_gradient_hook hook = gg_reducer_hook(r->reducer);
    int64_t from = r->trace->elements;
    double moment = MPI_Wtime();
    for (int i = 0; i < r->trace->count; i++) {
        const double seconds = r->trace->steps[i].flops_per_token * r->seconds_per_flop;
        if (r->simulation->progress == SIMULATED_CALLS) {
            simulated_waiting_never();
            hook.ready(hook.context, from);
            simulated_sleep(seconds);
        } else {
            moment += seconds;
            for (simulated_waiting_until(moment); !simulated_waiting_is_over(); simulated_waiting_rest())
                hook.ready(hook.context, from);
        }
        from = r->trace->steps[i].final_from;
    }
}

static double slowest(double seconds) {
    MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return seconds;
}

/* A moment at which all ranks begin: a barrier lets the last go long after the first. */
static double begin_together(void) {
    const double moment = slowest(MPI_Wtime()) + 1;
    simulated_sleep(moment - MPI_Wtime());
    return moment;
}

/* Seconds of a step up to its last sum, or of the sums alone. */
static double step_seconds(const struct rank *r, bool compute) {
    simulated_traffic_reset();
    gg_reducer_begin(r->reducer);
    const double begin = begin_together();
    if (compute) {
        simulated_sleep(r->trace->forward_flops * r->seconds_per_flop);
        play_backward(r);
    }
    simulated_waiting_forever();
    gg_reducer_finish(r->reducer);
    return MPI_Wtime() - begin;
}

static void add_nothing(void *in, void *inout, int *length, MPI_Datatype *type) {
    (void)in, (void)inout, (void)type;
    simulated_sleep(3.0 * sizeof(float) * *length / memory_bandwidth);
}

/* Seconds of some buckets by the library, one after the other. */
static double library_seconds(float *values, int64_t buckets) {
    MPI_Op sum;
    MPI_Op_create(add_nothing, 1, &sum);
    const double begin = begin_together();
    for (int64_t i = 0; i < buckets; i++)
        MPI_Allreduce(MPI_IN_PLACE, values, GG_BUCKET_BYTES / sizeof(float), MPI_FLOAT, sum, MPI_COMM_WORLD);
    const double seconds = MPI_Wtime() - begin;
    MPI_Op_free(&sum);
    return seconds;
}

/* Seconds of a step, or of the sums of some buckets alone, by a reducer of its own. */
static double reducer_seconds(struct rank *r, float *values, int64_t elements, bool compute) {
    const struct gg_reducer_options options = {.partition = partition_of(r, elements)};
    if (gg_agree(MPI_COMM_WORLD, gg_reducer_create(MPI_COMM_WORLD, values, &options, &r->reducer)) != GG_OK) {
        fprintf(stderr, "simulate: %s\n", gg_failure());
        MPI_Abort(MPI_COMM_WORLD, GG_RESOURCE);
    }
    const double seconds = step_seconds(r, compute);
    gg_reducer_destroy(&r->reducer);
    return seconds;
}

/* What a bucket more takes when others are under way, and what the last ones take beyond that. */
static void measure_buckets(struct rank *r, float *values, struct simulated_result *result) {
    const int64_t few = (r->simulation->buckets + 1) / 2, many = 2 * few,
                  elements = GG_BUCKET_BYTES / sizeof(float);
    const bool library = r->simulation->way == SIMULATED_LIBRARY;
    const double of_few =
        slowest(library ? library_seconds(values, few) : reducer_seconds(r, values, few * elements, false));
    const double of_many =
        slowest(library ? library_seconds(values, many) : reducer_seconds(r, values, many * elements, false));
    result->bucket_seconds = (of_many - of_few) / (double)(many - few);
    result->tail_seconds = of_many - (double)many * result->bucket_seconds;
}

static void sum_up_traffic(struct simulated_result *result) {
    const struct simulated_traffic mine = simulated_traffic();
    const int64_t sent[] = {mine.messages, mine.bytes, mine.bytes_off_node};
    MPI_Reduce(sent, result->most_sent, 3, MPI_INT64_T, MPI_MAX, 0, MPI_COMM_WORLD);
    MPI_Reduce(sent, result->all_sent, 3, MPI_INT64_T, MPI_SUM, 0, MPI_COMM_WORLD);
}

void simulated_rank(const struct simulation *simulation, const struct backward_trace *trace,
                    struct simulated_result *result) {
    static float
        *values; /* of all ranks: nobody reads them, and SMPI copies nothing in memory that is shared */
    struct rank rank = {.simulation = simulation, .trace = trace};
    struct simulated_result mine = {0};
    int number;
    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &number);
    MPI_Comm_size(MPI_COMM_WORLD, &rank.size);
    rank.seconds_per_flop = seconds_per_flop(simulation);
    memory_bandwidth = 1e9 * simulation->sum_gigabytes;
    if (values == NULL)
        values = SMPI_SHARED_MALLOC((size_t)trace->elements * sizeof *values);
    if (simulation->buckets > 0)
        measure_buckets(&rank, values, &mine);
    else
        mine.sums_seconds = slowest(reducer_seconds(&rank, values, trace->elements, true));
    if (simulation->alone)
        mine.alone_seconds = slowest(reducer_seconds(&rank, values, trace->elements, false));
    sum_up_traffic(&mine);
    if (number == 0)
        *result = mine;
    MPI_Finalize();
}
