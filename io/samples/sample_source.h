/* Samples packed into rows: a source (core/data/source.h) over JSONL files. A row holds several texts side by side
 * (core/data/packing.h), each with marks that keep it to itself. Each epoch takes every row once, shuffled in an order
 * that is a pure function of (seed, number); or in order, once. All local.
 */
#ifndef GG_IO_SAMPLES_SAMPLE_SOURCE_H
#define GG_IO_SAMPLES_SAMPLE_SOURCE_H

#include "core/data/source.h"
#include "io/samples/sample_set.h"

/* What samples became, for reports. */
struct gg_sample_facts {
    int64_t samples, truncated, rows, tokens;
};

/* Reads and packs the files.
 *   request   [in]  most_tokens is filled in; the rest is not looked at after the call
 *   context   [in]  inputs of a row
 *   lm_weight [in]  with classes: what the mean loss of a text's tokens weighs beside that of its class (Radford et al.
 *                   2018, equation 5)
 *   source    [out] owned by whoever closes it
 * As gg_sample_set_read. */
gg_status gg_sample_source_open(const struct gg_sample_request *request, const struct gg_text_list *paths,
                                const char *origin, int64_t context, uint64_t seed, bool shuffle,
                                double lm_weight, struct gg_source *source,
                                struct gg_sample_facts *facts) GG_MUST_USE;

#endif
