#include "io/shards/shard_index_internal.h"

#include "core/base/memory.h"
#include "io/base/hdf5_attribute.h"
#include "io/base/hdf5_error.h"
#include "io/base/hdf5_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

static gg_status open_file(const char *path, hid_t *file) {
    /* A plain open first: its errno says more than HDF5 does. */
    GG_TRY(gg_file_check_regular(path));
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return gg_fail(GG_STORAGE, "%s: %s", path, strerror(errno));
    unsigned char magic[8] = {0};
    const ssize_t got = pread(fd, magic, sizeof magic, 0);
    const int error = errno;
    close(fd);
    if (got < 0)
        return gg_fail(GG_STORAGE, "%s: %s", path, strerror(error));
    if (got != sizeof magic || memcmp(magic, "\211HDF\r\n\032\n", sizeof magic) != 0)
        return gg_fail(GG_BAD_DATA, "%s: not a token shard: not an HDF5 file", path);

    gg_hdf5_quiet();
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    /* Shards are read by many; some parallel file systems have no locks. */
    H5Pset_file_locking(access, false, true);
#endif
    *file = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (*file < 0)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged or truncated", path);
    return GG_OK;
}

/* Reads `count` uint64 from an attribute of exactly so many. */
static gg_status read_attribute(const char *path, hid_t object, const char *name, uint64_t *values,
                                int64_t count) {
    if (H5Aexists(object, name) <= 0)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: not a token shard: it has no attribute '%s'", path, name);
    if (!gg_hdf5_get_attribute(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, values, count))
        return gg_hdf5_fail(GG_BAD_DATA, "%s: attribute '%s' is not %lld uint64", path, name,
                            (long long)count);
    return GG_OK;
}

static gg_status read_attributes(struct gg_shard *shard, hid_t file) {
    uint64_t version, fingerprint, vocab, tokens, text_bytes;
    GG_TRY(read_attribute(shard->path, file, "format_version", &version, 1));
    if (version != GG_SHARD_VERSION)
        return gg_fail(GG_BAD_DATA, "%s: format version %llu; this program reads version %d", shard->path,
                       (unsigned long long)version, GG_SHARD_VERSION);
    GG_TRY(read_attribute(shard->path, file, "tokenizer_fingerprint", &fingerprint, 1));
    GG_TRY(read_attribute(shard->path, file, "vocabulary_size", &vocab, 1));
    GG_TRY(read_attribute(shard->path, file, "token_count", &tokens, 1));
    GG_TRY(read_attribute(shard->path, file, "text_bytes", &text_bytes, 1));
    if (vocab < 1 || vocab > (uint64_t)GG_SHARD_MAX_VOCAB || tokens > (uint64_t)GG_SHARD_MAX_TOKENS ||
        text_bytes > INT64_MAX)
        return gg_fail(GG_BAD_DATA, "%s: impossible attributes (vocabulary %llu, %llu tokens)", shard->path,
                       (unsigned long long)vocab, (unsigned long long)tokens);
    shard->info.vocab = (int64_t)vocab;
    shard->info.fingerprint = fingerprint;
    shard->info.tokens = (int64_t)tokens;
    shard->info.text_bytes = (int64_t)text_bytes;
    shard->info.chunks = (shard->info.tokens + GG_SHARD_CHUNK_TOKENS - 1) / GG_SHARD_CHUNK_TOKENS;
    return GG_OK;
}

/* Opens a dataset that must be 1-D; gives its type and length. */
static gg_status open_dataset(const char *path, hid_t file, const char *name, hid_t *dataset, hid_t *type,
                              int64_t *length) {
    if (H5Lexists(file, name, H5P_DEFAULT) <= 0)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: not a token shard: it has no dataset /%s", path, name);
    *dataset = H5Dopen2(file, name, H5P_DEFAULT);
    if (*dataset < 0)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: dataset /%s cannot be opened", path, name);
    const hid_t space = H5Dget_space(*dataset);
    hsize_t dimension = 0;
    const bool flat = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
                      H5Sget_simple_extent_dims(space, &dimension, NULL) == 1 && dimension <= INT64_MAX;
    if (space >= 0)
        H5Sclose(space);
    *type = flat ? H5Dget_type(*dataset) : -1;
    *length = (int64_t)dimension;
    if (*type >= 0)
        return GG_OK;
    H5Dclose(*dataset);
    return gg_hdf5_fail(GG_BAD_DATA, "%s: dataset /%s is not one-dimensional", path, name);
}

