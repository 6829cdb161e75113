/* The mean loss over sequences of a data source, the same for any number of ranks.
 */
#ifndef GG_JOBS_USE_EVALUATION_H
#define GG_JOBS_USE_EVALUATION_H

#include "io/shards/loader.h"
#include "jobs/replica/replica.h"

/* Who shares the work, and with which model. */
struct gg_evaluator {
    const struct gg_replica *replica;
    gg_model *model; /* of the replica's graph, of any use but generation */
    int64_t micro;   /* B, sequences of a replica's micro-batch; Q divides it */
    bool marked;     /* the loader's source has marks */
    int64_t
        *confusion; /* with a model of classes: (classes, classes), to which samples are added by their class
                         * and the one that was told, those of all ranks; or NULL */
    bool (*stop)(void); /* asked before each micro-batch whether to leave; or NULL */
    void (*progress)(void *context_of_progress, int64_t done, int64_t total); /* sequences; or NULL */
    void *context_of_progress;
};

struct gg_evaluation {
    double loss;  /* mean cross-entropy of a token, nats; where classes are counted, of a class */
    double count; /* tokens that were predicted, by their weights, or classes */
    double seconds;
};

/* Evaluates the first `sequences` sequences of a sequential loader (all, when 0 or more than there are).
 * Every rank gets the same result. The loader is started anew; it is NULL on ranks that do not read. Collective
 * over all ranks. On all ranks alike: errors of the loader; GG_STOPPED, without a result, when stop() said so on any. */
gg_status gg_evaluate(const struct gg_evaluator *evaluator, gg_loader *loader, int64_t sequences,
                      struct gg_evaluation *result) GG_MUST_USE;

/* Bits per byte of text, when a token stands for `bytes_per_token` bytes; infinite where that is not known (0). */
double gg_bits_per_byte(double loss, double bytes_per_token);

#endif
