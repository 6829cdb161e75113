/* A head: logits = x E^T, with the token embedding E or a matrix of its own like it; softmax cross-entropy, and
 * the gradients of x and E, a few rows at a time so that the whole micro-batch's logits never exist. Its entries are
 * the vocabulary, or the classes of texts. */
#include "core/base/clock.h"
#include "core/kernels/loss.h"
#include "core/model/builder_internal.h"
#include "core/model/graph_figures.h"
#include "core/model/module_internal.h"

struct head {
    struct gg_module module; /* parameter: E (entries, width) */
    struct gg_linear product;
    bool classes;
};

static const struct head *head_of(const struct gg_module *module) {
    return (const struct head *)module;
}

static int64_t local_entries_of(const struct gg_graph *graph, const struct gg_module *module) {
    return head_of(module)->product.out / graph->shards.feature_shards;
}

/* Enough that the weight gradient's product is deep, few enough for memory. */
static int64_t rows_of(int64_t local_entries, int64_t local_tokens) {
    const int64_t most = (int64_t)64 << 20;
    int64_t rows = most / local_entries / 64 * 64;
    rows = rows < 64 ? 64 : rows;
    if (rows >= local_tokens)
        return local_tokens;
    const int64_t parts = (local_tokens + rows - 1) / rows;
    return (local_tokens + parts - 1) / parts;
}

int64_t gg_head_tokens(const struct gg_graph *graph, int64_t local_tokens) {
    return rows_of(graph->config.padded_vocab / graph->shards.feature_shards, local_tokens);
}

/* Scratch: logits (rows, local entries), then three numbers a row. */
static int64_t most_rows(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                         int64_t local_sequences) {
    const int64_t tokens =
        use == GG_MODEL_GENERATE ? local_sequences : local_sequences * graph->config.context;
    return rows_of(local_entries_of(graph, module), tokens);
}

static void needs(const struct gg_graph *graph, const struct gg_module *module, enum gg_model_use use,
                  int64_t local_sequences, struct gg_needs *needs) {
    const int64_t rows = most_rows(graph, module, use, local_sequences);
    needs->scratch = (size_t)(rows * (local_entries_of(graph, module) + 3)) * sizeof(float);
}

/* Rows of logits taken at once: all where the vocabulary is split over ranks, so that one exchange serves
 * them; where it is not, one that stays in cache from its maximum to its exponentials. */
static int64_t loss_rows_at_once(const struct gg_model *model, int64_t tokens) {
    return model->fabric->shards.feature_shards > 1 ? tokens : 1;
}

/* The loss of the tokens whose logits stand there; leaves exponentials.
 *   sums (3 * tokens): the first two of each row, then the rows' maxima */
static double loss_rows(const struct gg_model *model, const struct gg_logits *logits, const int32_t *targets,
                        const float *weights, float *sums) {
    const struct gg_fabric *fabric = model->fabric;
    float *largest = sums + 2 * logits->tokens;
    const int64_t rows = loss_rows_at_once(model, logits->tokens);
#pragma omp parallel for schedule(static) if (rows < logits->tokens)
    for (int64_t start = 0; start < logits->tokens; start += rows) {
        struct gg_logits part = *logits;
        part.values += start * logits->local_vocab;
        part.tokens = start + rows < logits->tokens ? rows : logits->tokens - start;
        gg_loss_maximum(&part, largest + start);
        fabric->feature_max(fabric, largest + start, part.tokens);
        gg_loss_exponentials(&part, largest + start, targets + start, sums + 2 * start);
        fabric->feature_sum(fabric, sums + 2 * start, 2 * part.tokens);
    }
    return gg_loss_sum(sums, weights, logits->tokens);
}

/* d_E += d_logits^T x, where E is trained; d_x = d_logits E. */
static void backward_rows(struct gg_model *model, const struct gg_step *step, int64_t rows, const void *x,
                          const void *d_logits, void *d_x) {
    const struct gg_fabric *fabric = model->fabric;
    const struct gg_linear *product = &head_of(step->module)->product;
    const int weight = step->module->parameters[0];
    if (gg_module_trained(model->graph, step->module))
        fabric->matmul(fabric, GG_PRODUCT_WEIGHT_GRADIENT, product, rows, x, d_logits, true,
                       gg_module_gradients(model, weight));
    fabric->matmul(fabric, GG_PRODUCT_INPUT_GRADIENT, product, rows, d_logits,
                   gg_module_operand(model, weight), step->add, d_x);
}

