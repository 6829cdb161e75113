#include "io/corpus/text_worker.h"

#include "core/base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

void gg_text_batch_free(struct gg_text_batch *batch) {
    free(batch->records);
    gg_ids_free(&batch->ids);
    *batch = (struct gg_text_batch){0};
}

gg_status gg_text_worker_init(struct gg_text_worker *worker, const gg_tokenizer *tokenizer,
                              const struct gg_clean_rules *rules, const char *field, double tail) {
    *worker = (struct gg_text_worker){
        .rules = rules, .field = field, .tail = tail, .end_of_text = gg_tokenizer_end_of_text(tokenizer)};
    return gg_encoder_create(tokenizer, &worker->encoder);
}

void gg_text_worker_free(struct gg_text_worker *worker) {
    gg_encoder_destroy(&worker->encoder);
    gg_text_free(&worker->clean);
    gg_text_free(&worker->parsed);
}

static gg_status end_document(struct gg_text_worker *worker, struct gg_ids *ids) {
    GG_TRY(gg_ids_reserve(ids, 1));
    ids->items[ids->count++] = worker->end_of_text;
    return GG_OK;
}

static gg_status add_text(struct gg_text_worker *worker, const char *text, size_t bytes, int64_t document,
                          uint32_t flags, struct gg_text_batch *batch) {
    const bool whole = (flags & GG_RECORD_FIRST) != 0 && (flags & GG_RECORD_LAST) != 0;
    if (whole && bytes == 0)
        return GG_OK;
    const size_t before = batch->ids.count;
    if (bytes > 0)
        GG_TRY(gg_encode(worker->encoder, text, bytes, false, &batch->ids));
    if ((flags & GG_RECORD_LAST) != 0)
        GG_TRY(end_document(worker, &batch->ids));
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity > 0 ? 2 * batch->capacity : 256;
        batch->records = gg_realloc(batch->records, batch->capacity * sizeof *batch->records);
    }
    const XXH128_hash_t hash = XXH3_128bits(text, bytes);
    batch->records[batch->count++] = (struct gg_text_record){.hash = {hash.low64, hash.high64},
                                                             .document = document,
                                                             .tokens = (int64_t)(batch->ids.count - before),
                                                             .text_bytes = (int64_t)bytes,
                                                             .flags = flags};
    return GG_OK;
}

static gg_status add_json(struct gg_text_worker *worker, const char *path, const struct gg_text_unit *unit,
                          int64_t document, struct gg_text_batch *batch) {
    worker->parsed.count = 0;
    GG_TRY(gg_json_text(path, unit, worker->field, worker->rules, &worker->parsed));
    size_t invalid_at;
    if (worker->parsed.count > 0) /* JSON's text is UTF-8 by now */
        GG_TRY(
            gg_clean(worker->rules, worker->parsed.bytes, worker->parsed.count, &worker->clean, &invalid_at));
    const char *text = worker->clean.bytes;
    const size_t bytes = worker->clean.count;
    const uint32_t whole = GG_RECORD_FIRST | GG_RECORD_LAST;
    const size_t at = (size_t)((1 - worker->tail) * (double)bytes);
    if (worker->tail == 0 || at == 0 || at >= bytes)
        return add_text(worker, text, bytes, document, whole, batch);
    const size_t cut = gg_line_cut(text, bytes, at);
    GG_TRY(add_text(worker, text, cut, document, whole, batch));
    return add_text(worker, text + cut, bytes - cut, document, whole | GG_RECORD_TAIL, batch);
}

gg_status gg_text_worker_add(struct gg_text_worker *worker, const char *path, const struct gg_text_unit *unit,
                             int64_t document, struct gg_text_batch *batch) {
    worker->clean.count = 0;
    gg_status status;
    if (unit->json) {
        status = add_json(worker, path, unit, document, batch);
    } else {
        size_t invalid_at;
        status = gg_clean(worker->rules, unit->bytes, unit->count, &worker->clean, &invalid_at);
        if (status == GG_BAD_DATA)
            return gg_invalid_utf8(path, unit->offset + (int64_t)invalid_at);
        const uint32_t flags = (unit->first ? GG_RECORD_FIRST : 0u) | (unit->last ? GG_RECORD_LAST : 0u) |
                               (unit->tail ? GG_RECORD_TAIL : 0u);
        if (status == GG_OK)
            status = add_text(worker, worker->clean.bytes, worker->clean.count, document, flags, batch);
    }
    if (status != GG_OK && !unit->json)
        return gg_fail_within(status, "%s: in the text from byte %" PRId64, path, unit->offset);
    return status;
}
