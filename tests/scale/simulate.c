/* Simulates a training step of many replicas (simulation.h) and prints a line of CSV about it.
 *
 *   simulate [name=value]...     simulate help: the names; simulate header: what stands in which column
 *
 * All ranks are coroutines of this process, on SimGrid's SMPI in the place of MPI. */
#include "tests/scale/simulated_waiting.h"
#include "tests/scale/simulation.h"

#include "core/base/memory.h"
#include "core/base/option_rows.h"
#include "core/model/presets.h"
#include "core/plan/partition.h"

#include <errno.h>
#include <mpi.h>
#include <simgrid/engine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const ways[] = {"pairwise", "tree", "library", NULL};
static const char *const drivers[] = {"thread", "calls", NULL};
static const char *const selectors[] = {"ompi", "mpich", NULL};

#define GG_ROWS_OF struct simulation
static const struct gg_option rows[] = {
    {GG_ROW_CHOICE("model", preset, gg_preset_names, "gpt2-124m", "as model.preset")},
    {GG_ROW_INTEGER("layers", layers, 0, 1000, "0", "blocks; 0: the model's")},
    {GG_ROW_INTEGER("nodes", nodes, 1, 1024, "4", "of ranks that are replicas")},
    {GG_ROW_INTEGER("ranks", ranks_per_node, 1, 64, "4", "replicas of a node")},
    {GG_ROW_CHOICE("way", way, ways, "tree", "parallel.reduction, or the library's MPI_Allreduce")},
    {GG_ROW_CHOICE("progress", progress, drivers, "thread", "parallel.progress")},
    {GG_ROW_CHOICE("library", selector, selectors, "ompi", "whose choice of algorithms SMPI imitates")},
    {GG_ROW_INTEGER("buckets", buckets, 0, 1000, "0",
                    "summed alone, the step by their time; 0: a whole step")},
    {GG_ROW_REAL("bucket", bucket_seconds, 0, 1e6, "0",
                 "seconds of a bucket, as told; 0: they are simulated")},
    {GG_ROW_REAL("tail", tail_seconds, 0, 1e6, "0", "and what the last ones take beyond that")},
    {GG_ROW_INTEGER("tokens", tokens, 1, GG_ROW_MANY, "4096", "of a replica's step")},
    {GG_ROW_REAL("gigaflops", gigaflops, 1e-3, 1e9, "2957", "that a rank computes with, a second")},
    {GG_ROW_REAL("sum", sum_gigabytes, 1e-3, 1e9, "20", "GB/s of memory's traffic of whoever adds up")},
    {GG_ROW_REAL("update", update_gigabytes, 1e-3, 1e9, "80", "GB/s of memory's traffic of the optimizer")},
    {GG_ROW_REAL("link", gigabytes, 1e-6, 1e6, "1.175", "GB/s of a node's link, each way")},
    {GG_ROW_REAL("latency", link_microseconds, 0, 1e6, "2.5",
                 "microseconds of a link, four of which are on a path")},
    {GG_ROW_REAL("message", message_microseconds, 0, 1e6, "5", "microseconds of a processor for a message")},
    {GG_ROW_REAL("node_link", node_gigabytes, 1e-3, 1e6, "8", "GB/s between two ranks of a node")},
    {GG_ROW_REAL("node_latency", node_microseconds, 0, 1e6, "0.5", "microseconds between them")},
    {GG_ROW_REAL("moment", moment_microseconds, 1e-3, 1e6, "0.3",
                 "microseconds within which events are one")},
    {GG_ROW_SWITCH("alone", alone, "false", "the sums once more, with nothing to hide behind")},
};
static const struct gg_option_table table = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF

static struct simulation simulation;
static struct backward_trace trace;
static struct simulated_result result;

static void rank(int argc, char **argv) {
    (void)argc, (void)argv;
    simulated_rank(&simulation, &trace, &result);
}

/* Declares SMPI's settings; in the library, but in no header that is installed. */
void smpi_init_options(void);

/* No computation is measured, and no call takes time but that which sends. Latencies and bandwidths are the
 * platform's own. */
static void start_engine(void) {
    static const char *const fixed[] = {
        "simulate",
        "--log=root.thres:error",
        "--cfg=contexts/stack-size:128",
        "--cfg=network/bandwidth-factor:1",
        "--cfg=network/crosstraffic:0",
        "--cfg=network/latency-factor:1",
        "--cfg=network/model:CM02",
        "--cfg=network/weight-S:0",
        "--cfg=smpi/privatization:no",
        "--cfg=smpi/send-is-detached-thresh:0",
        "--cfg=smpi/simulate-computation:no",
        "--cfg=smpi/test:0",
        "--cfg=smpi/wtime:0",
    };
    enum { FIXED = sizeof fixed / sizeof *fixed };
    const double seconds = 1e-6 * simulation.message_microseconds;
    char *arguments[FIXED + 5];
    int count = 0;
    for (int i = 0; i < FIXED; i++)
        arguments[count++] = gg_strdup(fixed[i]);
    arguments[count++] = gg_format("--cfg=smpi/os:0:%.9g:0", seconds);
    arguments[count++] = gg_format("--cfg=smpi/ois:0:%.9g:0", seconds);
    if (simulation.way == SIMULATED_LIBRARY) /* where few are wanted, SMPI's own take it the least time */
        arguments[count++] = gg_format("--cfg=smpi/coll-selector:%s", selectors[simulation.selector]);
    arguments[count++] = gg_format("--cfg=surf/precision:%.9g", 1e-6 * simulation.moment_microseconds);
    arguments[count] = NULL;
    smpi_init_options();
    simgrid_init(&count, arguments);
    SMPI_init();
}

