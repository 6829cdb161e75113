/* The prompts of a JSONL file: what is taken has text, a line of its own behind the one before, and its bytes as
 * a string. */
#include "jobs/use/prompts.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct gg_prompts prompts = {0};
    char *text = fuzz_text(data, bytes);
    int64_t lines = 1, line = 0;
    for (size_t i = 0; i < bytes; i++)
        lines += text[i] == '\n';
    const gg_status status = gg_prompts_parse("prompts", text, bytes, bytes % 2 == 1, &prompts);
    free(text);
    if (status != GG_OK)
        fuzz_check_failure(status, GG_BAD_DATA);
    else
        GG_ASSERT(prompts.count > 0);
    for (size_t i = 0; i < prompts.count; i++) {
        const struct gg_prompt *prompt = &prompts.items[i];
        GG_ASSERT(prompt->bytes > 0 && strlen(prompt->text) == prompt->bytes);
        GG_ASSERT(prompt->line > line && prompt->line <= lines);
        line = prompt->line;
    }
    gg_prompts_free(&prompts);
    return 0;
}
