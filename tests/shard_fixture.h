/* Shards with known tokens, for the tests of shards and loader. */
#ifndef GG_TESTS_SHARD_FIXTURE_H
#define GG_TESTS_SHARD_FIXTURE_H

#include "tests/check.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "io/shards/shard_writer.h"

#include <stdlib.h>
#include <string.h>

#define FIXTURE_FINGERPRINT 0x0123456789abcdefu

/* Token `index` of the shard made with that salt: mostly regular, so that it compresses quickly. */
static inline uint32_t fixture_token(uint64_t salt, int64_t index, int64_t vocab) {
    const uint64_t block = gg_random_bits(salt, 1, (uint64_t)index / 16);
    return (uint32_t)((block + (uint64_t)index % 16) % (uint64_t)vocab);
}

/* Writes `count` tokens in documents of `document` tokens; gives a name of the file's. */
static inline void fixture_shard(const char *path, uint64_t salt, int64_t count, int64_t document,
                                 int64_t vocab, uint64_t fingerprint) {
    gg_shard_writer *writer = NULL;
    const struct gg_shard_spec spec = {.fingerprint = fingerprint, .vocab = vocab, .level = 1};
    CHECK_OK(gg_shard_writer_create(path, &spec, &writer));
    uint32_t *tokens = gg_malloc((size_t)document * sizeof *tokens);
    for (int64_t first = 0; first < count; first += document) {
        const int64_t part = count - first < document ? count - first : document;
        for (int64_t i = 0; i < part; i++)
            tokens[i] = fixture_token(salt, first + i, vocab);
        CHECK_OK(gg_shard_writer_append(writer, tokens, part, true, 4 * part));
    }
    free(tokens);
    CHECK_OK(gg_shard_writer_finish(writer));
    CHECK_OK(gg_shard_writer_commit(&writer));
}

#endif
