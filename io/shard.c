#include "io/shard.h"

#include "core/base/memory.h"
#include "io/file.h"
#include "io/hdf5_error.h"
#include "io/shard_index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

void gg_shard_close(gg_shard **shard) {
    if (*shard == NULL)
        return;
    free((*shard)->path);
    free((*shard)->chunks);
    free(*shard);
    *shard = NULL;
}

gg_status gg_shard_open(const char *path, gg_shard **shard) {
    gg_shard *s = gg_calloc(1, sizeof *s);
    s->path = gg_strdup(path);
    s->info.path = s->path;
    s->info.file_bytes = gg_file_size(path);
    gg_status status = gg_shard_index_read(s);
    if (status != GG_OK)
        gg_shard_close(&s);
    *shard = s;
    return status;
}

const struct gg_shard_info *gg_shard_info(const gg_shard *shard) {
    return &shard->info;
}

uint64_t gg_shard_fingerprint(const gg_shard *shard) {
    uint64_t hash = XXH3_64bits(&shard->info.tokens, sizeof shard->info.tokens);
    for (int64_t i = 0; i < shard->info.chunks; i++) {
        const uint64_t chunk[2] = {shard->chunks[i].checksum, hash};
        hash = XXH3_64bits(chunk, sizeof chunk);
    }
    return hash;
}

static size_t chunk_bytes(const gg_shard *shard) {
    return (size_t)GG_SHARD_CHUNK_TOKENS * (size_t)shard->info.token_bytes;
}

size_t gg_shard_scratch_bytes(const gg_shard *shard) {
    return ZSTD_compressBound(chunk_bytes(shard));
}

int64_t gg_shard_chunk_tokens(const gg_shard *shard, int64_t chunk) {
    const int64_t left = shard->info.tokens - chunk * GG_SHARD_CHUNK_TOKENS;
    return left < GG_SHARD_CHUNK_TOKENS ? left : GG_SHARD_CHUNK_TOKENS;
}

static gg_status read_bytes(const char *path, uint64_t address, char *to, size_t bytes) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gg_fail(GG_STORAGE, "%s: %s", path, strerror(errno));
    gg_status status = GG_OK;
    for (size_t done = 0; done < bytes && status == GG_OK;) {
        const ssize_t got = pread(fd, to + done, bytes - done, (off_t)(address + done));
        if (got > 0)
            done += (size_t)got;
        else if (got == 0)
            status = gg_fail(GG_BAD_DATA, "%s: shorter than when it was opened", path);
        else if (errno != EINTR)
            status = gg_fail(GG_STORAGE, "%s: %s", path, strerror(errno));
    }
    close(fd);
    return status;
}

static uint32_t largest_id(const gg_shard *shard, const void *tokens, int64_t count) {
    uint32_t largest = 0;
    if (shard->info.token_bytes == 2) {
        const uint16_t *ids = tokens;
        for (int64_t i = 0; i < count; i++)
            largest = ids[i] > largest ? ids[i] : largest;
    } else {
        const uint32_t *ids = tokens;
        for (int64_t i = 0; i < count; i++)
            largest = ids[i] > largest ? ids[i] : largest;
    }
    return largest;
}

gg_status gg_shard_read_chunk(const gg_shard *shard, int64_t chunk, void *scratch, void *tokens) {
    GG_ASSERT(chunk >= 0 && chunk < shard->info.chunks);
    const struct gg_shard_chunk *place = &shard->chunks[chunk];
    const size_t bytes = chunk_bytes(shard);
    GG_TRY(read_bytes(shard->path, place->address, scratch, place->bytes));

    if (ZSTD_getFrameContentSize(scratch, place->bytes) != bytes)
        return gg_fail(GG_BAD_DATA, "%s: chunk %" PRId64 " is damaged: not a zstd frame of %zu bytes",
                       shard->path, chunk, bytes);
    const size_t got = ZSTD_decompress(tokens, bytes, scratch, place->bytes);
    if (ZSTD_isError(got))
        return gg_fail(GG_BAD_DATA, "%s: chunk %" PRId64 " is damaged: zstd: %s", shard->path, chunk,
                       ZSTD_getErrorName(got));
    if (got != bytes || XXH3_64bits(tokens, bytes) != place->checksum)
        return gg_fail(GG_BAD_DATA, "%s: chunk %" PRId64 " is damaged: its checksum does not match",
                       shard->path, chunk);
    const uint32_t largest = largest_id(shard, tokens, gg_shard_chunk_tokens(shard, chunk));
    if (largest >= shard->info.vocab)
        return gg_fail(GG_BAD_DATA, "%s: chunk %" PRId64 " holds id %u, the vocabulary ends at %" PRId64,
                       shard->path, chunk, largest, shard->info.vocab - 1);
    return GG_OK;
}

gg_status gg_shard_verify(const gg_shard *shard) {
    uint64_t *offsets = NULL;
    GG_TRY(gg_shard_read_documents(shard, &offsets));
    free(offsets);
    void *scratch = NULL, *tokens = NULL;
    gg_status status = gg_try_malloc(gg_shard_scratch_bytes(shard), "a compressed chunk", &scratch);
    if (status == GG_OK)
        status = gg_try_malloc(chunk_bytes(shard), "a chunk", &tokens);
    for (int64_t i = 0; i < shard->info.chunks && status == GG_OK; i++)
        status = gg_shard_read_chunk(shard, i, scratch, tokens);
    free(scratch);
    free(tokens);
    return status;
}

gg_status gg_shard_describe(const char *path, bool verify, FILE *out) {
    gg_shard *shard = NULL;
    GG_TRY(gg_shard_open(path, &shard));
    const gg_status status = verify ? gg_shard_verify(shard) : GG_OK;
    if (status == GG_OK) {
        const struct gg_shard_info *info = &shard->info;
        fprintf(out, "%s: token shard, format version %d\n", path, GG_SHARD_VERSION);
        fprintf(out, "  tokens       %" PRId64 " (%d-bit, vocabulary of %" PRId64 ")\n", info->tokens,
                8 * info->token_bytes, info->vocab);
        fprintf(out, "  documents    %" PRId64 "\n", info->documents);
        fprintf(out, "  text         %" PRId64 " bytes, %.3f per token\n", info->text_bytes,
                info->tokens > 0 ? (double)info->text_bytes / (double)info->tokens : 0.0);
        fprintf(out, "  file         %" PRId64 " bytes, %" PRId64 " chunks of zstd\n", info->file_bytes,
                info->chunks);
        fprintf(out, "  tokenizer    %016" PRIx64 "\n", info->fingerprint);
        if (verify)
            fprintf(out, "  verified     every checksum matches\n");
    }
    gg_shard_close(&shard);
    return status;
}
