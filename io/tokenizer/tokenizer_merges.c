/* merges.txt: a line per merge, in rank order: two tokens in GPT-2's byte alphabet, a space between. */
#include "io/tokenizer/tokenizer_forms_internal.h"

#include <string.h>

gg_status gg_read_merges_text(const char *text, size_t bytes, struct gg_tokenizer_draft *draft) {
    size_t at = 0, number = 0, length;
    for (const char *line; (line = gg_next_line(text, bytes, &at, &number, &length)) != NULL;) {
        if (number == 1 && strncmp(text, "#version", strlen("#version")) == 0)
            continue;
        const char *space = memchr(line, ' ', length);
        if (space == NULL)
            return gg_fail(GG_BAD_DATA, "line %zu: not two tokens with a space between", number);
        const size_t left = (size_t)(space - line);
        const gg_status status = gg_draft_merge_text(draft, line, left, space + 1, length - left - 1);
        if (status != GG_OK)
            return gg_fail_within(status, "line %zu", number);
    }
    return GG_OK;
}
