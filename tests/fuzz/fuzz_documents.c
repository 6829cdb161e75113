/* Documents in plain, gzip and zstd files; the first byte chooses the separator. The units of all documents
 * and the separators between are the file's text, which is the same by whatever reads it is unpacked. */
#include "io/corpus/document_reader.h"
#include "io/corpus/text_input.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 4 << 20 }; /* of an unpacked text: a small file may hold any amount */

/* Unpacks the file by reads of up to `most` bytes. *all: to its end. */
static gg_status unpack(const char *path, size_t most, struct gg_text *text, bool *all) {
    gg_text_input *input;
    *all = false;
    GG_TRY(gg_text_input_open(path, &input));
    char *buffer = malloc(most);
    uint32_t seed = 1;
    gg_status status = GG_OK;
    while (status == GG_OK && !*all && text->count < MOST_BYTES) {
        size_t got;
        const size_t wanted = 1 + fuzz_next(&seed) % most;
        status = gg_text_input_read(input, buffer, wanted, &got);
        GG_ASSERT(got <= wanted);
        if (status == GG_OK)
            status = gg_text_append(text, buffer, got);
        *all = got < wanted;
    }
    free(buffer);
    gg_text_input_close(&input);
    return status;
}

/* Every unit is a piece of the text, behind the one before. */
static void check_units(const char *path, const struct gg_document_format *format,
                        const struct gg_text *text) {
    gg_document_reader *reader;
    struct gg_text_unit unit;
    int64_t end = 0;
    bool more = true;
    GG_ASSERT(gg_document_reader_open(path, format, &reader) == GG_OK);
    for (;;) {
        GG_ASSERT(gg_document_reader_next(reader, &unit, &more) == GG_OK);
        if (!more)
            break;
        GG_ASSERT(unit.count > 0 && unit.count <= GG_UNIT_BYTES && unit.offset >= end);
        GG_ASSERT(format->separator != NULL || end == 0 || unit.offset == end);
        end = unit.offset + (int64_t)unit.count;
        GG_ASSERT(end <= (int64_t)text->count);
        GG_ASSERT(memcmp(unit.bytes, text->bytes + unit.offset, unit.count) == 0);
    }
    GG_ASSERT(format->separator != NULL || end == 0 || end == (int64_t)text->count);
    gg_document_reader_close(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static const char *const separators[] = {NULL, "", "---"};
    if (bytes == 0)
        return 0;
    const struct gg_document_format format = {GG_DOCUMENTS_TEXT, separators[data[0] % 3], "text"};
    const char *path = fuzz_file(data + 1, bytes - 1);
    struct gg_text once = {0}, again = {0};
    bool all, all_again;
    const gg_status status = unpack(path, 1 << 20, &once, &all);
    if (status != GG_OK)
        fuzz_check_failure(status, GG_BAD_DATA);
    const gg_status second = unpack(path, 4096, &again, &all_again);
    if (all && status == GG_OK) {
        GG_ASSERT(second == GG_OK && again.count == once.count);
        GG_ASSERT(once.count == 0 || memcmp(again.bytes, once.bytes, once.count) == 0);
        check_units(path, &format, &once);
    }
    gg_text_free(&once);
    gg_text_free(&again);
    return 0;
}
