#include "jobs/train/finetune_data.h"

#include "core/base/memory.h"
#include "io/checkpoint/checkpoint.h"
#include "io/shards/shard_set.h" /* gg_shards_expand */
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/use/checkpoint_find.h"

#include <stdlib.h>

static gg_status tokenizer_of_checkpoint(const char *path, gg_tokenizer **tokenizer) {
    struct gg_checkpoint_contents contents;
    GG_TRY(gg_checkpoint_examine(path, &contents));
    gg_status status;
    if (contents.meta.tokenizer_json == NULL)
        status = gg_fail(GG_BAD_DATA, "%s holds no tokenizer; set data.tokenizer", path);
    else
        status = gg_tokenizer_from_json(contents.meta.tokenizer_json, contents.meta.tokenizer_bytes, path,
                                        tokenizer);
    gg_checkpoint_contents_free(&contents);
    return status;
}

gg_status gg_finetune_data_open(const struct gg_settings *settings, struct gg_finetune_data *data) {
    *data = (struct gg_finetune_data){.settings = settings};
    if (settings->data.tokenizer != NULL)
        return gg_tokenizer_load(settings->data.tokenizer, &data->tokenizer);
    char *path = NULL;
    gg_status status = gg_checkpoint_find(settings->finetune.from, &path);
    if (status == GG_OK)
        status = tokenizer_of_checkpoint(path, &data->tokenizer);
    free(path);
    return status == GG_OK ? GG_OK : gg_fail_within(status, "finetune.from");
}

void gg_finetune_data_close(struct gg_finetune_data *data) {
    gg_tokenizer_destroy(&data->tokenizer);
}

static gg_status open_samples(void *self, const struct gg_text_list *paths, const char *origin,
                              int64_t context, uint64_t seed, bool shuffle, struct gg_source *source) {
    struct gg_finetune_data *data = self;
    const struct gg_settings *settings = data->settings;
    const struct gg_sample_request request = {.settings = &settings->finetune,
                                              .chat = &settings->chat,
                                              .labels = &settings->model.labels,
                                              .tokenizer = data->tokenizer};
    struct gg_sample_facts facts;
    GG_TRY(gg_sample_source_open(&request, paths, origin, context, seed, shuffle, settings->model.lm_weight,
                                 source, &facts));
    if (!shuffle)
        return GG_OK;
    data->facts.samples += facts.samples;
    data->facts.truncated += facts.truncated;
    data->facts.rows += facts.rows;
    data->facts.tokens += facts.tokens;
    return GG_OK;
}

struct gg_corpus_opener gg_finetune_opener(struct gg_finetune_data *data) {
    return (struct gg_corpus_opener){open_samples, data};
}

static gg_status examine(const struct gg_text_list *patterns, const char *origin, int *form,
                         struct gg_text_list *labels) {
    struct gg_text_list paths = {0};
    gg_status status = gg_shards_expand(patterns, &paths, origin);
    if (status == GG_OK)
        status = gg_sample_set_examine(&paths, origin, form, labels);
    gg_text_list_free(&paths);
    return status;
}

/* The form of all corpora, and the classes of all. */
static gg_status examine_all(const struct gg_corpora *train, int *form, struct gg_text_list *labels) {
    if (train->count == 0)
        return examine(&train->paths, "data.train", form, labels);
    gg_status status = GG_OK;
    for (size_t c = 0; status == GG_OK && c < train->count; c++) {
        char *origin = gg_format("data.train.%s", train->named[c].name);
        status = examine(&train->named[c].paths, origin, form, labels);
        free(origin);
    }
    return status;
}

/* The classes: as given, or the checkpoint's, or those of the samples. */
static gg_status fill_labels(struct gg_settings *settings, const struct gg_settings *theirs,
                             struct gg_text_list *found) {
    const struct gg_option *row = gg_options_find(&gg_settings_table, "model.labels");
    if (settings->finetune.form != GG_SAMPLE_LABEL) {
        if (settings->model.labels.count > 0)
            return gg_fail(GG_USAGE,
                           "model.labels was given, and the samples are of the form %s, which has no "
                           "classes",
                           gg_sample_form_names[settings->finetune.form]);
        return GG_OK;
    }
    if (settings->model.labels.count > 0)
        return GG_OK;
    const struct gg_text_list *labels = theirs->model.labels.count > 0 ? &theirs->model.labels : found;
    gg_options_set_list(row, settings, (const char *const *)labels->items, labels->count);
    return GG_OK;
}

/* The template that the checkpoint was trained in goes on, where no other was given. */
static gg_status fill_chat(struct gg_settings *settings, const struct gg_settings *theirs) {
    const bool turns =
        settings->finetune.form == GG_SAMPLE_MESSAGES || settings->finetune.form == GG_SAMPLE_INSTRUCTION;
    for (size_t i = 0; theirs->chat.turns && i < gg_chat_setting_rows.count; i++) {
        const struct gg_option *option =
            gg_options_find(&gg_settings_table, gg_chat_setting_rows.options[i].name);
        if (gg_options_given(&gg_settings_table, settings->given, option->name))
            continue;
        char *text = gg_option_text(option, theirs);
        const gg_status status = gg_settings_set(settings, option->name, text, "the checkpoint");
        free(text);
        GG_TRY(status);
    }
    settings->chat.turns = settings->chat.turns || turns;
    return GG_OK;
}

gg_status gg_finetune_settings_fill(struct gg_settings *settings, const struct gg_settings *theirs) {
    if (gg_corpora_count(&settings->data.train) == 0)
        return gg_fail(GG_USAGE, "data.train is not set: name the files of samples, in JSONL, such as "
                                 "data.train=samples.jsonl");
    struct gg_text_list found = {0};
    /* Classes that are known already are not looked for. */
    const bool known = settings->model.labels.count > 0 || theirs->model.labels.count > 0;
    gg_status status = examine_all(&settings->data.train, &settings->finetune.form, known ? NULL : &found);
    if (status == GG_OK)
        status = fill_labels(settings, theirs, &found);
    if (status == GG_OK)
        status = fill_chat(settings, theirs);
    gg_text_list_free(&found);
    return status;
}
