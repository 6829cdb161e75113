/* metrics.jsonl on a resume at the step that the first two bytes give: lines of later steps are cut off, what
 * stays is what stood at the front, and a line written behind it is found again. */
#include "io/run/metrics.h"
#include "tests/fuzz/fuzz.h"

#include "io/base/file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void open_and_close(const char *path, int64_t step, bool write_line) {
    const struct gg_metrics_line line = {.step = step, .trained = true, .loss = 2.5, .tokens = 7};
    gg_metrics *metrics;
    GG_ASSERT(gg_metrics_open(path, step, &metrics) == GG_OK);
    if (write_line)
        GG_ASSERT(gg_metrics_write(metrics, &line) == GG_OK);
    GG_ASSERT(gg_metrics_close(&metrics) == GG_OK);
}

/* What is kept ends with a whole line, of a step that is not to be done again. */
static void check_end(const char *text, size_t bytes, int64_t step) {
    if (bytes == 0)
        return;
    GG_ASSERT(text[bytes - 1] == '\n');
    const char *before = memrchr(text, '\n', bytes - 1), *line = before != NULL ? before + 1 : text;
    json_t *object = json_loadb(line, bytes - (size_t)(line - text), 0, NULL);
    const json_t *value = json_object_get(object, "step");
    GG_ASSERT(json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= step);
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 2)
        return 0;
    const int64_t step = data[0] + 256 * (int64_t)(data[1] % 16);
    const char *path = fuzz_file(data + 2, bytes - 2);
    char *text;
    size_t kept, written, again;
    open_and_close(path, step, false);
    GG_ASSERT(gg_file_read(path, 1 << 24, &text, &kept) == GG_OK);
    GG_ASSERT(kept <= bytes - 2 && memcmp(text, data + 2, kept) == 0);
    check_end(text, kept, step);
    free(text);

    open_and_close(path, step, true);
    written = (size_t)gg_file_size(path);
    GG_ASSERT(written > kept);
    open_and_close(path, step, false);
    again = (size_t)gg_file_size(path);
    GG_ASSERT(again == written);
    return 0;
}
