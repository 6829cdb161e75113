/* The documents of token shards: where each begins and ends, and its tokens, over the shards' borders too. Main thread
 * only (HDF5). All local.
 */
#ifndef GG_IO_SHARDS_SHARD_DOCUMENTS_H
#define GG_IO_SHARDS_SHARD_DOCUMENTS_H

#include "io/shards/shard_set.h"

typedef struct gg_shard_documents gg_shard_documents;

/* Opens the shards. Tokens before the first document's beginning (it began in a shard that is not there) count as a
 * document of their own.
 *   paths [in] shards in corpus order, as gg_shards_expand() gives them
 * Errors as gg_shard_set_open and gg_shard_read_documents; GG_RESOURCE. */
gg_status gg_shard_documents_open(const struct gg_text_list *paths,
                                  gg_shard_documents **documents) GG_MUST_USE;
void gg_shard_documents_close(gg_shard_documents **documents);

const struct gg_shard_set *gg_shard_documents_set(const gg_shard_documents *documents);
int64_t gg_shard_documents_count(const gg_shard_documents *documents);

/* Tokens of a document, with the one that ends it. */
int64_t gg_shard_documents_tokens(const gg_shard_documents *documents, int64_t document);

/* Copies tokens of a document.
 *   first, count [in]  a range of them
 *   tokens       [out] (count)
 * Errors as gg_shard_read_chunk. */
gg_status gg_shard_documents_read(gg_shard_documents *documents, int64_t document, int64_t first,
                                  int64_t count, int32_t *tokens) GG_MUST_USE;

#endif
