/* The order of a blend: which corpus sample number i is from, and which of that corpus' samples it is.
 *
 * Corpora have weights. Of the first n samples, for every n, corpus c has n w_c / sum(w) to less than one sample. For
 * more than two corpora no rule that looks at one number alone does that; a schedule does: the j-th sample of corpus c
 * belongs between number floor((j - 1) / s) and ceil(j / s) - 1, with s the corpus' share, and taking the one whose
 * time ends first meets all of these (Baruah et al. 1996, "Proportionate progress", section 3; for unit tasks of one
 * machine earliest deadline first finds a schedule where there is one). A schedule is a walk from sample 0, and a run
 * that goes on at sample n must not take n steps. So it is made by blocks that know nothing of each other:
 *   - the counts at a block's begin are a function of its number: those to which a schedule comes over one block, from
 *     counts that round those at the begin of the block before (down, but for the samples whose time ends first);
 *   - within a block the schedule goes from these counts to those at the begin of the next.
 * Both exist because what a block must take by any time before its end, and may take by then, depends on the counts at
 * one of its ends alone, and because a block is long enough for every corpus to have a sample in it. Finding a sample
 * costs a look into the table of its block; entering a block, a walk over three blocks.
 *
 * Shares are integers of 2^-40, to which the weights are rounded. Local; one thread at a time.
 */
#ifndef GG_CORE_DATA_BLEND_H
#define GG_CORE_DATA_BLEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GG_BLEND_CORPORA 64
/* The share of a corpus is at least 1 / GG_BLEND_BLOCK, which is also the longest that a block gets. */
#define GG_BLEND_BLOCK ((int64_t)1 << 16)
/* Numbers are below. */
#define GG_BLEND_SAMPLES ((uint64_t)1 << 48)

typedef struct gg_blend gg_blend;

/* Whether a corpus' weight is large enough beside the sum of all. */
bool gg_blend_takes(double weight, double sum);

/*   weights [in] (count) above 0, each of them large enough (gg_blend_takes); at most GG_BLEND_CORPORA
 * The order depends on the order of the corpora where several samples' times end at once. */
gg_blend *gg_blend_create(const double *weights, int count);
void gg_blend_destroy(gg_blend **blend);
int gg_blend_corpora(const gg_blend *blend);

/* Where a sample comes from.
 *   number [out] which of the corpus' samples it is, counted from 0 */
void gg_blend_locate(gg_blend *blend, uint64_t sample, int *corpus, uint64_t *number);

/* How many of the first `samples` samples each corpus has.
 *   counts [out] (count) */
void gg_blend_count(gg_blend *blend, uint64_t samples, uint64_t *counts);

/* Bytes of a blend, at most. */
size_t gg_blend_most_bytes(void);

#endif
