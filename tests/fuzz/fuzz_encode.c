/* BPE: decode(encode(x)) == x, or the NFC of x, and the same ids wherever the text is cut into parts. The first
 * byte chooses the pattern, whether special tokens count, and the normal form; the second the cuts; the rest is
 * text. */
#include "core/base/memory.h"
#include "core/text/byte_alphabet.h"
#include "core/text/normal_form.h"
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

static gg_tokenizer *make(const char *pattern, bool nfc) {
    static char bytes[BYTES], merged[sizeof pairs / sizeof *pairs][16];
    static const char *const specials[] = {GG_END_OF_TEXT, "<|end", "aab"};
    struct gg_vocabulary_entry entries[BYTES + 64];
    struct gg_merge merges[64];
    size_t count = 0, merge_count = 0;
    for (; count < BYTES; count++) {
        bytes[count] = (char)gg_alphabet_byte(count);
        entries[count] = (struct gg_vocabulary_entry){.bytes = &bytes[count], .length = 1};
    }
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const uint32_t left = find(entries, count, pairs[i][0]), right = find(entries, count, pairs[i][1]);
        if (left == UINT32_MAX || right == UINT32_MAX)
            continue;
        const int length = snprintf(merged[i], sizeof merged[i], "%s%s", pairs[i][0], pairs[i][1]);
        merges[merge_count++] = (struct gg_merge){left, right, (uint32_t)count};
        entries[count++] = (struct gg_vocabulary_entry){.bytes = merged[i], .length = (uint32_t)length};
    }
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        entries[count++] = (struct gg_vocabulary_entry){.bytes = specials[i],
                                                        .length = (uint32_t)strlen(specials[i]),
                                                        .special = true,
                                                        .always = pattern != NULL && i == 1};
    const struct gg_tokenizer_parts parts = {.entries = entries,
                                             .entry_count = count,
                                             .merges = merges,
                                             .merge_count = merge_count,
                                             .pattern = pattern,
                                             .nfc = nfc,
                                             .whole_words = nfc};
    gg_tokenizer *tokenizer;
    if (gg_tokenizer_create(&parts, &tokenizer) != GG_OK)
        fprintf(stderr, "%s\n", gg_failure());
    GG_ASSERT(tokenizer != NULL);
    return tokenizer;
}

static struct fixture *fixture(int pattern) {
    static struct fixture fixtures[2 * PATTERNS];
    struct fixture *f = &fixtures[pattern];
    if (f->tokenizer == NULL) {
        f->tokenizer = make(patterns[pattern / 2], pattern % 2 != 0);
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

/* With special tokens in the text each piece between them is normalised by itself, which the text of two
 * pieces seldom shows: what is decoded is then compared after its own normalisation. */
static void check_decoded(const gg_tokenizer *tokenizer, const struct gg_ids *ids, const char *text,
                          size_t bytes, bool nfc) {
    if (!nfc) {
        fuzz_check_decoded(tokenizer, ids, text, bytes);
        return;
    }
    struct gg_text decoded = {0}, again = {0}, normal = {0};
    for (size_t i = 0; i < ids->count; i++) {
        size_t length;
        const char *token = gg_token_bytes(tokenizer, ids->items[i], &length);
        GG_ASSERT(token != NULL && gg_text_append(&decoded, token, length) == GG_OK);
    }
    GG_ASSERT(gg_normal_form(decoded.bytes, decoded.count, &again) == GG_OK);
    GG_ASSERT(gg_normal_form(text, bytes, &normal) == GG_OK);
    GG_ASSERT(again.count == normal.count &&
              (normal.count == 0 || memcmp(again.bytes, normal.bytes, normal.count) == 0));
    gg_text_free(&decoded);
    gg_text_free(&again);
    gg_text_free(&normal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 2)
        return 0;
    const int pattern = data[0] % PATTERNS;
    const bool nfc = (data[0] & 4) != 0;
    struct fixture *f = fixture(2 * pattern + nfc);
    const bool special = (data[0] & 2) != 0;
    const char *text = (const char *)data + 2;
    bytes -= 2;
    struct gg_ids whole = {0}, parts = {0};
    GG_ASSERT(gg_encode(f->whole, text, bytes, special, &whole) == GG_OK);
    check_decoded(f->tokenizer, &whole, text, bytes, nfc);
    encode_parts(f->parts, text, bytes, special, data[1], &parts);
    GG_ASSERT(parts.count == whole.count);
    GG_ASSERT(whole.count == 0 || memcmp(parts.items, whole.items, whole.count * sizeof *whole.items) == 0);
    gg_ids_free(&parts);
    gg_ids_free(&whole);
    return 0;
}
