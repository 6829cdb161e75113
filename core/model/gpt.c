/* GPT-2: making a model, and the passes over its list of steps (gpt_layout.c). */
#include "core/model/gpt.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/model/step.h"

#include <stdlib.h>

const char *const gg_kernel_kind_names[GG_KERNEL_KINDS] = {"matmul",     "attention", "residual_norm",
                                                           "activation", "embedding", "loss"};

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
    gpt->steps = gg_calloc((size_t)gg_gpt_most_steps(config), sizeof *gpt->steps);
    gg_gpt_lay_out(gpt);
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

const char *gg_gpt_activations_name(const struct gg_gpt_config *config, enum gg_gpt_use use) {
    return use == GG_GPT_TRAIN && config->recompute != GG_RECOMPUTE_BLOCK
               ? "the activations; compute.recompute=block or a smaller batch.micro needs less"
               : "the activations; a smaller batch.micro needs less";
}

gg_status gg_gpt_create(const struct gg_gpt_config *config, const struct gg_fabric *fabric,
                        const struct gg_parameter_table *table, enum gg_gpt_use use, int64_t local_sequences,
                        const float *weights, float *gradients, gg_gpt **gpt) {
    struct gg_gpt *made = prepare(config, fabric, table, use, local_sequences);
    const gg_status status = gg_arena_allocate(&made->arena, gg_gpt_activations_name(config, use));
    if (status != GG_OK) {
        gg_gpt_destroy(&made);
        return status;
    }
    made->weights = weights;
    made->gradients = gradients;
    gg_gpt_lay_out(made);
    GG_ASSERT(made->arena.used_bytes == made->arena.capacity_bytes);
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

/* One pass of one step, its time added to that of its kind. */
static void run(struct gg_gpt *gpt, const struct gg_step *step, gg_step_pass *step_pass, struct gg_pass *pass,
                double seconds[GG_KERNEL_KINDS]) {
    const double begin = gg_clock_seconds();
    step_pass(gpt, step, pass);
    seconds[step->kind->kernel] += gg_clock_seconds() - begin;
}

/* Forward pass of step i, and where the step after it joins in (a norm after a residual), of both. Returns
 * the step that comes then, at most `end`. */
static int run_forward(struct gg_gpt *gpt, int i, int end, struct gg_pass *pass,
                       double seconds[GG_KERNEL_KINDS]) {
    const struct gg_step *step = &gpt->steps[i];
    const bool joined = step->kind->forward_joined != NULL && i + 1 < end && step[1].kind == &gg_step_norm;
    run(gpt, step, joined ? step->kind->forward_joined : step->kind->forward, pass, seconds);
    return joined ? i + 2 : i + 1;
}

static void forward(struct gg_gpt *gpt, struct gg_pass *pass) {
    GG_ASSERT(pass->batch->sequences <= gpt->local_sequences);
    GG_ASSERT(pass->position + pass->batch->time <= gpt->config.context);
    for (int i = 0; i < gpt->step_count;)
        i = run_forward(gpt, i, gpt->step_count, pass, gpt->times.forward);
}

static void call_hook(struct gg_gpt *gpt, const struct gg_gradient_hook *hook, int64_t from) {
    if (hook == NULL)
        return;
    const double begin = gg_clock_seconds();
    hook->ready(hook->context, from);
    gpt->times.hook += gg_clock_seconds() - begin;
}

/* Forward passes from step `first` up to `end`, whose outputs the backward pass needs and were not kept. */
static void run_again(struct gg_gpt *gpt, int first, int end, struct gg_pass *pass,
                      const struct gg_gradient_hook *hook, int64_t from) {
    for (int i = first; i < end;) {
        i = run_forward(gpt, i, end, pass, gpt->times.again);
        call_hook(gpt, hook, from);
    }
}

static void backward(struct gg_gpt *gpt, struct gg_pass *pass, const struct gg_gradient_hook *hook) {
    const enum gg_precision stored = gpt->config.precision;
    const int64_t width = gpt->head.width;
    int64_t from = gpt->table->local_elements;
    call_hook(gpt, hook, from);
    gg_zero(gpt->d_stream, (size_t)(pass->tokens * width) * gg_stored_bytes(stored));
    for (int i = gpt->step_count - 1; i >= 0; i--) {
        const struct gg_step *step = &gpt->steps[i];
        if (step->again_from >= 0)
            run_again(gpt, step->again_from, i, pass, hook, from);
        run(gpt, step, step->kind->backward, pass, gpt->times.backward);
        from = step->final_from;
        call_hook(gpt, hook, from);
    }
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
    backward(gpt, &pass, hook);
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
