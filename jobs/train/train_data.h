/* What a run trains on: the loaders and the tokenizer its shards were made with.
 */
#ifndef GG_JOBS_TRAIN_TRAIN_DATA_H
#define GG_JOBS_TRAIN_TRAIN_DATA_H

#include "core/base/status.h"
#include "io/shards/loader.h"
#include "jobs/replica/replica.h"

#include <stddef.h>
#include <stdint.h>

struct gg_train_data {
    gg_loader *train, *val; /* NULL on ranks that do not read; val also without data.val */
    bool validates;         /* data.val is set */
    int64_t samples;        /* of an epoch */
    int64_t vocab;          /* of the tokenizer */
    uint64_t tokenizer_fingerprint, data_fingerprint;
    char *tokenizer_json; /* on rank 0, for checkpoints; NULL elsewhere */
    size_t tokenizer_bytes;
};

/* Opens the shards on the ranks that read (gg_replica_reads) and the tokenizer on rank 0, and checks that they belong
 * together and that all readers see the same. Collective over the world; fails alike on every rank.
 *   replica   [in]  placed
 *   tokenizer [in]  whether the tokenizer is wanted; without it the vocabulary is the shards'
 *   data      [out] zeroed memory; free with gg_train_data_close, after a failure too
 * GG_USAGE: data.train is not set. GG_STORAGE: a missing file. GG_BAD_DATA: a damaged one, or a tokenizer
 * that is not the shards'. */
gg_status gg_train_data_open(const struct gg_replica *replica, bool tokenizer,
                             struct gg_train_data *data) GG_MUST_USE;
void gg_train_data_close(struct gg_train_data *data);

#endif
