/* gridgpt evaluate by document: windows that slide over each, and what the model makes of every token. */
#include "jobs/use/evaluate_internal.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "io/shards/shard_documents.h"
#include "jobs/use/document_scores.h"
#include "jobs/use/evaluation.h"
#include "jobs/use/result_file.h"
#include "jobs/use/shared_file.h"
#include "jobs/use/text_documents.h"
#include "jobs/use/token_list.h"
#include "jobs/use/token_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct work {
    struct gg_evaluate_job *job;
    gg_shard_documents *shards;     /* on ranks that read; or else */
    struct gg_text_documents texts; /* on every rank */
    struct gg_documents documents;
    int64_t stride;
    double bytes_per_token; /* rank 0's counts */
    struct gg_result_file samples, tokens, html;
    struct gg_token_page page;
    struct gg_document_rows rows;
    struct gg_document_scores scores;
    double seconds;
};

static int64_t shard_tokens(const void *self, int64_t document) {
    return gg_shard_documents_tokens(self, document);
}

static gg_status read_shards(void *self, int64_t document, int64_t first, int64_t count, int32_t *tokens) {
    return gg_shard_documents_read(self, document, first, count, tokens);
}

/* On a rank that reads. */
static gg_status open_shards(struct work *w) {
    struct gg_text_list paths = {0};
    gg_status status = gg_shards_expand(&w->job->values->data, &paths, "--data");
    if (status == GG_OK)
        status = gg_shard_documents_open(&paths, &w->shards);
    if (status == GG_OK) {
        const struct gg_shard_set *set = gg_shard_documents_set(w->shards);
        status = gg_evaluate_check_shards(&w->job->model, paths.items[0], set->vocab, set->fingerprint);
        w->documents =
            (struct gg_documents){w->shards, gg_shard_documents_count(w->shards), shard_tokens, read_shards};
        w->bytes_per_token = set->tokens > 0 ? (double)set->text_bytes / (double)set->tokens : 0;
    }
    gg_text_list_free(&paths);
    return status;
}

/* On every rank. */
static gg_status open_texts(struct work *w) {
    const struct gg_text_list *paths = &w->job->values->text;
    for (size_t i = 0; i < paths->count; i++) {
        char *data = NULL;
        size_t bytes = 0;
        GG_TRY(gg_shared_file_read(w->job->world, paths->items[i], &data, &bytes));
        const gg_status status =
            gg_text_documents_add(&w->texts, w->job->model.tokenizer, paths->items[i], data, bytes);
        free(data);
        GG_TRY(gg_agree(w->job->world->comm, status));
    }
    w->documents = gg_text_documents_of(&w->texts);
    w->bytes_per_token = (double)w->texts.text_bytes / (double)w->texts.ids.count;
    return GG_OK;
}

static gg_status open_documents(struct work *w) {
    const struct gg_replica *r = &w->job->model.replica;
    const bool reads = gg_replica_reads(r);
    if (w->job->values->text.count > 0)
        GG_TRY(open_texts(w));
    else
        GG_TRY(gg_agree(w->job->world->comm, reads ? open_shards(w) : GG_OK));
    gg_document_rows_make(r, reads ? &w->documents : NULL, w->stride, w->job->values->sequences,
                          gg_tokenizer_end_of_text(w->job->model.tokenizer), &w->rows);
    return GG_OK;
}

/* Rank 0: what is to be written, before anything is computed. */
static gg_status open_results(struct work *w) {
    const struct gg_evaluate_values *values = w->job->values;
    if (values->samples != NULL)
        GG_TRY(gg_result_file_open(values->samples, &w->samples));
    if (values->tokens != NULL)
        GG_TRY(gg_result_file_open(values->tokens, &w->tokens));
    if (values->html != NULL) {
        GG_TRY(gg_result_file_open(values->html, &w->html));
        char *title =
            gg_format("%s, step %lld", w->job->model.path, (long long)w->job->model.contents.meta.step);
        gg_token_page_begin(&w->page, &w->html, w->job->model.tokenizer, title);
        free(title);
    }
    return GG_OK;
}

static void write_token(void *context, const struct gg_token_record *token) {
    struct work *w = context;
    if (w->tokens.out != NULL)
        gg_token_list_write(&w->tokens, w->job->model.tokenizer, token);
    if (w->html.out != NULL)
        gg_token_page_write(&w->page, token);
}

static gg_status check_written(void *context) {
    const struct work *w = context;
    GG_TRY(gg_result_file_check(&w->tokens));
    return gg_result_file_check(&w->html);
}

static gg_status score(struct work *w) {
    struct gg_evaluate_job *job = w->job;
    const bool root = job->world->rank == 0,
               writes = job->values->tokens != NULL || job->values->html != NULL;
    const struct gg_scorer scorer = {.replica = &job->model.replica,
                                     .model = job->trained,
                                     .micro = job->values->micro,
                                     .alternatives = job->values->alternatives,
                                     .progress = root ? gg_evaluate_show_progress : NULL,
                                     .context_of_progress = &job->bar};
    const struct gg_token_writer writer = {write_token, check_written, w};
    const double begin = gg_clock_seconds();
    job->bar = (struct gg_progress){.label = "evaluate", .unit = GG_PROGRESS_COUNT};
    if (root)
        gg_progress_begin(&job->bar);
    const gg_status status = gg_document_scores_make(&scorer, &w->rows, writes ? &writer : NULL, &w->scores);
    if (root)
        gg_progress_end(&job->bar, NULL);
    w->seconds = gg_clock_seconds() - begin;
    return status;
}

