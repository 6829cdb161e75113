/* What a model makes of each token of a micro-batch, beside their loss. Shapes are of this rank's token shard; the same
 * on every feature shard. The buffers are the caller's.
 */
#ifndef GG_CORE_MODEL_TOKEN_SCORES_H
#define GG_CORE_MODEL_TOKEN_SCORES_H

#include <stdbool.h>
#include <stdint.h>

struct gg_token_scores {
    bool
        classes; /* the entries are the classes of texts, and the batch's labels the targets; else the vocabulary */
    float *log_probabilities; /* (sequences, time) of the targets, nats */
    int32_t
        *ranks; /* (sequences, time) entries of the vocabulary that are likelier than the target, or as likely
                       and of a lower id; 0: the target is the greedy choice */
    int64_t alternatives;    /* K, how many of the likeliest entries are wanted; 0: none */
    int32_t *ids;            /* (sequences, time, K) likeliest first; K is at most the vocabulary */
    float *id_probabilities; /* (sequences, time, K) their log-probabilities */
};

#endif
