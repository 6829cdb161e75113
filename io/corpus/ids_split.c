#include "io/corpus/ids_split.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Documents in order: where each begins and ends, in ids of its file; of JSONL only their number. */
struct documents {
    struct gg_ids_cut *items; /* begins */
    int64_t *ends;
    size_t count, capacity;
};

static void add_document(struct documents *found, int64_t file, int64_t begin, int64_t end) {
    if (found->count == found->capacity) {
        found->capacity = found->capacity > 0 ? 2 * found->capacity : 256;
        found->items = gg_realloc(found->items, found->capacity * sizeof *found->items);
        found->ends = gg_realloc(found->ends, found->capacity * sizeof *found->ends);
    }
    found->items[found->count] = (struct gg_ids_cut){.file = file, .at = begin};
    found->ends[found->count++] = end;
}

static void add_block(struct documents *found, const struct gg_ids_block *block, int64_t ids) {
    for (int64_t i = 0; i < block->documents; i++) {
        const bool raw = block->format->form != GG_IDS_JSONL;
        const int64_t begin = raw ? block->starts[i] : 0;
        if (raw && begin > 0)
            found->ends[found->count - 1] = begin;
        add_document(found, block->file, begin, ids);
    }
}

/* Looks at the file until `enough` documents are found. */
static gg_status count_file(struct gg_ids_block *block, size_t enough, struct documents *found) {
    const int64_t width = gg_ids_width(block->format->form);
    if (width > 1 && block->format->end_id < 0) {
        if (block->file_bytes > 0)
            add_document(found, block->file, 0, block->file_bytes / width);
        return GG_OK;
    }
    const int64_t step = width > 1 ? GG_IDS_PIECE * width : GG_IDS_BLOCK_BYTES;
    for (int64_t at = 0; at < block->file_bytes && found->count < enough; at += step) {
        block->begin = at;
        block->end = at + step < block->file_bytes ? at + step : block->file_bytes;
        GG_TRY(gg_ids_block_read(block));
        add_block(found, block, block->file_bytes / width);
    }
    return GG_OK;
}

gg_status gg_ids_split_find(const struct gg_input_files *files, const struct gg_ids_format *format,
                            double fraction, uint64_t seed, struct gg_corpus_split *split,
                            struct gg_ids_cut **cuts, size_t *cut_count) {
    struct gg_ids_block block = {.format = format};
    struct documents found = {0};
    const size_t enough = fraction > 0 ? (size_t)gg_corpus_split_enough(fraction) : 0;
    gg_status status = GG_OK;
    for (size_t i = 0; i < files->count && found.count < enough && status == GG_OK; i++) {
        block.path = files->items[i].path;
        block.file = (int64_t)i;
        block.file_bytes = files->items[i].bytes;
        status = count_file(&block, enough, &found);
    }
    gg_ids_block_free(&block);
    gg_corpus_split_choose((int64_t)(found.count < enough ? found.count : enough), fraction, seed, split);
    const bool cut = status == GG_OK && split->tail > 0 && format->form != GG_IDS_JSONL;
    *cut_count = 0;
    for (size_t i = 0; i < found.count && cut; i++) {
        const int64_t begin = found.items[i].at, ids = found.ends[i] - begin;
        const int64_t before = (int64_t)((1 - fraction) * (double)ids);
        if (before > 0)
            found.items[(*cut_count)++] = (struct gg_ids_cut){found.items[i].file, begin + before};
    }
    free(found.ends);
    *cuts = cut ? found.items : NULL;
    if (!cut)
        free(found.items);
    return status;
}
