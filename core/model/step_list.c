/* From a graph to the list of its steps, and to where their tensors stand. */
#include "core/model/step_list_internal.h"

#include "core/base/memory.h"
#include "core/model/recompute_internal.h"

#include <stdlib.h>

/* What is known while the list is written. Values have a buffer in the forward pass, and another in the
 * backward pass where they are recomputed. */
struct maker {
    const struct gg_graph *graph;
    enum gg_model_use use;
    int64_t local_sequences;
    struct gg_step_list *steps;
    struct gg_recompute_plan recompute;
    int *value, *value_recomputed; /* buffers of tensors; -1: none yet */
    int *saved, *saved_recomputed; /* of modules */
    int *state;
    int *gradient;         /* buffers of tensors' gradients; several may share one */
    int *gradient_version; /* of the buffer, when the gradient was written to it */
    int *version;          /* of buffers: how often they were written to; grows with the list of buffers */
    int version_capacity;
    struct {
        int module, piece;
    } waiting[GG_MODULE_INPUTS]; /* pieces that wait for an output to be recomputed */
    int waiting_count;
};

static const struct gg_slots no_slots = {{-1, -1, -1}, -1, -1, -1, -1, {-1, -1, -1}, -1};

static int append_buffer(struct maker *m, size_t bytes) {
    return bytes > 0 ? gg_buffer_append(&m->steps->buffers, bytes) : -1;
}

static size_t tensor_bytes(const struct maker *m, int tensor) {
    /* Generation takes one sequence's tokens at once, or one token of each. */
    const int64_t context = m->graph->config.context, sequences = m->local_sequences;
    const int64_t tokens = m->use != GG_MODEL_GENERATE ? sequences * context
                           : sequences > context       ? sequences
                                                       : context;
    return (size_t)(tokens * m->graph->tensors[tensor].local_features) *
           gg_stored_bytes(m->graph->config.precision);
}

static int *version_of(struct maker *m, int buffer) {
    if (buffer >= m->version_capacity) {
        const int capacity = 2 * buffer + 64;
        m->version = gg_realloc(m->version, (size_t)capacity * sizeof *m->version);
        for (int i = m->version_capacity; i < capacity; i++)
            m->version[i] = 0;
        m->version_capacity = capacity;
    }
    return &m->version[buffer];
}

static struct gg_needs needs_of(const struct maker *m, int module) {
    const struct gg_module *item = m->graph->modules[module];
    struct gg_needs needs = {0};
    if (item->kind->needs != NULL)
        item->kind->needs(m->graph, item, m->use, m->local_sequences, &needs);
    return needs;
}

static struct gg_step *append_step(struct maker *m, int module, gg_step_run *run,
                                   enum gg_kernel_kind kernel) {
    struct gg_step_list *s = m->steps;
    if (s->count == s->capacity) {
        s->capacity = s->capacity > 0 ? 2 * s->capacity : 64;
        s->items = gg_realloc(s->items, (size_t)s->capacity * sizeof *s->items);
        s->slots = gg_realloc(s->slots, (size_t)s->capacity * sizeof *s->slots);
    }
    struct gg_step *step = &s->items[s->count];
    *step = (struct gg_step){.module = m->graph->modules[module], .run = run, .kernel = kernel, .fused = 1};
    s->slots[s->count] = no_slots;
    s->slots[s->count++].scratch = append_buffer(m, needs_of(m, module).scratch);
    return step;
}

static struct gg_slots *last_slots(struct maker *m) {
    return &m->steps->slots[m->steps->count - 1];
}

/* The buffer of a value as the forward pass, or what comes after it, finds it. */
static int value_of(const struct maker *m, int tensor, bool recompute) {
    return recompute && m->recompute.lost[tensor] ? m->value_recomputed[tensor] : m->value[tensor];
}

static int saved_of(const struct maker *m, int module, bool recompute) {
    return recompute && m->recompute.region[module] >= 0 ? m->saved_recomputed[module] : m->saved[module];
}

/* Whether a module may write its output over its second input: nobody reads that later, as no backward pass
 * follows. */
