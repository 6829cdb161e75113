/* The sources that data.train and data.val name: of one corpus, or of several. Opening shards calls HDF5 (main thread only).
 * All local.
 */
#ifndef GG_IO_SHARDS_CORPORA_SOURCE_H
#define GG_IO_SHARDS_CORPORA_SOURCE_H

#include "core/data/data_settings.h"
#include "core/data/source.h"

/* What a run tells of its corpora. */
struct gg_corpora_facts {
    int64_t samples[GG_CORPORA_MOST]; /* of an epoch of each */
    char *first_file;                 /* a path; owned by the caller */
};

/* What opens a corpus: token shards, or whatever else samples are read from. */
struct gg_corpus_opener {
    /*   paths  [in] files that are there
     *   origin [in] the setting that names them, for messages */
    gg_status (*open)(void *self, const struct gg_text_list *paths, const char *origin, int64_t context,
                      uint64_t seed, bool shuffle, struct gg_source *source);
    void *self;
};
extern const struct gg_corpus_opener gg_shards_opener;

/* Opens the files of data.train, of which there are some: one corpus in an order of data.seed, or a blend of corpora,
 * each in an order of its own (gg_data_corpus_seed).
 *   facts [out] zeroed; first_file is set on a failure too, or NULL
 * Errors as gg_shards_expand and the opener's, which name the setting; GG_BAD_DATA naming two corpora of
 * different tokenizers. */
gg_status gg_train_source_open(const struct gg_data_settings *settings, int64_t context,
                               const struct gg_corpus_opener *opener, struct gg_source *source,
                               struct gg_corpora_facts *facts) GG_MUST_USE;

/* Opens the files of a corpus of data.val, in order: number `corpus` of gg_corpora_count. As above. */
gg_status gg_val_source_open(const struct gg_data_settings *settings, int64_t context, int corpus,
                             const struct gg_corpus_opener *opener, struct gg_source *source) GG_MUST_USE;

/* The most bytes that reading of data.train takes, whatever shards of gridgpt's it names. */
size_t gg_train_source_most_bytes(const struct gg_data_settings *settings, int64_t vocab);

#endif
