#include "io/corpus/text_worker.h"

#include "core/base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void gg_text_batch_free(struct gg_text_batch *batch) {
    free(batch->records);
    free(batch->signatures);
    gg_ids_free(&batch->ids);
    *batch = (struct gg_text_batch){0};
}

static struct gg_text_record *add_record(struct gg_text_batch *batch) {
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity > 0 ? 2 * batch->capacity : 256;
        batch->records = gg_realloc(batch->records, batch->capacity * sizeof *batch->records);
    }
    return &batch->records[batch->count++];
}

static uint32_t *add_signature(struct gg_text_batch *batch, size_t hashes) {
    if (batch->count * hashes > batch->signature_capacity) {
        batch->signature_capacity = batch->capacity * hashes;
        batch->signatures =
            gg_realloc(batch->signatures, batch->signature_capacity * sizeof *batch->signatures);
    }
    return batch->signatures + (batch->count - 1) * hashes;
}

void gg_text_batch_add_none(struct gg_text_batch *batch, size_t file) {
    *add_record(batch) = (struct gg_text_record){.flags = GG_RECORD_NONE, .file = (uint32_t)file};
}

static int hashes_of(const struct gg_text_work *work) {
    return work->near.bands * work->near.rows;
}

gg_status gg_text_worker_init(struct gg_text_worker *worker, const struct gg_text_work *work) {
    *worker = (struct gg_text_worker){.work = work, .end_of_text = gg_tokenizer_end_of_text(work->tokenizer)};
    if (work->near.bands > 0)
        gg_minhash_init(&worker->minhash, work->near.words, hashes_of(work));
    return gg_encoder_create(work->tokenizer, &worker->encoder);
}

void gg_text_worker_free(struct gg_text_worker *worker) {
    gg_encoder_destroy(&worker->encoder);
    gg_minhash_free(&worker->minhash);
    gg_text_free(&worker->clean);
    gg_text_free(&worker->masked);
    gg_text_free(&worker->parsed);
}

static gg_status end_document(struct gg_text_worker *worker, struct gg_ids *ids) {
    GG_TRY(gg_ids_reserve(ids, 1));
    ids->items[ids->count++] = worker->end_of_text;
    return GG_OK;
}

/* Appends a text's record, which has what is known of it before, and its tokens. */
static gg_status add_text(struct gg_text_worker *worker, const char *text, size_t bytes,
                          struct gg_text_record record, struct gg_text_batch *batch) {
    const bool last = (record.flags & GG_RECORD_LAST) != 0;
    if ((record.flags & GG_RECORD_FIRST) != 0 && last && bytes == 0)
        return GG_OK;
    const size_t before = batch->ids.count;
    if (bytes > 0)
        GG_TRY(gg_encode(worker->encoder, text, bytes, false, &batch->ids));
    if (last)
        GG_TRY(end_document(worker, &batch->ids));
    const XXH128_hash_t hash = XXH3_128bits(text, bytes);
    record.hash[0] = hash.low64;
    record.hash[1] = hash.high64;
    record.tokens = (int64_t)(batch->ids.count - before);
    record.text_bytes = (int64_t)bytes;
    *add_record(batch) = record;
    const int hashes = hashes_of(worker->work);
    if (hashes == 0)
        return GG_OK;
    return gg_minhash_sign(&worker->minhash, text, bytes, add_signature(batch, (size_t)hashes));
}

/* Cleans a text and, where wanted, masks what is in it. */
static gg_status clean_text(struct gg_text_worker *worker, const char *text, size_t bytes, size_t *invalid_at,
                            struct gg_text_record *record, const struct gg_text **result) {
    worker->clean.count = worker->masked.count = 0;
    *result = &worker->clean;
    GG_TRY(gg_clean(&worker->work->rules, text, bytes, &worker->clean, invalid_at));
    if (!worker->work->mask_pii)
        return GG_OK;
    *result = &worker->masked;
    return gg_pii_mask(worker->clean.bytes, worker->clean.count, &worker->masked, record->masked);
}

static gg_status add_json(struct gg_text_worker *worker, const char *path, const struct gg_text_unit *unit,
                          struct gg_text_record record, struct gg_text_batch *batch) {
    const struct gg_text_work *work = worker->work;
    const struct gg_text *clean;
    size_t invalid_at;
    worker->parsed.count = 0;
    GG_TRY(gg_json_text(path, unit, work->field, &work->rules, &worker->parsed));
    if (worker->parsed.count == 0)
        return GG_OK;
    /* JSON's text is UTF-8 by now. */
    GG_TRY(clean_text(worker, worker->parsed.bytes, worker->parsed.count, &invalid_at, &record, &clean));
    const char *text = clean->bytes;
    const size_t bytes = clean->count;
    const size_t at = (size_t)((1 - work->tail) * (double)bytes);
    record.flags = GG_RECORD_FIRST | GG_RECORD_LAST;
    if (work->tail == 0 || at == 0 || at >= bytes)
        return add_text(worker, text, bytes, record, batch);
    const size_t cut = gg_line_cut(text, bytes, at);
    GG_TRY(add_text(worker, text, cut, record, batch));
    memset(record.masked, 0, sizeof record.masked);
    record.flags |= GG_RECORD_TAIL;
    return add_text(worker, text + cut, bytes - cut, record, batch);
}

static gg_status add_plain(struct gg_text_worker *worker, const char *path, const struct gg_text_unit *unit,
                           struct gg_text_record record, struct gg_text_batch *batch) {
    const struct gg_text *clean;
    size_t invalid_at;
    gg_status status = clean_text(worker, unit->bytes, unit->count, &invalid_at, &record, &clean);
    if (status == GG_BAD_DATA)
        return gg_invalid_utf8(path, unit->offset + (int64_t)invalid_at);
    record.flags = (unit->first ? GG_RECORD_FIRST : 0u) | (unit->last ? GG_RECORD_LAST : 0u) |
                   (unit->tail ? GG_RECORD_TAIL : 0u);
    if (status == GG_OK)
        status = add_text(worker, clean->bytes, clean->count, record, batch);
    if (status != GG_OK)
        return gg_fail_within(status, "%s: in the text from byte %" PRId64, path, unit->offset);
    return GG_OK;
}

gg_status gg_text_worker_add(struct gg_text_worker *worker, const char *path, size_t file,
                             const struct gg_text_unit *unit, struct gg_text_batch *batch) {
    const struct gg_text_record record = {
        .document = unit->document, .offset = unit->offset, .line = unit->line, .file = (uint32_t)file};
    return unit->json ? add_json(worker, path, unit, record, batch)
                      : add_plain(worker, path, unit, record, batch);
}
