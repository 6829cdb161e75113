#include "jobs/use/scorer.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Rows are filled up to a multiple of this, so that products have few shapes. */
enum { TIME_STEP = 32 };

/* A replica's micro-batch, whole; a rank computes on its token shard's rows of it. */
struct work {
    const struct gg_scorer *s;
    const struct gg_score_source *source;
    int32_t *tokens;     /* (2, micro, time): inputs, then targets */
    int64_t *lengths;    /* (2, micro): inputs of each row, and how many of its targets count; 0: no row */
    float *loss_weights; /* (micro, time): 1 where a target counts */
    struct gg_token_scores scores; /* of this rank's rows */
};

size_t gg_scorer_bytes(const struct gg_replica *replica, int64_t micro, int64_t alternatives) {
    const size_t tokens = (size_t)(micro * replica->graph.config.context);
    const size_t local = tokens / (size_t)replica->topology.shards.token_shards;
    const size_t of_token = sizeof(float) + sizeof(int32_t);
    return tokens * (2 * sizeof(int32_t) + sizeof(float)) + 2 * (size_t)micro * sizeof(int64_t) +
           local * of_token + (local * (size_t)alternatives + 1) * of_token;
}

static struct work make_work(const struct gg_scorer *s, const struct gg_score_source *source) {
    const int64_t context = s->replica->graph.config.context;
    const size_t tokens = (size_t)(s->micro * context), micro = (size_t)s->micro;
    const size_t local = tokens / (size_t)s->replica->topology.shards.token_shards;
    const size_t alternatives = local * (size_t)s->alternatives;
    return (struct work){.s = s,
                         .source = source,
                         .tokens = gg_calloc(2 * tokens, sizeof(int32_t)),
                         .lengths = gg_calloc(2 * micro, sizeof(int64_t)),
                         .loss_weights = gg_calloc(tokens, sizeof(float)),
                         .scores = {.log_probabilities = gg_calloc(local, sizeof(float)),
                                    .ranks = gg_calloc(local, sizeof(int32_t)),
                                    .alternatives = s->alternatives,
                                    .ids = gg_calloc(alternatives + 1, sizeof(int32_t)),
                                    .id_probabilities = gg_calloc(alternatives + 1, sizeof(float))}};
}

static void free_work(struct work *w) {
    free(w->tokens);
    free(w->lengths);
    free(w->loss_weights);
    free(w->scores.log_probabilities);
    free(w->scores.ranks);
    free(w->scores.ids);
    free(w->scores.id_probabilities);
}

/* On the rank that reads: this replica's rows from `first` on, `context` apart. */
static gg_status read_rows(struct work *w, int64_t first) {
    const int64_t micro = w->s->micro, context = w->s->replica->graph.config.context;
    memset(w->lengths, 0, (size_t)(2 * micro) * sizeof *w->lengths);
    for (int64_t b = 0; b < micro && first + b < w->source->rows; b++) {
        struct gg_score_row row;
        GG_TRY(w->source->read(w->source->self, first + b, &row));
        GG_ASSERT(row.count >= 2 && row.count <= context + 1 && row.scored >= 1 && row.scored < row.count);
        w->lengths[b] = row.count - 1;
        w->lengths[micro + b] = row.scored;
        memcpy(w->tokens + b * context, row.ids, (size_t)(row.count - 1) * sizeof *row.ids);
        memcpy(w->tokens + (micro + b) * context, row.ids + 1, (size_t)(row.count - 1) * sizeof *row.ids);
    }
    return GG_OK;
}

/* The rows' length as the model takes them. */
static int64_t common_time(const struct work *w) {
    const int64_t context = w->s->replica->graph.config.context;
    int64_t longest = 0;
    for (int64_t b = 0; b < w->s->micro; b++)
        longest = w->lengths[b] > longest ? w->lengths[b] : longest;
    longest = (longest + TIME_STEP - 1) / TIME_STEP * TIME_STEP;
    return longest < context ? longest : context;
}

