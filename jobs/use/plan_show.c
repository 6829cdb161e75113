#include "jobs/use/plan_show.h"

#include "core/model/decoder.h"
#include "core/plan/legality.h"
#include "core/plan/plan.h"
#include "io/shards/corpora_source.h"
#include "io/shards/loader.h"
#include "io/shards/shard_source.h"
#include "io/tokenizer/tokenizer_file.h"

#include <stdio.h>

gg_status gg_plan_vocab(const struct gg_settings *settings, int64_t *vocab) {
    gg_tokenizer *tokenizer = NULL;
    *vocab = settings->model.vocab;
    if (*vocab > 0)
        return GG_OK;
    if (settings->data.tokenizer == NULL)
        return gg_fail(GG_USAGE, "nothing tells the vocabulary: set model.vocab, or data.tokenizer");
    GG_TRY(gg_tokenizer_load(settings->data.tokenizer, &tokenizer));
    *vocab = gg_tokenizer_vocab(tokenizer);
    gg_tokenizer_destroy(&tokenizer);
    return GG_OK;
}

/* The loaders of the rank that reads for its replica: one to train, one for each corpus to validate on. */
static size_t loader_bytes(const struct gg_settings *settings, int64_t vocab, const struct gg_place *place) {
    const size_t one = gg_loader_most_bytes(vocab, settings->model.context, settings->batch.micro);
    const size_t train =
        one - gg_shard_source_most_bytes(vocab) + gg_train_source_most_bytes(&settings->data, vocab);
    if (place->shards.feature_index > 0 || place->shards.token_index > 0)
        return 0;
    return train + gg_corpora_count(&settings->data.val) * one;
}

/* The decoder's; of task files, which are not read here, nothing. */
static size_t evaluation_bytes(const struct gg_eval_settings *eval, const struct gg_graph *graph) {
    const size_t texts = eval->sample_prompts.count > 0 ? eval->sample_prompts.count : 1;
    return eval->sample_every > 0 ? gg_decoder_bytes(graph, (int64_t)texts) : 0;
}

static gg_status plan_rank(const struct gg_settings *settings, int64_t vocab, int ranks, int rank,
                           struct gg_plan *plan) {
    const struct gg_plan_request request = gg_settings_plan_request(settings);
    struct gg_place place;
    struct gg_model_config config;
    struct gg_graph graph;
    GG_TRY(gg_legality_grid(&request, ranks, rank, &place));
    GG_TRY(gg_legality_batch(&settings->batch, &place));
    GG_TRY(gg_legality_summation(&request, &place));
    GG_TRY(gg_model_configure(&settings->model, &settings->compute, settings->run.seed, vocab, &place.shards,
                              &config));
    config.lora = settings->lora;
    gg_graph_make(&config, &place.shards, &graph);
    gg_plan_make(&request, &graph, &place, settings->checkpoint.async, plan);
    plan->memory.loader = loader_bytes(settings, vocab, &place);
    plan->memory.evaluation = evaluation_bytes(&settings->eval, &graph);
    gg_graph_free(&graph);
    return GG_OK;
}

static void print(const struct gg_plan *plan, int ranks, int rank) {
    struct gg_plan_part parts[GG_PLAN_PARTS];
    gg_plan_memory_parts(&plan->memory, parts);
    printf("%d ranks: D x P x Q = %d x %d x %d; %lld micro-batches in a step\n", ranks, plan->place.replicas,
           plan->place.shards.feature_shards, plan->place.shards.token_shards, (long long)plan->accumulation);
    printf("memory of rank %d, which takes most, beside the program and its libraries (buffers, exchange and "
           "loader: at most):\n",
           rank);
    for (int i = 0; i < GG_PLAN_PARTS; i++)
        if (parts[i].bytes > 0)
            printf("  %-24s %12.1f MB\n", parts[i].name, 1e-6 * (double)parts[i].bytes);
    printf("  %-24s %12.1f MB\n", "together", 1e-6 * (double)gg_plan_memory_sum(&plan->memory));
}

gg_status gg_plan_show(const struct gg_settings *settings, int ranks) {
    int64_t vocab;
    struct gg_plan most = {0};
    int largest = 0;
    GG_TRY(gg_plan_vocab(settings, &vocab));
    for (int rank = 0; rank < ranks; rank++) {
        struct gg_plan plan;
        GG_TRY(plan_rank(settings, vocab, ranks, rank, &plan));
        if (rank > 0 && gg_plan_memory_sum(&plan.memory) <= gg_plan_memory_sum(&most.memory))
            continue;
        most = plan;
        largest = rank;
    }
    print(&most, ranks, largest);
    return GG_OK;
}
