/* What fine-tuning reads: samples in JSONL, with the tokenizer of the checkpoint that it begins with. All local.
 */
#ifndef GG_JOBS_TRAIN_FINETUNE_DATA_H
#define GG_JOBS_TRAIN_FINETUNE_DATA_H

#include "io/samples/sample_source.h"
#include "io/shards/corpora_source.h"
#include "jobs/command/settings.h"

struct gg_finetune_data {
    const struct gg_settings *settings; /* resolved */
    gg_tokenizer *tokenizer;            /* owned */
    struct gg_sample_facts facts;       /* of all that is trained on */
};

/* Loads the tokenizer: data.tokenizer, or that of the checkpoint. GG_BAD_DATA: neither is there, or damaged.
 *   data [out] free with gg_finetune_data_close, after a failure too */
gg_status gg_finetune_data_open(const struct gg_settings *settings,
                                struct gg_finetune_data *data) GG_MUST_USE;
void gg_finetune_data_close(struct gg_finetune_data *data);

/* Opens a corpus of samples. */
struct gg_corpus_opener gg_finetune_opener(struct gg_finetune_data *data);

/* Fills in what the samples and the checkpoint tell: finetune.form, model.labels, chat.*.
 *   theirs [in] the checkpoint's settings, resolved
 * GG_USAGE: data.train is not set, or what was given does not fit the form; others as gg_sample_set_examine. */
gg_status gg_finetune_settings_fill(struct gg_settings *settings,
                                    const struct gg_settings *theirs) GG_MUST_USE;

#endif
