/* The token shards of a corpus, in order: opened together, and of one tokenizer. Main thread only (HDF5).
 * All local.
 */
#ifndef GG_IO_SHARDS_SHARD_SET_H
#define GG_IO_SHARDS_SHARD_SET_H

#include "core/base/options.h"
#include "io/shards/shard.h"

struct gg_shard_set {
    gg_shard **shards; /* owned */
    int64_t count;
    int64_t tokens, text_bytes, documents; /* of all shards */
    int64_t vocab;                         /* the same in all shards, as is the fingerprint */
    uint64_t fingerprint;
};

/* Expands paths and globs into the files they name: each pattern's matches sorted by byte value, patterns in
 * the order given, a name that comes twice taken once.
 *   origin [in]   for messages: "data.train"
 *   paths  [out]  zeroed by the caller; owned by the caller, free with gg_text_list_free
 * GG_USAGE when there is no pattern, or when two different names are of one file (by spelling, link or hard
 * link); GG_STORAGE when a pattern matches no file; GG_BAD_DATA for what is no regular file. All name the
 * origin. */
gg_status gg_shards_expand(const struct gg_text_list *patterns, struct gg_text_list *paths,
                           const char *origin) GG_MUST_USE;

/* Opens all shards. Errors as gg_shard_open; GG_BAD_DATA naming both files when two were made with different
 * tokenizers. Free with gg_shard_set_close. */
gg_status gg_shard_set_open(const struct gg_text_list *paths, struct gg_shard_set *set) GG_MUST_USE;
void gg_shard_set_close(struct gg_shard_set *set);

#endif
