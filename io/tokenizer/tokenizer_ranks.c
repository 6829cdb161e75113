/* .tiktoken rank files: a line per token, its bytes in base64 (RFC 4648), a space, its rank. */
#include "core/base/memory.h"
#include "core/text/bpe.h"
#include "core/text/tokenizer.h"
#include "io/tokenizer/tokenizer_forms_internal.h"

#include <stdlib.h>
#include <string.h>

/* Number of ranks in the files of vocabularies that go with another pattern than GPT-2's. */
enum { CL100K_RANKS = 100256, O200K_RANKS = 199998 };

static int base64_value(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

/* Decodes padded base64 into at most length / 4 * 3 bytes; false when it is not base64. */
static bool base64_decode(const char *text, size_t length, char *bytes, size_t *byte_count) {
    *byte_count = 0;
    if (length == 0 || length % 4 != 0)
        return false;
    const size_t padding =
        (text[length - 1] == '=') + (size_t)(text[length - 1] == '=' && text[length - 2] == '=');
    uint32_t bits = 0;
    for (size_t i = 0; i < length; i++) {
        const int value = i >= length - padding ? 0 : base64_value(text[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 == 3) {
            for (int shift = 16; shift >= 0; shift -= 8)
                bytes[(*byte_count)++] = (char)(bits >> shift);
            bits = 0;
        }
    }
    *byte_count -= padding;
    return true;
}

/* Digits only, at most 9 of them. */
static bool parse_rank(const char *text, size_t length, uint64_t *rank) {
    *rank = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *rank = *rank * 10 + (uint64_t)(text[i] - '0');
    }
    return length > 0 && length <= 9;
}

static gg_status read_line(const char *line, size_t length, struct gg_vocabulary *vocabulary) {
    const char *space = memchr(line, ' ', length);
    const size_t token_length = space != NULL ? (size_t)(space - line) : 0;
    char *bytes = gg_malloc(length + 1);
    size_t byte_count;
    uint64_t rank;
    gg_status status;
    if (space == NULL || !base64_decode(line, token_length, bytes, &byte_count) ||
        !parse_rank(space + 1, length - token_length - 1, &rank))
        status = gg_fail(GG_BAD_DATA, "not a token in base64, a space and its rank");
    else
        status = gg_vocabulary_add(vocabulary, rank, bytes, byte_count, false);
    free(bytes);
    return status;
}

/* Finds the two tokens that a token was merged from: what the merges of lower rank make of its bytes. */
static gg_status derive_merge(struct gg_tokenizer_draft *draft, struct gg_bpe *bpe,
                              struct gg_bpe_scratch *scratch, uint32_t id) {
    const struct gg_vocabulary_entry *entry = &draft->vocabulary.entries[id];
    uint32_t *ids = gg_malloc(entry->length * sizeof *ids);
    size_t count = entry->length;
    gg_status status = GG_OK;
    for (size_t i = 0; i < count && status == GG_OK; i++)
        if (!gg_vocabulary_find(&draft->vocabulary, entry->bytes + i, 1, &ids[i]))
            status = gg_fail(GG_BAD_DATA, "no token for the byte 0x%02X", (unsigned char)entry->bytes[i]);
    if (status == GG_OK)
        status = gg_bpe_merge(bpe, scratch, ids, &count);
    if (status == GG_OK && count != 2)
        status = gg_fail(GG_BAD_DATA, "the token of rank %u is not made of two tokens of lower rank", id);
    if (status == GG_OK) {
        GG_ASSERT(gg_bpe_add(bpe, ids[0], ids[1], id));
        draft->merges[draft->merge_count++] = (struct gg_merge){ids[0], ids[1], id};
    }
    free(ids);
    return status;
}

static gg_status derive_merges(struct gg_tokenizer_draft *draft) {
    struct gg_bpe bpe = {0};
    struct gg_bpe_scratch scratch = {0};
    void *memory;
    const size_t most = draft->vocabulary.token_count;
    GG_TRY(gg_try_malloc(most * sizeof *draft->merges, "a vocabulary's merges", &memory));
    draft->merges = memory;
    draft->merge_capacity = most;
    gg_status status = gg_bpe_init(&bpe, most);
    for (size_t id = 0; id < draft->vocabulary.count && status == GG_OK; id++)
        if (draft->vocabulary.entries[id].length > 1)
            status = derive_merge(draft, &bpe, &scratch, (uint32_t)id);
    gg_bpe_scratch_free(&scratch);
    gg_bpe_free(&bpe);
    return status;
}

static gg_status add_end_of_text(struct gg_vocabulary *vocabulary) {
    size_t id = 0;
    while (id < vocabulary->count && vocabulary->entries[id].length > 0)
        id++;
    return gg_vocabulary_add(vocabulary, id, GG_END_OF_TEXT, strlen(GG_END_OF_TEXT), true);
}

gg_status gg_read_ranks(const char *text, size_t bytes, struct gg_tokenizer_draft *draft) {
    size_t at = 0, number = 0, length;
    for (const char *line; (line = gg_next_line(text, bytes, &at, &number, &length)) != NULL;) {
        const gg_status status = read_line(line, length, &draft->vocabulary);
        if (status != GG_OK)
            return gg_fail_within(status, "line %zu", number);
    }
    const size_t ranks = draft->vocabulary.token_count;
    if (ranks == CL100K_RANKS || ranks == O200K_RANKS)
        return gg_fail(
            GG_BAD_DATA,
            "these are the ranks of %s, whose pattern a rank file does not tell: use its tokenizer.json",
            ranks == CL100K_RANKS ? "cl100k_base" : "o200k_base");
    GG_TRY(derive_merges(draft));
    return add_end_of_text(&draft->vocabulary);
}
