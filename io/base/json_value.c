#include "io/base/json_value.h"

#include "core/text/clean.h"

json_t *gg_json_of_text(const char *bytes, size_t count) {
    if (count == 0)
        return json_string("");
    const struct gg_clean_rules rules = {.replace_invalid = true, .keep_controls = true};
    struct gg_text clean = {0};
    size_t invalid_at;
    GG_ASSERT(gg_clean(&rules, bytes, count, &clean, &invalid_at) == GG_OK);
    json_t *text = json_stringn(clean.bytes, clean.count);
    gg_text_free(&clean);
    return text;
}
