/* GPT-2 as a list of steps: which tensors there are, where they stand, and which of them are kept for the
 * backward pass. */
#include "core/model/step.h"

enum { STEPS_PER_BLOCK = 11, STEPS_OUTSIDE = 2, SITES_PER_BLOCK = 3 };

/* Activations of one block; in units of (tokens, local width). */
struct block_tensors {
    /* PART_ATTENTION */
    void *norm1; /* 1 */
    float *norm1_stats;
    void *qkv;      /* 3 */
    void *attended; /* 1 */
    float *log_sums;
    /* PART_MLP */
    void *middle; /* 1: the stream between attention and MLP */
    void *norm2;  /* 1 */
    float *norm2_stats;
    void *hidden; /* 4 */
    /* PART_ACTIVATED */
    void *activated; /* 4 */

    void *stream;  /* 1: the stream after the block */
    void *cache;   /* generation: (sequences, context, 2) */
    unsigned lost; /* parts that later blocks overwrite before this one's backward pass */
};

/* What is kept for the backward pass together, or stands in tensors that all blocks share. */
enum { PART_ATTENTION = 1, PART_MLP = 2, PART_ACTIVATED = 4, ALL_PARTS = 7 };

/* Buffers that all blocks share. */
struct shared_tensors {
    void *branch;      /* output of the projections, before it joins the stream */
    void *d_branch;    /* gradient of a norm's or attention's output */
    void *d_projected; /* gradient of a projection's output; d_stream itself without dropout */
    void *d_wide;      /* (tokens, 4 width) gradients inside a block */
};

int gg_gpt_most_steps(const struct gg_gpt_config *config) {
    return STEPS_PER_BLOCK * (int)config->layers + STEPS_OUTSIDE;
}

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

/* Parts that every block keeps: what it lacks of them is made again in the backward pass (Chen et al. 2016;
 * Korthikanti et al. 2022, section 5), or there is none.
 *
 * GELU's output is a quarter of a block's activations, and made again at no cost but its writing while GELU's
 * gradient is computed. That is worth it in bf16, whose point is memory too. */
static unsigned kept_parts(const struct gg_gpt *gpt) {
    static const unsigned kept[] = {
        [GG_RECOMPUTE_NONE] = ALL_PARTS,
        [GG_RECOMPUTE_ATTENTION] = PART_MLP | PART_ACTIVATED,
        [GG_RECOMPUTE_BLOCK] = 0,
    };
    if (gpt->use != GG_GPT_TRAIN)
        return 0;
    const unsigned spared = gpt->config.precision == GG_PRECISION_BF16 ? PART_ACTIVATED : 0;
    return kept[gpt->config.recompute] & ~spared;
}

static void take_parts(struct gg_gpt *gpt, unsigned parts, struct block_tensors *b) {
    struct gg_arena *arena = &gpt->arena;
    const int64_t tokens = max_tokens(gpt), unit = tokens * local_width(gpt);
    const bool train = gpt->use == GG_GPT_TRAIN;
    if (parts & PART_ATTENTION) {
        b->norm1 = take(gpt, unit);
        b->norm1_stats = gg_arena_floats(arena, 2 * tokens);
        b->qkv = take(gpt, 3 * unit);
        b->attended = take(gpt, unit);
        if (train)
            b->log_sums = gg_arena_floats(arena, tokens * (gpt->config.heads / gpt->fabric->feature_shards));
    }
    if (parts & PART_MLP) {
        if (train) /* else it is the stream, which is written in place */
            b->middle = take(gpt, unit);
        b->norm2 = take(gpt, unit);
        b->norm2_stats = gg_arena_floats(arena, 2 * tokens);
        b->hidden = take(gpt, 4 * unit);
    }
    if (parts & PART_ACTIVATED)
        b->activated = take(gpt, 4 * unit);
}

