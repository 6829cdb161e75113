/* Masking: what comes out is UTF-8, has the placeholders that were counted, and is the text but for these; what is
 * masked has no line end in it. */
#include "core/text/clean.h"
#include "core/text/pii.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <utf8proc.h>

static const char *const placeholders[GG_PII_KINDS] = {"<EMAIL>", "<PHONE>", "<CARD>", "<IP>"};

static uint32_t count(const struct gg_text *text, char wanted) {
    uint32_t found = 0;
    for (size_t i = 0; i < text->count; i++)
        found += text->bytes[i] == wanted;
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    const struct gg_clean_rules rules = {.replace_invalid = true, .nfc = true};
    struct gg_text text = {0}, masked = {0};
    uint32_t counts[GG_PII_KINDS] = {0}, all = 0;
    size_t invalid_at, longer = 0;
    if (bytes == 0)
        return 0;
    GG_ASSERT(gg_clean(&rules, (const char *)data, bytes, &text, &invalid_at) == GG_OK);
    GG_ASSERT(gg_pii_mask(text.bytes, text.count, &masked, counts) == GG_OK);
    for (int i = 0; i < GG_PII_KINDS; i++) {
        all += counts[i];
        longer += counts[i] * strlen(placeholders[i]);
    }
    GG_ASSERT(masked.count <= text.count + longer);
    GG_ASSERT(all > 0 || (masked.count == text.count &&
                          (text.count == 0 || memcmp(masked.bytes, text.bytes, text.count) == 0)));
    GG_ASSERT(count(&masked, '\n') == count(&text, '\n'));
    GG_ASSERT(count(&masked, '<') == count(&text, '<') + all &&
              count(&masked, '>') == count(&text, '>') + all);
    utf8proc_int32_t code;
    for (size_t at = 0; at < masked.count;) {
        const utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)masked.bytes + at,
                                                         (utf8proc_ssize_t)(masked.count - at), &code);
        GG_ASSERT(length > 0);
        at += (size_t)length;
    }
    gg_text_free(&text);
    gg_text_free(&masked);
    return 0;
}
