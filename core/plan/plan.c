#include "core/plan/plan.h"

#include "core/model/model.h"
#include "core/optim/optimizer.h"
#include "core/plan/plan_memory.h"
#include "core/plan/state.h"

#include <string.h>

void gg_plan_memory_parts(const struct gg_plan_memory *m, struct gg_plan_part parts[GG_PLAN_PARTS]) {
    const struct gg_plan_part all[GG_PLAN_PARTS] = {{"weights", m->weights},
                                                    {"their bf16 copy", m->rounded},
                                                    {"gradients", m->gradients},
                                                    {"those of virtual replicas", m->played},
                                                    {"their sum over replicas", m->reduction},
                                                    {"optimizer state", m->optimizer},
                                                    {"activations", m->activations},
                                                    {"matmul buffers", m->products},
                                                    {"embedding exchange", m->exchange},
                                                    {"loader", m->loader},
                                                    {"micro-batch", m->batch},
                                                    {"checkpoint copy", m->checkpoint},
                                                    {"tasks and written texts", m->evaluation}};
    memcpy(parts, all, sizeof all);
}

size_t gg_plan_memory_sum(const struct gg_plan_memory *memory) {
    struct gg_plan_part parts[GG_PLAN_PARTS];
    size_t sum = 0;
    gg_plan_memory_parts(memory, parts);
    for (int i = 0; i < GG_PLAN_PARTS; i++)
        sum += parts[i].bytes;
    return sum;
}

static void measure(const struct gg_plan_request *request, const struct gg_graph *graph, bool copies,
                    struct gg_plan *plan) {
    struct gg_plan_memory *memory = &plan->memory;
    const struct gg_optimizer optimizer = gg_optimizer_make(request->optim);
    const size_t flat = (size_t)graph->table.local_elements * sizeof(float);
    const bool bf16 = graph->config.precision == GG_PRECISION_BF16;
    const size_t trained = (size_t)graph->table.trained_elements * sizeof(float);
    memory->weights = flat;
    memory->gradients = trained;
    memory->optimizer = gg_optimizer_state_bytes(optimizer.kind, plan->owned_elements);
    memory->played = trained * (size_t)gg_summation_levels(&plan->partition.summation);
    memory->batch = gg_state_bytes(request, graph, &plan->partition.summation, plan->owned_elements) - flat -
                    trained - memory->played - memory->optimizer;
    memory->activations = gg_model_bytes(graph, GG_MODEL_TRAIN, plan->local_sequences);
    if (bf16) {
        memory->rounded = (size_t)graph->table.local_elements * sizeof(gg_bf16);
        memory->activations -= memory->rounded;
    }
    memory->products =
        gg_product_bytes(graph, plan->local_sequences * graph->config.context, request->parallel->block);
    memory->exchange = gg_exchange_bytes(graph, plan->local_sequences);
    if (plan->place.replicas > 1)
        memory->reduction = gg_buckets_in_flight_bytes(&plan->partition) +
                            (plan->scattered ? (size_t)plan->owned_elements * sizeof(float) : 0) +
                            (request->parallel->wire == GG_PRECISION_BF16 ? trained : 0);
    if (copies)
        memory->checkpoint = (size_t)(1 + optimizer.kind->state_count) * sizeof(float) *
                             (size_t)gg_partition_ranges(&plan->partition, plan->place.replica, NULL);
}

/* The run's virtual replicas: those set, else those of the run that is gone on with, else as many as replicas. */
static int reproducible(const struct gg_plan_request *request, int replicas) {
    int wanted;
    const gg_status status = gg_reproducible_parse(request->parallel->reproducible, &wanted);
    GG_ASSERT(status == GG_OK);
    if (wanted > 0 || request->reproducible > 0)
        return wanted > 0 ? wanted : request->reproducible;
    return (replicas & (replicas - 1)) == 0 && request->parallel->wire == GG_PRECISION_FP32 ? replicas : 0;
}

/* Whether a layout plays the run's virtual replicas. A bf16 wire rounds what each replica sends. */
static bool reproduces(const struct gg_plan_request *request, int replicas, int wanted) {
    return wanted > 0 && wanted % replicas == 0 &&
           request->batch->sequences / request->batch->micro % wanted == 0 &&
           request->parallel->wire == GG_PRECISION_FP32;
}

void gg_plan_make(const struct gg_plan_request *request, const struct gg_graph *graph,
                  const struct gg_place *place, bool copies, struct gg_plan *plan) {
    const int64_t elements = graph->table.trained_elements;
    const int wanted = reproducible(request, place->replicas);
    const bool plays = reproduces(request, place->replicas, wanted);
    const struct gg_summation summation = gg_summation_make(place->replicas, plays ? wanted : place->replicas,
                                                            (enum gg_reduction)request->parallel->reduction);
    *plan = (struct gg_plan){
        .place = *place,
        .accumulation = request->batch->sequences / (request->batch->micro * place->replicas),
        .local_sequences = request->batch->micro / place->shards.token_shards,
        .tokens_per_step = request->batch->sequences * graph->config.context,
        .marked = request->marked,
        .scattered = request->parallel->zero > 0 && place->replicas > 1,
        .owned_elements = elements,
        .reproducible = wanted,
        .reproduces = plays,
        .partition = gg_partition_cut(elements, GG_BUCKET_BYTES, &summation),
    };
    if (plan->scattered)
        plan->owned_elements = gg_partition_ranges(&plan->partition, place->replica, NULL);
    measure(request, graph, copies, plan);
}
