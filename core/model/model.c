/* Making a model, and the passes over its steps (step_list_internal.h). */
#include "core/model/model.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/model/module_internal.h"
#include "core/model/step_list_internal.h"

#include <stdlib.h>

const char *const gg_kernel_kind_names[GG_KERNEL_KINDS] = {"matmul",     "attention", "residual_norm",
                                                           "activation", "embedding", "loss"};

size_t gg_model_bytes(const struct gg_graph *graph, enum gg_model_use use, int64_t local_sequences) {
    struct gg_step_list *steps = gg_step_list_make(graph, use, local_sequences);
    const size_t bytes = steps->buffers.bytes;
    gg_step_list_free(&steps);
    return bytes;
}

const char *gg_model_activations_name(const struct gg_graph *graph, enum gg_model_use use) {
    return use == GG_MODEL_TRAIN && graph->config.recompute != GG_RECOMPUTE_BLOCK
               ? "the activations; compute.recompute=block or a smaller batch.micro needs less"
               : "the activations; a smaller batch.micro needs less";
}

/* Attention takes rows of its cache that nobody has written yet, times zero. */
static void zero_states(struct gg_model *model) {
    const struct gg_step_list *steps = model->steps;
    for (int i = 0; i < steps->forward_count; i++)
        if (steps->slots[i].state >= 0)
            gg_zero(steps->items[i].at.state, steps->buffers.items[steps->slots[i].state].bytes);
}

static gg_status allocate(struct gg_model *model) {
    const struct gg_buffer_list *buffers = &model->steps->buffers;
    void *memory;
    GG_TRY(gg_try_malloc(buffers->bytes, gg_model_activations_name(model->graph, model->use), &memory));
    model->memory = memory;
    gg_buffers_touch(buffers, model->memory);
    gg_step_list_place(model->steps, model->memory);
    zero_states(model);
    if (model->steps->rounded >= 0)
        model->rounded_weights =
            (gg_bf16 *)(void *)(model->memory + buffers->items[model->steps->rounded].offset);
    return GG_OK;
}

/* What modules keep all the model's life and need not compute again. */
static void prepare(struct gg_model *model) {
    for (int i = 0; i < model->steps->forward_count; i++) {
        const struct gg_step *step = &model->steps->items[i];
        const struct gg_module *module = step->module;
        if (module->kind->prepare != NULL && model->graph->modules[module->state_of] == module)
            module->kind->prepare(model, step);
    }
}

gg_status gg_model_create(const struct gg_graph *graph, const struct gg_fabric *fabric, enum gg_model_use use,
                          int64_t local_sequences, const float *weights, float *gradients, gg_model **model) {
    struct gg_model *made = gg_calloc(1, sizeof *made);
    *made = (struct gg_model){.graph = graph,
                              .fabric = fabric,
                              .use = use,
                              .local_sequences = local_sequences,
                              .weights = weights,
                              .gradients = gradients};
    if (use == GG_MODEL_TRAIN) {
        made->dropout = gg_dropout_make(graph->config.dropout, graph->config.seed);
        made->adapter_dropout = gg_dropout_make(graph->config.lora.dropout, graph->config.seed);
    }
    made->steps = gg_step_list_make(graph, use, local_sequences);
    const gg_status status = allocate(made);
    if (status != GG_OK) {
        gg_model_destroy(&made);
        return status;
    }
    prepare(made);
    gg_model_weights_changed(made);
    *model = made;
    return GG_OK;
}

void gg_model_weights_changed(gg_model *model) {
    if (model->rounded_weights != NULL)
        gg_bf16_from_floats(model->weights, model->rounded_weights, model->graph->table.local_elements);
}

void gg_model_trained_weights_changed(gg_model *model) {
    if (model->rounded_weights != NULL)
        gg_bf16_from_floats(model->weights, model->rounded_weights, model->graph->table.trained_elements);
}

gg_bf16 *gg_model_rounded_weights(gg_model *model) {
    return model->rounded_weights;
}

void gg_model_destroy(gg_model **model) {
    if (*model == NULL)
        return;
    gg_step_list_free(&(*model)->steps);
    free((*model)->memory);
    free(*model);
    *model = NULL;
}

/* Steps that go through the rows together, a few rows at a time. */
static void run_fused(struct gg_model *model, const struct gg_step *steps, struct gg_pass *pass) {
#pragma omp parallel for schedule(static)
    for (int64_t start = 0; start < pass->tokens; start += GG_CACHED_ROWS) {
        const int64_t left = pass->tokens - start, count = left < GG_CACHED_ROWS ? left : GG_CACHED_ROWS;
        for (int i = 0; i < steps->fused; i++)
            steps[i].module->kind->forward_rows(model, &steps[i], pass, start, count);
    }
}

/* One step, or a few that are fused, and where its time goes. Returns the step that comes then. */
static const struct gg_step *run(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass,
                                 double seconds[GG_KERNEL_KINDS]) {
    const double begin = gg_clock_seconds();
    if (step->fused > 1)
        run_fused(model, step, pass);
    else
        step->run(model, step, pass);
    if (!step->module->kind->times_itself)
        seconds[step->kernel] += gg_clock_seconds() - begin;
    return step + step->fused;
}

