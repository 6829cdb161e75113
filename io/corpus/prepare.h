/* Text to token shards, by all ranks together, with the same bytes for any number of them.
 *
 * In a round each rank reads a block of the input of its own (io/corpus/input_rounds.h), cleans and tokenizes
 * it, and rank 0 takes the results in order and writes. Input that cannot be read twice (standard input, pipes)
 * is copied into the output folder first. Memory of a rank: 16 MiB to read (more for JSONL lines above 8 MiB),
 * and the tokens of a block (about 16 MiB), with near duplicates a signature of each document in it; rank 0 also
 * what io/corpus/corpus_writer.h and near_list.h say.
 */
#ifndef GG_IO_CORPUS_PREPARE_H
#define GG_IO_CORPUS_PREPARE_H

#include "io/corpus/corpus_writer.h"
#include "mpi/world/world.h"

struct gg_prepare_spec {
    const gg_tokenizer *tokenizer;
    const char *folder;               /* where the shards go; all ranks see it */
    struct gg_text_list inputs;       /* files; "-": standard input */
    struct gg_document_format format; /* with `field` set */
    struct gg_clean_rules rules;
    double validation; /* fraction, io/corpus/corpus_split.h */
    uint64_t seed;
    int64_t shard_tokens;
    int level;
    bool keep_duplicates, overwrite;
    bool mask_pii;
    struct gg_near_rules near; /* bands 0: near duplicates are kept */

    /* Called on rank 0. */
    void (*progress)(void *context, int64_t done_bytes, int64_t total_bytes); /* of the files; NULL: none */
    void (*warn)(void *context, const char *message);                         /* NULL: none */
    void *context;
};

/* Collective, with the same spec on all ranks.
 *   counts      [out] on rank 0
 *   input_bytes [out] of the files
 * All ranks return the same status. Whatever fails, no shard has its final name; a run that is killed leaves
 * .tmp files, which the next one removes. */
gg_status gg_prepare(const struct gg_world *world, const struct gg_prepare_spec *spec,
                     struct gg_corpus_counts *counts, int64_t *input_bytes) GG_MUST_USE;

#endif
