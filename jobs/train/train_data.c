#include "jobs/train/train_data.h"

#include "core/base/memory.h"
#include "core/text/tokenizer.h"
#include "io/shards/shard_source.h"
#include "io/tokenizer/tokenizer_file.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

/* Opens the shards that a setting names.
 *   first [out] the first shard's path, owned by the caller; NULL if not wanted */
static gg_status open_loader(const struct gg_settings *settings, const struct gg_text_list *patterns,
                             const char *origin, bool shuffle, gg_loader **loader, char **first) {
    struct gg_text_list paths = {0};
    gg_status status = gg_shards_expand(patterns, &paths, origin);
    struct gg_source source;
    if (status == GG_OK)
        status = gg_shard_source_open(&paths, settings->model.context, (uint64_t)settings->data.seed, shuffle,
                                      &source);
    if (status == GG_OK)
        gg_loader_create(&source, loader);
    if (status != GG_OK && paths.count > 0)
        status = gg_fail_within(status, "%s", origin);
    if (status == GG_OK && first != NULL)
        *first = gg_strdup(paths.items[0]);
    gg_text_list_free(&paths);
    return status;
}

static gg_status open_loaders(const struct gg_settings *settings, struct gg_train_data *data, char **first) {
    if (settings->data.train.count == 0)
        return gg_fail(GG_USAGE,
                       "data.train is not set: name the training shards that 'gridgpt prepare' wrote, "
                       "data.train=DIR/train-*.h5 for example");
    GG_TRY(open_loader(settings, &settings->data.train, "data.train", true, &data->train, first));
    const struct gg_source *train = gg_loader_source(data->train);
    data->tokenizer_fingerprint = train->tokenizer_fingerprint;
    data->data_fingerprint = train->data_fingerprint;
    data->samples = train->samples;
    data->vocab = train->vocab;
    if (settings->data.val.count == 0)
        return GG_OK;
    GG_TRY(open_loader(settings, &settings->data.val, "data.val", false, &data->val, NULL));
    const struct gg_source *val = gg_loader_source(data->val);
    if (val->tokenizer_fingerprint != train->tokenizer_fingerprint || val->vocab != train->vocab)
        return gg_fail(GG_BAD_DATA,
                       "the shards of data.val and data.train were made with different tokenizers; "
                       "prepare them together");
    return GG_OK;
}

/* Every reader must have opened what rank 0 has. */
static gg_status compare_with_root(const struct gg_replica *r, const struct gg_train_data *data) {
    const uint64_t mine[3] = {data->data_fingerprint, (uint64_t)data->vocab,
                              data->val != NULL ? gg_loader_source(data->val)->data_fingerprint : 0};
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

gg_status gg_train_data_open(const struct gg_replica *r, bool tokenizer, struct gg_train_data *data) {
    const struct gg_settings *settings = r->settings;
    const struct gg_world *world = r->world;
    char *first = NULL;
    data->validates = settings->data.val.count > 0;
    gg_status status =
        gg_agree(world->comm, gg_replica_reads(r) ? open_loaders(settings, data, &first) : GG_OK);
    if (status == GG_OK)
        status = gg_agree(world->comm, compare_with_root(r, data));
    if (status == GG_OK && tokenizer)
        status = gg_agree(world->comm, world->rank == 0 ? load_tokenizer(settings, first, data) : GG_OK);
    if (status == GG_OK)
        share_facts(world, data);
    free(first);
    return status;
}

void gg_train_data_close(struct gg_train_data *data) {
    gg_loader_destroy(&data->train);
    gg_loader_destroy(&data->val);
    free(data->tokenizer_json);
    *data = (struct gg_train_data){0};
}
