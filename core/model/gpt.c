/* GPT-2 as a list of steps: where each step's tensors are, and the passes over the list. */
#include "core/model/gpt.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/model/step.h"

#include <stdlib.h>

enum { STEPS_PER_BLOCK = 11, STEPS_OUTSIDE = 2, SITES_PER_BLOCK = 3 };

const char *const gg_kernel_kind_names[GG_KERNEL_KINDS] = {"matmul",   "attention", "norm", "activation",
                                                           "residual", "embedding", "loss"};

/* Activations of one block; in units of (tokens, local width). */
struct block_tensors {
    void *norm1, *norm2; /* 1 each */
    float *norm1_stats, *norm2_stats;
    void *qkv;      /* 3 */
    void *attended; /* 1 */
    float *log_sums;
    void *middle;             /* 1: the stream between attention and MLP */
    void *hidden, *activated; /* 4, 4 */
    void *stream;             /* 1: the stream after the block */
    void *cache;              /* generation: (sequences, context, 2) */
};

/* Buffers that all blocks share. */
struct shared_tensors {
    void *branch;      /* output of the projections, before it joins the stream */
    void *d_branch;    /* gradient of a norm's or attention's output */
    void *d_projected; /* gradient of a projection's output; d_stream itself without dropout */
    void *d_wide;      /* (tokens, 4 width) gradients inside a block */
    void *activated;   /* (tokens, 4 width) where blocks do not keep their own */
};

static int64_t local_width(const struct gg_gpt *gpt) {
    return gpt->config.width / gpt->fabric->feature_shards;
}

static int64_t max_tokens(const struct gg_gpt *gpt) {
    return gpt->local_sequences * gpt->config.context;
}

/* Room for activations, in the model's precision. */
static void *take(struct gg_gpt *gpt, int64_t count) {
    return gg_arena_take(&gpt->arena, (size_t)count * gg_stored_bytes(gpt->config.precision));
}

/* GELU's output is a quarter of a block's activations, and made again at no cost but its writing while GELU's
 * gradient is computed. That is worth it in bf16, whose point is memory too. */
static bool remakes_activated(const struct gg_gpt *gpt) {
    return gpt->use == GG_GPT_TRAIN && gpt->config.precision == GG_PRECISION_BF16;
}

static struct block_tensors take_block(struct gg_gpt *gpt, const struct shared_tensors *shared) {
    struct gg_arena *arena = &gpt->arena;
    const int64_t tokens = max_tokens(gpt), unit = tokens * local_width(gpt);
    struct block_tensors b = {
        .norm1 = take(gpt, unit),
        .norm1_stats = gg_arena_floats(arena, 2 * tokens),
        .qkv = take(gpt, 3 * unit),
        .attended = take(gpt, unit),
        .middle = take(gpt, unit),
        .norm2 = take(gpt, unit),
        .norm2_stats = gg_arena_floats(arena, 2 * tokens),
        .hidden = take(gpt, 4 * unit),
        .activated = remakes_activated(gpt) ? shared->activated : take(gpt, 4 * unit),
        .stream = take(gpt, unit),
    };
    if (gpt->use == GG_GPT_TRAIN)
        b.log_sums = gg_arena_floats(arena, tokens * (gpt->config.heads / gpt->fabric->feature_shards));
    return b;
}

static struct gg_step *append(struct gg_gpt *gpt, const struct gg_step_kind *kind, int *parameter) {
    struct gg_step *step = &gpt->steps[gpt->step_count++];
    const struct gg_parameter *items = gpt->table->items;
    *step = (struct gg_step){.kind = kind, .weight = -1, .bias = -1, .width = local_width(gpt)};
    if (kind == &gg_step_linear || kind == &gg_step_linear_input) {
        step->weight = items[(*parameter)++].offset;
    } else if (kind == &gg_step_norm || kind == &gg_step_embedding) {
        step->weight = items[(*parameter)++].offset;
        step->bias = items[(*parameter)++].offset;
    } else {
        step->bias = items[(*parameter)++].offset;
    }
    step->final_from = step->weight >= 0 ? step->weight : step->bias;
    return step;
}

static void append_norm(struct gg_gpt *gpt, int *parameter, void *x, void *y, float *stats, void *d_y) {
    struct gg_step *step = append(gpt, &gg_step_norm, parameter);
    step->x = x;
    step->y = y;
    step->stats = stats;
    step->d_x = gpt->d_stream;
    step->d_y = d_y;
}

