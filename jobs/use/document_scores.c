#include "jobs/use/document_scores.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Tokens of a round that are to be written, for all of its rows; each rank fills in those of its own. */
struct round {
    float *numbers; /* (rows, context, 1 + K): log-probability, and those of the alternatives */
    int32_t *ids;   /* (rows, context, 2 + K): id, rank, and the alternatives' ids */
    int64_t rows, first;
};

struct scoring {
    const struct gg_replica *replica;
    const struct gg_document_rows *rows;
    const struct gg_token_writer *writer; /* or NULL */
    struct gg_document_scores *scores;
    int64_t alternatives;
    struct round round;
};

static size_t number_count(const struct scoring *s) {
    return (size_t)(s->round.rows * s->rows->context * (1 + s->alternatives));
}

static size_t id_count(const struct scoring *s) {
    return (size_t)(s->round.rows * s->rows->context * (2 + s->alternatives));
}

/* Puts a row's tokens where the round has them. */
static void keep_tokens(const struct scoring *s, int64_t row, const struct gg_row_scores *from) {
    const int64_t most = s->alternatives;
    for (int64_t t = 0; t < from->count; t++) {
        const int64_t at = (row - s->round.first) * s->rows->context + t;
        float *numbers = s->round.numbers + at * (1 + most);
        int32_t *ids = s->round.ids + at * (2 + most);
        numbers[0] = from->log_probabilities[t];
        ids[0] = from->targets[t];
        ids[1] = from->ranks[t];
        memcpy(numbers + 1, from->id_probabilities + t * most, (size_t)most * sizeof *numbers);
        memcpy(ids + 2, from->ids + t * most, (size_t)most * sizeof *ids);
    }
}

static void take(void *context, int64_t row, const struct gg_row_scores *from) {
    const struct scoring *s = context;
    struct gg_window window;
    const int64_t document = gg_document_rows_locate(s->rows, row, &window);
    double sum = 0;
    for (int64_t t = 0; t < from->count; t++)
        sum -= (double)from->log_probabilities[t];
    s->scores->losses[document] += sum;
    s->scores->counts[document] += (double)from->count;
    if (s->writer != NULL)
        keep_tokens(s, row, from);
}

/* Rank 0: writes a row of the round. */
static void write_row(const struct scoring *s, int64_t row) {
    const int64_t most = s->alternatives;
    struct gg_window window;
    const int64_t document = gg_document_rows_locate(s->rows, row, &window);
    for (int64_t t = 0; t < window.scored; t++) {
        const int64_t at = (row - s->round.first) * s->rows->context + t;
        const float *numbers = s->round.numbers + at * (1 + most);
        const int32_t *ids = s->round.ids + at * (2 + most);
        const struct gg_token_record token = {.document = document,
                                              .position = window.end - window.scored + t,
                                              .id = ids[0],
                                              .log_probability = numbers[0],
                                              .rank = ids[1],
                                              .alternatives = most,
                                              .ids = ids + 2,
                                              .id_probabilities = numbers + 1};
        s->writer->write(s->writer->context, &token);
    }
}

/* The tokens of a round on rank 0, which writes them; each comes from one rank, and is 0 on the others. */
static gg_status write_round(void *context, int64_t first, int64_t end) {
    struct scoring *s = context;
    const bool root = s->replica->world->rank == 0;
    MPI_Comm world = s->replica->world->comm;
    const size_t numbers = number_count(s), ids = id_count(s);
    MPI_Reduce(root ? MPI_IN_PLACE : s->round.numbers, s->round.numbers, gg_int((int64_t)numbers), MPI_FLOAT,
               MPI_SUM, 0, world);
    MPI_Reduce(root ? MPI_IN_PLACE : s->round.ids, s->round.ids, gg_int((int64_t)ids), MPI_INT32_T, MPI_SUM,
               0, world);
    for (int64_t row = first; root && row < end; row++)
        write_row(s, row);
    memset(s->round.numbers, 0, numbers * sizeof(float));
    memset(s->round.ids, 0, ids * sizeof(int32_t));
    s->round.first = end;
    return gg_status_of_root(world, 0, root ? s->writer->check(s->writer->context) : GG_OK);
}

static void sum_scores(const struct scoring *s) {
    struct gg_document_scores *scores = s->scores;
    MPI_Comm world = s->replica->world->comm;
    double loss = 0, tokens = 0;
    MPI_Allreduce(MPI_IN_PLACE, scores->losses, gg_int(scores->documents), MPI_DOUBLE, MPI_SUM, world);
    MPI_Allreduce(MPI_IN_PLACE, scores->counts, gg_int(scores->documents), MPI_DOUBLE, MPI_SUM, world);
    for (int64_t d = 0; d < scores->documents; d++) {
        loss += scores->losses[d];
        tokens += scores->counts[d];
    }
    scores->tokens = (int64_t)tokens;
    scores->loss = loss / tokens;
}

gg_status gg_document_scores_make(const struct gg_scorer *scorer, struct gg_document_rows *rows,
                                  const struct gg_token_writer *writer, struct gg_document_scores *scores) {
    const size_t documents = (size_t)rows->documents;
    struct scoring s = {.replica = scorer->replica,
                        .rows = rows,
                        .writer = writer,
                        .scores = scores,
                        .alternatives = writer != NULL ? scorer->alternatives : 0};
    *scores = (struct gg_document_scores){.losses = gg_calloc(documents + 1, sizeof(double)),
                                          .counts = gg_calloc(documents + 1, sizeof(double)),
                                          .documents = rows->documents};
    if (writer != NULL) {
        s.round.rows = scorer->micro * scorer->replica->topology.replicas;
        s.round.numbers = gg_calloc(number_count(&s), sizeof(float));
        s.round.ids = gg_calloc(id_count(&s), sizeof(int32_t));
    }
    struct gg_scorer own = *scorer;
    own.alternatives = s.alternatives;
    own.take = take;
    own.round = writer != NULL ? write_round : NULL;
    own.context = &s;
    const struct gg_score_source source = gg_document_rows_source(rows);
    const gg_status status = gg_scorer_run(&own, &source);
    free(s.round.numbers);
    free(s.round.ids);
    GG_TRY(status);
    sum_scores(&s);
    return GG_OK;
}

void gg_document_scores_free(struct gg_document_scores *scores) {
    free(scores->losses);
    free(scores->counts);
    *scores = (struct gg_document_scores){0};
}