/* The forward pass up to `end`. */
static void forward(struct gg_model *model, struct gg_pass *pass, const struct gg_step *end) {
    GG_ASSERT(pass->batch->sequences <= model->local_sequences);
    GG_ASSERT(pass->position + pass->batch->time <= model->graph->config.context);
    for (const struct gg_step *step = model->steps->items; step < end;)
        step = run(model, step, pass, model->times.forward);
}

static const struct gg_step *head_of(const struct gg_model *model) {
    return &model->steps->items[model->steps->forward_count - 1];
}

static void call_hook(struct gg_model *model, const struct gg_gradient_hook *hook, int64_t from) {
    if (hook == NULL)
        return;
    const double begin = gg_clock_seconds();
    hook->ready(hook->context, from);
    model->times.hook += gg_clock_seconds() - begin;
}

static void backward(struct gg_model *model, struct gg_pass *pass, const struct gg_gradient_hook *hook) {
    const struct gg_step *end = model->steps->items + model->steps->count;
    int64_t from = model->graph->table.trained_elements;
    call_hook(model, hook, from);
    for (const struct gg_step *step = head_of(model) + 1; step < end;) {
        if (!step->recompute)
            from = step->final_from;
        step = run(model, step, pass, step->recompute ? model->times.recompute : model->times.backward);
        call_hook(model, hook, from);
    }
}

void gg_model_train(gg_model *model, const struct gg_batch *batch, float loss_scale,
                    const struct gg_gradient_hook *hook, double *loss_sum) {
    GG_ASSERT(model->use == GG_MODEL_TRAIN);
    struct gg_pass pass = {.batch = batch,
                           .tokens = batch->sequences * batch->time,
                           .dropout = model->dropout.threshold > 0,
                           .loss_scale = loss_scale,
                           .train = true};
    forward(model, &pass, head_of(model) + 1);
    *loss_sum = pass.loss_sum;
    backward(model, &pass, hook);
}

void gg_model_evaluate(gg_model *model, const struct gg_batch *batch, double *loss_sum) {
    struct gg_pass pass = {.batch = batch, .tokens = batch->sequences * batch->time};
    forward(model, &pass, head_of(model) + 1);
    *loss_sum = pass.loss_sum;
}

/* The step of the head whose entries are the classes, or NULL. */
static const struct gg_step *class_head_of(const struct gg_model *model) {
    for (const struct gg_step *step = head_of(model); step >= model->steps->items; step--)
        if (gg_head_of_classes(step->module))
            return step;
    return NULL;
}

void gg_model_score(gg_model *model, const struct gg_batch *batch, struct gg_token_scores *scores) {
    struct gg_pass pass = {.batch = batch, .tokens = batch->sequences * batch->time};
    const struct gg_step *classes = class_head_of(model), *head = scores->classes ? classes : head_of(model);
    GG_ASSERT(scores->classes ? classes != NULL : !model->graph->config.classes_only);
    forward(model, &pass, classes != NULL ? classes : head); /* it stands before the other one */
    gg_head_score(model, head, batch, scores);
}

void gg_model_prefill(gg_model *model, int64_t sequence, const int32_t *ids, int64_t count, int64_t position,
                      float *logits) {
    GG_ASSERT(model->use == GG_MODEL_GENERATE);
    GG_ASSERT(sequence >= 0 && sequence < model->local_sequences);
    const struct gg_batch batch = {.sequences = 1, .time = count, .inputs = ids};
    struct gg_pass pass = {
        .batch = &batch, .tokens = count, .position = position, .cached_sequence = sequence};
    forward(model, &pass, head_of(model));
    gg_head_logits(model, head_of(model), &pass, count - 1, 1, logits);
}

void gg_model_logits(gg_model *model, const int32_t *ids, int64_t count, int64_t position, float *logits) {
    gg_model_prefill(model, 0, ids, count, position, logits);
}

void gg_model_decode(gg_model *model, const int64_t *sequences, int64_t count, const int32_t *ids,
                     const int64_t *positions, float *logits) {
    GG_ASSERT(model->use == GG_MODEL_GENERATE);
    const struct gg_batch batch = {.sequences = count, .time = 1, .inputs = ids};
    struct gg_pass pass = {.batch = &batch, .tokens = count, .positions = positions, .sequences = sequences};
    for (int64_t s = 0; s < count; s++) {
        GG_ASSERT(sequences[s] >= 0 && sequences[s] < model->local_sequences);
        pass.position = positions[s] > pass.position ? positions[s] : pass.position;
    }
    forward(model, &pass, head_of(model));
    gg_head_logits(model, head_of(model), &pass, 0, count, logits);
}

bool gg_model_decodes_alone(const gg_model *model) {
    return model->fabric->matmul_few != NULL;
}

struct gg_model_times gg_model_times(const gg_model *model) {
    return model->times;
}

void gg_model_times_reset(gg_model *model) {
    model->times = (struct gg_model_times){0};
}
