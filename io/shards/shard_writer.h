/* Token shards: writing. The format is described in io/shards/shard_format.h. The bytes of a shard are a pure
 * function of what is appended: no times, no names. Main thread only (HDF5). All local.
 */
#ifndef GG_IO_SHARDS_SHARD_WRITER_H
#define GG_IO_SHARDS_SHARD_WRITER_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct gg_shard_writer gg_shard_writer;

struct gg_shard_spec {
    uint64_t fingerprint; /* of the tokenizer */
    int64_t vocab;        /* ids are below; decides between 16 and 32 bits */
    int level;            /* zstd's, 1 to 19 */
};

/* Starts a shard under the temporary name PATH.tmp. */
gg_status gg_shard_writer_create(const char *path, const struct gg_shard_spec *spec,
                                 gg_shard_writer **writer) GG_MUST_USE;

/* Appends tokens; memory is bounded by one chunk.
 *   starts_document [in]  the first of them begins a document (else they go on with the last one)
 *   text_bytes      [in]  of the text they were made of
 * GG_BAD_DATA when an id is not below the vocabulary or the shard would exceed GG_SHARD_MAX_TOKENS. */
gg_status gg_shard_writer_append(gg_shard_writer *writer, const uint32_t *tokens, int64_t count,
                                 bool starts_document, int64_t text_bytes) GG_MUST_USE;

int64_t gg_shard_writer_tokens(const gg_shard_writer *writer);

/* Writes what is left, closes the temporary file and frees the buffers. It keeps its temporary name until
 * gg_shard_writer_commit(). */
gg_status gg_shard_writer_finish(gg_shard_writer *writer) GG_MUST_USE;

/* Flushes the finished file to disk, gives it its final name and destroys the writer (also on failure). */
gg_status gg_shard_writer_commit(gg_shard_writer **writer) GG_MUST_USE;

/* Removes the temporary file of a writer that was not committed. */
void gg_shard_writer_destroy(gg_shard_writer **writer);

#endif
