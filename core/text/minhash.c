#include "core/text/minhash.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/text/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include <xxhash.h>

/* A constant: signatures of different runs can be compared. */
enum { SEED = 1997 };

void gg_minhash_init(struct gg_minhash *minhash, int words, int hashes) {
    GG_ASSERT(words >= 1 && words <= GG_MINHASH_MOST_WORDS);
    GG_ASSERT(hashes >= 1 && hashes <= GG_MINHASH_MOST_HASHES);
    *minhash = (struct gg_minhash){.words = words, .hashes = hashes};
    minhash->factor = gg_malloc((size_t)hashes * sizeof *minhash->factor);
    minhash->shift = gg_malloc((size_t)hashes * sizeof *minhash->shift);
    for (int i = 0; i < hashes; i++) {
        minhash->factor[i] = gg_random_bits(SEED, 0, (uint64_t)i) | 1;
        minhash->shift[i] = gg_random_bits(SEED, 1, (uint64_t)i);
    }
}

void gg_minhash_free(struct gg_minhash *minhash) {
    free(minhash->factor);
    free(minhash->shift);
    gg_text_free(&minhash->word);
    *minhash = (struct gg_minhash){0};
}

enum kind { BETWEEN, IN_WORD, ALONE };

static bool is_alone(uint32_t code) {
    return (code >= 0x3041 && code <= 0x30FF) || (code >= 0x3400 && code <= 0x4DBF) ||
           (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0xF900 && code <= 0xFAFF) ||
           (code >= 0x20000 && code <= 0x3FFFF);
}

/* What the character at the front is to words; its length, and its lower case. */
static enum kind look_at(const char *text, size_t bytes, size_t *length, uint32_t *lower) {
    uint32_t code = (unsigned char)text[0];
    *length = 1;
    if (code < 0x80) {
        *lower = code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code;
        return (*lower >= 'a' && *lower <= 'z') || (code >= '0' && code <= '9') ? IN_WORD : BETWEEN;
    }
    *length = gg_utf8_decode(text, bytes, &code);
    if (*length == 0) {
        *length = 1;
        return BETWEEN;
    }
    *lower = (uint32_t)utf8proc_tolower((utf8proc_int32_t)code);
    if (is_alone(code))
        return ALONE;
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO ? IN_WORD : BETWEEN;
}

/* The hash of the next word at or behind *at, which goes on to its end; *more is false when there is none. */
static gg_status next_word(struct gg_minhash *m, const char *text, size_t bytes, size_t *at, uint64_t *hash,
                           bool *more) {
    m->word.count = 0;
    while (*at < bytes) {
        size_t length;
        uint32_t lower = 0;
        char encoded[GG_UTF8_MAX_BYTES];
        const enum kind kind = look_at(text + *at, bytes - *at, &length, &lower);
        if (m->word.count > 0 && kind != IN_WORD)
            break;
        *at += length;
        if (kind != BETWEEN)
            GG_TRY(gg_text_append(&m->word, encoded, gg_utf8_encode(lower, encoded)));
        if (kind == ALONE)
            break;
    }
    *more = m->word.count > 0;
    *hash = XXH3_64bits(m->word.bytes, m->word.count);
    return GG_OK;
}

/* Adds a run of words by its hash. */
static void add_run(const struct gg_minhash *m, uint64_t hash, uint32_t *signature) {
    for (int i = 0; i < m->hashes; i++) {
        const uint32_t value = (uint32_t)((m->factor[i] * hash + m->shift[i]) >> 32);
        signature[i] = value < signature[i] ? value : signature[i];
    }
}

gg_status gg_minhash_sign(struct gg_minhash *m, const char *text, size_t bytes, uint32_t *signature) {
    uint64_t run[GG_MINHASH_MOST_WORDS];
    int count = 0;
    memset(signature, 0xFF, (size_t)m->hashes * sizeof *signature);
    for (size_t at = 0;;) {
        uint64_t hash;
        bool more;
        GG_TRY(next_word(m, text, bytes, &at, &hash, &more));
        if (!more)
            break;
        if (count == m->words)
            memmove(run, run + 1, (size_t)--count * sizeof *run);
        run[count++] = hash;
        if (count == m->words)
            add_run(m, XXH3_64bits(run, (size_t)count * sizeof *run), signature);
    }
    if (count > 0 && count < m->words)
        add_run(m, XXH3_64bits(run, (size_t)count * sizeof *run), signature);
    return GG_OK;
}

void gg_minhash_join(uint32_t *signature, const uint32_t *other, int hashes) {
    for (int i = 0; i < hashes; i++)
        signature[i] = other[i] < signature[i] ? other[i] : signature[i];
}

bool gg_minhash_empty(const uint32_t *signature) {
    return signature[0] == UINT32_MAX;
}
