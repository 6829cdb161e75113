/* How a model's tensors are dealt out to safetensors files, and their names. All local.
 */
#ifndef GG_IO_HUGGINGFACE_HUGGINGFACE_SHARDS_H
#define GG_IO_HUGGINGFACE_HUGGINGFACE_SHARDS_H

#include "core/model/parameters.h"
#include "io/huggingface/safetensors_write.h"

struct gg_huggingface_shards {
    struct gg_safetensors_item *items; /* one for each of the table's; owned, the names are the table's */
    int *first;                        /* of each file, and one more: the number of items; owned */
    int count;                         /* of files */
    int64_t bytes;                     /* of all values */
};

/* Consecutive tensors stand in a file, as many as go into so many bytes. */
void gg_huggingface_shards_make(const struct gg_parameter_table *table, enum gg_safetensors_type type,
                                int64_t shard_bytes, struct gg_huggingface_shards *shards);
void gg_huggingface_shards_free(struct gg_huggingface_shards *shards);

/* The name of a file: model.safetensors where it is the only one; owned by the caller. */
char *gg_huggingface_shard_name(const struct gg_huggingface_shards *shards, int file);

/* The text of model.safetensors.index.json; owned by the caller. */
char *gg_huggingface_shards_index(const struct gg_huggingface_shards *shards);

#endif
