/* Text to ids: special tokens, then words, each looked up in a cache of words met before or merged anew. */
#include "core/base/memory.h"
#include "core/text/bpe.h"
#include "core/text/pretokenizer.h"
#include "core/text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum { CACHED_WORDS = 1 << 16, CACHED_BYTES = 24, CACHED_IDS = 8 };

/* A cached word; a cache line. The bytes behind the word's end are 0. */
struct cached_word {
    uint64_t bytes[CACHED_BYTES / 8];
    uint32_t length; /* 0: free */
    uint32_t id_count;
    uint32_t ids[CACHED_IDS];
};

struct gg_encoder {
    const gg_tokenizer *tokenizer;
    const struct gg_bpe *bpe;
    const uint32_t *byte_ids;
    gg_word_scanner *scanner;
    struct cached_word *cache; /* pairs of places: a word's hash names a pair, the later word stands first */
    struct gg_bpe_scratch scratch;
    size_t special_max_bytes; /* length of the longest special token */
};

void gg_ids_free(struct gg_ids *ids) {
    free(ids->items);
    *ids = (struct gg_ids){0};
}

gg_status gg_fail_long_word(size_t bytes) {
    return gg_fail(
        GG_BAD_DATA,
        "a word (a run of letters, spaces ...) of %zu bytes; at most %zu are supported: is this text?", bytes,
        GG_WORD_MAX_BYTES);
}

gg_status gg_ids_reserve(struct gg_ids *ids, size_t more) {
    if (more <= ids->capacity - ids->count)
        return GG_OK;
    size_t capacity = ids->count + more;
    if (capacity < 2 * ids->capacity)
        capacity = 2 * ids->capacity;
    uint32_t *items =
        capacity > SIZE_MAX / sizeof *items ? NULL : gg_realloc_or_null(ids->items, capacity * sizeof *items);
    if (items == NULL)
        return gg_fail(GG_RESOURCE, "no memory for %zu token ids", capacity);
    ids->items = items;
    ids->capacity = capacity;
    return GG_OK;
}

gg_status gg_encoder_create(const gg_tokenizer *tokenizer, gg_encoder **encoder) {
    gg_encoder *e = gg_calloc(1, sizeof *e);
    *encoder = e;
    e->tokenizer = tokenizer;
    e->bpe = gg_tokenizer_bpe(tokenizer);
    e->byte_ids = gg_tokenizer_byte_ids(tokenizer);
    const struct gg_tokenizer_parts parts = gg_tokenizer_parts(tokenizer);
    for (size_t id = 0; id < parts.entry_count; id++)
        if (parts.entries[id].special && parts.entries[id].length > e->special_max_bytes)
            e->special_max_bytes = parts.entries[id].length;
    void *memory = NULL;
    gg_status status = gg_try_malloc(CACHED_WORDS * sizeof *e->cache, "an encoder's words", &memory);
    if (status == GG_OK) {
        e->cache = memory;
        memset(e->cache, 0, CACHED_WORDS * sizeof *e->cache);
        status = gg_word_scanner_create(gg_tokenizer_pretokenizer(tokenizer), &e->scanner);
    }
    if (status != GG_OK)
        gg_encoder_destroy(encoder);
    return status;
}

void gg_encoder_destroy(gg_encoder **encoder) {
    if (*encoder == NULL)
        return;
    gg_word_scanner_destroy(&(*encoder)->scanner);
    gg_bpe_scratch_free(&(*encoder)->scratch);
    free((*encoder)->cache);
    free(*encoder);
    *encoder = NULL;
}

/* Merges a word anew and appends its ids; there is room for `length`. */
static gg_status merge_word(gg_encoder *encoder, const char *word, size_t length, struct gg_ids *ids) {
    uint32_t *out = ids->items + ids->count;
    for (size_t i = 0; i < length; i++)
        out[i] = encoder->byte_ids[(unsigned char)word[i]];
    size_t count = length;
    GG_TRY(gg_bpe_merge(encoder->bpe, &encoder->scratch, out, &count));
    ids->count += count;
    return GG_OK;
}

/* Reads a word of 1 to CACHED_BYTES bytes, zeros behind it. Whole 8-byte pieces are read where the text has
 * them, which is faster than a copy of varying length. */
static void load_word(const char *word, size_t length, size_t readable, uint64_t bytes[CACHED_BYTES / 8]) {
    static const unsigned char ones[16] = {255, 255, 255, 255, 255, 255, 255, 255};
    bytes[0] = bytes[1] = bytes[2] = 0;
    if (readable < CACHED_BYTES) {
        memcpy(bytes, word, length);
        return;
    }
    const size_t whole = (length - 1) / 8;
    uint64_t mask;
    memcpy(&mask, ones + 8 - (length - 8 * whole), sizeof mask);
    for (size_t i = 0; i < whole; i++)
        memcpy(&bytes[i], word + 8 * i, 8);
    memcpy(&bytes[whole], word + 8 * whole, 8);
    bytes[whole] &= mask;
}

