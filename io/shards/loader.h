/* Micro-batches of training or validation samples, read ahead by a thread from a source (core/data/source.h).
 *
 * Which sample goes where. A training step s of global batch G takes the samples [s G, (s + 1) G) of the
 * sampler's order (core/data/sampler.h). Virtual replica v of V takes, for accumulation step a of G / (B V) and row
 * b of a micro-batch of B sequences, the sample s G + (a V + v) B + b; replica d of D plays the V / D virtual
 * replicas from d V / D on, one after the other. So the samples of a step are the same for every D, those of a
 * virtual replica too, and the consumed count s G alone tells where to go on.
 *
 * Memory: gg_loader_bytes(). All local: ranks that must act alike agree afterwards.
 */
#ifndef GG_IO_SHARDS_LOADER_H
#define GG_IO_SHARDS_LOADER_H

#include "core/data/source.h"

typedef struct gg_loader gg_loader;

/* The id of a row beyond the last sample (sequential order only). */
#define GG_LOADER_NO_SAMPLE UINT64_MAX

/* Takes over the source; no thread runs yet. */
void gg_loader_create(const struct gg_source *source, gg_loader **loader);

/* Stops the thread, closes the source and frees everything. */
void gg_loader_destroy(gg_loader **loader);

const struct gg_source *gg_loader_source(const gg_loader *loader);

struct gg_loader_plan {
    int64_t consumed;      /* samples consumed by all replicas before: the first step's s G */
    int64_t sequences;     /* G, global batch */
    int64_t micro;         /* B, sequences of a replica's micro-batch; B V divides G */
    int replica, replicas; /* d, D */
    int played;            /* V / D, virtual replicas of each; 0 is as 1 */
};

/* Bytes the loader holds once a plan is started (before: none). */
size_t gg_loader_bytes(const gg_loader *loader, const struct gg_loader_plan *plan);

/* The most that is for micro-batches of so many sequences of any shards that gridgpt writes: beside the shards'
 * index, which takes 24 bytes for each million of tokens. */
size_t gg_loader_most_bytes(int64_t vocab, int64_t context, int64_t micro);

/* Starts the thread on a plan; a running one is stopped first, and its look-ahead forgotten. For a sequential
 * loader, sequences = micro x replicas is the usual plan, of which `played` is 1.
 * GG_USAGE when the numbers do not divide; GG_RESOURCE when memory or the thread is not to be had. */
gg_status gg_loader_start(gg_loader *loader, const struct gg_loader_plan *plan) GG_MUST_USE;

/* The next micro-batch of the plan.
 *   to             [out] (B, T); sample_ids may be NULL; with marks where the source has them, without elsewhere
 *   waited_seconds [out] time spent waiting for the thread; NULL if not wanted
 * Sequential order: rows beyond the last sample have id GG_LOADER_NO_SAMPLE, ids 0 and marks that let nothing count; they stand behind all
 * others of the micro-batch, so that the caller computes on its first rows only. Every replica calls next()
 * ceil(samples / (B D)) times.
 * Hands on what went wrong in the thread: GG_BAD_DATA, GG_STORAGE naming the shard. It stays failed until the
 * next start. */
gg_status gg_loader_next(gg_loader *loader, const struct gg_micro_batch *to,
                         double *waited_seconds) GG_MUST_USE;

#endif