/* A line per document. */
static void write_samples(const struct work *w) {
    for (int64_t d = 0; d < w->scores.documents; d++) {
        const double loss = w->scores.losses[d] / w->scores.counts[d];
        if (w->scores.counts[d] > 0)
            gg_result_file_line(&w->samples,
                                json_pack("{s:I, s:I, s:o, s:o}", "document", (json_int_t)d, "tokens",
                                          (json_int_t)w->scores.counts[d], "loss", gg_result_number(loss),
                                          "perplexity", gg_result_number(exp(loss))));
    }
}

static void print_json(const struct work *w, double bits) {
    const struct gg_loaded_model *model = &w->job->model;
    const struct gg_result_file out = {.out = stdout};
    gg_result_file_line(
        &out, json_pack("{s:o, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:o}", "checkpoint",
                        gg_json_of_text(model->path, strlen(model->path)), "step",
                        (json_int_t)model->contents.meta.step, "loss", gg_result_number(w->scores.loss),
                        "perplexity", gg_result_number(exp(w->scores.loss)), "bits_per_byte",
                        gg_result_number(bits), "tokens", (json_int_t)w->scores.tokens, "documents",
                        (json_int_t)w->scores.documents, "stride", (json_int_t)w->stride, "tokens_per_s",
                        gg_result_number((double)w->scores.tokens / w->seconds)));
}

static void print_words(const struct work *w, double bits) {
    const struct gg_loaded_model *model = &w->job->model;
    printf("%s, step %lld\n", model->path, (long long)model->contents.meta.step);
    printf("  loss           %.4f nats per token\n", w->scores.loss);
    printf("  perplexity     %.2f\n", exp(w->scores.loss));
    if (isfinite(bits))
        printf("  bits per byte  %.4f  (%.3f bytes of text per token)\n", bits, w->bytes_per_token);
    printf("  tokens         %lld of %lld documents in %.1f s, %.0f tokens/s\n", (long long)w->scores.tokens,
           (long long)w->scores.documents, w->seconds, (double)w->scores.tokens / w->seconds);
    printf("  windows        of %lld tokens, each %lld on\n", (long long)w->rows.context,
           (long long)w->stride);
}

/* Rank 0. */
static gg_status tell(struct work *w) {
    const double bits = gg_bits_per_byte(w->scores.loss, w->bytes_per_token);
    if (w->samples.out != NULL)
        write_samples(w);
    if (w->html.out != NULL) {
        char *summary =
            gg_format("%lld tokens: loss %.4f nats per token, perplexity %.2f, %.4f bits per byte.",
                      (long long)w->scores.tokens, w->scores.loss, exp(w->scores.loss), bits);
        gg_token_page_end(&w->page, summary);
        free(summary);
    }
    GG_TRY(gg_result_file_commit(&w->samples));
    GG_TRY(gg_result_file_commit(&w->tokens));
    GG_TRY(gg_result_file_commit(&w->html));
    if (w->job->values->json)
        print_json(w, bits);
    else
        print_words(w, bits);
    return GG_OK;
}

static void close_work(struct work *w) {
    gg_document_scores_free(&w->scores);
    gg_document_rows_free(&w->rows);
    gg_shard_documents_close(&w->shards);
    gg_text_documents_free(&w->texts);
    gg_result_file_discard(&w->samples);
    gg_result_file_discard(&w->tokens);
    gg_result_file_discard(&w->html);
}

/* By default half of the context: of every token, that much stands before it. */
static gg_status choose_stride(struct work *w) {
    const int64_t context = w->job->model.replica.graph.config.context, wanted = w->job->values->stride;
    if (wanted > context)
        return gg_fail(GG_USAGE, "--stride: %lld is more than the model's context, which is %lld",
                       (long long)wanted, (long long)context);
    w->stride = wanted > 0 ? wanted : (context + 1) / 2;
    return GG_OK;
}

gg_status gg_evaluate_documents(struct gg_evaluate_job *job) {
    struct work w = {.job = job};
    if (job->model.tokenizer == NULL)
        return gg_fail(
            GG_USAGE,
            "%s: holds no tokenizer, which tells where documents end; --data without --stride, --samples, "
            "--tokens and --html needs none",
            job->model.path);
    gg_status status = choose_stride(&w);
    if (status == GG_OK)
        status = open_documents(&w);
    if (status == GG_OK)
        status = gg_status_of_root(job->world->comm, 0, job->world->rank == 0 ? open_results(&w) : GG_OK);
    if (status == GG_OK)
        status = score(&w);
    if (status == GG_OK)
        status = gg_status_of_root(job->world->comm, 0, job->world->rank == 0 ? tell(&w) : GG_OK);
    close_work(&w);
    return status;
}
