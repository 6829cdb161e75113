/* What a run trains on: the loaders and the tokenizer its shards were made with.
 */
#ifndef GG_JOBS_TRAIN_TRAIN_DATA_H
#define GG_JOBS_TRAIN_TRAIN_DATA_H

#include "core/base/status.h"
#include "io/shards/loader.h"
#include "jobs/command/settings.h"
#include "mpi/world/world.h"

#include <stddef.h>
#include <stdint.h>

struct gg_train_data {
    gg_loader *train, *val; /* val is NULL without data.val */
    int64_t vocab;          /* of the tokenizer */
    uint64_t tokenizer_fingerprint, data_fingerprint;
    char *tokenizer_json; /* on rank 0, for checkpoints; NULL elsewhere */
    size_t tokenizer_bytes;
};

/* Opens the shards on every rank and the tokenizer on rank 0, and checks that they belong together and that
 * all ranks see the same. Collective over the world; fails alike on every rank.
 *   tokenizer [in]  whether the tokenizer is wanted; without it the vocabulary is the shards'
 *   data      [out] zeroed memory; free with gg_train_data_close, after a failure too
 * GG_USAGE: data.train is not set. GG_STORAGE: a missing file. GG_BAD_DATA: a damaged one, or a tokenizer
 * that is not the shards'. */
gg_status gg_train_data_open(const struct gg_world *world, const struct gg_settings *settings, bool tokenizer,
                             struct gg_train_data *data) GG_MUST_USE;
void gg_train_data_close(struct gg_train_data *data);

#endif
