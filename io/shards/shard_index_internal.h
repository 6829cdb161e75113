/* The HDF5 side of reading a shard. Main thread only. All local.
 */
#ifndef GG_IO_SHARDS_SHARD_INDEX_INTERNAL_H
#define GG_IO_SHARDS_SHARD_INDEX_INTERNAL_H

#include "io/base/file.h"
#include "io/shards/shard_format.h"

#include <stddef.h>

struct gg_shard_chunk {
    uint64_t address, checksum;
    uint32_t bytes; /* compressed, at most gg_shard_index_chunk_bytes() */
};

struct gg_shard {
    char *path;
    struct gg_file_identity identity; /* of the file that was opened */
    struct gg_shard_info info;
    struct gg_shard_chunk *chunks; /* (info.chunks) */
};

/* The most bytes that a chunk takes, compressed. */
size_t gg_shard_index_chunk_bytes(int token_bytes);

/* Reads attributes and the places of the chunks into `shard`, whose path and file_bytes are set. Errors as
 * gg_shard_open. */
gg_status gg_shard_index_read(struct gg_shard *shard) GG_MUST_USE;

/* As gg_shard_read_documents and gg_shard_recognise. */
gg_status gg_shard_index_documents(const struct gg_shard *shard, uint64_t **offsets) GG_MUST_USE;
bool gg_shard_index_recognise(const char *path);

/* Reads all of HDF5's own bookkeeping (io/base/hdf5_walk.h). */
gg_status gg_shard_index_verify(const struct gg_shard *shard) GG_MUST_USE;

#endif
