/* Micro-batches of training or validation samples, read ahead by a thread from a source (shard_source.h).
 *
 * Which sample goes where. A training step s of global batch G takes the samples [s G, (s + 1) G) of the
 * sampler's order (core/data/sampler.h). Replica d of D takes, for accumulation step a of G / (B D) and row
 * b of a micro-batch of B sequences, the sample s G + (a D + d) B + b. So the samples of a step are the same
 * for every D, and the consumed count s G alone tells where to go on.
 *
 * Opening calls HDF5 (main thread only); the thread does not. Memory: gg_loader_bytes(). All local: ranks
 * that must act alike agree afterwards.
 */
#ifndef GG_IO_SHARDS_LOADER_H
#define GG_IO_SHARDS_LOADER_H

#include "core/base/options.h"
#include "io/shards/shard_set.h" /* gg_shards_expand */

#include <stdbool.h>

typedef struct gg_loader gg_loader;

/* The id of a row beyond the last sample (sequential order only). */
#define GG_LOADER_NO_SAMPLE UINT64_MAX

/* Opens the shards; no thread runs yet. Arguments and errors as gg_shard_source_open. */
gg_status gg_loader_create(const struct gg_text_list *paths, int64_t context, uint64_t seed, bool shuffle,
                           gg_loader **loader) GG_MUST_USE;

/* Stops the thread and frees everything. */
void gg_loader_destroy(gg_loader **loader);

int64_t gg_loader_samples(const gg_loader *loader);      /* per epoch */
int64_t gg_loader_vocab(const gg_loader *loader);        /* of the tokenizer the shards were made with */
uint64_t gg_loader_fingerprint(const gg_loader *loader); /* of that tokenizer */
double gg_loader_text_bytes_per_token(const gg_loader *loader);

/* A hash of the shards' order, sizes and tokens: what a resumed run compares. */
uint64_t gg_loader_data_fingerprint(const gg_loader *loader);

struct gg_loader_plan {
    int64_t consumed;      /* samples consumed by all replicas before: the first step's s G */
    int64_t sequences;     /* G, global batch */
    int64_t micro;         /* B, sequences of a replica's micro-batch; B replicas divides G */
    int replica, replicas; /* d, D */
};

/* Bytes the loader holds once a plan is started (before: with the largest part, the cache of chunks). */
size_t gg_loader_bytes(const gg_loader *loader, const struct gg_loader_plan *plan);

/* The most that is for micro-batches of so many sequences of any shards that gridgpt writes: beside the shards'
 * index, which takes 24 bytes for each million of tokens. */
size_t gg_loader_most_bytes(int64_t vocab, int64_t context, int64_t micro);

/* Starts the thread on a plan; a running one is stopped first, and its look-ahead forgotten. For a sequential
 * loader, sequences = micro x replicas is the usual plan.
 * GG_USAGE when the numbers do not divide; GG_RESOURCE when memory or the thread is not to be had. */
gg_status gg_loader_start(gg_loader *loader, const struct gg_loader_plan *plan) GG_MUST_USE;

/* The next micro-batch of the plan.
 *   inputs         [out] (B, T) ids
 *   targets        [out] (B, T) ids, shifted by one
 *   sample_ids     [out] (B) or NULL
 *   waited_seconds [out] time spent waiting for the thread; NULL if not wanted
 * Sequential order: rows beyond the last sample have id GG_LOADER_NO_SAMPLE and ids 0; they stand behind all
 * others of the micro-batch, so that the caller computes on its first rows only. Every replica calls next()
 * ceil(samples / (B D)) times.
 * Hands on what went wrong in the thread: GG_BAD_DATA, GG_STORAGE naming the shard. It stays failed until the
 * next start. */
gg_status gg_loader_next(gg_loader *loader, int32_t *inputs, int32_t *targets, uint64_t *sample_ids,
                         double *waited_seconds) GG_MUST_USE;

#endif
