#include "jobs/use/task_scores.h"

#include "core/base/memory.h"
#include "jobs/use/shared_file.h"

#include <stdlib.h>

gg_status gg_task_read(const struct gg_world *world, const char *path, enum gg_task_kind kind,
                       const struct gg_task_form *form, struct gg_task *task) {
    char *data = NULL;
    size_t bytes = 0;
    GG_TRY(gg_shared_file_read(world, path, &data, &bytes));
    const gg_status status = gg_task_parse(path, data, bytes, kind, form, task);
    free(data);
    return gg_agree(world->comm, status);
}

struct scoring {
    const struct gg_task_requests *requests;
    struct gg_task_scores *scores;
};

static gg_status read_row(void *self, int64_t row, struct gg_score_row *out) {
    const struct scoring *s = self;
    const struct gg_task_request *request = &s->requests->items[s->requests->order[row]];
    /* Ids are below 2^31. */
    *out = (struct gg_score_row){(const int32_t *)s->requests->ids.items + request->first, request->count,
                                 request->scored};
    return GG_OK;
}

static void take(void *context, int64_t row, const struct gg_row_scores *scores) {
    const struct scoring *s = context;
    const int64_t request = s->requests->order[row];
    bool greedy = true;
    double sum = 0;
    for (int64_t t = 0; t < scores->count; t++) {
        sum += (double)scores->log_probabilities[t];
        greedy = greedy && scores->ranks[t] == 0;
    }
    s->scores->log_likelihoods[request] = sum;
    s->scores->greedy[request] = greedy ? 1 : 0;
}

gg_status gg_task_scores_make(const struct gg_scorer *scorer, const struct gg_task_requests *requests,
                              struct gg_task_scores *scores) {
    gg_task_scores_begin(scores, requests->count);
    struct scoring scoring = {requests, scores};
    struct gg_scorer own = *scorer;
    own.alternatives = 0;
    own.take = take;
    own.round = NULL;
    own.context = &scoring;
    const struct gg_score_source source = {&scoring, requests->count, read_row};
    GG_TRY(gg_scorer_run(&own, &source));
    gg_task_scores_share(scorer->replica->world, scores);
    return GG_OK;
}

void gg_task_scores_begin(struct gg_task_scores *scores, int64_t choices) {
    *scores = (struct gg_task_scores){gg_calloc((size_t)choices, sizeof(double)),
                                      gg_calloc((size_t)choices, sizeof(double)), choices};
}

void gg_task_scores_share(const struct gg_world *world, struct gg_task_scores *scores) {
    /* They are 0 on the ranks that did not score them. */
    MPI_Allreduce(MPI_IN_PLACE, scores->log_likelihoods, gg_int(scores->count), MPI_DOUBLE, MPI_SUM,
                  world->comm);
    MPI_Allreduce(MPI_IN_PLACE, scores->greedy, gg_int(scores->count), MPI_DOUBLE, MPI_SUM, world->comm);
}

void gg_task_scores_free(struct gg_task_scores *scores) {
    free(scores->log_likelihoods);
    free(scores->greedy);
    *scores = (struct gg_task_scores){0};
}
