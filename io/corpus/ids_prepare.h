/* Ids of another program to token shards, by all ranks together, with the same bytes for any number of them.
 *
 * In a round each rank reads a block of its own (io/corpus/ids_block.h), tells the others what begins in it, and makes
 * its records; rank 0 takes them in order and writes. Which documents are for validation is told by
 * io/corpus/corpus_split.h, whose tail is of a document's ids. Input that cannot be read twice is copied into the output
 * folder first; packed files are not read. Memory of a rank: 8 bytes for each of 3 Mi ids, or twice the longest JSONL
 * line and its ids; rank 0 also what io/corpus/corpus_writer.h says.
 */
#ifndef GG_IO_CORPUS_IDS_PREPARE_H
#define GG_IO_CORPUS_IDS_PREPARE_H

#include "io/corpus/corpus_writer.h"
#include "io/corpus/ids_block.h"
#include "mpi/world/world.h"

struct gg_ids_prepare_spec {
    const char *folder;         /* where the shards go; all ranks see it */
    struct gg_text_list inputs; /* files; "-": standard input */
    struct gg_ids_format format;
    double validation; /* fraction */
    uint64_t seed;
    int64_t shard_tokens;
    int level;
    bool keep_duplicates, overwrite;
    void (*progress)(void *context, int64_t done_bytes, int64_t total_bytes); /* on rank 0; NULL: none */
    void *context;
};

/* Collective, with the same spec on all ranks.
 *   counts      [out] on rank 0
 *   input_bytes [out] of the files
 * All ranks return the same status. GG_BAD_DATA: a file that is no whole number of ids; as gg_ids_block_take. Whatever
 * fails, no shard has its final name. */
gg_status gg_ids_prepare(const struct gg_world *world, const struct gg_ids_prepare_spec *spec,
                         struct gg_corpus_counts *counts, int64_t *input_bytes) GG_MUST_USE;

#endif
