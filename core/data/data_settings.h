/* The settings data.*: what is trained on, and in which order.
 */
#ifndef GG_CORE_DATA_DATA_SETTINGS_H
#define GG_CORE_DATA_DATA_SETTINGS_H

#include "core/base/corpora.h"
#include "core/base/options.h"

struct gg_data_settings {
    struct gg_corpora train, val; /* named ones: a blend by their weights; a validation loss of each */
    char *tokenizer;              /* NULL: tokenizer.json beside the first training shard */
    int64_t seed;
};

extern const struct gg_option_table gg_data_setting_rows;

/* The seed of the order of a corpus' samples, which is its own: it does not depend on what else there is. */
uint64_t gg_data_corpus_seed(const struct gg_data_settings *settings, const char *name);

/* GG_USAGE: a corpus has no paths, a corpus of a blend no weight, or one too small beside the others. Local. */
gg_status gg_data_settings_check(const struct gg_data_settings *settings) GG_MUST_USE;

#endif
