#include "io/huggingface/gguf_tokenizer.h"

#include "core/text/chat_template.h"

#include "core/base/memory.h"
#include "core/text/byte_alphabet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Types of tokens (llama_token_type in llama.h). */
enum token_type { NORMAL = 1, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5 };

/* The names that llama.cpp has for patterns, and whether words go before merges with them. */
static const struct pattern_name {
    const char *pattern;
    bool whole_words;
    const char *name;
} pattern_names[] = {
    {GG_PATTERN_GPT2, false, "gpt-2"},
    {GG_PATTERN_QWEN, false, "qwen2"},
    {GG_PATTERN_LLAMA3, true, "llama-bpe"},
    {GG_PATTERN_LLAMA3, false, "dbrx"},
};

static gg_status find_name(const struct gg_tokenizer_parts *parts, const char **name) {
    for (size_t i = 0; i < sizeof pattern_names / sizeof *pattern_names; i++) {
        *name = pattern_names[i].name;
        if (strcmp(parts->pattern, pattern_names[i].pattern) == 0 &&
            parts->whole_words == pattern_names[i].whole_words)
            return GG_OK;
    }
    return gg_fail(
        GG_USAGE,
        "its tokenizer: llama.cpp knows patterns by name, and has none for '%s'%s: GPT-2's, Qwen's "
        "and Llama 3's are known",
        parts->pattern, parts->whole_words ? " with ignore_merges" : "");
}

/* Special tokens are spelled as they are, the others in GPT-2's byte alphabet. */
static void add_token(gg_gguf_writer *writer, const struct gg_vocabulary_entry *entry, char *scratch) {
    if (entry->special)
        gg_gguf_add_text(writer, entry->bytes, entry->length);
    else
        gg_gguf_add_text(writer, scratch, gg_alphabet_encode(entry->bytes, entry->length, scratch));
}

static char *make_scratch(const struct gg_tokenizer_parts *parts) {
    size_t longest = 0;
    for (size_t id = 0; id < parts->entry_count; id++)
        if (parts->entries[id].length > longest)
            longest = parts->entries[id].length;
    return gg_malloc(2 * (2 * longest) + 1); /* two tokens, and a space */
}

static void put_tokens(gg_gguf_writer *writer, const struct gg_tokenizer_parts *parts, size_t vocab,
                       char *scratch) {
    gg_gguf_put_texts(writer, "tokenizer.ggml.tokens", vocab);
    for (size_t id = 0; id < vocab; id++) {
        char unused[32];
        const int length = snprintf(unused, sizeof unused, "[PAD%zu]", id);
        if (id < parts->entry_count && parts->entries[id].length > 0)
            add_token(writer, &parts->entries[id], scratch);
        else
            gg_gguf_add_text(writer, unused, (size_t)length);
    }
    gg_gguf_put_int32s(writer, "tokenizer.ggml.token_type", vocab);
    for (size_t id = 0; id < vocab; id++) {
        const struct gg_vocabulary_entry *entry = id < parts->entry_count ? &parts->entries[id] : NULL;
        if (entry == NULL || entry->length == 0)
            gg_gguf_add_int32(writer, UNUSED);
        else if (entry->special)
            gg_gguf_add_int32(writer, entry->always ? USER_DEFINED : CONTROL);
        else
            gg_gguf_add_int32(writer, NORMAL);
    }
}

static void put_merges(gg_gguf_writer *writer, const struct gg_tokenizer_parts *parts, char *scratch) {
    gg_gguf_put_texts(writer, "tokenizer.ggml.merges", parts->merge_count);
    for (size_t rank = 0; rank < parts->merge_count; rank++) {
        const struct gg_vocabulary_entry *left = &parts->entries[parts->merges[rank].left];
        const struct gg_vocabulary_entry *right = &parts->entries[parts->merges[rank].right];
        size_t length = gg_alphabet_encode(left->bytes, left->length, scratch);
        scratch[length++] = ' ';
        length += gg_alphabet_encode(right->bytes, right->length, scratch + length);
        gg_gguf_add_text(writer, scratch, length);
    }
}

gg_status gg_gguf_put_tokenizer(gg_gguf_writer *writer, const gg_tokenizer *tokenizer, int64_t vocab,
                                const struct gg_chat_settings *chat) {
    if (tokenizer == NULL) {
        gg_gguf_put_text(writer, "tokenizer.ggml.model", "none");
        return GG_OK;
    }
    const struct gg_tokenizer_parts parts = gg_tokenizer_parts(tokenizer);
    const char *name;
    GG_TRY(find_name(&parts, &name));
    gg_gguf_put_text(writer, "tokenizer.ggml.model", "gpt2");
    gg_gguf_put_text(writer, "tokenizer.ggml.pre", name);
    char *scratch = make_scratch(&parts);
    put_tokens(writer, &parts, (size_t)vocab, scratch);
    put_merges(writer, &parts, scratch);
    free(scratch);
    const int64_t begin = gg_tokenizer_begin_of_text(tokenizer);
    const uint32_t end = gg_tokenizer_end_of_text(tokenizer);
    gg_gguf_put_uint32(writer, "tokenizer.ggml.bos_token_id", begin >= 0 ? (uint32_t)begin : end);
    gg_gguf_put_uint32(writer, "tokenizer.ggml.eos_token_id", end);
    gg_gguf_put_bool(writer, "tokenizer.ggml.add_bos_token", begin >= 0);
    char *jinja = gg_chat_jinja(chat, tokenizer);
    if (jinja != NULL)
        gg_gguf_put_text(writer, "tokenizer.chat_template", jinja);
    free(jinja);
    return GG_OK;
}