/* The layout must be ours: chunks of the fixed size, the zstd filter alone. */
static bool layout_is_ours(hid_t dataset) {
    const hid_t creation = H5Dget_create_plist(dataset);
    if (creation < 0)
        return false;
    hsize_t chunk = 0;
    unsigned flags = 0, config = 0;
    size_t values = 0;
    const bool ours =
        H5Pget_layout(creation) == H5D_CHUNKED && H5Pget_chunk(creation, 1, &chunk) == 1 &&
        chunk == (hsize_t)GG_SHARD_CHUNK_TOKENS && H5Pget_nfilters(creation) == 1 &&
        H5Pget_filter2(creation, 0, &flags, &values, NULL, 0, NULL, &config) == GG_SHARD_ZSTD_FILTER;
    H5Pclose(creation);
    return ours;
}

size_t gg_shard_index_chunk_bytes(int token_bytes) {
    return ZSTD_compressBound((size_t)GG_SHARD_CHUNK_TOKENS * (size_t)token_bytes);
}

static gg_status index_chunks(struct gg_shard *shard, hid_t dataset, const uint64_t *checksums) {
    const size_t most = gg_shard_index_chunk_bytes(shard->info.token_bytes);
    for (int64_t i = 0; i < shard->info.chunks; i++) {
        const hsize_t start = (hsize_t)(i * GG_SHARD_CHUNK_TOKENS);
        unsigned mask = 0;
        haddr_t address = HADDR_UNDEF;
        hsize_t bytes = 0;
        if (H5Dget_chunk_info_by_coord(dataset, &start, &mask, &address, &bytes) < 0 ||
            address == HADDR_UNDEF || mask != 0 || bytes < 1)
            return gg_hdf5_fail(GG_BAD_DATA, "%s: chunk %lld of /tokens is missing", shard->path,
                                (long long)i);
        if (bytes > most || address > (haddr_t)shard->info.file_bytes ||
            bytes > (haddr_t)shard->info.file_bytes - address)
            return gg_fail(GG_BAD_DATA, "%s: chunk %lld of /tokens lies outside of the file", shard->path,
                           (long long)i);
        shard->chunks[i] = (struct gg_shard_chunk){address, checksums[i], (uint32_t)bytes};
    }
    return GG_OK;
}

static gg_status read_tokens_index(struct gg_shard *shard, hid_t file) {
    hid_t dataset = -1, type = -1;
    int64_t length = 0;
    GG_TRY(open_dataset(shard->path, file, "tokens", &dataset, &type, &length));
    shard->info.token_bytes =
        H5Tequal(type, H5T_STD_U16LE) > 0 ? 2 : (H5Tequal(type, H5T_STD_U32LE) > 0 ? 4 : 0);
    gg_status status = GG_OK;
    if (shard->info.token_bytes == 0)
        status = gg_fail(GG_BAD_DATA, "%s: /tokens is neither uint16 nor uint32, little-endian", shard->path);
    else if (length != shard->info.tokens)
        status = gg_fail(GG_BAD_DATA, "%s: /tokens holds %lld tokens, its attributes say %lld", shard->path,
                         (long long)length, (long long)shard->info.tokens);
    else if (!layout_is_ours(dataset))
        status =
            gg_fail(GG_BAD_DATA, "%s: /tokens is not in zstd chunks of %lld tokens; prepare the text again",
                    shard->path, (long long)GG_SHARD_CHUNK_TOKENS);
    if (status == GG_OK) {
        const size_t chunks = (size_t)shard->info.chunks;
        uint64_t *checksums = gg_malloc((chunks + 1) * sizeof *checksums);
        shard->chunks = gg_calloc(chunks + 1, sizeof *shard->chunks);
        status = read_attribute(shard->path, dataset, "chunk_xxh3_64", checksums, shard->info.chunks);
        if (status == GG_OK)
            status = index_chunks(shard, dataset, checksums);
        free(checksums);
    }
    H5Tclose(type);
    H5Dclose(dataset);
    return status;
}