static size_t hash_word(const uint64_t bytes[CACHED_BYTES / 8], size_t length) {
    uint64_t hash = (bytes[0] + length) * 0x9E3779B97F4A7C15u;
    if (length > 8)
        hash = (hash ^ hash >> 32 ^ bytes[1]) * 0xC2B2AE3D27D4EB4Fu + bytes[2] * 0x165667B19E3779F9u;
    return (size_t)(hash >> 32 ^ hash >> 48);
}

static bool is_word(const struct cached_word *place, const uint64_t bytes[CACHED_BYTES / 8], size_t length) {
    return place->length == length && place->bytes[0] == bytes[0] && place->bytes[1] == bytes[1] &&
           place->bytes[2] == bytes[2];
}

/* Appends the ids of one word.
 *   readable [in] bytes of text from `word` on, at least `length` */
static gg_status encode_word(gg_encoder *encoder, const char *word, size_t length, size_t readable,
                             struct gg_ids *ids) {
    GG_TRY(gg_ids_reserve(ids, length > CACHED_IDS ? length : CACHED_IDS));
    if (length > CACHED_BYTES)
        return merge_word(encoder, word, length, ids);
    uint64_t bytes[CACHED_BYTES / 8];
    load_word(word, length, readable, bytes);
    struct cached_word *places = &encoder->cache[2 * (hash_word(bytes, length) % (CACHED_WORDS / 2))];
    for (int i = 0; i < 2; i++) {
        if (is_word(&places[i], bytes, length)) {
            memcpy(ids->items + ids->count, places[i].ids, sizeof places[i].ids);
            ids->count += places[i].id_count;
            return GG_OK;
        }
    }
    const size_t before = ids->count;
    GG_TRY(merge_word(encoder, word, length, ids));
    if (ids->count - before <= CACHED_IDS) {
        places[1] = places[0];
        places[0] = (struct cached_word){
            {bytes[0], bytes[1], bytes[2]}, (uint32_t)length, (uint32_t)(ids->count - before), {0}};
        memcpy(places[0].ids, ids->items + before, (ids->count - before) * sizeof(uint32_t));
    }
    return GG_OK;
}

/* Encodes text[*at, end), which holds no special token, word by word.
 *   at           [in,out] moves to the first word that is not certain; to `end` when `last`
 *   readable_end [in]     where the bytes at `text` end, at or behind `end` */
static gg_status encode_words(gg_encoder *encoder, const char *text, size_t *at, size_t end,
                              size_t readable_end, bool last, struct gg_ids *ids) {
    gg_word_scanner_reset(encoder->scanner);
    while (*at < end) {
        size_t word_end;
        GG_TRY(gg_word_end(encoder->scanner, text, *at, end, last, &word_end));
        const size_t length = word_end - *at;
        if (length == 0)
            break;
        if (length > GG_WORD_MAX_BYTES)
            return gg_fail_long_word(length);
        GG_TRY(encode_word(encoder, text + *at, length, readable_end - *at, ids));
        *at = word_end;
    }
    return GG_OK;
}

gg_status gg_encode_part(gg_encoder *encoder, const char *text, size_t bytes, bool last, bool allow_special,
                         struct gg_ids *ids, size_t *consumed) {
    *consumed = 0;
    /* A special token that begins in the last bytes may not be all there. */
    const size_t held_back = last || !allow_special ? 0 : encoder->special_max_bytes - 1;
    const size_t certain = bytes > held_back ? bytes - held_back : 0;
    while (allow_special) {
        uint32_t id;
        size_t length;
        const size_t special =
            gg_tokenizer_find_special(encoder->tokenizer, text, bytes, *consumed, &id, &length);
        if (special >= certain)
            break;
        GG_TRY(encode_words(encoder, text, consumed, special, bytes, true, ids));
        GG_TRY(gg_ids_reserve(ids, 1));
        ids->items[ids->count++] = id;
        *consumed = special + length;
    }
    return encode_words(encoder, text, consumed, certain, bytes, last, ids);
}

gg_status gg_encode(gg_encoder *encoder, const char *text, size_t bytes, bool allow_special,
                    struct gg_ids *ids) {
    size_t consumed;
    const gg_status status = gg_encode_part(encoder, text, bytes, true, allow_special, ids, &consumed);
    return status == GG_OK ? GG_OK : gg_fail_within(status, "byte %zu of the text", consumed);
}
