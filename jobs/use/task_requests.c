#include "jobs/use/task_requests.h"

#include "core/base/memory.h"
#include "core/text/task_text.h"

#include <stdlib.h>
#include <string.h>

/* A task's requests on their way. */
struct making {
    const struct gg_task *task;
    gg_encoder *encoder;
    uint32_t prefix; /* in the place of an empty context */
    int64_t context;
    struct gg_text joined; /* context and choice */
    struct gg_ids alone;   /* the context's ids */
    struct gg_task_requests *requests;
};

/* Appends a pair's ids; how many are the choice's. */
static gg_status encode_pair(struct making *m, size_t context_bytes, int64_t *scored) {
    struct gg_ids *ids = &m->requests->ids;
    const size_t before = ids->count;
    m->alone.count = 0;
    GG_TRY(gg_encode(m->encoder, m->joined.bytes, context_bytes, false, &m->alone));
    if (m->alone.count == 0) {
        GG_TRY(gg_ids_reserve(ids, 1));
        ids->items[ids->count++] = m->prefix;
    }
    const size_t context_ids = m->alone.count > 0 ? m->alone.count : 1;
    GG_TRY(gg_encode(m->encoder, m->joined.bytes, m->joined.count, false, ids));
    *scored = (int64_t)(ids->count - before) - (int64_t)context_ids;
    return GG_OK;
}

static gg_status make_one(struct making *m, const struct gg_task_sample *sample,
                          const struct gg_task_choice *choice) {
    struct gg_task_requests *all = m->requests;
    const char *context = gg_task_bytes(m->task, sample->context);
    const size_t first = all->ids.count,
                 bytes = sample->context.bytes - gg_trailing_space(context, sample->context.bytes);
    int64_t scored = 0;
    m->joined.count = 0;
    GG_TRY(gg_text_append(&m->joined, context, sample->context.bytes));
    GG_TRY(gg_text_append(&m->joined, gg_task_bytes(m->task, choice->text), choice->text.bytes));
    GG_TRY(encode_pair(m, bytes, &scored));
    if (scored < 1)
        return gg_fail(GG_BAD_DATA, "a choice makes no token of its own behind its context");
    if (scored > m->context)
        return gg_fail(GG_BAD_DATA,
                       "a choice of %lld tokens, and the model's context has %lld; leave the line out, or "
                       "evaluate a model with a longer context",
                       (long long)scored, (long long)m->context);
    const int64_t count = (int64_t)(all->ids.count - first), most = m->context + 1;
    const int64_t left_out = count > most ? count - most : 0;
    all->items[all->count++] = (struct gg_task_request){.first = (int64_t)first + left_out,
                                                        .count = count - left_out,
                                                        .scored = scored,
                                                        .truncated = left_out > 0};
    return GG_OK;
}

static gg_status make_all(struct making *m) {
    for (int64_t i = 0; i < m->task->sample_count; i++) {
        const struct gg_task_sample *sample = &m->task->samples[i];
        for (int64_t c = 0; c < sample->count; c++) {
            const gg_status status = make_one(m, sample, &m->task->choices[sample->first + c]);
            if (status != GG_OK)
                return gg_fail_within(status, "%s: line %lld", m->task->path, (long long)sample->line);
        }
    }
    return GG_OK;
}

/* Longest first, then in order. */
static int by_length(const void *a, const void *b, void *context) {
    const struct gg_task_request *items = context;
    const int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    if (items[i].count != items[j].count)
        return items[i].count > items[j].count ? -1 : 1;
    return i < j ? -1 : i > j;
}

gg_status gg_task_requests_make(const struct gg_task *task, const gg_tokenizer *tokenizer, int64_t context,
                                struct gg_task_requests *requests) {
    const int64_t begin = gg_tokenizer_begin_of_text(tokenizer);
    struct making m = {.task = task,
                       .prefix = begin >= 0 ? (uint32_t)begin : gg_tokenizer_end_of_text(tokenizer),
                       .context = context,
                       .requests = requests};
    int64_t count = 0;
    for (int64_t i = 0; i < task->sample_count; i++)
        count += task->samples[i].count;
    requests->items = gg_calloc((size_t)count, sizeof *requests->items);
    gg_status status = gg_encoder_create(tokenizer, &m.encoder);
    if (status == GG_OK)
        status = make_all(&m);
    gg_encoder_destroy(&m.encoder);
    gg_text_free(&m.joined);
    gg_ids_free(&m.alone);
    GG_TRY(status);
    requests->order = gg_malloc((size_t)count * sizeof *requests->order);
    for (int64_t i = 0; i < count; i++)
        requests->order[i] = i;
    qsort_r(requests->order, (size_t)count, sizeof *requests->order, by_length, requests->items);
    return GG_OK;
}

void gg_task_requests_free(struct gg_task_requests *requests) {
    gg_ids_free(&requests->ids);
    free(requests->items);
    free(requests->order);
    *requests = (struct gg_task_requests){0};
}

size_t gg_task_requests_bytes(const struct gg_task_requests *requests) {
    return requests->ids.capacity * sizeof *requests->ids.items +
           (size_t)requests->count * (sizeof *requests->items + sizeof *requests->order);
}