static gg_status check_documents(const struct gg_shard *shard, hid_t dataset, const uint64_t *offsets,
                                 size_t count) {
    uint64_t checksum;
    GG_TRY(read_attribute(shard->path, dataset, "xxh3_64", &checksum, 1));
    if (XXH3_64bits(offsets, count * sizeof *offsets) != checksum)
        return gg_fail(GG_BAD_DATA, "%s: /documents is damaged: its checksum does not match", shard->path);
    for (size_t i = 0; i < count; i++)
        if (offsets[i] >= (uint64_t)shard->info.tokens || (i > 0 && offsets[i] <= offsets[i - 1]))
            return gg_fail(GG_BAD_DATA, "%s: /documents is not an ascending list of offsets", shard->path);
    return GG_OK;
}

/* Reads the number of documents, and the offsets when they are wanted. */
static gg_status read_documents(const struct gg_shard *shard, hid_t file, int64_t *count,
                                uint64_t **offsets) {
    hid_t dataset = -1, type = -1;
    GG_TRY(open_dataset(shard->path, file, "documents", &dataset, &type, count));
    gg_status status = GG_OK;
    if (H5Tequal(type, H5T_STD_U64LE) <= 0 || *count > shard->info.tokens ||
        *count > shard->info.file_bytes / 8)
        status = gg_fail(GG_BAD_DATA, "%s: /documents is not a list of uint64 offsets", shard->path);
    if (status == GG_OK && offsets != NULL) {
        status = gg_try_malloc((size_t)*count * 8, "the documents' offsets", (void **)offsets);
        if (status == GG_OK && *count > 0 &&
            H5Dread(dataset, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, *offsets) < 0)
            status = gg_hdf5_fail(GG_BAD_DATA, "%s: /documents cannot be read", shard->path);
        if (status == GG_OK)
            status = check_documents(shard, dataset, *offsets, (size_t)*count);
        if (status != GG_OK) {
            free(*offsets);
            *offsets = NULL;
        }
    }
    H5Tclose(type);
    H5Dclose(dataset);
    return status;
}

gg_status gg_shard_index_read(struct gg_shard *shard) {
    hid_t file = -1;
    GG_TRY(open_file(shard->path, &file));
    gg_status status = read_attributes(shard, file);
    if (status == GG_OK)
        status = read_tokens_index(shard, file);
    if (status == GG_OK)
        status = read_documents(shard, file, &shard->info.documents, NULL);
    H5Fclose(file);
    return status;
}

gg_status gg_shard_index_documents(const struct gg_shard *shard, uint64_t **offsets) {
    *offsets = NULL;
    hid_t file = -1;
    GG_TRY(open_file(shard->path, &file));
    int64_t count = 0;
    gg_status status = read_documents(shard, file, &count, offsets);
    if (status == GG_OK && count != shard->info.documents) {
        status = gg_fail(GG_BAD_DATA, "%s: not the file it was when it was opened", shard->path);
        free(*offsets);
        *offsets = NULL;
    }
    H5Fclose(file);
    return status;
}

gg_status gg_shard_index_verify(const struct gg_shard *shard) {
    hid_t file = -1;
    GG_TRY(open_file(shard->path, &file));
    const gg_status status = gg_hdf5_walk(shard->path, file);
    H5Fclose(file);
    return status;
}

bool gg_shard_index_recognise(const char *path) {
    hid_t file = -1;
    if (open_file(path, &file) != GG_OK)
        return false;
    const bool found = H5Lexists(file, "tokens", H5P_DEFAULT) > 0;
    H5Fclose(file);
    return found;
}
