/* Files of ids that another program made, read as prepare does. The first byte gives their form, whether an id ends
 * documents, and how long blocks are: what comes out does not depend on them. */
#include "io/corpus/ids_block.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* All records of the file, read in blocks of `step` bytes. */
static gg_status take_all(const char *path, size_t bytes, const struct gg_ids_format *format, int64_t step,
                          double tail, struct gg_text_batch *batch) {
    struct gg_ids_block block = {.format = format, .path = path, .file_bytes = (int64_t)bytes};
    struct gg_ids_place place = {.open = -1};
    gg_status status = GG_OK;
    for (int64_t at = 0; at < block.file_bytes && status == GG_OK; at += step) {
        block.begin = at;
        block.end = at + step < block.file_bytes ? at + step : block.file_bytes;
        status = gg_ids_block_read(&block);
        if (status == GG_OK)
            status = gg_ids_block_take(&block, &place, tail, batch);
        gg_ids_place_add(&place, &block);
    }
    gg_ids_block_free(&block);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes == 0)
        return 0;
    static const enum gg_ids_form forms[] = {GG_IDS_JSONL, GG_IDS_UINT16, GG_IDS_UINT32, GG_IDS_JSONL};
    const struct gg_ids_format format = {.form = forms[data[0] & 3],
                                         .field = "ids",
                                         .vocab = (data[0] & 4) != 0 ? 70000 : 50,
                                         .end_id = (data[0] & 8) != 0 ? 7 : -1};
    const double tail = format.form == GG_IDS_JSONL && (data[0] & 16) != 0 ? 0.3 : 0;
    const int width = gg_ids_width(format.form);
    const size_t whole = (bytes - 1) / (size_t)width * (size_t)width;
    const char *path = fuzz_file(data + 1, whole);
    struct gg_text_batch one = {0}, split = {0};
    const gg_status status = take_all(path, whole, &format, (int64_t)whole + width, tail, &one);
    const gg_status again = take_all(path, whole, &format, (1 + (data[0] >> 5)) * width, tail, &split);
    GG_ASSERT(status == again);
    if (status != GG_OK) {
        fuzz_check_failure(status, GG_BAD_DATA);
    } else {
        GG_ASSERT(one.count == split.count && one.ids.count == split.ids.count);
        for (size_t i = 0; i < one.count; i++)
            GG_ASSERT(memcmp(&one.records[i], &split.records[i], sizeof one.records[i]) == 0);
        for (size_t i = 0; i < one.ids.count; i++)
            GG_ASSERT(one.ids.items[i] == split.ids.items[i] && one.ids.items[i] < format.vocab);
    }
    gg_text_batch_free(&one);
    gg_text_batch_free(&split);
    return 0;
}