static gg_status load_machine(void) {
    char folder[] = "/tmp/simulate-XXXXXX", platform[64], deployment[64];
    if (mkdtemp(folder) == NULL)
        return gg_fail(GG_STORAGE, "no folder can be made in /tmp: %s", strerror(errno));
    snprintf(platform, sizeof platform, "%s/platform.xml", folder);
    snprintf(deployment, sizeof deployment, "%s/deployment.xml", folder);
    const gg_status status = fat_tree_write(&simulation, platform, deployment);
    if (status == GG_OK) {
        simgrid_load_platform(platform);
        SMPI_app_instance_register("rank", NULL, (int)(simulation.nodes * simulation.ranks_per_node));
        simgrid_register_function("rank", rank);
        simgrid_load_deployment(deployment);
    }
    unlink(platform);
    unlink(deployment);
    rmdir(folder);
    return status;
}

static void print_header(void) {
    puts(
        "model,layers,nodes,replicas,link_GBps,way,progress,buckets,step_s,compute_s,visible_s,efficiency,alone_s,"
        "bucket_s,tail_s,messages,bytes,bytes_off_node,all_messages,all_bytes,all_bytes_off_node");
}

static void print_result(void) {
    const struct simulation *s = &simulation;
    const char *way = s->way == SIMULATED_LIBRARY ? selectors[s->selector] : ways[s->way];
    const double updating = optimizer_seconds(s, &trace);
    const double compute = forward_and_backward_seconds(s, &trace) + updating;
    const double step = result.sums_seconds + updating;
    printf("%s,%lld,%lld,%lld,%g,%s,%s,%lld,%.6f,%.6f,%.6f,%.4f,%.6f,%.6f,%.6f", gg_preset_names[s->preset],
           (long long)s->layers, (long long)s->nodes, (long long)(s->nodes * s->ranks_per_node), s->gigabytes,
           way, drivers[s->progress], (long long)s->buckets, step, compute, step - compute, compute / step,
           result.alone_seconds, result.bucket_seconds, result.tail_seconds);
    for (int i = 0; i < 6; i++)
        printf(",%lld", (long long)(i < 3 ? result.most_sent[i] : result.all_sent[i - 3]));
    puts("");
}

static gg_status simulate(void) {
    if (simulation.way == SIMULATED_LIBRARY && simulation.buckets == 0)
        return gg_fail(GG_USAGE, "way=library wants some buckets: it hides nothing behind a backward pass");
    start_engine();
    GG_TRY(load_machine());
    simulated_waiting_start(&simulation);
    simgrid_run();
    simulated_waiting_stop();
    SMPI_finalize();
    return GG_OK;
}

static gg_status run(char **arguments) {
    gg_options_defaults(&table, &simulation);
    for (; *arguments != NULL; arguments++) {
        char *equals = strchr(*arguments, '=');
        if (equals == NULL)
            return gg_fail(GG_USAGE, "'%s' is no name=value", *arguments);
        *equals = '\0';
        GG_TRY(gg_options_set(&table, &simulation, *arguments, equals + 1, "command line"));
    }
    GG_TRY(backward_trace_make(simulation.preset, simulation.layers, &trace));
    result.bucket_seconds = simulation.bucket_seconds;
    result.tail_seconds = simulation.tail_seconds;
    if (simulation.bucket_seconds == 0)
        GG_TRY(simulate());
    if (simulation.buckets > 0 || simulation.bucket_seconds > 0)
        result.sums_seconds = sums_seconds(&simulation, &trace, result.bucket_seconds, result.tail_seconds);
    print_result();
    free(trace.steps);
    return GG_OK;
}

int main(int argc, char **argv) {
    (void)argc;
    if (argv[1] != NULL && strcmp(argv[1], "header") == 0) {
        print_header();
        return 0;
    }
    if (argv[1] != NULL && strcmp(argv[1], "help") == 0) {
        gg_options_help(&table, stdout);
        return 0;
    }
    const gg_status status = run(argv + 1);
    if (status != GG_OK)
        fprintf(stderr, "simulate: %s\n", gg_failure());
    return (int)status;
}
