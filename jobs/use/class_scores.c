#include "jobs/use/class_scores.h"

#include "core/base/memory.h"
#include "core/text/growing_text.h"
#include "core/text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

struct scoring {
    const struct gg_task *task;
    struct gg_ids ids; /* of all texts, each with a token behind it, which only says where it ends */
    int64_t *first;    /* (samples + 1) */
    struct gg_task_scores *scores;
};

/* Appends a sample's ids. */
static gg_status encode_sample(struct scoring *s, gg_encoder *encoder, const struct gg_settings *settings,
                               int64_t sample, struct gg_text *text, int64_t *truncated) {
    const struct gg_task_text *context = &s->task->samples[sample].context;
    const char *words = settings->finetune.task;
    const size_t most = (size_t)settings->model.context;
    text->count = 0;
    if (words != NULL) {
        GG_TRY(gg_text_append(text, words, strlen(words)));
        GG_TRY(gg_text_append(text, "\n", 1));
    }
    GG_TRY(gg_text_append(text, gg_task_bytes(s->task, *context), context->bytes));
    const size_t begin = s->ids.count;
    GG_TRY(gg_encode(encoder, text->bytes, text->count, false, &s->ids));
    if (s->ids.count == begin)
        return gg_fail(GG_BAD_DATA, "%s: line %lld: has an empty \"text\"", s->task->path,
                       (long long)s->task->samples[sample].line);
    if (s->ids.count - begin > most) {
        s->ids.count = begin + most;
        ++*truncated;
    }
    GG_TRY(gg_ids_reserve(&s->ids, 1));
    s->ids.items[s->ids.count++] = 0;
    s->first[sample + 1] = (int64_t)s->ids.count;
    return GG_OK;
}

static gg_status encode(struct scoring *s, const gg_tokenizer *tokenizer, const struct gg_settings *settings,
                        int64_t *truncated) {
    gg_encoder *encoder = NULL;
    struct gg_text text = {0};
    *truncated = 0;
    s->first = gg_calloc((size_t)s->task->sample_count + 1, sizeof *s->first);
    gg_status status = gg_encoder_create(tokenizer, &encoder);
    for (int64_t i = 0; status == GG_OK && i < s->task->sample_count; i++)
        status = encode_sample(s, encoder, settings, i, &text, truncated);
    gg_encoder_destroy(&encoder);
    gg_text_free(&text);
    return status;
}

static gg_status read_row(void *self, int64_t row, struct gg_score_row *out) {
    const struct scoring *s = self;
    /* Ids are below 2^31. */
    *out = (struct gg_score_row){(const int32_t *)s->ids.items + s->first[row],
                                 s->first[row + 1] - s->first[row], 1};
    return GG_OK;
}

static void take(void *context, int64_t row, const struct gg_row_scores *scores) {
    const struct scoring *s = context;
    const int64_t classes = (int64_t)s->task->classes.count;
    for (int64_t k = 0; k < classes; k++) {
        const int64_t choice = row * classes + scores->ids[k];
        s->scores->log_likelihoods[choice] = (double)scores->id_probabilities[k];
        s->scores->greedy[choice] = k == 0 ? 1 : 0;
    }
}

gg_status gg_class_scores_make(const struct gg_scorer *scorer, const struct gg_task *task,
                               const gg_tokenizer *tokenizer, const struct gg_settings *settings,
                               struct gg_task_scores *scores, int64_t *truncated) {
    const struct gg_world *world = scorer->replica->world;
    struct scoring scoring = {.task = task, .scores = scores};
    gg_task_scores_begin(scores, task->sample_count * (int64_t)task->classes.count);
    struct gg_scorer own = *scorer;
    own.classes = true;
    own.alternatives = (int64_t)task->classes.count;
    own.take = take;
    own.round = NULL;
    own.context = &scoring;
    const struct gg_score_source source = {&scoring, task->sample_count, read_row};
    gg_status status = gg_agree(world->comm, encode(&scoring, tokenizer, settings, truncated));
    if (status == GG_OK)
        status = gg_scorer_run(&own, &source);
    gg_ids_free(&scoring.ids);
    free(scoring.first);
    GG_TRY(status);
    gg_task_scores_share(world, scores);
    return GG_OK;
}
