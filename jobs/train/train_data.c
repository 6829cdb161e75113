#include "jobs/train/train_data.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/text/tokenizer.h"
#include "io/shards/corpora_source.h"
#include "io/shards/shard.h"
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/train/finetune_data.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

static gg_status open_val(const struct gg_settings *settings, const struct gg_corpus_opener *opener,
                          int corpus, struct gg_train_data *data) {
    struct gg_source val;
    GG_TRY(gg_val_source_open(&settings->data, settings->model.context, corpus, opener, &val));
    gg_loader_create(&val, &data->val[corpus]);
    const struct gg_source *train = gg_loader_source(data->train);
    if (val.tokenizer_fingerprint == train->tokenizer_fingerprint && val.vocab == train->vocab)
        return GG_OK;
    const bool named = settings->data.val.count > 0;
    return gg_fail(GG_BAD_DATA,
                   "the shards of data.val%s%s and data.train were made with different tokenizers; "
                   "prepare them together",
                   named ? "." : "", named ? settings->data.val.named[corpus].name : "");
}

/* A blend beside the source's, which is the read-ahead's thread's. */
static gg_blend *make_counter(const struct gg_corpora *corpora) {
    double weights[GG_CORPORA_MOST];
    for (size_t c = 0; c < corpora->count; c++)
        weights[c] = corpora->named[c].weight;
    return corpora->count > 0 ? gg_blend_create(weights, (int)corpora->count) : NULL;
}

/*   first [out] the first file's path, owned by the caller */
static gg_status open_loaders(const struct gg_settings *settings, const struct gg_corpus_opener *opener,
                              struct gg_train_data *data, char **first) {
    struct gg_corpora_facts facts = {0};
    struct gg_source train;
    if (gg_corpora_count(&settings->data.train) == 0)
        return gg_fail(GG_USAGE,
                       "data.train is not set: name the training shards that 'gridgpt prepare' wrote, "
                       "data.train=DIR/train-*.h5 for example");
    const gg_status status =
        gg_train_source_open(&settings->data, settings->model.context, opener, &train, &facts);
    *first = facts.first_file;
    GG_TRY(status);
    gg_loader_create(&train, &data->train);
    memcpy(data->corpus_samples, facts.samples, sizeof data->corpus_samples);
    data->counter = make_counter(&settings->data.train);
    data->tokenizer_fingerprint = train.tokenizer_fingerprint;
    data->data_fingerprint = train.data_fingerprint;
    data->samples = train.samples;
    data->vocab = train.vocab;
    for (int c = 0; c < data->val_corpora; c++)
        GG_TRY(open_val(settings, opener, c, data));
    return GG_OK;
}

/* Every reader must have opened what rank 0 has. */
static gg_status compare_with_root(const struct gg_replica *r, const struct gg_train_data *data) {
    uint64_t mine[3] = {data->data_fingerprint, (uint64_t)data->vocab, 0};
    for (int c = 0; c < data->val_corpora && data->val[c] != NULL; c++)
        mine[2] = gg_random_bits(mine[2], GG_STREAM(GG_STREAM_CORPUS, c),
                                 gg_loader_source(data->val[c])->data_fingerprint);
    uint64_t roots[3] = {mine[0], mine[1], mine[2]};
    MPI_Bcast(roots, 3, MPI_UINT64_T, 0, r->world->comm);
    if (!gg_replica_reads(r) || memcmp(mine, roots, sizeof mine) == 0)
        return GG_OK;
    return gg_fail(GG_BAD_DATA,
                   "%s is not what rank 0 reads under that name; is it on a file system that all "
                   "nodes share?",
                   mine[0] != roots[0] || mine[1] != roots[1] ? "data.train" : "data.val");
}

/* What rank 0 knows of the data, on every rank. */
static void share_facts(const struct gg_world *world, struct gg_train_data *data) {
    int64_t facts[] = {data->samples, data->vocab, (int64_t)data->tokenizer_fingerprint,
                       (int64_t)data->data_fingerprint};
    MPI_Bcast(facts, 4, MPI_INT64_T, 0, world->comm);
    data->samples = facts[0];
    data->vocab = facts[1];
    data->tokenizer_fingerprint = (uint64_t)facts[2];
    data->data_fingerprint = (uint64_t)facts[3];
}