static struct gg_step *append(struct gg_gpt *gpt, const struct gg_step_kind *kind, int *parameter) {
    struct gg_step *step = &gpt->steps[gpt->step_count++];
    const struct gg_parameter *items = gpt->table->items;
    *step =
        (struct gg_step){.kind = kind, .weight = -1, .bias = -1, .width = local_width(gpt), .again_from = -1};
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
                                    const struct shared_tensors *s, int block_start) {
    struct gg_step *weight_gradient = &gpt->steps[gpt->step_count++];
    struct gg_step *gelu = append(gpt, &gg_step_gelu, parameter);
    gelu->width = 4 * local_width(gpt);
    gelu->x = b->hidden;
    gelu->y = b->activated;
    gelu->d_x = gelu->d_y = s->d_wide;
    gelu->remakes_y = b->lost & PART_ACTIVATED;
    if (b->lost & PART_MLP)
        gelu->again_from = block_start;
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
    const int start = gpt->step_count;
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
    struct gg_step *projection = append(gpt, &gg_step_linear, parameter);
    set_linear(gpt, projection, 1, 1, 1, b->attended, s->branch, s->d_branch, s->d_projected);
    if ((b->lost & PART_ATTENTION) && !(b->lost & PART_MLP)) /* else it comes back with the MLP */
        projection->again_from = start;
    append_residual(gpt, parameter, site + 1, stream, s->branch, b->middle, s->d_projected);

    append_norm(gpt, parameter, b->middle, b->norm2, b->norm2_stats, s->d_branch);
    append_linear(gpt, parameter, 1, 4, 4, b->norm2, b->hidden, s->d_branch, s->d_wide);
    append_activated_linear(gpt, parameter, b, s, start);
    append_residual(gpt, parameter, site + 2, b->middle, s->branch, b->stream, s->d_projected);
}

static void append_blocks(struct gg_gpt *gpt, int *parameter, void **stream, const struct shared_tensors *s) {
    const int64_t unit = max_tokens(gpt) * local_width(gpt);
    const unsigned kept = kept_parts(gpt);
    struct block_tensors shared = {.middle = *stream, .stream = *stream};
    take_parts(gpt, ALL_PARTS & ~kept, &shared);
    for (int64_t layer = 0; layer < gpt->config.layers; layer++) {
        struct block_tensors block = shared;
        take_parts(gpt, kept, &block);
        if (layer + 1 < gpt->config.layers)
            block.lost = ALL_PARTS & ~kept;
        if (gpt->use == GG_GPT_TRAIN)
            block.stream = take(gpt, unit);
        if (gpt->use == GG_GPT_GENERATE)
            block.cache = take(gpt, 2 * unit);
        append_block(gpt, parameter, layer, *stream, &block, s);
        *stream = block.stream;
    }
}

static struct shared_tensors take_shared(struct gg_gpt *gpt) {
    const int64_t unit = max_tokens(gpt) * local_width(gpt);
    struct shared_tensors s = {.branch = take(gpt, unit)};
    if (gpt->use == GG_GPT_TRAIN) {
        gpt->d_stream = take(gpt, unit);
        s.d_branch = take(gpt, unit);
        s.d_wide = take(gpt, 4 * unit);
        s.d_projected = gpt->dropout.threshold > 0 ? take(gpt, unit) : gpt->d_stream;
    }
    return s;
}

/* Enough that the weight gradient's product is deep, few enough for memory. */
int64_t gg_gpt_head_tokens(const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                           int64_t local_tokens) {
    const int64_t most = (int64_t)64 << 20, local_vocab = config->padded_vocab / fabric->feature_shards;
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

void gg_gpt_lay_out(struct gg_gpt *gpt) {
    struct gg_arena *arena = &gpt->arena;
    const int64_t tokens = max_tokens(gpt), unit = tokens * local_width(gpt);
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
    append_blocks(gpt, &parameter, &stream, &shared);
    void *final = take(gpt, unit);
    float *stats = gg_arena_floats(arena, 2 * tokens);
    append_norm(gpt, &parameter, stream, final, stats, shared.d_branch);
    append_head(gpt, final, shared.d_branch);
    GG_ASSERT(parameter == gpt->table->count);
}
