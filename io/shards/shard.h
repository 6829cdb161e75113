/* Token shards: reading (io/shards/shard_format.h).
 *
 * Opening and verifying call HDF5: main thread only. Reading chunks does not. All local.
 */
#ifndef GG_IO_SHARDS_SHARD_H
#define GG_IO_SHARDS_SHARD_H

#include "core/base/status.h"
#include "io/shards/shard_format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct gg_shard gg_shard;

/* Opens a shard: reads its attributes and the places of its chunks; no file stays open. Main thread only.
 * GG_STORAGE: missing or unreadable. GG_BAD_DATA: not HDF5, another HDF5 file, truncated, damaged, places
 * that lie outside of the file. The message names the file. */
gg_status gg_shard_open(const char *path, gg_shard **shard) GG_MUST_USE;
void gg_shard_close(gg_shard **shard);

const struct gg_shard_info *gg_shard_info(const gg_shard *shard);

/* A hash of the shard's tokens (of its length and its chunks' checksums; nothing is read). */
uint64_t gg_shard_fingerprint(const gg_shard *shard);

/* What stands in the place of a tokenizer's fingerprint in shards of ids that another program made: it tells that there
 * is no tokenizer, and differs from vocabulary to vocabulary. */
uint64_t gg_shard_ids_fingerprint(int64_t vocab);

/* GG_BAD_DATA unless a shard's vocabulary is that of the tokenizer it was made with. The fingerprint in the
 * shard does not show it, and who takes the tokenizer's for the shard's trusts ids beyond it.
 *   path, tokenizer [in] names for the message */
gg_status gg_shard_vocab_check(const char *path, int64_t vocab, const char *tokenizer,
                               int64_t tokenizer_vocab) GG_MUST_USE;

/* Bytes of an id in a shard that gridgpt writes, and of scratch that gg_shard_read_chunk needs for any chunk of
 * such ids. */
int gg_shard_token_bytes(int64_t vocab);
size_t gg_shard_scratch_bytes(int token_bytes);

/* Reads a chunk with pread, decompresses it, and checks its checksum and that every id is in the vocabulary.
 * May be called from any thread; no HDF5.
 *   scratch [in]   gg_shard_scratch_bytes(), for the compressed bytes
 *   tokens  [out]  GG_SHARD_CHUNK_TOKENS elements of uint16 or uint32 by info.token_bytes; those beyond
 *                  the shard's are zero
 * GG_BAD_DATA: damaged, replaced or written to since it was opened, an id beyond the vocabulary (with its
 * place among the shard's tokens). GG_STORAGE: gone or unreadable. The message names the file. */
gg_status gg_shard_read_chunk(const gg_shard *shard, int64_t chunk, void *scratch, void *tokens) GG_MUST_USE;

/* Reads the documents' start offsets. Main thread only.
 *   offsets [out]  (info.documents) ascending; owned by the caller (free) */
gg_status gg_shard_read_documents(const gg_shard *shard, uint64_t **offsets) GG_MUST_USE;

/* Reads every chunk, the documents and all of HDF5's own bookkeeping, and checks all there is to check. Main
 * thread only. */
gg_status gg_shard_verify(const gg_shard *shard) GG_MUST_USE;

/* True when the file is HDF5 and has /tokens: a shard, whole or damaged. Main thread only. */
bool gg_shard_recognise(const char *path);

/* Prints what a shard holds, in words; `verify` reads every byte first, and compares ids and vocabulary with
 * the tokenizer.json beside the shard, when that is the one it was made with. Main thread only. */
gg_status gg_shard_describe(const char *path, bool verify, FILE *out) GG_MUST_USE;

#endif
