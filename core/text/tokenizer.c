#include "core/text/tokenizer.h"

#include "core/base/memory.h"
#include "core/text/bpe.h"
#include "core/text/pretokenizer.h"
#include "core/text/vocabulary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct gg_tokenizer {
    struct gg_vocabulary vocabulary;
    const struct gg_vocabulary_entry *entries; /* the vocabulary's */
    size_t entry_count;
    struct gg_merge *merges;
    size_t merge_count;
    char *pattern;
    uint32_t byte_ids[256];
    bool nfc, whole_words;
    uint32_t *specials; /* ids */
    size_t special_count;
    int64_t begin_of_text;    /* -1: none */
    bool begins_special[256]; /* a special token begins with this byte */
    uint32_t end_of_text;
    uint64_t fingerprint;
    gg_pretokenizer *pretokenizer;
    struct gg_bpe bpe;
};

enum { QUOTED_BYTES = 64 };

/* A token's bytes for a message, unprintable ones as \xHH. */
static const char *quote(const struct gg_vocabulary_entry *entry, char text[QUOTED_BYTES]) {
    size_t length = 0;
    for (uint32_t i = 0; i < entry->length && length + 8 < QUOTED_BYTES; i++) {
        const unsigned char byte = (unsigned char)entry->bytes[i];
        if (byte >= 0x20 && byte < 0x7F)
            text[length++] = (char)byte;
        else
            length += (size_t)snprintf(text + length, QUOTED_BYTES - length, "\\x%02X", byte);
        if (length + 8 >= QUOTED_BYTES && i + 1 < entry->length)
            length += (size_t)snprintf(text + length, QUOTED_BYTES - length, "...");
    }
    text[length] = '\0';
    return text;
}

static gg_status copy_parts(gg_tokenizer *tokenizer, const struct gg_tokenizer_parts *parts) {
    if (parts->merge_count > GG_VOCABULARY_MAX)
        return gg_fail(GG_BAD_DATA, "%zu merges: at most %zu are supported", parts->merge_count,
                       GG_VOCABULARY_MAX);
    for (size_t id = 0; id < parts->entry_count; id++) {
        const struct gg_vocabulary_entry *entry = &parts->entries[id];
        if (entry->length > 0)
            GG_TRY(
                gg_vocabulary_add(&tokenizer->vocabulary, id, entry->bytes, entry->length, entry->special));
        if (entry->length > 0) {
            tokenizer->vocabulary.entries[id].always = entry->special && entry->always;
            tokenizer->vocabulary.entries[id].begins = entry->special && entry->begins;
        }
    }
    tokenizer->entries = tokenizer->vocabulary.entries;
    tokenizer->entry_count = tokenizer->vocabulary.count;
    const size_t merge_bytes = parts->merge_count * sizeof *tokenizer->merges;
    void *memory;
    GG_TRY(gg_try_malloc(merge_bytes, "a vocabulary's merges", &memory));
    tokenizer->merges = memory;
    tokenizer->merge_count = parts->merge_count;
    if (merge_bytes > 0)
        memcpy(tokenizer->merges, parts->merges, merge_bytes);
    tokenizer->pattern = gg_strdup(parts->pattern != NULL ? parts->pattern : GG_PATTERN_GPT2);
    tokenizer->nfc = parts->nfc;
    tokenizer->whole_words = parts->whole_words;
    return GG_OK;
}

static void add_special(gg_tokenizer *tokenizer, uint32_t id) {
    const struct gg_vocabulary_entry *entry = &tokenizer->entries[id];
    tokenizer->specials =
        gg_realloc(tokenizer->specials, (tokenizer->special_count + 1) * sizeof *tokenizer->specials);
    tokenizer->specials[tokenizer->special_count++] = id;
    tokenizer->begins_special[(unsigned char)entry->bytes[0]] = true;
    if (entry->begins)
        tokenizer->begin_of_text = id;
}

static gg_status index_entries(gg_tokenizer *tokenizer) {
    bool have_byte[256] = {false};
    tokenizer->begin_of_text = -1;
    for (size_t id = 0; id < tokenizer->entry_count; id++) {
        const struct gg_vocabulary_entry *entry = &tokenizer->entries[id];
        if (entry->special) {
            add_special(tokenizer, (uint32_t)id);
        } else if (entry->length == 1) {
            const unsigned char byte = (unsigned char)entry->bytes[0];
            tokenizer->byte_ids[byte] = (uint32_t)id;
            have_byte[byte] = true;
        }
    }
    for (int byte = 0; byte < 256; byte++)
        if (!have_byte[byte])
            return gg_fail(GG_BAD_DATA, "no token for the byte 0x%02X: this is not a byte-level vocabulary",
                           byte);
    return GG_OK;
}

