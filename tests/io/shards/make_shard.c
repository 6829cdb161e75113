/* Writes shards that no `gridgpt prepare` would: whole and with right checksums, and ids where none belong.
 *
 *     make_shard PATH TOKENIZER VOCABULARY TOKENS [PLACE ID]
 *
 * The shard says it was made with TOKENIZER and has VOCABULARY ids; its TOKENS tokens are below the
 * tokenizer's own vocabulary, but for the one at PLACE. */
#include "tests/shard_fixture.h"

#include "io/tokenizer/tokenizer_file.h"

#include <hdf5.h>

static void need(bool good, const char *what) {
    if (good)
        return;
    fprintf(stderr, "make_shard: %s: %s\n", what, gg_failure());
    exit(1);
}

/* The writer refuses ids beyond the vocabulary; so the vocabulary is told afterwards. */
static void tell_vocabulary(const char *path, uint64_t vocab) {
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t attribute = H5Aopen(file, "vocabulary_size", H5P_DEFAULT);
    need(H5Awrite(attribute, H5T_NATIVE_UINT64, &vocab) >= 0, "vocabulary_size");
    H5Aclose(attribute);
    need(H5Fclose(file) >= 0, path);
}

int main(int argc, char **argv) {
    need(argc == 5 || argc == 7, "PATH TOKENIZER VOCABULARY TOKENS [PLACE ID] are wanted");
    gg_tokenizer *tokenizer = NULL;
    need(gg_tokenizer_load(argv[2], &tokenizer) == GG_OK, argv[2]);
    const int64_t count = atoll(argv[4]), vocab = gg_tokenizer_vocab(tokenizer);
    const struct gg_shard_spec spec = {
        .fingerprint = gg_tokenizer_fingerprint(tokenizer), .vocab = 65536, .level = 1};
    uint32_t *tokens = gg_malloc((size_t)count * sizeof *tokens);
    for (int64_t i = 0; i < count; i++)
        tokens[i] = fixture_token(1, i, vocab);
    if (argc == 7)
        tokens[atoll(argv[5])] = (uint32_t)atoll(argv[6]);
    gg_shard_writer *writer = NULL;
    need(gg_shard_writer_create(argv[1], &spec, &writer) == GG_OK, argv[1]);
    need(gg_shard_writer_append(writer, tokens, count, true, 4 * count) == GG_OK, argv[1]);
    need(gg_shard_writer_finish(writer) == GG_OK, argv[1]);
    need(gg_shard_writer_commit(&writer) == GG_OK, argv[1]);
    tell_vocabulary(argv[1], (uint64_t)atoll(argv[3]));
    free(tokens);
    gg_tokenizer_destroy(&tokenizer);
    return 0;
}
