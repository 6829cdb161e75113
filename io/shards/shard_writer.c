#include "io/shards/shard_writer.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/base/hdf5_attribute.h"
#include "io/base/hdf5_error.h"
#include "io/shards/shard.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "token shards are little-endian; this host is not, and nothing swaps their bytes"
#endif

struct gg_shard_writer {
    char *path, *temporary;
    struct gg_shard_spec spec;
    int token_bytes;
    hid_t file, tokens; /* negative: closed */
    int64_t count, text_bytes;
    size_t filled; /* bytes of the open chunk */
    char *chunk, *compressed;
    size_t compressed_bytes;
    ZSTD_CCtx *zstd;
    uint64_t *checksums;
    size_t checksum_count, checksum_capacity;
    uint64_t *documents;
    size_t document_count, document_capacity;
};

static void grow(uint64_t **items, size_t count, size_t *capacity) {
    if (count < *capacity)
        return;
    *capacity = *capacity > 0 ? 2 * *capacity : 64;
    *items = gg_realloc(*items, *capacity * sizeof **items);
}

static hid_t create_file(const char *path) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
    hid_t file = -1;
    /* The 1.10 formats: their metadata is checksummed throughout. Not set aside in blocks, which would leave
     * unused bytes that nothing checks. */
    if (H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0 &&
        H5Pset_meta_block_size(access, 0) >= 0 && H5Pset_small_data_block_size(access, 0) >= 0 &&
        H5Pset_obj_track_times(creation, false) >= 0)
        file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    H5Pclose(access);
    H5Pclose(creation);
    return file;
}

static hid_t create_tokens(hid_t file, int token_bytes, int level) {
    const hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = (hsize_t)GG_SHARD_CHUNK_TOKENS;
    const unsigned values[1] = {(unsigned)level};
    const hid_t space = H5Screate_simple(1, &none, &unlimited);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = -1;
    /* Optional, because chunks are compressed here: the plugin is not needed to write. */
    if (H5Pset_chunk(creation, 1, &chunk) >= 0 && H5Pset_obj_track_times(creation, false) >= 0 &&
        H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) >= 0 &&
        H5Pset_filter(creation, GG_SHARD_ZSTD_FILTER, H5Z_FLAG_OPTIONAL, 1, values) >= 0)
        dataset = H5Dcreate2(file, "tokens", token_bytes == 2 ? H5T_STD_U16LE : H5T_STD_U32LE, space,
                             H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Pclose(creation);
    H5Sclose(space);
    return dataset;
}

gg_status gg_shard_writer_create(const char *path, const struct gg_shard_spec *spec,
                                 gg_shard_writer **writer) {
    GG_ASSERT(spec->vocab > 0 && spec->vocab <= GG_SHARD_MAX_VOCAB);
    gg_hdf5_quiet();
    gg_shard_writer *w = gg_calloc(1, sizeof *w);
    w->path = gg_strdup(path);
    w->temporary = gg_format("%s.tmp", path);
    w->spec = *spec;
    w->token_bytes = gg_shard_token_bytes(spec->vocab);
    const size_t chunk_bytes = (size_t)GG_SHARD_CHUNK_TOKENS * (size_t)w->token_bytes;
    w->chunk = gg_malloc(chunk_bytes);
    w->compressed_bytes = ZSTD_compressBound(chunk_bytes);
    w->compressed = gg_malloc(w->compressed_bytes);
    w->zstd = ZSTD_createCCtx();
    w->file = create_file(w->temporary);
    w->tokens = w->file >= 0 ? create_tokens(w->file, w->token_bytes, spec->level) : -1;
    gg_status status = GG_OK;
    if (w->zstd == NULL)
        status = gg_fail(GG_RESOURCE, "%s: no memory for the compressor", w->temporary);
    else if (w->tokens < 0)
        status = gg_hdf5_fail(GG_STORAGE, "%s: cannot be created", w->temporary);
    if (status != GG_OK)
        gg_shard_writer_destroy(&w);
    *writer = w;
    return status;
}

/* Compresses the open chunk, filled up with zeros, and appends it to the dataset. */
static gg_status flush_chunk(gg_shard_writer *w) {
    const size_t chunk_bytes = (size_t)GG_SHARD_CHUNK_TOKENS * (size_t)w->token_bytes;
    memset(w->chunk + w->filled, 0, chunk_bytes - w->filled);
    const size_t bytes =
        ZSTD_compressCCtx(w->zstd, w->compressed, w->compressed_bytes, w->chunk, chunk_bytes, w->spec.level);
    if (ZSTD_isError(bytes))
        return gg_fail(GG_RESOURCE, "%s: zstd: %s", w->temporary, ZSTD_getErrorName(bytes));
    const hsize_t extent = (hsize_t)w->count;
    const hsize_t start = (hsize_t)w->checksum_count * (hsize_t)GG_SHARD_CHUNK_TOKENS;
    if (H5Dset_extent(w->tokens, &extent) < 0 ||
        H5Dwrite_chunk(w->tokens, H5P_DEFAULT, 0, &start, bytes, w->compressed) < 0)
        return gg_hdf5_fail(GG_STORAGE, "%s: cannot be written", w->temporary);
    grow(&w->checksums, w->checksum_count, &w->checksum_capacity);
    w->checksums[w->checksum_count++] = XXH3_64bits(w->chunk, chunk_bytes);
    w->filled = 0;
    return GG_OK;
}

