/* Learns the merges of a byte-level BPE from word counts (Sennrich et al. 2016, algorithm 1): again and again
 * the pair of neighbouring tokens that occurs most often becomes a token. Of pairs that occur equally often
 * the one with the smaller left id is taken, then the one with the smaller right id; the outcome depends on
 * the counts alone, not on the order of the text. All local.
 */
#ifndef GG_CORE_TEXT_BPE_TRAINING_H
#define GG_CORE_TEXT_BPE_TRAINING_H

#include "core/text/tokenizer.h"
#include "core/text/word_counts.h"

/* The 256 bytes and <|endoftext|>. */
enum { GG_VOCABULARY_MIN = 257 };

/* Makes a tokenizer with GPT-2's pattern: ids 0 to 255 are the bytes in GPT-2's order, then the merges in the
 * order they were learned, last <|endoftext|>.
 *   vocab [in] number of entries, GG_VOCABULARY_MIN to GG_VOCABULARY_MAX (GG_USAGE otherwise). The tokenizer
 *              has fewer when no pair occurs twice any more: see gg_tokenizer_vocab
 * Memory: some 16 bytes per byte of the different words. Ends the process where there is none. */
gg_status gg_bpe_train(const struct gg_word_counts *counts, int64_t vocab,
                       gg_tokenizer **tokenizer) GG_MUST_USE;

#endif
