/* A source of training samples: a pure function from a sample's number to its tokens, the same on every rank and in
 * every run, so that the numbers alone tell where a run stands. What reads shards, blends corpora or packs texts
 * is a source; the read-ahead (io/shards/loader.h) takes any.
 */
#ifndef GG_CORE_DATA_SOURCE_H
#define GG_CORE_DATA_SOURCE_H

#include "core/base/status.h"
#include "core/data/micro_batch.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a sample goes. */
struct gg_sample {
    int32_t *tokens;       /* (T + 1): inputs, and targets shifted by one */
    struct gg_marks marks; /* of T inputs; none where the source has none */
};

struct gg_source {
    void *self;
    int64_t context; /* T */
    uint64_t end;    /* numbers from here on have no sample; UINT64_MAX: none ends */
    bool marked;     /* samples have marks */

    int64_t samples;                /* of an epoch */
    int64_t vocab;                  /* of the tokenizer that made the tokens */
    uint64_t tokenizer_fingerprint; /* of that tokenizer */
    uint64_t data_fingerprint;   /* a hash of all that the samples are made of: what a resumed run compares */
    double text_bytes_per_token; /* on average; 0: not known */
    size_t bytes;                /* of memory that reading takes */

    /* Allocates what reading takes: called before the first sample, again before each start. NULL: nothing is. So who
     * opens sources finds out first whether they go together, and what they will take. GG_RESOURCE. */
    gg_status (*reserve)(void *self);

    /* Writes a sample. Called by one thread at a time, which need not be the one that made the source.
     * GG_BAD_DATA, GG_STORAGE: what it reads from is damaged, gone or changed. */
    gg_status (*read)(void *self, uint64_t sample, const struct gg_sample *to);
    void (*close)(void *self);
};

#endif
