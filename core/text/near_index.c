#include "core/text/near_index.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* A text under the values of one of its bands. */
struct slot {
    uint32_t tag;  /* of those values' hash */
    uint32_t text; /* its number plus one; 0: empty */
};

struct gg_near_index {
    int bands, rows, hashes;
    double threshold;
    uint32_t *signatures; /* (texts, hashes) */
    uint32_t *asked;      /* (texts) the last question in which it was compared */
    size_t texts, capacity;
    struct slot *slots; /* open addressing, linear probing */
    size_t slot_count;  /* a power of two */
    size_t taken;
    uint32_t question;
};

gg_near_index *gg_near_index_create(int bands, int rows, double threshold) {
    GG_ASSERT(bands >= 1 && rows >= 1);
    gg_near_index *index = gg_calloc(1, sizeof *index);
    index->bands = bands;
    index->rows = rows;
    index->hashes = bands * rows;
    index->threshold = threshold;
    index->slot_count = 1024;
    index->slots = gg_calloc(index->slot_count, sizeof *index->slots);
    return index;
}

void gg_near_index_destroy(gg_near_index **index) {
    if (*index == NULL)
        return;
    free((*index)->signatures);
    free((*index)->asked);
    free((*index)->slots);
    free(*index);
    *index = NULL;
}

static uint64_t band_hash(const gg_near_index *index, const uint32_t *signature, int band) {
    return XXH3_64bits_withSeed(signature + (size_t)band * (size_t)index->rows,
                                (size_t)index->rows * sizeof *signature, (uint64_t)band);
}

static int agreeing(const gg_near_index *index, const uint32_t *a, const uint32_t *b) {
    int count = 0;
    for (int i = 0; i < index->hashes; i++)
        count += a[i] == b[i];
    return count;
}

int64_t gg_near_index_find(gg_near_index *index, const uint32_t *signature, double *similarity) {
    const size_t mask = index->slot_count - 1, hashes = (size_t)index->hashes;
    int64_t found = -1;
    int most = -1;
    index->question++;
    for (int band = 0; band < index->bands; band++) {
        const uint64_t hash = band_hash(index, signature, band);
        for (size_t i = hash & mask; index->slots[i].text > 0; i = (i + 1) & mask) {
            const size_t text = index->slots[i].text - 1;
            if (index->slots[i].tag != hash >> 32 || index->asked[text] == index->question)
                continue;
            index->asked[text] = index->question;
            const int count = agreeing(index, signature, index->signatures + text * hashes);
            if (count > most || (count == most && (int64_t)text < found)) {
                most = count;
                found = (int64_t)text;
            }
        }
    }
    *similarity = most < 0 ? 0 : (double)most / (double)index->hashes;
    return *similarity >= index->threshold ? found : -1;
}

/* Puts a text under its bands, but for those that have enough. */
static void insert(gg_near_index *index, size_t text) {
    const size_t mask = index->slot_count - 1;
    for (int band = 0; band < index->bands; band++) {
        const uint64_t hash = band_hash(index, index->signatures + text * (size_t)index->hashes, band);
        size_t i = hash & mask;
        int alike = 0;
        for (; index->slots[i].text > 0; i = (i + 1) & mask)
            alike += index->slots[i].tag == hash >> 32;
        if (alike >= GG_NEAR_MOST_ALIKE)
            continue;
        index->slots[i] = (struct slot){(uint32_t)(hash >> 32), (uint32_t)(text + 1)};
        index->taken++;
    }
}

static gg_status no_memory(const gg_near_index *index) {
    return gg_fail(GG_RESOURCE, "no memory to look for near duplicates among more than %zu documents",
                   index->texts);
}

/* Makes room for another text. */
static gg_status grow(gg_near_index *index) {
    if (index->texts == index->capacity) {
        const size_t capacity = index->capacity > 0 ? index->capacity + index->capacity / 2 : 256;
        uint32_t *signatures = gg_realloc_or_null(index->signatures, capacity * (size_t)index->hashes *
                                                                         sizeof *index->signatures);
        if (signatures == NULL)
            return no_memory(index);
        index->signatures = signatures;
        uint32_t *asked = gg_realloc_or_null(index->asked, capacity * sizeof *index->asked);
        if (asked == NULL)
            return no_memory(index);
        index->asked = asked;
        index->capacity = capacity;
    }
    size_t wanted = index->slot_count;
    while ((index->taken + (size_t)index->bands) * 2 > wanted)
        wanted *= 2;
    if (wanted == index->slot_count)
        return GG_OK;
    struct slot *slots = gg_calloc_or_null(wanted, sizeof *slots);
    if (slots == NULL)
        return no_memory(index);
    free(index->slots);
    index->slots = slots;
    index->slot_count = wanted;
    index->taken = 0;
    for (size_t text = 0; text < index->texts; text++)
        insert(index, text);
    return GG_OK;
}

gg_status gg_near_index_add(gg_near_index *index, const uint32_t *signature) {
    if (index->texts >= UINT32_MAX - 1)
        return no_memory(index);
    GG_TRY(grow(index));
    const size_t hashes = (size_t)index->hashes;
    memcpy(index->signatures + index->texts * hashes, signature, hashes * sizeof *signature);
    index->asked[index->texts] = 0;
    insert(index, index->texts++);
    return GG_OK;
}
