/* A simulated training step of D replicas on a fat tree: what is simulated, and what came of it.
 */
#ifndef GG_TESTS_SCALE_SIMULATION_H
#define GG_TESTS_SCALE_SIMULATION_H

#include "tests/scale/backward_trace.h"

#include "core/base/options.h"

enum simulated_way { SIMULATED_PAIRWISE, SIMULATED_TREE, SIMULATED_LIBRARY };
enum simulated_progress { SIMULATED_THREAD, SIMULATED_CALLS };

struct simulation {
    int preset;     /* index into gg_preset_names */
    int64_t layers; /* 0: the preset's */
    int64_t nodes, ranks_per_node;
    int way, progress;
    int selector;    /* index into SMPI's names of libraries whose choices it imitates */
    int64_t buckets; /* summed alone, and the step made of their time; 0: a whole step */
    double bucket_seconds,
        tail_seconds; /* not simulated but told, when above 0: see struct simulated_result */
    int64_t tokens;   /* of a replica's step */
    double gigaflops; /* of a rank */
    double sum_gigabytes,
        update_gigabytes; /* of memory's traffic a second: of whoever adds up; of the optimizer */
    double gigabytes, link_microseconds;      /* a second through a node's link, each way; a link's latency */
    double node_gigabytes, node_microseconds; /* the same between two ranks of a node */
    double message_microseconds;              /* a processor's time to send and receive a message */
    double moment_microseconds;               /* events that are not further apart are one */
    bool alone;                               /* the sums once more, with nothing to hide behind */
};

/* Writes the platform, a fat tree, and who runs where: neighbours share a node, as in Slurm's block distribution. */
gg_status fat_tree_write(const struct simulation *simulation, const char *platform_path,
                         const char *deployment_path) GG_MUST_USE;

struct simulated_result {
    double sums_seconds;  /* up to the last sum of a step; of the slowest rank, like the others */
    double alone_seconds; /* the sums, where that was asked for */
    double bucket_seconds, tail_seconds; /* of a bucket among others, and what the last ones take beyond */
    int64_t most_sent[3]; /* messages, bytes, bytes to other nodes: of the rank that sent most; of all */
    int64_t all_sent[3];
};

/* What each rank does. Collective over the simulated ranks, which are coroutines of this process.
 *   result [out] of rank 0 */
void simulated_rank(const struct simulation *simulation, const struct backward_trace *trace,
                    struct simulated_result *result);

/* Of a rank's work on a token (and then on all its tokens), of a step without neighbours, of the optimizer. */
double seconds_per_flop(const struct simulation *simulation);
double forward_and_backward_seconds(const struct simulation *simulation, const struct backward_trace *trace);
double optimizer_seconds(const struct simulation *simulation, const struct backward_trace *trace);

/* The sums_seconds of a step in which each bucket takes its time when it is final and the one before it is done. */
double sums_seconds(const struct simulation *simulation, const struct backward_trace *trace,
                    double bucket_seconds, double tail_seconds);

#endif