static void forward(struct gg_model *model, const struct gg_step *step, struct gg_pass *pass) {
    const struct gg_graph *graph = model->graph;
    const enum gg_precision stored = graph->config.precision;
    const struct head *head = head_of(step->module);
    const int64_t width = gg_module_input_width(model, step->module, 0),
                  local = local_entries_of(graph, step->module);
    const int64_t most = most_rows(graph, step->module, model->use, model->local_sequences);
    const int32_t *all_targets = head->classes ? pass->batch->labels : pass->batch->targets;
    const float *all_weights = head->classes ? pass->batch->label_weights : pass->batch->loss_weights;
    float *values = step->at.scratch, *sums = values + most * local;
    struct gg_model_times *times = &model->times;
    for (int64_t start = 0; start < pass->tokens; start += most) {
        const int64_t rows = start + most < pass->tokens ? most : pass->tokens - start;
        const void *x = gg_at(stored, step->at.x[0], start * width);
        const int32_t *targets = all_targets + start;
        const float *weights = all_weights != NULL ? all_weights + start : NULL;
        const struct gg_logits logits = {values, rows, local, graph->shards.feature_index * local,
                                         head->classes ? graph->config.classes : graph->config.vocab};
        const double begin = gg_clock_seconds();
        model->fabric->matmul(model->fabric, GG_PRODUCT_FORWARD, &head_of(step->module)->product, rows, x,
                              gg_module_operand(model, step->module->parameters[0]), false, values);
        const double multiplied = gg_clock_seconds();
        pass->loss_sum += loss_rows(model, &logits, targets, weights, sums);
        const double measured = gg_clock_seconds();
        times->forward[GG_KERNEL_MATMUL] += multiplied - begin;
        times->forward[GG_KERNEL_LOSS] += measured - multiplied;
        if (!pass->train)
            continue;
        void *d_logits = values; /* in place */
        gg_loss_backward(&logits, sums, targets, weights, pass->loss_scale, stored, d_logits);
        const double differentiated = gg_clock_seconds();
        backward_rows(model, step, rows, x, d_logits, gg_at(stored, step->at.d_x[0], start * width));
        times->backward[GG_KERNEL_LOSS] += differentiated - measured;
        times->backward[GG_KERNEL_MATMUL] += gg_clock_seconds() - differentiated;
    }
}

void gg_head_logits(struct gg_model *model, const struct gg_step *step, const struct gg_pass *pass,
                    int64_t row, int64_t rows, float *logits) {
    const struct gg_fabric *fabric = model->fabric;
    const int64_t width = gg_module_input_width(model, step->module, 0),
                  local = local_entries_of(model->graph, step->module);
    const bool whole = fabric->shards.feature_shards == 1;
    float *values = whole ? logits : step->at.scratch;
    GG_ASSERT(rows <= most_rows(model->graph, step->module, model->use, model->local_sequences));
    gg_module_multiply(model, pass, &head_of(step->module)->product, rows,
                       gg_at(model->graph->config.precision, step->at.x[0], row * width),
                       step->module->parameters[0], values);
    for (int64_t r = 0; r < rows && !whole; r++)
        fabric->feature_gather(fabric, values + r * local, local,
                               logits + r * head_of(step->module)->product.out);
}

static const struct gg_linear *product(const struct gg_module *module) {
    return &head_of(module)->product;
}

const struct gg_module_kind gg_head_kind = {
    .kernel = GG_KERNEL_LOSS,
    .forward = forward,
    .times_itself = true,
    .needs = needs,
    .linear = product,
};

struct gg_head_size gg_head_size_of(const struct gg_model *model, const struct gg_module *module) {
    const struct gg_model_config *config = &model->graph->config;
    return (struct gg_head_size){head_of(module)->classes ? config->classes : config->vocab,
                                 local_entries_of(model->graph, module),
                                 most_rows(model->graph, module, model->use, model->local_sequences)};
}

bool gg_head_of_classes(const struct gg_module *module) {
    return module->kind == &gg_head_kind && head_of(module)->classes;
}

static void append(struct gg_builder *b, int weight, int64_t padded_entries, bool classes, int x) {
    const struct gg_tensor in = *gg_build_tensor(b, x);
    struct head *head = gg_build_module(b, &gg_head_kind, sizeof *head, 0, 0);
    gg_build_input(b, &head->module, x);
    head->classes = classes;
    head->module.parameters[0] = weight;
    head->product = (struct gg_linear){in.features,
                                       padded_entries,
                                       in.block,
                                       padded_entries / gg_build_shards(b)->feature_shards,
                                       true,
                                       gg_build_config(b)->precision,
                                       GG_PRECISION_FP32};
}

void gg_build_head(struct gg_builder *b, const char *token_weight, int x) {
    const struct gg_model_config *c = gg_build_config(b);
    if (c->classes > 0) {
        const int score =
            gg_build_embedding_table(b, "score.weight", c->classes, c->padded_classes, c->width);
        gg_build_trained(b, score); /* no model that adapters stand beside has learned these classes */
        append(b, score, c->padded_classes, true, x);
    }
    if (!c->classes_only)
        append(b,
               c->tied ? gg_build_find(b, token_weight)
                       : gg_build_embedding_table(b, "lm_head.weight", c->vocab, c->padded_vocab, c->width),
               c->padded_vocab, false, x);
}
