/* Text to ids: special tokens, then words, each looked up in a cache of words met before or merged anew. */
#include "core/base/memory.h"
#include "core/text/bpe.h"
#include "core/text/normal_form.h"
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
    bool has_always;          /* there are special tokens that are always matched */
    bool nfc;
    struct gg_text normal, run; /* text in NFC; a piece of it */
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
    e->nfc = parts.nfc;
    for (size_t id = 0; id < parts.entry_count; id++) {
        e->has_always |= parts.entries[id].always;
        if (parts.entries[id].special && parts.entries[id].length > e->special_max_bytes)
            e->special_max_bytes = parts.entries[id].length;
    }
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
    gg_text_free(&(*encoder)->normal);
    gg_text_free(&(*encoder)->run);
    free((*encoder)->cache);
    free(*encoder);
    *encoder = NULL;
}

/* Merges a word anew and appends its ids; there is room for `length`. */
static gg_status merge_word(gg_encoder *encoder, const char *word, size_t length, struct gg_ids *ids) {
    uint32_t *out = ids->items + ids->count;
    if (gg_tokenizer_find_word(encoder->tokenizer, word, length, out)) {
        ids->count++;
        return GG_OK;
    }
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

/* A place in a text, and where it comes to be in the text's NFC. */
struct image {
    size_t at, normal_at;
};

/* Moves a place on, from cut to cut, until its image is at or behind `normal_at`. */
static gg_status find_image(gg_encoder *encoder, const char *text, size_t end, size_t normal_at,
                            struct image *place) {
    while (place->normal_at < normal_at) {
        const size_t next = place->at + gg_normal_form_cut(text + place->at, end - place->at, 1);
        encoder->run.count = 0;
        if (next - place->at > 1)
            GG_TRY(gg_normal_form(text + place->at, next - place->at, &encoder->run));
        place->normal_at += next - place->at > 1 ? encoder->run.count : 1;
        place->at = next;
    }
    return GG_OK;
}

/* Encodes the words of a text's NFC, which differs from the text. Those behind the last that ends where the
 * text itself can be cut are left to come again with what follows, as are those that are not certain.
 *   at [in,out] moves to that cut; to `end` when `last` */
static gg_status encode_changed(gg_encoder *encoder, const char *text, size_t *at, size_t end, bool last,
                                struct gg_ids *ids) {
    const struct gg_text *normal = &encoder->normal;
    struct image place = {*at, 0};
    size_t word = 0, certain_count = ids->count;
    gg_word_scanner_reset(encoder->scanner);
    while (word < normal->count) {
        size_t word_end;
        GG_TRY(gg_word_end(encoder->scanner, normal->bytes, word, normal->count, last, &word_end));
        if (word_end == word)
            break;
        if (word_end - word > GG_WORD_MAX_BYTES)
            return gg_fail_long_word(word_end - word);
        GG_TRY(encode_word(encoder, normal->bytes + word, word_end - word, normal->count - word, ids));
        word = word_end;
        if (last)
            continue;
        GG_TRY(find_image(encoder, text, end, word, &place));
        if (place.normal_at == word) {
            *at = place.at;
            certain_count = ids->count;
        }
    }
    if (last)
        *at = end;
    else
        ids->count = certain_count;
    return GG_OK;
}

/* Encodes text[*at, end), which holds no special token, after bringing it to the tokenizer's normal form. As
 * encode_words, to which text goes that is in that form; it may be cut between any two words. */
static gg_status encode_text(gg_encoder *encoder, const char *text, size_t *at, size_t end,
                             size_t readable_end, bool last, struct gg_ids *ids) {
    if (*at >= end)
        return GG_OK;
    if (!encoder->nfc)
        return encode_words(encoder, text, at, end, readable_end, last, ids);
    const size_t bytes = last ? end - *at : gg_normal_form_last_cut(text + *at, end - *at);
    if (bytes == 0)
        return GG_OK;
    encoder->normal.count = 0;
    GG_TRY(gg_normal_form(text + *at, bytes, &encoder->normal));
    if (encoder->normal.count == bytes && memcmp(encoder->normal.bytes, text + *at, bytes) == 0)
        return encode_words(encoder, text, at, *at + bytes, readable_end, last, ids);
    return encode_changed(encoder, text, at, *at + bytes, last, ids);
}

gg_status gg_encode_part(gg_encoder *encoder, const char *text, size_t bytes, bool last, bool allow_special,
                         struct gg_ids *ids, size_t *consumed) {
    *consumed = 0;
    const bool search = allow_special || encoder->has_always;
    /* A special token that begins in the last bytes may not be all there. */
    const size_t held_back = last || !search ? 0 : encoder->special_max_bytes - 1;
    const size_t certain = bytes > held_back ? bytes - held_back : 0;
    while (search) {
        uint32_t id;
        size_t length;
        const size_t special = gg_tokenizer_find_special(encoder->tokenizer, text, bytes, *consumed,
                                                         allow_special, &id, &length);
        if (special >= certain)
            break;
        GG_TRY(encode_text(encoder, text, consumed, special, bytes, true, ids));
        GG_TRY(gg_ids_reserve(ids, 1));
        ids->items[ids->count++] = id;
        *consumed = special + length;
    }
    return encode_text(encoder, text, consumed, certain, bytes, last, ids);
}

gg_status gg_encode(gg_encoder *encoder, const char *text, size_t bytes, bool allow_special,
                    struct gg_ids *ids) {
    size_t consumed;
    const gg_status status = gg_encode_part(encoder, text, bytes, true, allow_special, ids, &consumed);
    return status == GG_OK ? GG_OK : gg_fail_within(status, "byte %zu of the text", consumed);
}