/* Finds the token that ends a document by the names that the known tokenizers give it. */
static gg_status find_end_of_text(gg_tokenizer *tokenizer) {
    static const char *const names[] = {GG_END_OF_TEXT, "<|end_of_text|>", "</s>", "<eos>"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (gg_vocabulary_find(&tokenizer->vocabulary, names[i], strlen(names[i]), &tokenizer->end_of_text) &&
            tokenizer->entries[tokenizer->end_of_text].special)
            return GG_OK;
    return gg_fail(GG_BAD_DATA, "no special token that ends a document: none of %s, %s, %s and %s", names[0],
                   names[1], names[2], names[3]);
}

static gg_status check_merge(const gg_tokenizer *tokenizer, size_t rank) {
    const struct gg_merge *merge = &tokenizer->merges[rank];
    const uint32_t ids[] = {merge->left, merge->right, merge->merged};
    for (int i = 0; i < 3; i++)
        if (ids[i] >= tokenizer->entry_count || tokenizer->entries[ids[i]].length == 0 ||
            tokenizer->entries[ids[i]].special)
            return gg_fail(GG_BAD_DATA, "merge %zu: id %u is not an ordinary token of the vocabulary", rank,
                           ids[i]);
    const struct gg_vocabulary_entry *left = &tokenizer->entries[merge->left];
    const struct gg_vocabulary_entry *right = &tokenizer->entries[merge->right];
    const struct gg_vocabulary_entry *merged = &tokenizer->entries[merge->merged];
    if (merged->length != left->length + right->length ||
        memcmp(merged->bytes, left->bytes, left->length) != 0 ||
        memcmp(merged->bytes + left->length, right->bytes, right->length) != 0) {
        char text[3][QUOTED_BYTES];
        return gg_fail(GG_BAD_DATA, "merge %zu: '%s' and '%s' do not make '%s'", rank, quote(left, text[0]),
                       quote(right, text[1]), quote(merged, text[2]));
    }
    return GG_OK;
}

static gg_status index_merges(gg_tokenizer *tokenizer) {
    GG_TRY(gg_bpe_init(&tokenizer->bpe, tokenizer->merge_count));
    for (size_t rank = 0; rank < tokenizer->merge_count; rank++) {
        GG_TRY(check_merge(tokenizer, rank));
        const struct gg_merge *merge = &tokenizer->merges[rank];
        if (!gg_bpe_add(&tokenizer->bpe, merge->left, merge->right, merge->merged))
            return gg_fail(GG_BAD_DATA, "merge %zu: the pair of ids %u and %u is merged twice", rank,
                           merge->left, merge->right);
    }
    return GG_OK;
}

static void hash_number(XXH3_state_t *state, uint64_t number) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    XXH3_64bits_update(state, bytes, sizeof bytes);
}

/* Every number as 8 little-endian bytes: the counts of entries and merges, then each entry's length, kind
 * (special 1, always 2, begins 4) and bytes in order of id, each merge's three ids in order of rank, the
 * pattern's length and bytes; where there is one of them, nfc (1) and whole_words (2). */
static gg_status compute_fingerprint(gg_tokenizer *tokenizer) {
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL)
        return gg_fail(GG_RESOURCE, "no memory for a tokenizer's fingerprint");
    XXH3_64bits_reset(state);
    hash_number(state, tokenizer->entry_count);
    hash_number(state, tokenizer->merge_count);
    for (size_t id = 0; id < tokenizer->entry_count; id++) {
        const struct gg_vocabulary_entry *entry = &tokenizer->entries[id];
        hash_number(state, entry->length);
        hash_number(state,
                    (uint64_t)entry->special | (uint64_t)entry->always << 1 | (uint64_t)entry->begins << 2);
        XXH3_64bits_update(state, entry->bytes, entry->length);
    }
    for (size_t rank = 0; rank < tokenizer->merge_count; rank++) {
        hash_number(state, tokenizer->merges[rank].left);
        hash_number(state, tokenizer->merges[rank].right);
        hash_number(state, tokenizer->merges[rank].merged);
    }
    hash_number(state, strlen(tokenizer->pattern));
    XXH3_64bits_update(state, tokenizer->pattern, strlen(tokenizer->pattern));
    if (tokenizer->nfc || tokenizer->whole_words)
        hash_number(state, (uint64_t)tokenizer->nfc | (uint64_t)tokenizer->whole_words << 1);
    tokenizer->fingerprint = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return GG_OK;
}

