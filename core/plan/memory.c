#include "core/plan/memory.h"

size_t gg_buckets_in_flight_bytes(const struct gg_partition *partition) {
    const int64_t buckets =
        partition->bucket_count < GG_BUCKETS_IN_FLIGHT ? partition->bucket_count : GG_BUCKETS_IN_FLIGHT;
    return (size_t)(buckets * (partition->replicas - 1) * gg_partition_largest_part(partition)) *
           sizeof(float);
}

/* The largest of each operand and result that a product of a map brings. */
static void widest(const struct gg_shards *shards, const struct gg_linear *linear, int64_t local_tokens,
                   int64_t most[3]) {
    const int64_t x = local_tokens * linear->in / shards->feature_shards;
    const int64_t y = local_tokens * linear->out / shards->feature_shards;
    const int64_t w = linear->in * linear->out / shards->feature_shards / shards->token_shards;
    const int64_t result = linear->output == GG_PRECISION_FP32 || x > y ? x : y; /* fp32 stays where it is */
    const int64_t wide[3] = {x > y ? x : y, w > y ? w : y, result};
    for (int i = 0; i < 3; i++)
        most[i] = wide[i] > most[i] ? wide[i] : most[i];
}

size_t gg_widened_bytes(const struct gg_graph *graph, int64_t local_tokens) {
    const struct gg_linear *linear;
    const char *name;
    int64_t most[3] = {0};
    if (graph->config.precision == GG_PRECISION_FP32 ||
        graph->shards.feature_shards * graph->shards.token_shards == 1)
        return 0;
    for (int i = 0; (linear = gg_graph_linear(graph, i, &name)) != NULL; i++)
        widest(&graph->shards, linear,
               linear->output == GG_PRECISION_FP32 ? gg_head_tokens(graph, local_tokens) : local_tokens,
               most);
    return (size_t)(most[0] + most[1] + most[2]) * sizeof(float);
}
