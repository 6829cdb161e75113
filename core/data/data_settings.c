#include "core/data/data_settings.h"

#include "core/base/option_rows.h"
#include "core/base/random.h"
#include "core/data/blend.h"

#include <string.h>

#define GG_ROWS_OF struct gg_data_settings
static const struct gg_option rows[] = {
    {GG_ROW_CORPORA(
        "data.train", train, 1e15,
        "training shards: a path, a glob or a list; or .NAME.paths and .NAME.weight of each corpus of a "
        "blend")},
    {GG_ROW_CORPORA("data.val", val, 0,
                    "validation shards: a path, a glob or a list; or .NAME.paths of each corpus")},
    {GG_ROW_TEXT("data.tokenizer", tokenizer, NULL,
                 "tokenizer; unset: tokenizer.json beside the first training shard")},
    {GG_ROW_INTEGER("data.seed", seed, 0, GG_ROW_MANY, "1", "seed of the sample order")},
};
const struct gg_option_table gg_data_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF

uint64_t gg_data_corpus_seed(const struct gg_data_settings *settings, const char *name) {
    uint64_t seed = (uint64_t)settings->seed;
    for (const char *p = name; *p != '\0'; p++)
        seed = gg_random_bits(seed, GG_STREAM(GG_STREAM_CORPUS, 0), (unsigned char)*p);
    return seed;
}

static gg_status check_paths(const struct gg_corpora *corpora, const char *setting) {
    for (size_t i = 0; i < corpora->count; i++)
        if (corpora->named[i].paths.count == 0)
            return gg_fail(GG_USAGE, "%s.%s has no paths; set %s.%s.paths to its shards", setting,
                           corpora->named[i].name, setting, corpora->named[i].name);
    return GG_OK;
}

gg_status gg_data_settings_check(const struct gg_data_settings *settings) {
    const struct gg_corpora *blend = &settings->train;
    GG_TRY(check_paths(blend, "data.train"));
    GG_TRY(check_paths(&settings->val, "data.val"));
    double sum = 0;
    for (size_t i = 0; i < blend->count; i++) {
        if (blend->named[i].weight == 0)
            return gg_fail(GG_USAGE, "data.train.%s has no weight; set data.train.%s.weight",
                           blend->named[i].name, blend->named[i].name);
        sum += blend->named[i].weight;
    }
    for (size_t i = 0; i < blend->count; i++)
        if (!gg_blend_takes(blend->named[i].weight, sum))
            return gg_fail(GG_USAGE,
                           "data.train.%s.weight is %g of %g together; a corpus gets one of %lld samples at "
                           "least: raise its weight or leave it out",
                           blend->named[i].name, blend->named[i].weight, sum, (long long)GG_BLEND_BLOCK);
    return GG_OK;
}