gg_status gg_shard_writer_append(gg_shard_writer *w, const uint32_t *tokens, int64_t count,
                                 bool starts_document, int64_t text_bytes) {
    const size_t chunk_bytes = (size_t)GG_SHARD_CHUNK_TOKENS * (size_t)w->token_bytes;
    if (count > GG_SHARD_MAX_TOKENS - w->count)
        return gg_fail(GG_BAD_DATA, "%s: a shard holds at most %lld tokens", w->temporary,
                       (long long)GG_SHARD_MAX_TOKENS);
    if (starts_document) {
        grow(&w->documents, w->document_count, &w->document_capacity);
        w->documents[w->document_count++] = (uint64_t)w->count;
    }
    w->text_bytes += text_bytes;
    for (int64_t i = 0; i < count; i++) {
        if (tokens[i] >= w->spec.vocab)
            return gg_fail(GG_BAD_DATA, "%s: id %u is not below the vocabulary's size, %lld", w->temporary,
                           tokens[i], (long long)w->spec.vocab);
        if (w->token_bytes == 2)
            memcpy(w->chunk + w->filled, &(uint16_t){(uint16_t)tokens[i]}, 2);
        else
            memcpy(w->chunk + w->filled, &tokens[i], 4);
        w->filled += (size_t)w->token_bytes;
        w->count++;
        if (w->filled == chunk_bytes)
            GG_TRY(flush_chunk(w));
    }
    return GG_OK;
}

int64_t gg_shard_writer_tokens(const gg_shard_writer *w) {
    return w->count;
}

static bool write_numbers(hid_t object, const char *name, const uint64_t *values, int64_t count) {
    return gg_hdf5_put_attribute(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, values, count);
}

static bool write_documents(const gg_shard_writer *w) {
    const hsize_t dimension = (hsize_t)w->document_count;
    const hid_t space = H5Screate_simple(1, &dimension, NULL);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(creation, false);
    const hid_t dataset =
        H5Dcreate2(w->file, "documents", H5T_STD_U64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    bool written = dataset >= 0;
    if (written && w->document_count > 0)
        written = H5Dwrite(dataset, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, w->documents) >= 0;
    const uint64_t checksum = XXH3_64bits(w->documents, w->document_count * sizeof *w->documents);
    written = written && write_numbers(dataset, "xxh3_64", &checksum, -1);
    if (dataset >= 0)
        written = H5Dclose(dataset) >= 0 && written;
    H5Pclose(creation);
    H5Sclose(space);
    return written;
}

/* Closes what is open; false when HDF5 could not write something out. */
static bool close_file(gg_shard_writer *w) {
    bool closed = true;
    if (w->tokens >= 0)
        closed = H5Dclose(w->tokens) >= 0;
    if (w->file >= 0)
        closed = H5Fclose(w->file) >= 0 && closed;
    w->tokens = w->file = -1;
    return closed;
}

static void free_buffers(gg_shard_writer *w) {
    ZSTD_freeCCtx(w->zstd);
    free(w->chunk);
    free(w->compressed);
    free(w->checksums);
    free(w->documents);
    w->zstd = NULL;
    w->chunk = w->compressed = NULL;
    w->checksums = w->documents = NULL;
}

gg_status gg_shard_writer_finish(gg_shard_writer *w) {
    GG_ASSERT(w->file >= 0);
    if (w->filled > 0)
        GG_TRY(flush_chunk(w));
    const struct {
        const char *name;
        uint64_t value;
    } attributes[] = {
        {"format_version", GG_SHARD_VERSION},         {"tokenizer_fingerprint", w->spec.fingerprint},
        {"vocabulary_size", (uint64_t)w->spec.vocab}, {"token_count", (uint64_t)w->count},
        {"text_bytes", (uint64_t)w->text_bytes},
    };
    bool written = write_documents(w) &&
                   write_numbers(w->tokens, "chunk_xxh3_64", w->checksums, (int64_t)w->checksum_count);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        written = written && write_numbers(w->file, attributes[i].name, &attributes[i].value, -1);
    if (!written)
        return gg_hdf5_fail(GG_STORAGE, "%s: cannot be written", w->temporary);
    if (!close_file(w))
        return gg_hdf5_fail(GG_STORAGE, "%s: cannot be written out", w->temporary);
    free_buffers(w);
    return GG_OK;
}

static void release(gg_shard_writer *w) {
    free_buffers(w);
    free(w->temporary);
    free(w->path);
    free(w);
}

gg_status gg_shard_writer_commit(gg_shard_writer **writer) {
    gg_shard_writer *w = *writer;
    GG_ASSERT(w->file < 0);
    const gg_status status = gg_file_commit(w->temporary, w->path);
    release(w);
    *writer = NULL;
    return status;
}

void gg_shard_writer_destroy(gg_shard_writer **writer) {
    if (*writer == NULL)
        return;
    close_file(*writer);
    unlink((*writer)->temporary);
    release(*writer);
    *writer = NULL;
}
