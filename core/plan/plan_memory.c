#include "core/plan/plan_memory.h"

#include "core/kernels/storage.h"
#include "core/model/graph_figures.h"

size_t gg_buckets_in_flight_bytes(const struct gg_partition *partition) {
    const int64_t buckets =
        partition->bucket_count < GG_BUCKETS_IN_FLIGHT ? partition->bucket_count : GG_BUCKETS_IN_FLIGHT;
    int64_t most = 0;
    for (int i = 0; i < partition->summation.rounds; i++) {
        const struct gg_round round = gg_summation_round(&partition->summation, 0, i);
        const int64_t received = (round.radix - 1) * gg_partition_most(partition, round.width);
        most = received > most ? received : most;
    }
    return (size_t)(buckets * most) * sizeof(float);
}

int64_t gg_replicated_scratch(const struct gg_parameter_table *table, int token_shards) {
    const int64_t part = (gg_parameters_replicated(table) + token_shards - 1) / token_shards;
    return 2 * part * token_shards;
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

/* What PBLAS and BLACS hold at most for a map's product, as was seen of ScaLAPACK 2.2 on grids of up to four:
 * panels of a local extent of the weight by a block of the inner index. Among P process rows those of an
 * operand, of its transposed one and of the result, a message to each of the others, and P that are summed;
 * among Q process columns an operand's, the result's, and messages. Which products are done how is PBLAS's
 * choice, so that this may be off by a panel or two. */
static int64_t panel_floats(const struct gg_shards *shards, const struct gg_linear *linear, int64_t block) {
    const int64_t p = shards->feature_shards, q = shards->token_shards;
    const int64_t longest = linear->in > linear->out ? linear->in : linear->out;
    const int64_t inner = linear->in > linear->out ? linear->out : linear->in;
    const int64_t rows = p > 1 ? longest / p * (block < inner / p ? block : inner / p) : 0;
    const int64_t columns = q > 1 ? longest / q * (block < inner / q ? block : inner / q) : 0;
    return (2 * p + 2) * rows > (2 * q - 1) * columns ? (2 * p + 2) * rows : (2 * q - 1) * columns;
}

size_t gg_product_bytes(const struct gg_graph *graph, int64_t local_tokens, int64_t block) {
    const struct gg_linear *linear;
    const char *name;
    int64_t most[3] = {0}, panels = 0;
    if (graph->shards.feature_shards * graph->shards.token_shards == 1)
        return 0;
    for (int i = 0; (linear = gg_graph_linear(graph, i, &name)) != NULL; i++) {
        const bool head = linear->output == GG_PRECISION_FP32 && graph->config.precision == GG_PRECISION_BF16;
        const int64_t floats = panel_floats(&graph->shards, linear, block);
        panels = floats > panels ? floats : panels;
        widest(&graph->shards, linear, head ? gg_head_tokens(graph, local_tokens) : local_tokens, most);
    }
    const size_t bytes = (size_t)panels * sizeof(float);
    if (graph->config.precision == GG_PRECISION_FP32)
        return bytes;
    return bytes + (size_t)(most[0] + most[1] + most[2]) * sizeof(float) +
           (size_t)(most[0] + most[1]) * sizeof(gg_bf16);
}

size_t gg_exchange_bytes(const struct gg_graph *graph, int64_t local_sequences) {
    const struct gg_model_config *config = &graph->config;
    const int64_t shards = graph->shards.token_shards, width = config->width / graph->shards.feature_shards;
    const int64_t tokens = local_sequences * config->context;
    if (shards == 1)
        return 0;
    /* Of tokens in the model's precision, and of positions, which every shard wants all of, in fp32. */
    const size_t of_tokens = (size_t)(shards * tokens) * gg_stored_bytes(config->precision);
    const size_t of_positions = (size_t)(config->context + shards - 1) * sizeof(float);
    const size_t rows = (size_t)width * (of_tokens > of_positions ? of_tokens : of_positions);
    /* Rows that are sent and rows that come; our tokens' order and ids, and ids that others ask for; counts. */
    return 2 * rows + (size_t)((2 + shards) * tokens + 4 * shards) * sizeof(int32_t);
}
