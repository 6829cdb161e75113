/* What a run trains on: the loaders and the tokenizer its shards were made with.
 */
#ifndef GG_JOBS_TRAIN_TRAIN_DATA_H
#define GG_JOBS_TRAIN_TRAIN_DATA_H

#include "core/base/corpora.h"
#include "core/base/status.h"
#include "core/data/blend.h"
#include "io/samples/sample_source.h"
#include "io/shards/loader.h"
#include "jobs/replica/replica.h"

#include <stddef.h>
#include <stdint.h>

struct gg_train_data {
    gg_loader *train;                /* NULL on ranks that do not read */
    gg_loader *val[GG_CORPORA_MOST]; /* of each corpus of data.val; NULL on ranks that do not read */
    int val_corpora;                 /* 0: data.val is not set */
    int64_t samples;                 /* of an epoch, of all corpora together */
    struct gg_sample_facts facts;    /* fine-tuning: of what is trained on; on ranks that read */
    int64_t
        corpus_samples[GG_CORPORA_MOST]; /* of an epoch of each corpus of data.train; on ranks that read */
    gg_blend *counter; /* tells how many samples of each there were; NULL where there is no blend */
    int64_t vocab;     /* of the tokenizer */
    uint64_t tokenizer_fingerprint, data_fingerprint;
    char *tokenizer_json; /* on rank 0, for checkpoints; NULL where the shards have none */
    size_t tokenizer_bytes;
};

/* Opens the shards, those of each corpus, on the ranks that read (gg_replica_reads) and the tokenizer on rank 0, and checks that they belong
 * together and that all readers see the same. Collective over the world; fails alike on every rank.
 *   replica   [in]  placed
 *   tokenizer [in]  whether the tokenizer is wanted; without it the vocabulary is the shards'
 *   data      [out] zeroed memory; free with gg_train_data_close, after a failure too
 * GG_USAGE: data.train is not set. GG_STORAGE: a missing file. GG_BAD_DATA: a damaged one, or a tokenizer
 * that is not the shards'. */
gg_status gg_train_data_open(const struct gg_replica *replica, bool tokenizer,
                             struct gg_train_data *data) GG_MUST_USE;
void gg_train_data_close(struct gg_train_data *data);

/* Epochs of each corpus of a blend in the run's first `samples` samples; on a rank that reads.
 *   counts [out] (GG_CORPORA_MOST) samples of each
 *   epochs [out] (GG_CORPORA_MOST) */
void gg_train_data_epochs(const struct gg_train_data *data, int64_t samples, uint64_t *counts,
                          double *epochs);

#endif