/* Rank 0: loads the tokenizer and compares it with the shards'. */
static gg_status load_tokenizer(const struct gg_settings *settings, const char *first_shard,
                                struct gg_train_data *data) {
    char *folder = gg_strdup(first_shard);
    char *path = settings->data.tokenizer != NULL ? gg_strdup(settings->data.tokenizer)
                                                  : gg_format("%s/tokenizer.json", dirname(folder));
    gg_tokenizer *tokenizer = NULL;
    gg_status status = gg_tokenizer_load(path, &tokenizer);
    if (status != GG_OK && settings->data.tokenizer == NULL)
        status = gg_fail_within(status, "data.tokenizer is not set and beside the first training shard");
    if (status == GG_OK && gg_tokenizer_fingerprint(tokenizer) != data->tokenizer_fingerprint)
        status =
            gg_fail(GG_BAD_DATA,
                    "%s is not the tokenizer that the training shards were made with; set data.tokenizer to "
                    "that one, or prepare the shards again",
                    path);
    if (status == GG_OK)
        status = gg_shard_vocab_check(first_shard, gg_loader_source(data->train)->vocab, path,
                                      gg_tokenizer_vocab(tokenizer));
    if (status == GG_OK) {
        data->vocab = gg_tokenizer_vocab(tokenizer);
        data->tokenizer_json = gg_tokenizer_to_json(tokenizer, &data->tokenizer_bytes);
        if (data->tokenizer_json == NULL)
            status = gg_fail_within(GG_BAD_DATA, "%s", path);
    }
    gg_tokenizer_destroy(&tokenizer);
    free(path);
    free(folder);
    return status;
}

/* Rank 0: the tokenizer, unless the shards are of ids that another program made. */
static gg_status find_tokenizer(const struct gg_settings *settings, const char *first_shard,
                                struct gg_train_data *data) {
    if (data->tokenizer_fingerprint != gg_shard_ids_fingerprint(data->vocab))
        return load_tokenizer(settings, first_shard, data);
    if (settings->data.tokenizer == NULL)
        return GG_OK;
    return gg_fail(GG_USAGE, "data.tokenizer is set, and the training shards were made by 'prepare --ids', "
                             "without a tokenizer; leave it away");
}

/* Token shards, with the tokenizer that they were made with. */
static gg_status open_shards(const struct gg_replica *r, bool tokenizer, struct gg_train_data *data) {
    const struct gg_settings *settings = r->settings;
    MPI_Comm comm = r->world->comm;
    char *first = NULL;
    gg_status status =
        gg_agree(comm, gg_replica_reads(r) ? open_loaders(settings, &gg_shards_opener, data, &first) : GG_OK);
    if (status == GG_OK && tokenizer)
        status = gg_agree(comm, r->world->rank == 0 ? find_tokenizer(settings, first, data) : GG_OK);
    free(first);
    return status;
}

/* On a rank that reads: samples, made into tokens by the checkpoint's tokenizer. */
static gg_status read_samples(const struct gg_settings *settings, struct gg_train_data *data) {
    struct gg_finetune_data samples;
    char *first = NULL;
    gg_status status = gg_finetune_data_open(settings, &samples);
    const struct gg_corpus_opener opener = gg_finetune_opener(&samples);
    if (status == GG_OK)
        status = open_loaders(settings, &opener, data, &first);
    if (status == GG_OK) {
        data->facts = samples.facts;
        data->tokenizer_json = gg_tokenizer_to_json(samples.tokenizer, &data->tokenizer_bytes);
        if (data->tokenizer_json == NULL)
            status = GG_BAD_DATA;
    }
    gg_finetune_data_close(&samples);
    free(first);
    return status;
}

gg_status gg_train_data_open(const struct gg_replica *r, bool tokenizer, struct gg_train_data *data) {
    const struct gg_settings *settings = r->settings;
    const struct gg_world *world = r->world;
    data->val_corpora = (int)gg_corpora_count(&settings->data.val);
    if (settings->finetune.from != NULL)
        GG_TRY(gg_agree(world->comm, gg_replica_reads(r) ? read_samples(settings, data) : GG_OK));
    else
        GG_TRY(open_shards(r, tokenizer, data));
    GG_TRY(gg_agree(world->comm, compare_with_root(r, data)));
    share_facts(world, data);
    return GG_OK;
}

void gg_train_data_close(struct gg_train_data *data) {
    gg_loader_destroy(&data->train);
    for (int c = 0; c < data->val_corpora; c++)
        gg_loader_destroy(&data->val[c]);
    gg_blend_destroy(&data->counter);
    free(data->tokenizer_json);
    *data = (struct gg_train_data){0};
}

void gg_train_data_epochs(const struct gg_train_data *data, int64_t samples, uint64_t *counts,
                          double *epochs) {
    const int corpora = gg_blend_corpora(data->counter);
    gg_blend_count(data->counter, (uint64_t)samples, counts);
    for (int c = 0; c < corpora; c++)
        epochs[c] = (double)counts[c] / (double)data->corpus_samples[c];
}
