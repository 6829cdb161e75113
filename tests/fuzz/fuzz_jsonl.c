/* JSONL, read as prepare does; the first byte gives the rules of cleaning. */
#include "io/corpus/document_reader.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes == 0)
        return 0;
    static const struct gg_document_format format = {GG_DOCUMENTS_JSONL, NULL, "text"};
    static const struct gg_clean_rules utf8_only = {.keep_controls = true};
    const struct gg_clean_rules rules = {.replace_invalid = (data[0] & 1) == 0};
    const char *path = fuzz_file(data + 1, bytes - 1);
    gg_document_reader *reader;
    struct gg_text text = {0}, copy = {0};
    struct gg_text_unit unit;
    bool more = true;
    gg_status status = gg_document_reader_open(path, &format, &reader);
    while (status == GG_OK && (status = gg_document_reader_next(reader, &unit, &more)) == GG_OK && more) {
        size_t invalid_at;
        text.count = copy.count = 0;
        const gg_status read = gg_json_text(path, &unit, format.field, &rules, &text);
        if (read != GG_OK)
            fuzz_check_failure(read, GG_BAD_DATA);
        else
            GG_ASSERT(gg_clean(&utf8_only, text.bytes, text.count, &copy, &invalid_at) == GG_OK);
    }
    if (status != GG_OK)
        fuzz_check_failure(status, GG_BAD_DATA);
    gg_document_reader_close(&reader);
    gg_text_free(&text);
    gg_text_free(&copy);
    return 0;
}
