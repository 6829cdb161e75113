#include "jobs/use/continuation.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

const char *const gg_continuation_end_names[] = {"", "tokens", "stop", "end_of_text"};

void gg_continuation_free(struct gg_continuation *c) {
    gg_ids_free(&c->ids);
    gg_text_free(&c->text);
    free(c->log_probabilities);
    *c = (struct gg_continuation){0};
}

/* Where the first stop text begins, at or behind `from`; the text's end where there is none. */
static size_t find_stop(const struct gg_text *text, size_t from, const struct gg_text_list *stops) {
    for (size_t at = from; at < text->count; at++)
        for (size_t i = 0; i < stops->count; i++) {
            const size_t length = strlen(stops->items[i]);
            if (length <= text->count - at && memcmp(text->bytes + at, stops->items[i], length) == 0)
                return at;
        }
    return text->count;
}

static size_t longest(const struct gg_text_list *stops) {
    size_t most = 0;
    for (size_t i = 0; i < stops->count; i++)
        most = strlen(stops->items[i]) > most ? strlen(stops->items[i]) : most;
    return most;
}

gg_status gg_continuation_take(struct gg_continuation *c, uint32_t id, double log_probability,
                               const char *bytes, size_t length, const struct gg_text_list *stops) {
    const size_t capacity = c->ids.capacity, before = c->text.count, reach = longest(stops);
    GG_TRY(gg_ids_reserve(&c->ids, 1));
    if (c->ids.capacity != capacity)
        c->log_probabilities =
            gg_realloc(c->log_probabilities, c->ids.capacity * sizeof *c->log_probabilities);
    c->log_probabilities[c->ids.count] = log_probability;
    c->ids.items[c->ids.count++] = id;
    if (length > 0)
        GG_TRY(gg_text_append(&c->text, bytes, length));
    const size_t found = find_stop(&c->text, before > reach ? before - reach : 0, stops);
    if (found < c->text.count) {
        c->text.count = found;
        c->end = GG_CONTINUATION_STOP;
    }
    return GG_OK;
}

size_t gg_continuation_settled(const struct gg_continuation *c, const struct gg_text_list *stops) {
    const size_t count = c->text.count, reach = longest(stops);
    if (c->end != GG_CONTINUATION_GOES_ON)
        return count;
    for (size_t at = count > reach ? count - reach : 0; at < count; at++)
        for (size_t i = 0; i < stops->count; i++)
            if (strncmp(stops->items[i], c->text.bytes + at, count - at) == 0)
                return at;
    return count;
}
