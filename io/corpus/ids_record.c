#include "io/corpus/ids_record.h"

#include "core/base/memory.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <xxhash.h>

bool gg_ids_line_blank(const char *line, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r' && line[i] != '\n')
            return false;
    return true;
}

gg_status gg_ids_record_add(const struct gg_ids_format *format, size_t count, int64_t document,
                            uint32_t flags, struct gg_text_batch *batch) {
    uint32_t *ids = batch->ids.items + batch->ids.count;
    const bool ends = count > 0 && format->end_id >= 0 && ids[count - 1] == (uint32_t)format->end_id;
    if ((flags & GG_RECORD_FIRST) != 0 && (flags & GG_RECORD_LAST) != 0 && count == ends)
        return GG_OK;
    if ((flags & GG_RECORD_LAST) != 0 && format->end_id >= 0 && !ends)
        ids[count++] = (uint32_t)format->end_id;
    batch->ids.count += count;
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity > 0 ? 2 * batch->capacity : 256;
        batch->records = gg_realloc(batch->records, batch->capacity * sizeof *batch->records);
    }
    const XXH128_hash_t hash = XXH3_128bits(ids, count * sizeof *ids);
    batch->records[batch->count++] = (struct gg_text_record){
        .hash = {hash.low64, hash.high64}, .document = document, .tokens = (int64_t)count, .flags = flags};
    return GG_OK;
}

/* Copies values [first, end) of the list behind the batch's ids. */
static gg_status copy_ids(const struct gg_ids_format *format, const struct gg_ids_line *line,
                          const json_t *list, size_t first, size_t end, struct gg_text_batch *batch) {
    GG_TRY(gg_ids_reserve(&batch->ids, end - first + 1));
    uint32_t *ids = batch->ids.items + batch->ids.count;
    for (size_t i = first; i < end; i++) {
        const json_t *value = json_array_get(list, i);
        const int64_t id = json_is_integer(value) ? json_integer_value(value) : -1;
        if (!json_is_integer(value))
            return gg_fail(GG_BAD_DATA, "%s: line %" PRId64 ": value %zu of the list is no id (an integer)",
                           line->path, line->number, i + 1);
        if (id < 0 || id >= format->vocab)
            return gg_fail(GG_BAD_DATA,
                           "%s: line %" PRId64 ": id %zu of the list is %" PRId64 ", and --vocab %" PRId64
                           " has ids from 0 to %" PRId64,
                           line->path, line->number, i + 1, id, format->vocab, format->vocab - 1);
        ids[i - first] = (uint32_t)id;
    }
    return GG_OK;
}

static gg_status add_list(const struct gg_ids_format *format, const struct gg_ids_line *line,
                          const json_t *list, int64_t document, double tail, struct gg_text_batch *batch) {
    const uint32_t whole = GG_RECORD_FIRST | GG_RECORD_LAST;
    const size_t count = json_array_size(list), at = (size_t)((1 - tail) * (double)count);
    const size_t cut = tail > 0 && at > 0 && at < count ? at : count;
    GG_TRY(copy_ids(format, line, list, 0, cut, batch));
    GG_TRY(gg_ids_record_add(format, cut, document, whole, batch));
    if (cut == count)
        return GG_OK;
    GG_TRY(copy_ids(format, line, list, cut, count, batch));
    return gg_ids_record_add(format, count - cut, document, whole | GG_RECORD_TAIL, batch);
}

gg_status gg_ids_line_add(const struct gg_ids_format *format, const struct gg_ids_line *line,
                          int64_t document, double tail, struct gg_text_batch *batch) {
    json_error_t error;
    json_t *value = json_loadb(line->text, line->length, 0, &error);
    if (value == NULL)
        return gg_fail(GG_BAD_DATA, "%s: line %" PRId64 ": not JSON: %s", line->path, line->number,
                       error.text);
    const json_t *list = json_is_array(value) ? value : json_object_get(value, format->field);
    gg_status status;
    if (json_is_array(list))
        status = add_list(format, line, list, document, tail, batch);
    else
        status = gg_fail(GG_BAD_DATA,
                         "%s: line %" PRId64 ": neither a list of ids nor an object with one under \"%s\" "
                         "(--field names another)",
                         line->path, line->number, format->field);
    json_decref(value);
    return status;
}
