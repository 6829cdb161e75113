/* Which ids are for validation. Local.
 */
#ifndef GG_IO_CORPUS_IDS_SPLIT_H
#define GG_IO_CORPUS_IDS_SPLIT_H

#include "io/corpus/corpus_split.h"
#include "io/corpus/ids_block.h"

/* Reads the inputs as far as needed to find the rule: nothing of raw files without an end id, each of which is a
 * document.
 *   cuts [out] (cut_count) where raw documents are cut, when it is by tails; else NULL; owned by the caller
 * Errors as gg_ids_block_read. */
gg_status gg_ids_split_find(const struct gg_input_files *files, const struct gg_ids_format *format,
                            double fraction, uint64_t seed, struct gg_corpus_split *split,
                            struct gg_ids_cut **cuts, size_t *cut_count) GG_MUST_USE;

#endif