static bool stands_in_place(const struct maker *m, int module) {
    const struct gg_module *item = m->graph->modules[module];
    if (item->kind->output_always_in_place)
        return true;
    if (m->use == GG_MODEL_TRAIN || !item->kind->output_in_place)
        return false;
    for (int i = module + 1; i < m->graph->module_count; i++)
        for (int k = 0; k < m->graph->modules[i]->input_count; k++)
            if (m->graph->modules[i]->inputs[k] == item->inputs[1])
                return false;
    return true;
}

/* A forward step; `recompute`: amid the backward pass. */
static struct gg_step *append_forward(struct maker *m, int module, bool recompute) {
    const struct gg_module *item = m->graph->modules[module];
    const struct gg_needs needs = needs_of(m, module);
    int *value = recompute ? m->value_recomputed : m->value,
        *saved = recompute ? m->saved_recomputed : m->saved;
    struct gg_step *step = append_step(m, module, item->kind->forward, item->kind->kernel);
    struct gg_slots *slots = last_slots(m);
    step->recompute = recompute;
    for (int k = 0; k < item->input_count; k++)
        slots->x[k] = value_of(m, item->inputs[k], recompute);
    if (item->output >= 0) {
        if (value[item->output] < 0)
            value[item->output] = stands_in_place(m, module)
                                      ? value[item->inputs[1]]
                                      : append_buffer(m, tensor_bytes(m, item->output));
        slots->y = value[item->output];
    }
    if (!recompute)
        m->state[module] = append_buffer(m, needs.state);
    saved[module] = append_buffer(m, needs.saved);
    slots->saved = saved[module];
    slots->state = m->state[item->state_of];
    return step;
}

/* Whether rows can go through both modules one after the other, while they are in cache. */
static bool fuses(const struct gg_graph *graph, int first, int second) {
    if (second >= graph->module_count)
        return false;
    const struct gg_module *a = graph->modules[first], *b = graph->modules[second];
    const bool split = graph->shards.feature_shards > 1;
    return a->kind->forward_rows != NULL && b->kind->forward_rows != NULL && a->output == b->inputs[0] &&
           !(split && (a->kind->rows_exchange || b->kind->rows_exchange));
}

/* A new gradient of a tensor. */
static int begin_gradient(struct maker *m, int tensor) {
    m->gradient[tensor] = append_buffer(m, tensor_bytes(m, tensor));
    m->gradient_version[tensor] = ++*version_of(m, m->gradient[tensor]);
    return m->gradient[tensor];
}

/* The gradient of what a head reads: the first assigns it, another adds. */
static void head_gradient(struct maker *m, int module) {
    const int x = m->graph->modules[module]->inputs[0];
    struct gg_step *step = &m->steps->items[m->steps->count - 1];
    step->add = m->gradient[x] >= 0;
    if (!step->add)
        begin_gradient(m, x);
    last_slots(m)->d_x[0] = m->gradient[x];
}

/* Forward steps of the modules that `runs` names (NULL: all), from `first` up to `end`. */
static void append_forwards(struct maker *m, int first, int end, const bool *runs, bool recompute) {
    bool fused = false;
    for (int i = first; i < end; i++) {
        const bool idle = m->use == GG_MODEL_GENERATE && gg_head_of_classes(m->graph->modules[i]);
        if (idle || (runs != NULL && !runs[i])) {
            fused = false;
            continue;
        }
        append_forward(m, i, recompute);
        if (m->graph->modules[i]->output < 0 && m->use == GG_MODEL_TRAIN)
            head_gradient(m, i);
        if (fused)
            m->steps->items[m->steps->count - 2].fused = 2;
        fused = !fused && fuses(m->graph, i, i + 1);
    }
}

/* The gradient of a module's output, which nothing may have written over. */
static int output_gradient(struct maker *m, int tensor) {
    const int buffer = m->gradient[tensor];
    GG_ASSERT(buffer >= 0 && m->gradient_version[tensor] == *version_of(m, buffer));
    return buffer;
}

static enum gg_input_gradient gradient_kind(const struct maker *m, const struct gg_module *module,
                                            int input) {
    return module->kind->input_gradient != NULL ? module->kind->input_gradient(m->graph, module, input)
                                                : GG_GRADIENT_OWN;
}

