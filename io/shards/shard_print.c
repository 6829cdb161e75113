/* What a token shard holds, in words. */
#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/shards/shard.h"
#include "io/shards/shard_index_internal.h"
#include "io/tokenizer/tokenizer_file.h"

#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>

/* Loads the tokenizer.json that `gridgpt prepare` writes beside its shards.
 *   tokenizer [out] NULL when there is none that this shard was made with
 *   why       [out] then: for a reader of the outcome
 * GG_RESOURCE: no memory to tell. */
static gg_status load_tokenizer_beside(const gg_shard *shard, gg_tokenizer **tokenizer, const char **why) {
    char *folder = gg_strdup(shard->path), *path = gg_format("%s/tokenizer.json", dirname(folder));
    *tokenizer = NULL;
    *why = "there is no tokenizer.json beside it";
    const gg_status status = gg_file_exists(path) ? gg_tokenizer_load(path, tokenizer) : GG_OK;
    if (status != GG_OK) {
        *why = "the tokenizer.json beside it cannot be read";
    } else if (*tokenizer != NULL && gg_tokenizer_fingerprint(*tokenizer) != shard->info.fingerprint) {
        *why = "the tokenizer.json beside it is another one than it was made with";
        gg_tokenizer_destroy(tokenizer);
    }
    free(path);
    free(folder);
    return status == GG_RESOURCE ? status : GG_OK;
}

/* Verifies the shard by itself, and its ids and vocabulary by its tokenizer's, where that is at hand.
 *   not_compared [out] why it is not; else NULL */
static gg_status verify_with_tokenizer(gg_shard *shard, const char **not_compared) {
    gg_tokenizer *tokenizer;
    GG_TRY(load_tokenizer_beside(shard, &tokenizer, not_compared));
    if (tokenizer == NULL)
        return gg_shard_verify(shard);
    *not_compared = NULL;
    const int64_t told = shard->info.vocab, vocab = gg_tokenizer_vocab(tokenizer);
    gg_tokenizer_destroy(&tokenizer);
    /* Reading refuses ids from here on, by their place. */
    shard->info.vocab = vocab < told ? vocab : told;
    const gg_status status = gg_shard_verify(shard);
    shard->info.vocab = told;
    return status == GG_OK ? gg_shard_vocab_check(shard->path, told, "tokenizer.json beside it", vocab)
                           : status;
}

gg_status gg_shard_describe(const char *path, bool verify, FILE *out) {
    gg_shard *shard = NULL;
    const char *not_compared = NULL;
    GG_TRY(gg_shard_open(path, &shard));
    const gg_status status = verify ? verify_with_tokenizer(shard, &not_compared) : GG_OK;
    if (status == GG_OK) {
        const struct gg_shard_info *info = &shard->info;
        fprintf(out, "%s: token shard, format version %d\n", path, GG_SHARD_VERSION);
        fprintf(out, "  tokens       %" PRId64 " (%d-bit, vocabulary of %" PRId64 ")\n", info->tokens,
                8 * info->token_bytes, info->vocab);
        fprintf(out, "  documents    %" PRId64 "\n", info->documents);
        const bool ids = info->fingerprint == gg_shard_ids_fingerprint(info->vocab);
        if (!ids)
            fprintf(out, "  text         %" PRId64 " bytes, %.3f per token\n", info->text_bytes,
                    info->tokens > 0 ? (double)info->text_bytes / (double)info->tokens : 0.0);
        fprintf(out, "  file         %" PRId64 " bytes, %" PRId64 " chunks of zstd\n", info->file_bytes,
                info->chunks);
        if (ids)
            fprintf(out, "  tokenizer    none: ids of another program\n");
        else
            fprintf(out, "  tokenizer    %016" PRIx64 "\n", info->fingerprint);
        if (verify)
            fprintf(out, "  verified     every checksum matches, every id is in the vocabulary\n");
        if (not_compared != NULL && !ids)
            fprintf(out, "  vocabulary   as the shard gives it: %s\n", not_compared);
    }
    gg_shard_close(&shard);
    return status;
}
