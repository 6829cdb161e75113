/* Rows of tokens through a model, for what it makes of each: shared out to the replicas, the same to rounding on any
 * layout.
 *
 * Rows go in rounds of a micro-batch for each replica: replica d takes the rows d B to (d + 1) B - 1 of a round. They
 * are filled up at their ends, to the longest of a micro-batch.
 */
#ifndef GG_JOBS_USE_SCORER_H
#define GG_JOBS_USE_SCORER_H

#include "jobs/replica/replica.h"

struct gg_score_row {
    const int32_t *ids; /* (count), valid until the next one is read */
    int64_t count;      /* from 2 to the context + 1 */
    int64_t scored;     /* the last of them are predicted: from 1 to count - 1 */
};

struct gg_score_source {
    void *self;
    int64_t rows; /* on every rank */
    /* Called in order of rows on ranks that read (gg_replica_reads). */
    gg_status (*read)(void *self, int64_t row, struct gg_score_row *out);
};

/* What the model makes of the scored tokens of a row. */
struct gg_row_scores {
    int64_t count;
    const int32_t *targets;         /* (count) the tokens */
    const float *log_probabilities; /* (count) */
    const int32_t *ranks;           /* (count) */
    const int32_t *ids;             /* (count, alternatives) as of struct gg_token_scores */
    const float *id_probabilities;  /* (count, alternatives) */
};

struct gg_scorer {
    const struct gg_replica *replica;
    gg_model *model;      /* of the replica's graph, of any use but generation */
    int64_t micro;        /* B, sequences of a replica's micro-batch; Q divides it */
    int64_t alternatives; /* of each token */
    bool (*stop)(void);   /* asked before each round whether to leave; or NULL */
    void (*progress)(void *context_of_progress, int64_t done, int64_t total); /* rows; or NULL */
    void *context_of_progress;

    /* Takes a row's scores, on one rank. Local. */
    void (*take)(void *context, int64_t row, const struct gg_row_scores *scores);
    /* After each round, of rows [first, end); or NULL. Collective over the world; fails alike on every rank. */
    gg_status (*round)(void *context, int64_t first, int64_t end);
    void *context;
};

/* Bytes that it holds meanwhile, on this rank. Local. */
size_t gg_scorer_bytes(const struct gg_replica *replica, int64_t micro, int64_t alternatives);

/* Scores all rows of a source. Collective over the world. On all ranks alike: what reading and `round` fail with;
 * GG_STOPPED when stop() said so on any. */
gg_status gg_scorer_run(const struct gg_scorer *scorer, const struct gg_score_source *source) GG_MUST_USE;

#endif
