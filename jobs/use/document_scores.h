/* What a model makes of documents: their losses, and where that is wanted every token.
 */
#ifndef GG_JOBS_USE_DOCUMENT_SCORES_H
#define GG_JOBS_USE_DOCUMENT_SCORES_H

#include "jobs/use/document_rows.h"
#include "jobs/use/token_record.h"

struct gg_document_scores {
    double loss;    /* mean cross-entropy of a token, nats */
    int64_t tokens; /* that were predicted */
    double *losses; /* (documents) sums of theirs */
    double *counts; /* (documents) tokens of theirs that were predicted */
    int64_t documents;
};

/* Who writes tokens down, on rank 0; each NULL: nobody. */
struct gg_token_writer {
    void (*write)(void *context, const struct gg_token_record *token); /* in order */
    gg_status (*check)(void *context); /* after each round: whether what was written could be */
    void *context;
};

/* Scores all rows. Collective over the world, with the same arguments but for the writer's context; every rank gets the
 * same scores.
 *   scorer [in]  but for who takes the scores; its alternatives are for the writer
 *   writer [in]  or NULL, on all ranks alike
 *   scores [out] free with gg_document_scores_free, also after a failure
 * As gg_scorer_run, and what the writer's check fails with. */
gg_status gg_document_scores_make(const struct gg_scorer *scorer, struct gg_document_rows *rows,
                                  const struct gg_token_writer *writer,
                                  struct gg_document_scores *scores) GG_MUST_USE;
void gg_document_scores_free(struct gg_document_scores *scores);

#endif
