/* A vocabulary while it is put together: tokens by id, ids by token. All local.
 */
#ifndef GG_CORE_TEXT_VOCABULARY_H
#define GG_CORE_TEXT_VOCABULARY_H

#include "core/base/status.h"
#include "core/text/tokenizer_parts.h"

/* Zero it to begin. */
struct gg_vocabulary {
    struct gg_vocabulary_entry *entries; /* owned, and their bytes; index = id; length 0: a hole */
    size_t count;                        /* highest id + 1 */
    size_t token_count;                  /* ids that are no holes */
    size_t capacity;
    uint32_t *slots; /* open addressing by the tokens' hash: id + 1, or 0 */
    size_t slot_count;
};
void gg_vocabulary_free(struct gg_vocabulary *vocabulary);

/* Adds a token (copied). GG_BAD_DATA: it is empty, it is there already, its id is taken or not below
 * GG_VOCABULARY_MAX; the message names ids and says what is wrong. GG_RESOURCE: no memory. */
gg_status gg_vocabulary_add(struct gg_vocabulary *vocabulary, uint64_t id, const char *bytes, size_t length,
                            bool special) GG_MUST_USE;

/* The id of a token; false when it is not there. */
bool gg_vocabulary_find(const struct gg_vocabulary *vocabulary, const char *bytes, size_t length,
                        uint32_t *id);

#endif
