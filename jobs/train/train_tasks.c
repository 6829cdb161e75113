#include "jobs/train/train_tasks.h"

#include "core/base/memory.h"
#include "core/model/decoder.h"
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/launch/stop_signal.h"
#include "jobs/use/continuation.h"
#include "jobs/use/scorer.h"
#include "jobs/use/task_scores.h"

#include <stdlib.h>
#include <string.h>

static const struct gg_task_form form = {"{text}", NULL};

/* Rank 0's tokenizer on every rank. */
static gg_status share_tokenizer(const struct gg_session *s, struct gg_train_tasks *t) {
    char *json = s->data.tokenizer_json;
    gg_broadcast_text(s->world->comm, &json);
    if (json == NULL)
        return GG_OK;
    const gg_status status = gg_tokenizer_from_json(json, strlen(json), "the tokenizer", &t->tokenizer);
    if (s->world->rank != 0)
        free(json);
    return gg_agree(s->world->comm, status);
}

static gg_status open_task(const struct gg_session *s, struct gg_train_tasks *t, size_t i) {
    GG_TRY(gg_task_read(s->world, s->settings->eval.tasks.items[i], GG_TASK_AUTO, &form, &t->tasks[i]));
    GG_TRY(gg_agree(s->world->comm, gg_task_requests_make(&t->tasks[i], t->tokenizer,
                                                          s->replica.graph.config.context, &t->requests[i])));
    t->bytes += gg_task_requests_bytes(&t->requests[i]) + t->tasks[i].text.capacity;
    if (s->world->rank == 0)
        fprintf(stderr, "task: %s is of %s, %lld samples\n", t->tasks[i].path,
                gg_task_kind_names[t->tasks[i].kind], (long long)t->tasks[i].sample_count);
    return GG_OK;
}

static gg_status open_tasks(const struct gg_session *s, struct gg_train_tasks *t) {
    const size_t count = s->settings->eval.tasks.count;
    t->tasks = gg_calloc(count + 1, sizeof *t->tasks);
    t->requests = gg_calloc(count + 1, sizeof *t->requests);
    t->results = gg_calloc(count + 1, sizeof *t->results);
    if (count > 0)
        t->bytes += gg_scorer_bytes(&s->replica, s->settings->batch.micro, 0);
    for (size_t i = 0; i < count; i++) {
        t->count++;
        const gg_status status = open_task(s, t, i);
        if (status != GG_OK)
            return gg_fail_within(status, "eval.tasks");
    }
    return GG_OK;
}

/* The ids of a prompt; an empty one begins a document. */
static gg_status encode_prompt(gg_encoder *encoder, const gg_tokenizer *tokenizer, const char *prompt,
                               struct gg_ids *ids) {
    GG_TRY(gg_encode(encoder, prompt, strlen(prompt), false, ids));
    if (ids->count > 0)
        return GG_OK;
    GG_TRY(gg_ids_reserve(ids, 1));
    ids->items[ids->count++] = gg_tokenizer_end_of_text(tokenizer);
    return GG_OK;
}

/* Without prompts, one text is written from its beginning. */
static gg_status open_prompts(const struct gg_session *s, struct gg_train_tasks *t) {
    const struct gg_text_list *prompts = &s->settings->eval.sample_prompts;
    gg_encoder *encoder = NULL;
    t->prompt_count = prompts->count > 0 ? prompts->count : 1;
    t->prompts = gg_calloc(t->prompt_count, sizeof *t->prompts);
    t->texts = gg_calloc(t->prompt_count, sizeof *t->texts);
    t->bytes += gg_decoder_bytes(&s->replica.graph, (int64_t)t->prompt_count);
    GG_TRY(gg_encoder_create(t->tokenizer, &encoder));
    gg_status status = GG_OK;
    for (size_t i = 0; i < t->prompt_count && status == GG_OK; i++) {
        t->texts[i].prompt = prompts->count > 0 ? prompts->items[i] : "";
        status = encode_prompt(encoder, t->tokenizer, t->texts[i].prompt, &t->prompts[i]);
    }
    gg_encoder_destroy(&encoder);
    return status != GG_OK ? gg_fail_within(status, "eval.sample_prompts") : GG_OK;
}

gg_status gg_train_tasks_open(const struct gg_session *s, struct gg_train_tasks *t) {
    const struct gg_eval_settings *eval = &s->settings->eval;
    if (eval->tasks.count == 0 && eval->sample_every == 0)
        return GG_OK;
    if (s->replica.graph.config.classes_only)
        return gg_fail(GG_USAGE, "%s: this model tells classes alone, and not how likely a text is",
                       eval->tasks.count > 0 ? "eval.tasks" : "eval.sample_every");
    GG_TRY(share_tokenizer(s, t));
    if (t->tokenizer == NULL)
        return gg_fail(GG_USAGE, "%s: the training data have no tokenizer, and this is text",
                       eval->tasks.count > 0 ? "eval.tasks" : "eval.sample_every");
    GG_TRY(open_tasks(s, t));
    if (eval->sample_every == 0)
        return GG_OK;
    return gg_agree(s->world->comm, open_prompts(s, t));
}

void gg_train_tasks_close(struct gg_train_tasks *t) {
    for (size_t i = 0; i < t->count; i++) {
        gg_task_requests_free(&t->requests[i]);
        gg_task_free(&t->tasks[i]);
    }
    for (size_t i = 0; i < t->prompt_count; i++) {
        gg_ids_free(&t->prompts[i]);
        free(t->texts[i].text);
    }
    free(t->tasks);
    free(t->requests);
    free(t->results);
    free(t->prompts);
    free(t->texts);
    gg_tokenizer_destroy(&t->tokenizer);
    *t = (struct gg_train_tasks){0};
}