/* A map of `in` times the width to `out` times the width, its columns dealt out in blocks of `out_block`. */
static void set_linear(const struct gg_gpt *gpt, struct gg_step *step, int in, int out, int out_block,
                       void *x, void *y, void *d_x, void *d_y) {
    const enum gg_precision precision = gpt->config.precision;
    const int64_t width = gpt->config.width, shard = local_width(gpt);
    step->linear = (struct gg_linear){in * width, out * width, in * shard, out_block * shard,
                                      false,      precision,   precision};
    step->x = x;
    step->y = y;
    step->d_x = d_x;
    step->d_y = d_y;
}

static void append_linear(struct gg_gpt *gpt, int *parameter, int in, int out, int out_block, void *x,
                          void *y, void *d_x, void *d_y) {
    set_linear(gpt, append(gpt, &gg_step_linear, parameter), in, out, out_block, x, y, d_x, d_y);
}

/* The MLP behind its first map: GELU, the second map, in three steps. The second map's weight gradient stands
 * first, so that the backward pass comes to it last, when GELU's output is there again. */
static void append_activated_linear(struct gg_gpt *gpt, int *parameter, const struct block_tensors *b,
                                    const struct shared_tensors *s) {
    struct gg_step *weight_gradient = &gpt->steps[gpt->step_count++];
    struct gg_step *gelu = append(gpt, &gg_step_gelu, parameter);
    gelu->width = 4 * local_width(gpt);
    gelu->x = b->hidden;
    gelu->y = b->activated;
    gelu->d_x = gelu->d_y = s->d_wide;
    gelu->remakes_y = remakes_activated(gpt);
    struct gg_step *map = append(gpt, &gg_step_linear_input, parameter);
    set_linear(gpt, map, 4, 1, 1, b->activated, s->branch, s->d_wide, s->d_projected);
    *weight_gradient = *map;
    weight_gradient->kind = &gg_step_linear_weight;
    weight_gradient->final_from = gelu->final_from;
    gelu->final_from = map->final_from = gpt->table->items[*parameter].offset; /* the map's bias, as before */
}

static void append_residual(struct gg_gpt *gpt, int *parameter, uint32_t site, const void *residual, void *x,
                            void *y, void *d_x) {
    struct gg_step *step = append(gpt, &gg_step_residual, parameter);
    step->site = site;
    step->residual = residual;
    step->x = x;
    step->y = y;
    step->d_x = d_x;
    step->d_y = gpt->d_stream;
}

static void append_block(struct gg_gpt *gpt, int *parameter, int64_t layer, void *stream,
                         const struct block_tensors *b, const struct shared_tensors *s) {
    const uint32_t site = 1 + SITES_PER_BLOCK * (uint32_t)layer;
    append_norm(gpt, parameter, stream, b->norm1, b->norm1_stats, s->d_branch);
    append_linear(gpt, parameter, 1, 3, 1, b->norm1, b->qkv, s->d_branch, s->d_wide);
    struct gg_step *attention = append(gpt, &gg_step_attention, parameter);
    attention->site = site;
    attention->x = b->qkv;
    attention->y = b->attended;
    attention->stats = b->log_sums;
    attention->cache = b->cache;
    attention->d_x = s->d_wide;
    attention->d_y = s->d_branch;
    append_linear(gpt, parameter, 1, 1, 1, b->attended, s->branch, s->d_branch, s->d_projected);
    append_residual(gpt, parameter, site + 1, stream, s->branch, b->middle, s->d_projected);

    append_norm(gpt, parameter, b->middle, b->norm2, b->norm2_stats, s->d_branch);
    append_linear(gpt, parameter, 1, 4, 4, b->norm2, b->hidden, s->d_branch, s->d_wide);
    append_activated_linear(gpt, parameter, b, s);
    append_residual(gpt, parameter, site + 2, b->middle, s->branch, b->stream, s->d_projected);
}

static struct shared_tensors take_shared(struct gg_gpt *gpt) {
    const int64_t unit = max_tokens(gpt) * local_width(gpt);
    struct shared_tensors s = {.branch = take(gpt, unit)};
    if (gpt->use == GG_GPT_TRAIN) {
        gpt->d_stream = take(gpt, unit);
        s.d_branch = take(gpt, unit);
        s.d_wide = take(gpt, 4 * unit);
        if (remakes_activated(gpt))
            s.activated = take(gpt, 4 * unit);
        s.d_projected = gpt->dropout.threshold > 0 ? take(gpt, unit) : gpt->d_stream;
    }
    return s;
}

/* Enough that the weight gradient's product is deep, few enough for memory. */
int64_t gg_gpt_head_tokens(const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                           int64_t local_tokens) {
    const int64_t most = (int64_t)32 << 20, local_vocab = config->padded_vocab / fabric->feature_shards;
    int64_t rows = most / local_vocab / 64 * 64;
    rows = rows < 64 ? 64 : rows;
    if (rows >= local_tokens)
        return local_tokens;
    const int64_t parts = (local_tokens + rows - 1) / rows;
    return (local_tokens + parts - 1) / parts;
}