static gg_status build(gg_tokenizer *tokenizer, const struct gg_tokenizer_parts *parts, bool *other_kind) {
    GG_TRY(copy_parts(tokenizer, parts));
    *other_kind = true;
    GG_TRY(index_entries(tokenizer));
    *other_kind = false;
    GG_TRY(index_merges(tokenizer));
    *other_kind = true;
    GG_TRY(find_end_of_text(tokenizer));
    GG_TRY(gg_pretokenizer_create(tokenizer->pattern, &tokenizer->pretokenizer));
    *other_kind = false;
    return compute_fingerprint(tokenizer);
}

gg_status gg_tokenizer_create_known(const struct gg_tokenizer_parts *parts, bool *other_kind,
                                    gg_tokenizer **tokenizer) {
    *other_kind = false;
    *tokenizer = gg_calloc(1, sizeof **tokenizer);
    const gg_status status = build(*tokenizer, parts, other_kind);
    if (status != GG_OK)
        gg_tokenizer_destroy(tokenizer);
    return status;
}

gg_status gg_tokenizer_create(const struct gg_tokenizer_parts *parts, gg_tokenizer **tokenizer) {
    bool other_kind;
    return gg_tokenizer_create_known(parts, &other_kind, tokenizer);
}

void gg_tokenizer_destroy(gg_tokenizer **tokenizer) {
    gg_tokenizer *t = *tokenizer;
    if (t == NULL)
        return;
    gg_pretokenizer_destroy(&t->pretokenizer);
    gg_bpe_free(&t->bpe);
    gg_vocabulary_free(&t->vocabulary);
    free(t->merges);
    free(t->pattern);
    free(t->specials);
    free(t);
    *tokenizer = NULL;
}

struct gg_tokenizer_parts gg_tokenizer_parts(const gg_tokenizer *tokenizer) {
    return (struct gg_tokenizer_parts){
        .entries = tokenizer->entries,
        .entry_count = tokenizer->entry_count,
        .merges = tokenizer->merges,
        .merge_count = tokenizer->merge_count,
        .pattern = tokenizer->pattern,
        .nfc = tokenizer->nfc,
        .whole_words = tokenizer->whole_words,
    };
}

int64_t gg_tokenizer_vocab(const gg_tokenizer *tokenizer) {
    return (int64_t)tokenizer->entry_count;
}

uint32_t gg_tokenizer_end_of_text(const gg_tokenizer *tokenizer) {
    return tokenizer->end_of_text;
}

int64_t gg_tokenizer_begin_of_text(const gg_tokenizer *tokenizer) {
    return tokenizer->begin_of_text;
}

uint64_t gg_tokenizer_fingerprint(const gg_tokenizer *tokenizer) {
    return tokenizer->fingerprint;
}

const struct gg_pretokenizer *gg_tokenizer_pretokenizer(const gg_tokenizer *tokenizer) {
    return tokenizer->pretokenizer;
}

const struct gg_bpe *gg_tokenizer_bpe(const gg_tokenizer *tokenizer) {
    return &tokenizer->bpe;
}

const uint32_t *gg_tokenizer_byte_ids(const gg_tokenizer *tokenizer) {
    return tokenizer->byte_ids;
}

size_t gg_tokenizer_find_special(const gg_tokenizer *tokenizer, const char *text, size_t bytes, size_t from,
                                 bool allow_special, uint32_t *id, size_t *length) {
    for (size_t at = from; at < bytes; at++) {
        if (!tokenizer->begins_special[(unsigned char)text[at]])
            continue;
        *length = 0;
        for (size_t i = 0; i < tokenizer->special_count; i++) {
            const struct gg_vocabulary_entry *entry = &tokenizer->entries[tokenizer->specials[i]];
            if ((allow_special || entry->always) && entry->length > *length && entry->length <= bytes - at &&
                memcmp(entry->bytes, text + at, entry->length) == 0) {
                *length = entry->length;
                *id = tokenizer->specials[i];
            }
        }
        if (*length > 0)
            return at;
    }
    return bytes;
}

bool gg_tokenizer_find_word(const gg_tokenizer *tokenizer, const char *word, size_t length, uint32_t *id) {
    return tokenizer->whole_words && gg_vocabulary_find(&tokenizer->vocabulary, word, length, id) &&
           !tokenizer->entries[*id].special;
}

const char *gg_token_bytes(const gg_tokenizer *tokenizer, uint32_t id, size_t *length) {
    *length = id < tokenizer->entry_count ? tokenizer->entries[id].length : 0;
    return *length > 0 ? tokenizer->entries[id].bytes : NULL;
}
