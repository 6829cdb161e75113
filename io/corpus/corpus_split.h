/* Which documents are for validation: a rule that depends on the input, the fraction and the seed alone.
 *
 * With n documents and fraction v,
 *   - n v below one half (few documents): the last v of each document's text, cut at a line (gg_line_cut);
 *   - n below 20 / v: the round(n v) documents with the smallest draws;
 *   - else: each document whose draw is below v.
 * A document's draw is gg_random_uniform(seed, GG_STREAM_SPLIT, its number in the input). All local.
 */
#ifndef GG_IO_CORPUS_CORPUS_SPLIT_H
#define GG_IO_CORPUS_CORPUS_SPLIT_H

#include "io/corpus/document_reader.h"
#include "io/corpus/input_file.h"

/* Documents are counted up to so many. */
#define GG_SPLIT_MAX_COUNTED ((int64_t)1 << 20)

struct gg_corpus_split {
    uint64_t seed;
    double threshold;             /* validation: draw <= threshold; below 0: none by document */
    double tail;                  /* fraction of each document's text; 0: by document */
    struct gg_document_cut *cuts; /* where plain-text documents are to be cut, in their order; owned */
    size_t cut_count;
};

/* Reads the inputs as far as needed to find the rule: 20 / v documents, of plain files that are a document each
 * next to nothing; nothing at all when `fraction` is 0. Errors as gg_document_reader_next. Free with
 * gg_corpus_split_free. */
gg_status gg_corpus_split_find(const struct gg_input_files *files, const struct gg_document_format *format,
                               double fraction, uint64_t seed, struct gg_corpus_split *split) GG_MUST_USE;
void gg_corpus_split_free(struct gg_corpus_split *split);

/* Documents that it takes to know the rule: no more are counted. */
int64_t gg_corpus_split_enough(double fraction);

/* The rule for so many documents, counted up to gg_corpus_split_enough(); where to cut is left to the caller. */
void gg_corpus_split_choose(int64_t documents, double fraction, uint64_t seed, struct gg_corpus_split *split);

/* Whether a whole document is for validation. */
bool gg_corpus_split_validates(const struct gg_corpus_split *split, int64_t document);

#endif
