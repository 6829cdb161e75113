/* MinHash signatures of texts (Broder 1997, "On the resemblance and containment of documents").
 *
 * A text is the set of its runs of n words (its words, if it has fewer). Of k hash functions each, the signature
 * has the least value over that set: two texts agree in one with the probability of their sets' resemblance
 * (Jaccard index, |A and B| / |A or B|), so the share of values that agree estimates it with a standard deviation
 * of sqrt(J (1 - J) / k).
 * A word is a run of letters, marks and digits, without case; an ideograph or kana is a word by itself. The
 * functions are h -> the upper 32 bits of a h + b (mod 2^64), a odd, a and b by Philox, of the XXH3 of the words.
 * All local.
 */
#ifndef GG_CORE_TEXT_MINHASH_H
#define GG_CORE_TEXT_MINHASH_H

#include "core/text/growing_text.h"

#include <stdbool.h>
#include <stdint.h>

enum { GG_MINHASH_MOST_WORDS = 64, GG_MINHASH_MOST_HASHES = 4096 };

struct gg_minhash {
    int words, hashes;        /* n, k */
    uint64_t *factor, *shift; /* (hashes) a and b; owned */
    struct gg_text word;
};

/*   words  [in] 1 to GG_MINHASH_MOST_WORDS
 *   hashes [in] 1 to GG_MINHASH_MOST_HASHES */
void gg_minhash_init(struct gg_minhash *minhash, int words, int hashes);
void gg_minhash_free(struct gg_minhash *minhash);

/* The signature of a text that is UTF-8; without words all its values are UINT32_MAX.
 *   signature [out] (hashes)
 * GG_RESOURCE: no memory for a word. */
gg_status gg_minhash_sign(struct gg_minhash *minhash, const char *text, size_t bytes,
                          uint32_t *signature) GG_MUST_USE;

/* Makes a signature that of its text and of another one that follows it (but for runs of words over the seam).
 *   signature [in,out] (hashes) */
void gg_minhash_join(uint32_t *signature, const uint32_t *other, int hashes);

/* Whether a signature is of a text without words. */
bool gg_minhash_empty(const uint32_t *signature);

#endif