/* Where the gradient of an input goes: the first to make it assigns it, the others add. */
static int input_gradient(struct maker *m, const struct gg_module *module, int input, bool *add) {
    const int x = module->inputs[input], d_y = m->gradient[module->output];
    const enum gg_input_gradient kind = gradient_kind(m, module, input);
    if (m->gradient[x] >= 0) {
        GG_ASSERT(kind == GG_GRADIENT_OWN && input == 0);
        *add = true;
        m->gradient_version[x] = ++*version_of(m, m->gradient[x]);
        return m->gradient[x];
    }
    if (kind == GG_GRADIENT_OWN)
        return begin_gradient(m, x);
    if (kind == GG_GRADIENT_IN_PLACE)
        ++*version_of(m, d_y);
    m->gradient[x] = d_y;
    m->gradient_version[x] = *version_of(m, d_y);
    return d_y;
}

static void append_piece(struct maker *m, int module, int piece) {
    const struct gg_module *item = m->graph->modules[module];
    const struct gg_backward_piece *what = &item->kind->pieces[piece];
    struct gg_step *step = append_step(m, module, what->run, what->kernel);
    const int at = m->steps->count - 1;
    struct gg_slots slots = m->steps->slots[at];
    slots.d_y = output_gradient(m, item->output);
    slots.state = m->state[item->state_of];
    for (int k = 0; k < item->input_count; k++)
        if (gg_reads_input(what->does, k))
            slots.x[k] = value_of(m, item->inputs[k], true);
    if (what->does & GG_READS_Y)
        slots.y = value_of(m, item->output, true);
    if (what->does & GG_READS_SAVED)
        slots.saved = saved_of(m, module, true);
    if (what->does & GG_MAKES_INPUT_GRADIENT) {
        for (int k = 0; k < item->input_count; k++)
            slots.d_x[k] = input_gradient(m, item, k, &step->add);
        if (m->recompute.remade[item->output]) {
            m->value_recomputed[item->output] = append_buffer(m, tensor_bytes(m, item->output));
            slots.y = m->value_recomputed[item->output];
            step->remake_output = true;
        }
    }
    m->steps->slots[at] = slots;
}

/* Whether a piece reads an input that the module before has yet to recompute. */
static bool must_wait(const struct maker *m, const struct gg_module *module, unsigned does) {
    for (int k = 0; k < module->input_count; k++)
        if (gg_reads_input(does, k) && m->recompute.remade[module->inputs[k]] &&
            m->value_recomputed[module->inputs[k]] < 0)
            return true;
    return false;
}

/* The pieces that waited for this module's output. */
static void append_waiting(struct maker *m) {
    const int count = m->waiting_count;
    m->waiting_count = 0;
    for (int i = 0; i < count; i++)
        append_piece(m, m->waiting[i].module, m->waiting[i].piece);
}

static void append_backward(struct maker *m, int module) {
    const struct gg_module *item = m->graph->modules[module];
    const int region = m->recompute.region[module];
    for (int p = 0; p < 3 && item->kind->pieces[p].run != NULL; p++) {
        const unsigned does = item->kind->pieces[p].does;
        if (!gg_piece_is_wanted(m->graph, item, does))
            continue;
        if (gg_recompute_needed(&m->recompute, m->graph, module, does) && !m->recompute.region_done[region]) {
            int first = module, end = module;
            while (first > 0 && m->recompute.region[first - 1] == region)
                first--;
            while (end < m->graph->module_count && m->recompute.region[end] == region)
                end++;
            m->recompute.region_done[region] = true;
            append_forwards(m, first, end, m->recompute.rerun, true);
        }
        if (must_wait(m, item, does)) {
            GG_ASSERT(m->waiting_count < GG_MODULE_INPUTS && !(does & GG_MAKES_INPUT_GRADIENT));
            m->waiting[m->waiting_count].module = module;
            m->waiting[m->waiting_count++].piece = p;
            continue;
        }
        append_piece(m, module, p);
        if (does & GG_MAKES_INPUT_GRADIENT && m->recompute.remade[item->output])
            append_waiting(m);
    }
}

