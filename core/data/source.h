/* A source of training samples: a pure function from a sample's number to its tokens, the same on every rank and in
 * every run, so that the numbers alone tell where a run stands. What reads shards, blends corpora or packs documents
 * is a source; the read-ahead (io/shards/loader.h) takes any.
 */
#ifndef GG_CORE_DATA_SOURCE_H
#define GG_CORE_DATA_SOURCE_H

#include "core/base/status.h"

#include <stdint.h>

struct gg_source {
    void *self;
    int64_t context; /* T: a sample is T + 1 tokens, inputs and targets shifted by one */
    uint64_t end;    /* numbers from here on have no sample; UINT64_MAX: none ends */

    /* Writes a sample's tokens (T + 1). Called by one thread at a time, which need not be the one that made the
     * source. GG_BAD_DATA, GG_STORAGE: what it reads from is damaged, gone or changed. */
    gg_status (*read)(void *self, uint64_t sample, int32_t *tokens);
};

#endif
