#include "core/base/memory.h"
#include "core/text/byte_alphabet.h"
#include "io/tokenizer/tokenizer_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A token as it stands in the file: special ones as they are, the others in GPT-2's byte alphabet. Owned by
 * the caller. */
static char *token_text(const struct gg_vocabulary_entry *entry) {
    if (entry->special)
        return gg_strndup(entry->bytes, entry->length);
    char *text = gg_malloc(2 * (size_t)entry->length + 1);
    text[gg_alphabet_encode(entry->bytes, entry->length, text)] = '\0';
    return text;
}

static json_t *added_tokens(const struct gg_tokenizer_parts *parts) {
    json_t *list = json_array();
    for (size_t id = 0; id < parts->entry_count; id++) {
        const struct gg_vocabulary_entry *entry = &parts->entries[id];
        /* What is not UTF-8 makes json_pack fail and is not appended: gg_tokenizer_to_json counts. */
        if (entry->special && entry->length > 0 && memchr(entry->bytes, '\0', entry->length) == NULL)
            json_array_append_new(list, json_pack("{s:I, s:s%, s:b, s:b, s:b, s:b, s:b}", "id",
                                                  (json_int_t)id, "content", entry->bytes,
                                                  (size_t)entry->length, "single_word", 0, "lstrip", 0,
                                                  "rstrip", 0, "normalized", 0, "special", !entry->always));
    }
    return list;
}

static json_t *vocabulary(const struct gg_tokenizer_parts *parts) {
    json_t *vocab = json_object();
    for (size_t id = 0; id < parts->entry_count; id++) {
        if (parts->entries[id].length == 0)
            continue;
        char *text = token_text(&parts->entries[id]);
        json_object_set_new(vocab, text, json_integer((json_int_t)id));
        free(text);
    }
    return vocab;
}

/* "left right": the form that every version of the tokenizers library reads. */
static json_t *merges(const struct gg_tokenizer_parts *parts) {
    json_t *list = json_array();
    for (size_t rank = 0; rank < parts->merge_count; rank++) {
        char *left = token_text(&parts->entries[parts->merges[rank].left]);
        char *right = token_text(&parts->entries[parts->merges[rank].right]);
        char *both = gg_format("%s %s", left, right);
        json_array_append_new(list, json_string(both));
        free(both);
        free(right);
        free(left);
    }
    return list;
}

static json_t *byte_level(bool prefix_space, bool use_regex) {
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", prefix_space,
                     "trim_offsets", 1, "use_regex", use_regex);
}

static json_t *pre_tokenizer(const char *pattern) {
    if (strcmp(pattern, GG_PATTERN_GPT2) == 0)
        return byte_level(false, true);
    return json_pack("{s:s, s:[{s:s, s:{s:s}, s:s, s:b}, o]}", "type", "Sequence", "pretokenizers", "type",
                     "Split", "pattern", "Regex", pattern, "behavior", "Isolated", "invert", 0,
                     byte_level(false, false));
}

static json_t *normalizer(const struct gg_tokenizer_parts *parts) {
    return parts->nfc ? json_pack("{s:s}", "type", "NFC") : json_null();
}

/* Puts the token that begins a text in front of it where special tokens are added. */
static json_t *begin_template(const char *name, size_t length, int64_t id) {
    json_t *list = json_pack("[{s:{s:s%, s:i}}, {s:{s:s, s:i}}]", "SpecialToken", "id", name, length,
                             "type_id", 0, "Sequence", "id", "A", "type_id", 0);
    json_t *pair = json_deep_copy(list);
    json_array_append_new(pair,
                          json_pack("{s:{s:s%, s:i}}", "SpecialToken", "id", name, length, "type_id", 1));
    json_array_append_new(pair, json_pack("{s:{s:s, s:i}}", "Sequence", "id", "B", "type_id", 1));
    json_t *tokens = json_object();
    json_t *token =
        json_pack("{s:s%, s:[I], s:[s%]}", "id", name, length, "ids", (json_int_t)id, "tokens", name, length);
    char *key = gg_strndup(name, length);
    json_object_set_new(tokens, key, token);
    free(key);
    return json_pack("{s:s, s:o, s:o, s:o}", "type", "TemplateProcessing", "single", list, "pair", pair,
                     "special_tokens", tokens);
}

static json_t *post_processor(const gg_tokenizer *tokenizer) {
    const int64_t begin = gg_tokenizer_begin_of_text(tokenizer);
    if (begin < 0)
        return byte_level(true, true);
    size_t length;
    const char *name = gg_token_bytes(tokenizer, (uint32_t)begin, &length);
    return json_pack("{s:s, s:[o, o]}", "type", "Sequence", "processors", byte_level(true, true),
                     begin_template(name, length, begin));
}

char *gg_tokenizer_to_json(const gg_tokenizer *tokenizer, size_t *bytes) {
    const struct gg_tokenizer_parts parts = gg_tokenizer_parts(tokenizer);
    json_t *list = added_tokens(&parts);
    size_t special_count = 0;
    for (size_t id = 0; id < parts.entry_count; id++)
        special_count += parts.entries[id].special && parts.entries[id].length > 0;
    if (json_array_size(list) != special_count) {
        json_decref(list);
        (void)gg_fail(GG_BAD_DATA, "a special token is not UTF-8 text: tokenizer.json cannot hold it");
        return NULL;
    }
    json_t *root = json_pack(
        "{s:s, s:n, s:n, s:o, s:o, s:o, s:o, s:o, s:{s:s, s:n, s:n, s:n, s:n, s:b, s:b, s:b, s:o, s:o}}",
        "version", "1.0", "truncation", "padding", "added_tokens", list, "normalizer", normalizer(&parts),
        "pre_tokenizer", pre_tokenizer(parts.pattern), "post_processor", post_processor(tokenizer), "decoder",
        byte_level(true, true), "model", "type", "BPE", "dropout", "unk_token", "continuing_subword_prefix",
        "end_of_word_suffix", "fuse_unk", 0, "byte_fallback", 0, "ignore_merges", parts.whole_words, "vocab",
        vocabulary(&parts), "merges", merges(&parts));
    char *text = root != NULL ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(root);
    if (text == NULL)
        (void)gg_fail(GG_RESOURCE, "no memory to write a tokenizer as JSON");
    else
        *bytes = strlen(text);
    return text;
}