static void append_head(struct gg_gpt *gpt, void *x, void *d_x) {
    const struct gg_gpt_config *config = &gpt->config;
    const int shards = gpt->fabric->feature_shards;
    const int64_t tokens = gpt->use == GG_GPT_GENERATE ? gpt->local_sequences : max_tokens(gpt);
    gpt->head_tokens = gg_gpt_head_tokens(config, gpt->fabric, tokens);
    gpt->logits = gg_arena_floats(&gpt->arena, gpt->head_tokens * (config->padded_vocab / shards));
    gpt->head = (struct gg_step){
        .linear = {config->width, config->padded_vocab, config->width / shards, config->padded_vocab / shards,
                   true, config->precision, GG_PRECISION_FP32},
        .weight = gpt->table->items[0].offset,
        .bias = -1,
        .width = local_width(gpt),
        .x = x,
        .d_x = d_x,
    };
}

/* Lays out all tensors on the arena and writes the list of steps; runs twice, first to measure. */
static void lay_out(struct gg_gpt *gpt) {
    struct gg_arena *arena = &gpt->arena;
    const int64_t tokens = max_tokens(gpt), unit = tokens * local_width(gpt);
    const bool train = gpt->use == GG_GPT_TRAIN;
    int parameter = 0;
    gpt->step_count = 0;
    gpt->scratch = gg_arena_take(arena, gg_step_scratch_bytes(&gpt->config, gpt->fabric));
    gpt->token_sums = gg_arena_floats(arena, 3 * tokens);
    if (gpt->config.precision == GG_PRECISION_BF16)
        gpt->rounded_weights = take(gpt, gpt->table->local_elements);
    if (gpt->fabric->token_shards > 1) {
        gpt->position_ids = gg_arena_take(arena, (size_t)gpt->config.context * sizeof *gpt->position_ids);
        gpt->position_rows = gg_arena_floats(arena, gpt->config.context * local_width(gpt));
        for (int64_t i = 0; gpt->position_ids != NULL && i < gpt->config.context; i++)
            gpt->position_ids[i] = (int32_t)i;
    }
    const struct shared_tensors shared = take_shared(gpt);

    void *stream = take(gpt, unit);
    struct gg_step *embedding = append(gpt, &gg_step_embedding, &parameter);
    embedding->y = stream;
    embedding->d_y = gpt->d_stream;
    struct block_tensors block = {0};
    for (int64_t layer = 0; layer < gpt->config.layers; layer++) {
        if (train || layer == 0)
            block = take_block(gpt, &shared);
        if (!train) /* every block writes the same stream in place */
            block.stream = block.middle = stream;
        if (gpt->use == GG_GPT_GENERATE)
            block.cache = take(gpt, 2 * unit);
        append_block(gpt, &parameter, layer, stream, &block, &shared);
        stream = block.stream;
    }
    void *final = take(gpt, unit);
    float *stats = gg_arena_floats(arena, 2 * tokens);
    append_norm(gpt, &parameter, stream, final, stats, shared.d_branch);
    append_head(gpt, final, shared.d_branch);
    GG_ASSERT(parameter == gpt->table->count);
}

static struct gg_gpt *prepare(const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                              const struct gg_parameter_table *table, enum gg_gpt_use use,
                              int64_t local_sequences) {
    struct gg_gpt *gpt = gg_calloc(1, sizeof *gpt);
    gpt->config = *config;
    gpt->fabric = fabric;
    gpt->table = table;
    gpt->use = use;
    gpt->local_sequences = local_sequences;
    if (use == GG_GPT_TRAIN)
        gpt->dropout = gg_dropout_make(config->dropout, config->seed);
    gpt->steps =
        gg_calloc((size_t)STEPS_PER_BLOCK * (size_t)config->layers + STEPS_OUTSIDE, sizeof *gpt->steps);
    lay_out(gpt);
    return gpt;
}

gg_status gg_gpt_activation_bytes(const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                                  enum gg_gpt_use use, int64_t local_sequences, size_t *bytes) {
    struct gg_parameter_table table;
    GG_TRY(gg_gpt_parameters(config, fabric, &table));
    struct gg_gpt *gpt = prepare(config, fabric, &table, use, local_sequences);
    *bytes = gpt->arena.used_bytes;
    gg_gpt_destroy(&gpt);
    gg_parameter_table_free(&table);
    return GG_OK;
}

