/* The format of token shards, version 1: an HDF5 file (1.10 or later) with
 *   /tokens     1-D, uint16 little-endian when the vocabulary has at most 65536 ids, else uint32; chunks of
 *               GG_SHARD_CHUNK_TOKENS, each one zstd frame that tells its size (filter 32015, cd_values[0] =
 *               level; the last chunk is filled up with zeros). Its attribute chunk_xxh3_64 (uint64, one per
 *               chunk) is the XXH3-64 of each chunk's decompressed bytes.
 *   /documents  1-D, uint64, contiguous: the offsets in /tokens at which documents start. Its attribute
 *               xxh3_64 is the XXH3-64 of its bytes. A document longer than a shard goes on in the next one.
 *   attributes of /: format_version, tokenizer_fingerprint, vocabulary_size, token_count, text_bytes (uint64)
 * Each document ends with <|endoftext|>. The file's metadata carries HDF5's own checksums.
 */
#ifndef GG_IO_SHARDS_SHARD_FORMAT_H
#define GG_IO_SHARDS_SHARD_FORMAT_H

#include <stdint.h>

#define GG_SHARD_VERSION      1
#define GG_SHARD_CHUNK_TOKENS ((int64_t)1 << 20)
#define GG_SHARD_MAX_TOKENS   ((int64_t)1 << 32) /* so that the chunks' checksums fit an HDF5 attribute */
#define GG_SHARD_MAX_VOCAB    ((int64_t)1 << 31) /* ids are int32 in the model */
#define GG_SHARD_ZSTD_FILTER  32015

struct gg_shard_info {
    const char *path; /* owned by the shard */
    int64_t tokens;
    int64_t vocab;        /* ids are below */
    uint64_t fingerprint; /* of the tokenizer */
    int64_t text_bytes;   /* of the text these tokens were made of */
    int64_t documents;    /* that start in this shard */
    int64_t chunks;
    int token_bytes; /* 2 or 4 in the file */
    int64_t file_bytes;
};

#endif
