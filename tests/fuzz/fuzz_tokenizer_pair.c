/* vocab.json and merges.txt: the two texts with a zero byte between. */
#include "io/tokenizer/tokenizer_forms_internal.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static gg_status read_vocabulary(const char *text, size_t bytes, struct gg_tokenizer_draft *draft) {
    json_t *root;
    gg_status status = gg_json_parse(text, bytes, &root);
    if (status == GG_OK)
        status = gg_read_vocab_json(root, draft);
    json_decref(root);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    const uint8_t *zero = bytes > 0 ? memchr(data, 0, bytes) : NULL;
    const size_t first = zero != NULL ? (size_t)(zero - data) : bytes;
    const size_t second = zero != NULL ? bytes - first - 1 : 0;
    char *vocabulary = fuzz_text(data, first), *merges = fuzz_text(data + bytes - second, second);
    struct gg_tokenizer_draft draft = {0};
    gg_status status = read_vocabulary(vocabulary, first, &draft);
    if (status == GG_OK)
        status = gg_read_merges_text(merges, second, &draft);
    gg_tokenizer *tokenizer = NULL;
    if (status == GG_OK)
        status = gg_tokenizer_draft_finish(&draft, &tokenizer);
    if (status != GG_OK)
        fuzz_check_failure(status, GG_BAD_DATA);
    gg_tokenizer_destroy(&tokenizer);
    gg_tokenizer_draft_free(&draft);
    free(merges);
    free(vocabulary);
    return 0;
}