gg_status gg_gpt_create(const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                        const struct gg_parameter_table *table, enum gg_gpt_use use, int64_t local_sequences,
                        const float *weights, float *gradients, gg_gpt **gpt) {
    struct gg_gpt *made = prepare(config, fabric, table, use, local_sequences);
    const gg_status status =
        gg_arena_allocate(&made->arena, "the activations; a smaller batch.micro needs less");
    if (status != GG_OK) {
        gg_gpt_destroy(&made);
        return status;
    }
    made->weights = weights;
    made->gradients = gradients;
    lay_out(made);
    gg_gpt_weights_changed(made);
    *gpt = made;
    return GG_OK;
}

void gg_gpt_weights_changed(gg_gpt *gpt) {
    if (gpt->rounded_weights != NULL)
        gg_bf16_from_floats(gpt->weights, gpt->rounded_weights, gpt->table->local_elements);
}

gg_bf16 *gg_gpt_rounded_weights(gg_gpt *gpt) {
    return gpt->rounded_weights;
}

void gg_gpt_destroy(gg_gpt **gpt) {
    if (*gpt == NULL)
        return;
    gg_arena_free(&(*gpt)->arena);
    free((*gpt)->steps);
    free(*gpt);
    *gpt = NULL;
}

static void forward(struct gg_gpt *gpt, struct gg_pass *pass) {
    GG_ASSERT(pass->batch->sequences <= gpt->local_sequences);
    GG_ASSERT(pass->position + pass->batch->time <= gpt->config.context);
    for (int i = 0; i < gpt->step_count; i++) {
        const struct gg_step *step = &gpt->steps[i];
        const double begin = gg_clock_seconds();
        step->kind->forward(gpt, step, pass);
        gpt->times.forward[step->kind->kernel] += gg_clock_seconds() - begin;
    }
}

static void call_hook(struct gg_gpt *gpt, const struct gg_gradient_hook *hook, int64_t from) {
    if (hook == NULL)
        return;
    const double begin = gg_clock_seconds();
    hook->ready(hook->context, from);
    gpt->times.hook += gg_clock_seconds() - begin;
}

void gg_gpt_train(gg_gpt *gpt, const struct gg_batch *batch, float loss_scale,
                  const struct gg_gradient_hook *hook, double *loss_sum) {
    GG_ASSERT(gpt->use == GG_GPT_TRAIN);
    struct gg_pass pass = {.batch = batch,
                           .tokens = batch->sequences * batch->time,
                           .dropout = gpt->dropout.threshold > 0,
                           .loss_scale = loss_scale};
    forward(gpt, &pass);
    gg_head_loss(gpt, &pass, true);
    *loss_sum = pass.loss_sum;
    call_hook(gpt, hook, gpt->table->local_elements);

    gg_zero(gpt->d_stream, (size_t)(pass.tokens * local_width(gpt)) * gg_stored_bytes(gpt->config.precision));
    for (int i = gpt->step_count - 1; i >= 0; i--) {
        const struct gg_step *step = &gpt->steps[i];
        const double begin = gg_clock_seconds();
        step->kind->backward(gpt, step, &pass);
        gpt->times.backward[step->kind->kernel] += gg_clock_seconds() - begin;
        call_hook(gpt, hook, step->final_from);
    }
}

void gg_gpt_evaluate(gg_gpt *gpt, const struct gg_batch *batch, double *loss_sum) {
    struct gg_pass pass = {.batch = batch, .tokens = batch->sequences * batch->time};
    forward(gpt, &pass);
    gg_head_loss(gpt, &pass, false);
    *loss_sum = pass.loss_sum;
}

void gg_gpt_logits(gg_gpt *gpt, const int32_t *ids, int64_t count, int64_t position, float *logits) {
    GG_ASSERT(gpt->use == GG_GPT_GENERATE);
    const struct gg_batch batch = {.sequences = 1, .time = count, .inputs = ids};
    struct gg_pass pass = {.batch = &batch, .tokens = count, .position = position};
    forward(gpt, &pass);
    const struct gg_step *head = &gpt->head;
    gpt->fabric->matmul(gpt->fabric, GG_PRODUCT_FORWARD, &head->linear, 1,
                        gg_at(gpt->config.precision, head->x, (count - 1) * head->width),
                        gg_operand_weights(gpt, head->weight), false, gpt->logits);
    gpt->fabric->feature_gather(gpt->fabric, gpt->logits,
                                gpt->config.padded_vocab / gpt->fabric->feature_shards, logits);
}

struct gg_gpt_times gg_gpt_times(const gg_gpt *gpt) {
    return gpt->times;
}

void gg_gpt_times_reset(gg_gpt *gpt) {
    gpt->times = (struct gg_gpt_times){0};
}
