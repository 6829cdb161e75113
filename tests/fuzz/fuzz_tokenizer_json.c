/* tokenizer.json. One that is taken encodes what it decodes, and survives being written and read again. */
#include "io/tokenizer/tokenizer_file.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static const char sample[] =
    "In the beginning God's 1234 <|endoftext|>\r\n\t  \xc3\xa4\xe4\xb8\xad\xff\xf0\x9f\x99\x82 end  ";

static void check_encoding(const gg_tokenizer *tokenizer) {
    gg_encoder *encoder;
    struct gg_ids ids = {0};
    GG_ASSERT(gg_encoder_create(tokenizer, &encoder) == GG_OK);
    for (int special = 0; special < 2; special++) {
        ids.count = 0;
        const gg_status status = gg_encode(encoder, sample, sizeof sample - 1, special != 0, &ids);
        if (status == GG_OK)
            fuzz_check_decoded(tokenizer, &ids, sample, sizeof sample - 1);
        else
            fuzz_check_failure(status, GG_BAD_DATA); /* a pattern that backtracks too much */
    }
    gg_ids_free(&ids);
    gg_encoder_destroy(&encoder);
}

static void check_written(const gg_tokenizer *tokenizer) {
    size_t bytes;
    gg_tokenizer *again;
    char *json = gg_tokenizer_to_json(tokenizer, &bytes);
    if (json == NULL) {
        GG_ASSERT(gg_failure()[0] != '\0');
        return;
    }
    GG_ASSERT(strlen(json) == bytes);
    GG_ASSERT(gg_tokenizer_from_json(json, bytes, "written", &again) == GG_OK);
    GG_ASSERT(gg_tokenizer_fingerprint(again) == gg_tokenizer_fingerprint(tokenizer));
    gg_tokenizer_destroy(&again);
    free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    gg_tokenizer *tokenizer;
    char *text = fuzz_text(data, bytes);
    const gg_status status = gg_tokenizer_from_json(text, bytes, "fuzzed", &tokenizer);
    free(text);
    if (status != GG_OK) {
        fuzz_check_failure(status, GG_BAD_DATA);
        GG_ASSERT(tokenizer == NULL);
        return 0;
    }
    check_encoding(tokenizer);
    check_written(tokenizer);
    gg_tokenizer_destroy(&tokenizer);
    return 0;
}