static gg_status score_one(const struct gg_session *s, struct gg_train_tasks *t, size_t i) {
    const struct gg_scorer scorer = {.replica = &s->replica,
                                     .model = s->replica.model,
                                     .micro = s->settings->batch.micro,
                                     .stop = gg_stop_requested};
    const struct gg_task *task = &t->tasks[i];
    struct gg_task_scores scores = {0};
    const gg_status status = gg_task_scores_make(&scorer, &t->requests[i], &scores);
    if (status == GG_OK) {
        struct gg_task_result result;
        gg_task_result_make(task, &scores, &result);
        t->results[i] = (struct gg_metrics_task){
            .file = task->path, .kind = gg_task_kind_names[task->kind], .samples = task->sample_count};
        for (int f = 0; f < GG_TASK_FIGURES; f++)
            t->results[i].figures[f] =
                (struct gg_metrics_figure){result.figures[f].name, result.figures[f].value};
        gg_task_result_free(&result);
    }
    gg_task_scores_free(&scores);
    return status;
}

gg_status gg_train_tasks_score(const struct gg_session *s, struct gg_train_tasks *t) {
    t->tasks_fresh = false;
    for (size_t i = 0; i < t->count; i++)
        GG_TRY(score_one(s, t, i));
    t->tasks_fresh = t->count > 0;
    return GG_OK;
}

/* Texts on their way. */
struct writing {
    const struct gg_session *session;
    struct gg_train_tasks *tasks;
    gg_decoder *decoder;
    struct gg_continuation *made; /* (prompt_count) */
    int32_t *fed;                 /* (prompt_count) of a step; -1: the text has ended */
};

/* Draws a text's next token. */
static gg_status draw(struct writing *w, int64_t text) {
    static const struct gg_text_list no_stops;
    const struct gg_eval_settings *eval = &w->session->settings->eval;
    const gg_tokenizer *tokenizer = w->tasks->tokenizer;
    struct gg_continuation *made = &w->made[text];
    const struct gg_sampling sampling = {.temperature = eval->sample_temperature,
                                         .top_p = 1,
                                         .seed = (uint64_t)w->session->settings->run.seed,
                                         .text = (uint32_t)text};
    const uint32_t id = gg_decoder_sample(w->decoder, text, &sampling);
    size_t length = 0;
    const char *bytes = gg_token_bytes(tokenizer, id, &length);
    const bool ends = id == gg_tokenizer_end_of_text(tokenizer);
    GG_TRY(gg_continuation_take(made, id, 0, bytes, ends ? 0 : length, &no_stops));
    if (ends)
        made->end = GG_CONTINUATION_END_OF_TEXT;
    else if ((int64_t)made->ids.count == eval->sample_tokens)
        made->end = GG_CONTINUATION_TOKENS;
    w->fed[text] = made->end == GG_CONTINUATION_GOES_ON ? (int32_t)id : -1;
    return GG_OK;
}

/* Draws from each text that goes on; whether any still does. */
static gg_status draw_all(struct writing *w, bool *goes_on) {
    gg_status status = GG_OK;
    *goes_on = false;
    for (size_t i = 0; i < w->tasks->prompt_count && status == GG_OK; i++)
        if (w->made[i].end == GG_CONTINUATION_GOES_ON) {
            status = draw(w, (int64_t)i);
            *goes_on = *goes_on || w->fed[i] >= 0;
        }
    return gg_agree(w->session->world->comm, status);
}

/* Every replica writes the same, and rank 0 tells it. */
static gg_status write_all(struct writing *w) {
    const struct gg_train_tasks *t = w->tasks;
    bool goes_on = true;
    for (size_t i = 0; i < t->prompt_count; i++) { /* ids are below 2^31 */
        gg_decoder_begin(w->decoder, (int64_t)i);
        gg_decoder_feed(w->decoder, (int64_t)i, (const int32_t *)t->prompts[i].items,
                        (int64_t)t->prompts[i].count);
    }
    GG_TRY(draw_all(w, &goes_on));
    while (goes_on) {
        gg_decoder_step(w->decoder, w->fed);
        GG_TRY(draw_all(w, &goes_on));
    }
    return GG_OK;
}

static void keep_texts(struct writing *w) {
    struct gg_train_tasks *t = w->tasks;
    for (size_t i = 0; i < t->prompt_count; i++) {
        free(t->texts[i].text);
        t->texts[i].text = w->made[i].text.bytes; /* taken over */
        t->texts[i].bytes = w->made[i].text.count;
        w->made[i].text = (struct gg_text){0};
    }
    t->texts_fresh = true;
}

gg_status gg_train_tasks_write(const struct gg_session *s, struct gg_train_tasks *t) {
    const struct gg_replica *r = &s->replica;
    struct writing w = {.session = s,
                        .tasks = t,
                        .made = gg_calloc(t->prompt_count, sizeof *w.made),
                        .fed = gg_calloc(t->prompt_count, sizeof *w.fed)};
    gg_status status = gg_agree(s->world->comm, gg_decoder_create(&r->graph, &r->fabric, r->state.weights,
                                                                  (int64_t)t->prompt_count, &w.decoder));
    for (size_t i = 0; i < t->prompt_count; i++)
        w.fed[i] = -1;
    if (status == GG_OK)
        status = write_all(&w);
    if (status == GG_OK)
        keep_texts(&w);
    gg_decoder_destroy(&w.decoder);
    for (size_t i = 0; i < t->prompt_count; i++)
        gg_continuation_free(&w.made[i]);
    free(w.made);
    free(w.fed);
    return status;
}
