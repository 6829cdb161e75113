/* What a model makes of one token of a document, for those who write it down.
 */
#ifndef GG_JOBS_USE_TOKEN_RECORD_H
#define GG_JOBS_USE_TOKEN_RECORD_H

#include <stdint.h>

struct gg_token_record {
    int64_t document, position; /* from 0 */
    int32_t id;
    float log_probability; /* nats */
    int32_t rank;          /* 0: the likeliest */
    int64_t alternatives;
    const int32_t *ids; /* (alternatives) the likeliest, in order; an id that is none: there are no more */
    const float *id_probabilities; /* (alternatives) their log-probabilities */
};

#endif