/* Moves rows from `context` to `time` apart, and fills them up. */
static void close_up(struct work *w, int64_t time) {
    const int64_t micro = w->s->micro, context = w->s->replica->graph.config.context;
    for (int64_t b = 0; b < 2 * micro; b++) {
        const int64_t length = w->lengths[b % micro];
        memmove(w->tokens + b * time, w->tokens + b * context, (size_t)length * sizeof *w->tokens);
        memset(w->tokens + b * time + length, 0, (size_t)(time - length) * sizeof *w->tokens);
    }
}

/* The micro-batch on all ranks of the grid. Returns its time; 0: this replica has no row. */
static int64_t share_rows(struct work *w) {
    const struct gg_topology *topology = &w->s->replica->topology;
    const int64_t micro = w->s->micro;
    MPI_Bcast(w->lengths, gg_int(2 * micro), MPI_INT64_T, 0, topology->grid);
    const int64_t time = common_time(w);
    if (gg_replica_reads(w->s->replica))
        close_up(w, time);
    MPI_Bcast(w->tokens, gg_int(2 * micro * time), MPI_INT32_T, 0, topology->grid);
    for (int64_t b = 0; b < micro; b++)
        for (int64_t t = 0; t < time; t++) {
            const int64_t length = w->lengths[b], scored = w->lengths[micro + b];
            w->loss_weights[b * time + t] = t < length && t >= length - scored ? 1 : 0;
        }
    return time;
}

/* Hands on the scores of this rank's rows. */
static void take_rows(const struct work *w, int64_t first, int64_t time) {
    const struct gg_scorer *s = w->s;
    const struct gg_shards *shards = &s->replica->topology.shards;
    const int64_t local = s->micro / shards->token_shards, offset = shards->token_index * local;
    for (int64_t b = 0; b < local && shards->feature_index == 0; b++) {
        const int64_t row = offset + b, scored = w->lengths[s->micro + row];
        if (scored == 0)
            continue;
        const int64_t from = b * time + w->lengths[row] - scored;
        const struct gg_row_scores scores = {.count = scored,
                                             .targets = w->tokens + s->micro * time + offset * time + from,
                                             .log_probabilities = w->scores.log_probabilities + from,
                                             .ranks = w->scores.ranks + from,
                                             .ids = w->scores.ids + from * s->alternatives,
                                             .id_probabilities =
                                                 w->scores.id_probabilities + from * s->alternatives};
        s->take(s->context, first + row, &scores);
    }
}

static void score_rows(struct work *w, int64_t first) {
    const struct gg_scorer *s = w->s;
    const struct gg_shards *shards = &s->replica->topology.shards;
    const int64_t time = share_rows(w), local = s->micro / shards->token_shards;
    if (time == 0)
        return;
    const int64_t from = shards->token_index * local * time;
    const struct gg_batch batch = {.sequences = local,
                                   .time = time,
                                   .inputs = w->tokens + from,
                                   .targets = w->tokens + s->micro * time + from,
                                   .loss_weights = w->loss_weights + from};
    gg_model_score(s->model, &batch, &w->scores);
    take_rows(w, first, time);
}

gg_status gg_scorer_run(const struct gg_scorer *s, const struct gg_score_source *source) {
    const struct gg_topology *topology = &s->replica->topology;
    const int64_t round = s->micro * topology->replicas;
    struct work w = make_work(s, source);
    gg_status status = GG_OK;
    for (int64_t first = 0; status == GG_OK && first < source->rows; first += round) {
        const int64_t own = first + topology->replica * s->micro,
                      end = first + round < source->rows ? first + round : source->rows;
        status = gg_replica_reads(s->replica) ? read_rows(&w, own) : GG_OK;
        if (status == GG_OK && s->stop != NULL && s->stop())
            status = gg_fail(GG_STOPPED, "the evaluation was left on request");
        status = gg_agree(s->replica->world->comm, status);
        if (status != GG_OK)
            break;
        score_rows(&w, own);
        if (s->round != NULL)
            status = s->round(s->context, first, end);
        if (s->progress != NULL)
            s->progress(s->context_of_progress, end, source->rows);
    }
    free_work(&w);
    return status;
}
