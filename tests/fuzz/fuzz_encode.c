/* BPE: decode(encode(x)) == x, and the same ids wherever the text is cut into parts. The first byte chooses
 * the pattern and whether special tokens count, the second the cuts; the rest is text. */
#include "core/base/memory.h"
#include "core/text/byte_alphabet.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERNS = 2, BYTES = 256 };

struct fixture {
    gg_tokenizer *tokenizer;
    gg_encoder *whole, *parts;
};

/* The pattern of cl100k_base (openai/tiktoken), which goes to PCRE2. */
static const char *const patterns[PATTERNS] = {
    NULL, "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
          " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"};

/* Tokens of several bytes, each of two that stand before it. */
static const char *const pairs[][2] = {{"t", "h"},       {"th", "e"},  {" ", "the"}, {"a", "a"}, {"aa", "aa"},
                                       {" ", " "},       {"  ", "  "}, {"\n", "\n"}, {"0", "0"}, {"e", "n"},
                                       {"\xc3", "\xa4"}, {"a", "b"},   {"b", "a"},   {"ab", "a"}};

static uint32_t find(const struct gg_vocabulary_entry *entries, size_t count, const char *text) {
    for (uint32_t id = 0; id < count; id++)
        if (entries[id].length == strlen(text) && memcmp(entries[id].bytes, text, strlen(text)) == 0)
            return id;
    return UINT32_MAX;
}

static gg_tokenizer *make(const char *pattern) {
    static char bytes[BYTES], merged[sizeof pairs / sizeof *pairs][16];
    static const char *const specials[] = {GG_END_OF_TEXT, "<|end", "aab"};
    struct gg_vocabulary_entry entries[BYTES + 64];
    struct gg_merge merges[64];
    size_t count = 0, merge_count = 0;
    for (; count < BYTES; count++) {
        bytes[count] = (char)gg_alphabet_byte(count);
        entries[count] = (struct gg_vocabulary_entry){&bytes[count], 1, false};
    }
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const uint32_t left = find(entries, count, pairs[i][0]), right = find(entries, count, pairs[i][1]);
        if (left == UINT32_MAX || right == UINT32_MAX)
            continue;
        const int length = snprintf(merged[i], sizeof merged[i], "%s%s", pairs[i][0], pairs[i][1]);
        merges[merge_count++] = (struct gg_merge){left, right, (uint32_t)count};
        entries[count++] = (struct gg_vocabulary_entry){merged[i], (uint32_t)length, false};
    }
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        entries[count++] = (struct gg_vocabulary_entry){specials[i], (uint32_t)strlen(specials[i]), true};
    const struct gg_tokenizer_parts parts = {entries, count, merges, merge_count, pattern};
    gg_tokenizer *tokenizer;
    if (gg_tokenizer_create(&parts, &tokenizer) != GG_OK)
        fprintf(stderr, "%s\n", gg_failure());
    GG_ASSERT(tokenizer != NULL);
    return tokenizer;
}

static struct fixture *fixture(int pattern) {
    static struct fixture fixtures[PATTERNS];
    struct fixture *f = &fixtures[pattern];
    if (f->tokenizer == NULL) {
        f->tokenizer = make(patterns[pattern]);
        GG_ASSERT(gg_encoder_create(f->tokenizer, &f->whole) == GG_OK);
        GG_ASSERT(gg_encoder_create(f->tokenizer, &f->parts) == GG_OK);
    }
    return f;
}

/* As readers of a stream do: what was not taken is given again with more behind it. */
static void encode_parts(gg_encoder *encoder, const char *text, size_t bytes, bool special, uint32_t seed,
                         struct gg_ids *ids) {
    const uint32_t longest = 1 + seed % 61;
    for (size_t begin = 0, end = 0;;) {
        const size_t more = 1 + fuzz_next(&seed) % longest;
        end = more < bytes - end ? end + more : bytes;
        /* A copy of its own, so that a look behind the part's end shows. */
        char *part = gg_malloc(end - begin > 0 ? end - begin : 1);
        memcpy(part, text + begin, end - begin);
        size_t consumed = 0;
        const bool last = end == bytes;
        GG_ASSERT(gg_encode_part(encoder, part, end - begin, last, special, ids, &consumed) == GG_OK);
        free(part);
        GG_ASSERT(consumed <= end - begin);
        begin += consumed;
        if (last) {
            GG_ASSERT(begin == bytes);
            return;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 2)
        return 0;
    struct fixture *f = fixture(data[0] % PATTERNS);
    const bool special = (data[0] & 2) != 0;
    const char *text = (const char *)data + 2;
    bytes -= 2;
    struct gg_ids whole = {0}, parts = {0};
    GG_ASSERT(gg_encode(f->whole, text, bytes, special, &whole) == GG_OK);
    fuzz_check_decoded(f->tokenizer, &whole, text, bytes);
    encode_parts(f->parts, text, bytes, special, data[1], &parts);
    GG_ASSERT(parts.count == whole.count);
    GG_ASSERT(whole.count == 0 || memcmp(parts.items, whole.items, whole.count * sizeof *whole.items) == 0);
    gg_ids_free(&parts);
    gg_ids_free(&whole);
    return 0;
}
