/* .tiktoken rank files. */
#include "io/tokenizer/tokenizer_forms_internal.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char *text = fuzz_text(data, bytes);
    struct gg_tokenizer_draft draft = {0};
    gg_tokenizer *tokenizer = NULL;
    gg_status status = gg_read_ranks(text, bytes, &draft);
    if (status == GG_OK)
        status = gg_tokenizer_draft_finish(&draft, &tokenizer);
    if (status != GG_OK)
        fuzz_check_failure(status, GG_BAD_DATA);
    gg_tokenizer_destroy(&tokenizer);
    gg_tokenizer_draft_free(&draft);
    free(text);
    return 0;
}