/* Gradients at offsets from `final_from` on get no more: the highest that a later step still adds to. */
static void find_final(const struct gg_graph *graph, struct gg_step_list *s) {
    int64_t pending = 0;
    for (int i = s->count - 1; i >= s->forward_count; i--) {
        s->items[i].final_from = pending;
        const struct gg_module *module = s->items[i].module;
        for (int k = 0; k < GG_MODULE_PARAMETERS && !s->items[i].recompute; k++) {
            if (module->parameters[k] < 0 || !graph->table.items[module->parameters[k]].trained)
                continue;
            const struct gg_parameter *p = &graph->table.items[module->parameters[k]];
            const int64_t end = p->offset + p->local_rows * p->local_columns;
            pending = end > pending ? end : pending;
        }
    }
}

/* When each buffer is used; steps that run row by row together share a time. */
static void find_lifetimes(struct gg_step_list *s, const struct maker *m) {
    int time = -1;
    bool joins = false;
    for (int i = 0; i < s->count; i++) {
        time += !joins;
        joins = s->items[i].fused > 1;
        const int *slots = (const int *)&s->slots[i];
        for (size_t k = 0; k < sizeof s->slots[i] / sizeof *slots; k++)
            if (slots[k] >= 0)
                gg_buffer_use(&s->buffers, slots[k], time);
    }
    for (int i = 0; i < m->graph->module_count; i++)
        if (m->state[i] >= 0) {
            gg_buffer_use(&s->buffers, m->state[i], 0);
            gg_buffer_use(&s->buffers, m->state[i], time);
        }
    if (s->rounded >= 0) {
        gg_buffer_use(&s->buffers, s->rounded, 0);
        gg_buffer_use(&s->buffers, s->rounded, time);
    }
}

static int *indices(int count) {
    int *items = gg_malloc((size_t)count * sizeof *items);
    for (int i = 0; i < count; i++)
        items[i] = -1;
    return items;
}

static void free_maker(struct maker *m) {
    gg_recompute_free(&m->recompute);
    free(m->value);
    free(m->value_recomputed);
    free(m->saved);
    free(m->saved_recomputed);
    free(m->state);
    free(m->gradient);
    free(m->gradient_version);
    free(m->version);
}

struct gg_step_list *gg_step_list_make(const struct gg_graph *graph, enum gg_model_use use,
                                       int64_t local_sequences) {
    const int tensors = graph->tensor_count, modules = graph->module_count;
    struct gg_step_list *s = gg_calloc(1, sizeof *s);
    struct maker m = {
        .graph = graph,
        .use = use,
        .local_sequences = local_sequences,
        .steps = s,
        .recompute = gg_recompute_make(graph, use),
        .value = indices(tensors),
        .value_recomputed = indices(tensors),
        .saved = indices(modules),
        .saved_recomputed = indices(modules),
        .state = indices(modules),
        .gradient = indices(tensors),
        .gradient_version = indices(tensors),
    };
    s->rounded = -1;
    if (graph->config.precision == GG_PRECISION_BF16)
        s->rounded = append_buffer(&m, (size_t)graph->table.local_elements * sizeof(gg_bf16));
    append_forwards(&m, 0, modules, NULL, false);
    s->forward_count = s->count;
    if (use == GG_MODEL_TRAIN) {
        for (int i = modules - 1; i >= 0; i--)
            if (graph->modules[i]->output >= 0)
                append_backward(&m, i);
        find_final(graph, s);
    }
    find_lifetimes(s, &m);
    gg_buffers_place(&s->buffers);
    free_maker(&m);
    return s;
}

void gg_step_list_free(struct gg_step_list **steps) {
    if (*steps == NULL)
        return;
    free((*steps)->items);
    free((*steps)->slots);
    gg_buffers_free(&(*steps)->buffers);
    free(*steps);
    *steps = NULL;
}

void gg_step_list_place(struct gg_step_list *s, char *memory) {
    for (int i = 0; i < s->count; i++) {
        const struct gg_slots *slots = &s->slots[i];
        struct gg_places *at = &s->items[i].at;
#define PLACE(slot) ((slot) >= 0 ? memory + s->buffers.items[slot].offset : NULL)
        for (int k = 0; k < GG_MODULE_INPUTS; k++) {
            at->x[k] = PLACE(slots->x[k]);
            at->d_x[k] = PLACE(slots->d_x[k]);
        }
        at->y = PLACE(slots->y);
        at->saved = PLACE(slots->saved);
        at->scratch = PLACE(slots->scratch);
        at->state = PLACE(slots->state);
        at->d_y = PLACE(slots->d_y);
#undef PLACE
    }
}
