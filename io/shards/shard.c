#include "io/shards/shard.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/shards/shard_index_internal.h"

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
    gg_status status = gg_file_identify(path, &s->identity);
    s->info.file_bytes = s->identity.bytes;
    if (status == GG_OK)
        status = gg_shard_index_read(s);
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

uint64_t gg_shard_ids_fingerprint(int64_t vocab) {
    const char name[24] = "ids without tokenizer";
    return XXH3_64bits_withSeed(name, sizeof name, (uint64_t)vocab);
}

gg_status gg_shard_vocab_check(const char *path, int64_t vocab, const char *tokenizer,
                               int64_t tokenizer_vocab) {
    if (vocab == tokenizer_vocab)
        return GG_OK;
    return gg_fail(GG_BAD_DATA,
                   "%s: says that its vocabulary has %lld ids; the tokenizer it was made with (%s) has %lld: "
                   "prepare the text again",
                   path, (long long)vocab, tokenizer, (long long)tokenizer_vocab);
}

static size_t chunk_bytes(const gg_shard *shard) {
    return (size_t)GG_SHARD_CHUNK_TOKENS * (size_t)shard->info.token_bytes;
}

int gg_shard_token_bytes(int64_t vocab) {
    return vocab <= 65536 ? 2 : 4;
}

size_t gg_shard_scratch_bytes(int token_bytes) {
    return gg_shard_index_chunk_bytes(token_bytes);
}

/* GG_SHARD_CHUNK_TOKENS but for the last. */
static int64_t chunk_tokens(const gg_shard *shard, int64_t chunk) {
    const int64_t left = shard->info.tokens - chunk * GG_SHARD_CHUNK_TOKENS;
    return left < GG_SHARD_CHUNK_TOKENS ? left : GG_SHARD_CHUNK_TOKENS;
}

static gg_status read_bytes(const char *path, uint64_t address, char *to, size_t bytes) {
    /* The name may mean another file by now, and opening a FIFO would wait for its writer. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return gg_fail(GG_STORAGE, "%s: could be opened before, but not now: %s", path, strerror(errno));
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

/* Each width has a loop that keeps to it, so that a vector holds as many ids as it can. */
static uint32_t largest_id(const gg_shard *shard, const void *tokens, int64_t count) {
    if (shard->info.token_bytes == 2) {
        const uint16_t *ids = tokens;
        uint16_t largest = 0;
#pragma omp simd reduction(max : largest)
        for (int64_t i = 0; i < count; i++)
            largest = ids[i] > largest ? ids[i] : largest;
        return largest;
    }
    const uint32_t *ids = tokens;
    uint32_t largest = 0;
#pragma omp simd reduction(max : largest)
    for (int64_t i = 0; i < count; i++)
        largest = ids[i] > largest ? ids[i] : largest;
    return largest;
}

/* Every id of a chunk must be in the vocabulary: the model reads and writes at the place an id names. */
static gg_status check_ids(const gg_shard *shard, int64_t chunk, const void *tokens) {
    const int64_t count = chunk_tokens(shard, chunk);
    if (largest_id(shard, tokens, count) < shard->info.vocab)
        return GG_OK;
    int64_t at = 0;
    while (largest_id(shard, (const char *)tokens + at * shard->info.token_bytes, 1) < shard->info.vocab)
        at++;
    const uint32_t id = largest_id(shard, (const char *)tokens + at * shard->info.token_bytes, 1);
    return gg_fail(GG_BAD_DATA,
                   "%s: token %lld (in chunk %lld) is id %u, and the vocabulary's last is %lld; prepare the "
                   "text again",
                   shard->path, (long long)(chunk * GG_SHARD_CHUNK_TOKENS + at), (long long)chunk, id,
                   (long long)(shard->info.vocab - 1));
}

static gg_status unpack(const gg_shard *shard, int64_t chunk, const void *scratch, void *tokens) {
    const struct gg_shard_chunk *place = &shard->chunks[chunk];
    const size_t bytes = chunk_bytes(shard);

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
    return GG_OK;
}

/* A failed read, explained: whether the name means another file by now, or one that was written to. */
static gg_status explain(const gg_shard *shard, gg_status status) {
    char *failure = gg_strdup(gg_failure());
    struct gg_file_identity now = {0};
    const gg_status looked = gg_file_identify(shard->path, &now);
    if (looked == GG_BAD_DATA || (looked == GG_OK && memcmp(&now, &shard->identity, sizeof now) != 0))
        status = gg_fail(GG_BAD_DATA, "%s: was replaced or written to after it was opened (%s)", shard->path,
                         failure);
    else
        status = gg_fail(status, "%s", failure);
    free(failure);
    return status;
}

gg_status gg_shard_read_chunk(const gg_shard *shard, int64_t chunk, void *scratch, void *tokens) {
    GG_ASSERT(chunk >= 0 && chunk < shard->info.chunks);
    const struct gg_shard_chunk *place = &shard->chunks[chunk];
    gg_status status = read_bytes(shard->path, place->address, scratch, place->bytes);
    if (status == GG_OK)
        status = unpack(shard, chunk, scratch, tokens);
    return status == GG_OK ? check_ids(shard, chunk, tokens) : explain(shard, status);
}

gg_status gg_shard_read_documents(const gg_shard *shard, uint64_t **offsets) {
    return gg_shard_index_documents(shard, offsets);
}

bool gg_shard_recognise(const char *path) {
    return gg_shard_index_recognise(path);
}

gg_status gg_shard_verify(const gg_shard *shard) {
    uint64_t *offsets = NULL;
    GG_TRY(gg_shard_index_verify(shard));
    GG_TRY(gg_shard_read_documents(shard, &offsets));
    free(offsets);
    void *scratch = NULL, *tokens = NULL;
    gg_status status =
        gg_try_malloc(gg_shard_scratch_bytes(shard->info.token_bytes), "a compressed chunk", &scratch);
    if (status == GG_OK)
        status = gg_try_malloc(chunk_bytes(shard), "a chunk", &tokens);
    for (int64_t i = 0; i < shard->info.chunks && status == GG_OK; i++)
        status = gg_shard_read_chunk(shard, i, scratch, tokens);
    free(scratch);
    free(tokens);
    return status;
}
