/* Writes the shards of a corpus from records in order: drops duplicate documents, and near duplicates where wanted
 * (io/corpus/near_list.h), assigns documents to training or validation, begins a new shard where one is full. What it writes is a pure function of the
 * records. Files get their final names only when all are whole.
 *
 * A shard ends with the record that fills it, so documents that came as one record are never split. A
 * document of up to GG_HELD_RECORDS records is held back until it is known whether it is a duplicate; longer
 * ones are written as they come and not looked for. Memory: a shard's chunk, the held document, 32 bytes per
 * document for the hashes. Main thread only (HDF5). All local.
 */
#ifndef GG_IO_CORPUS_CORPUS_WRITER_H
#define GG_IO_CORPUS_CORPUS_WRITER_H

#include "io/corpus/corpus_split.h"
#include "io/corpus/near_list.h"
#include "io/shards/shard_writer.h"

#define GG_HELD_RECORDS 16

struct gg_corpus_spec {
    const char *folder;
    const gg_tokenizer *tokenizer; /* NULL: ids of another program */
    int64_t vocab;                 /* without a tokenizer; else 0 */
    const struct gg_corpus_split *split;
    int64_t shard_tokens; /* a shard ends when it holds so many */
    int level;            /* zstd's */
    bool keep_duplicates, overwrite;
    struct gg_near_rules near;         /* not with keep_duplicates */
    const struct gg_text_list *inputs; /* names of the files, for the list of near duplicates */
};

struct gg_corpus_counts {
    int64_t documents[2]; /* kept: training, validation */
    int64_t tokens[2], text_bytes[2], shards[2];
    int64_t duplicates, near_duplicates;
    int64_t masked[GG_PII_KINDS]; /* in the documents that were kept */
};

typedef struct gg_corpus_writer gg_corpus_writer;

/* Makes the folder, and removes what an interrupted run left in it. The spec must outlive the writer.
 * GG_USAGE when shards are there and `overwrite` is not set. GG_STORAGE. */
gg_status gg_corpus_writer_create(const struct gg_corpus_spec *spec, gg_corpus_writer **writer) GG_MUST_USE;

/* Takes the next record, whose document is numbered over the whole input, and its tokens.
 *   signature [in] of its text; NULL where near duplicates are not looked for */
gg_status gg_corpus_writer_add(gg_corpus_writer *writer, const struct gg_text_record *record,
                               const uint32_t *ids, const uint32_t *signature) GG_MUST_USE;

/* Closes the shards, removes those that are to be overwritten, writes tokenizer.json (where there is one), and gives the
 * list of near duplicates and the shards their names. GG_BAD_DATA when nothing is left to train on. */
gg_status gg_corpus_writer_commit(gg_corpus_writer *writer, struct gg_corpus_counts *counts) GG_MUST_USE;

/* Frees; removes temporary files that were not committed. */
void gg_corpus_writer_destroy(gg_corpus_writer **writer);

#endif
