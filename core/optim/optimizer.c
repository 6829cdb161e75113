#include "core/optim/optimizer.h"

#include <omp.h>

enum { LINE = 16 }; /* elements of a cache line */

const struct gg_optimizer_kind *const gg_optimizer_kinds[] = {
    [GG_OPTIM_ADAMW] = &gg_optimizer_adamw, [GG_OPTIM_SGD] = &gg_optimizer_sgd, NULL};

struct gg_optimizer gg_optimizer_make(const struct gg_optim_settings *settings) {
    return (struct gg_optimizer){
        .kind = gg_optimizer_kinds[settings->name],
        .beta1 = settings->beta1,
        .beta2 = settings->beta2,
        .eps = settings->eps,
        .momentum = settings->momentum,
        .weight_decay = settings->weight_decay,
    };
}

size_t gg_optimizer_state_bytes(const struct gg_optimizer_kind *kind, int64_t elements) {
    return (size_t)kind->state_count * (size_t)elements * sizeof(float);
}

/* The part of the update that is `count` elements from element `at` of the flat buffers on. */
static struct gg_update_part part_of(const struct gg_optimizer_kind *kind, const struct gg_update *u,
                                     int64_t at, int64_t count, bool decay) {
    const int64_t from = at - u->from;
    struct gg_update_part part = {.count = count,
                                  .gradients = u->gradients + from,
                                  .weights = u->weights + from,
                                  .rounded = u->rounded != NULL ? u->rounded + from : NULL,
                                  .decay = decay};
    for (int i = 0; i < kind->state_count; i++)
        part.states[i] = u->states[i] + from;
    return part;
}

/* The tensors' parts in [from, to). */
static void update_slice(const struct gg_optimizer_kind *kind, const struct gg_update_factors *factors,
                         const struct gg_update *u, int64_t from, int64_t to) {
    for (int k = 0; k < u->table->count; k++) {
        const struct gg_parameter *p = &u->table->items[k];
        int64_t at;
        const int64_t count = gg_parameter_intersect(p, from, to, &at);
        if (count <= 0)
            continue;
        const struct gg_update_part part = part_of(kind, u, at, count, p->decay);
        kind->update_part(factors, &part);
    }
}

void gg_optimizer_update(const struct gg_optimizer *optimizer, const struct gg_update *update) {
    const struct gg_optimizer_kind *kind = optimizer->kind;
    struct gg_update_factors factors = {.scale = (float)update->gradient_scale};
    GG_ASSERT(kind->granularity == GG_GRANULARITY_ELEMENT);
    kind->begin(optimizer, update, &factors);
    /* Threads share the range as they shared the first touch of the buffers (gg_zero), whatever tensors are
     * in it. */
#pragma omp parallel
    {
        const int64_t from = update->from, to = update->to;
        const int64_t threads = omp_get_num_threads(), lines = (to - from + LINE - 1) / LINE;
        const int64_t begin = from + lines * omp_get_thread_num() / threads * LINE;
        const int64_t end = from + lines * (omp_get_thread_num() + 1) / threads * LINE;
        update_slice(kind, &factors, update, begin, end < to ? end : to);
    }
}
