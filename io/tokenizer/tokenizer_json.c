#include "core/base/memory.h"
#include "core/text/byte_alphabet.h"
#include "core/text/tokenizer.h"
#include "io/tokenizer/tokenizer_forms_internal.h"

#include <stdlib.h>
#include <string.h>

static bool is_empty(const json_t *value) {
    return value == NULL || json_is_null(value) || json_is_false(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_number(value) && json_number_value(value) == 0);
}

static bool is_text(const json_t *value, const char *text) {
    return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

/* Refuses fields that change the ids in ways this program does not know. */
static gg_status want_empty(const json_t *object, const char *where, const char *const *names) {
    for (; *names != NULL; names++) {
        const json_t *value = json_object_get(object, *names);
        if (is_empty(value))
            continue;
        const json_t *type = json_object_get(value, "type");
        return gg_fail(GG_BAD_DATA, "field '%s%s'%s%s: not supported, only null or false", where, *names,
                       json_is_string(type) ? " of type " : "",
                       json_is_string(type) ? json_string_value(type) : "");
    }
    return GG_OK;
}

static gg_status refuse_token(const char *name, struct gg_tokenizer_draft *draft) {
    draft->other_kind = true;
    return gg_fail(GG_BAD_DATA, "field 'vocab': '%.80s' is not a byte-level token", name);
}

static gg_status add_token(struct gg_tokenizer_draft *draft, const char *name, const json_t *id) {
    char *bytes = gg_malloc(strlen(name) + 1);
    size_t length;
    gg_status status;
    if (!json_is_integer(id) || json_integer_value(id) < 0)
        status = gg_fail(GG_BAD_DATA, "field 'vocab': the id of '%.80s' is not a whole number", name);
    else if (!gg_alphabet_decode(name, strlen(name), bytes, &length))
        status = refuse_token(name, draft);
    else
        status =
            gg_vocabulary_add(&draft->vocabulary, (uint64_t)json_integer_value(id), bytes, length, false);
    free(bytes);
    return status;
}

/* Adds the tokens of a vocabulary object that are not there as special tokens already. */
static gg_status add_vocabulary(const json_t *vocab, struct gg_tokenizer_draft *draft) {
    const char *name;
    json_t *id;
    if (!json_is_object(vocab))
        return gg_fail(GG_BAD_DATA, "field 'vocab': an object of tokens and ids is wanted");
    json_object_foreach((json_t *)vocab, name, id) {
        uint32_t special;
        if (!gg_vocabulary_find(&draft->vocabulary, name, strlen(name), &special) ||
            !draft->vocabulary.entries[special].special)
            GG_TRY(add_token(draft, name, id));
        else if (!json_is_integer(id) || json_integer_value(id) != special)
            return gg_fail(GG_BAD_DATA, "field 'vocab': '%.80s' has another id in added_tokens", name);
    }
    return GG_OK;
}

gg_status gg_read_vocab_json(const json_t *root, struct gg_tokenizer_draft *draft) {
    const json_t *end = json_object_get(root, GG_END_OF_TEXT);
    if (json_is_integer(end) && json_integer_value(end) >= 0)
        GG_TRY(gg_vocabulary_add(&draft->vocabulary, (uint64_t)json_integer_value(end), GG_END_OF_TEXT,
                                 strlen(GG_END_OF_TEXT), true));
    return add_vocabulary(root, draft);
}

static gg_status read_added_token(const json_t *token, size_t item, struct gg_tokenizer_draft *draft) {
    static const char *const refused[] = {"single_word", "lstrip", "rstrip", NULL};
    const json_t *id = json_object_get(token, "id"), *content = json_object_get(token, "content");
    if (!json_is_integer(id) || json_integer_value(id) < 0 || !json_is_string(content))
        return gg_fail(GG_BAD_DATA, "field 'added_tokens', item %zu: no id or no content", item);
    draft->other_kind = true;
    GG_TRY(want_empty(token, "added_tokens[].", refused));
    if (draft->nfc && !is_empty(json_object_get(token, "normalized")))
        return gg_fail(
            GG_BAD_DATA,
            "field 'added_tokens': '%.80s' is looked for in normalized text, which is not supported",
            json_string_value(content));
    draft->other_kind = false;
    GG_TRY(gg_vocabulary_add(&draft->vocabulary, (uint64_t)json_integer_value(id), json_string_value(content),
                             json_string_length(content), true));
    draft->vocabulary.entries[json_integer_value(id)].always = is_empty(json_object_get(token, "special"));
    return GG_OK;
}

static gg_status read_added_tokens(const json_t *list, struct gg_tokenizer_draft *draft) {
    size_t i;
    json_t *token;
    json_array_foreach((json_t *)list, i, token) GG_TRY(read_added_token(token, i, draft));
    return GG_OK;
}

static gg_status read_merges(const json_t *list, struct gg_tokenizer_draft *draft) {
    size_t i;
    json_t *merge;
    if (!json_is_array(list))
        return gg_fail(GG_BAD_DATA, "field 'model.merges': a list is wanted");
    json_array_foreach((json_t *)list, i, merge) {
        const char *left = NULL, *right = NULL;
        size_t left_length = 0;
        if (json_is_string(merge) && strchr(json_string_value(merge), ' ') != NULL) {
            left = json_string_value(merge);
            left_length = strcspn(left, " ");
            right = left + left_length + 1;
        } else if (json_is_array(merge) && json_array_size(merge) == 2) {
            left = json_string_value(json_array_get(merge, 0));
            left_length = left != NULL ? strlen(left) : 0;
            right = json_string_value(json_array_get(merge, 1));
        }
        if (left == NULL || right == NULL)
            return gg_fail(GG_BAD_DATA, "field 'model.merges', item %zu: not a pair of tokens", i);
        const gg_status status = gg_draft_merge_text(draft, left, left_length, right, strlen(right));
        if (status != GG_OK)
            return gg_fail_within(status, "field 'model.merges', item %zu", i);
    }
    return GG_OK;
}

/* A ByteLevel pre-tokenizer whose use_regex (true where it is missing) is as wanted. */
static gg_status check_byte_level(const json_t *step, bool use_regex) {
    const json_t *regex = json_object_get(step, "use_regex");
    if (!json_is_false(json_object_get(step, "add_prefix_space")))
        return gg_fail(GG_BAD_DATA, "field 'pre_tokenizer.add_prefix_space': only false is supported");
    if ((regex == NULL || json_is_true(regex)) != use_regex)
        return gg_fail(GG_BAD_DATA, "field 'pre_tokenizer.use_regex': only %s is supported here",
                       use_regex ? "true" : "false");
    return GG_OK;
}

static gg_status read_split(const json_t *step, struct gg_tokenizer_draft *draft) {
    const json_t *pattern = json_object_get(json_object_get(step, "pattern"), "Regex");
    if (!json_is_string(pattern))
        return gg_fail(GG_BAD_DATA, "field 'pre_tokenizer.pattern': only a Regex is supported");
    if (!is_text(json_object_get(step, "behavior"), "Isolated") || !is_empty(json_object_get(step, "invert")))
        return gg_fail(GG_BAD_DATA,
                       "field 'pre_tokenizer.behavior': only Isolated, not inverted, is supported");
    draft->pattern = gg_strdup(json_string_value(pattern));
    return GG_OK;
}

static gg_status read_pre_tokenizer(const json_t *pre, struct gg_tokenizer_draft *draft) {
    const json_t *type = json_object_get(pre, "type");
    if (is_text(type, "ByteLevel"))
        return check_byte_level(pre, true);
    const json_t *steps = json_object_get(pre, "pretokenizers");
    if (is_text(type, "Sequence") && json_array_size(steps) == 2) {
        const json_t *split = json_array_get(steps, 0), *level = json_array_get(steps, 1);
        if (is_text(json_object_get(split, "type"), "Split") &&
            is_text(json_object_get(level, "type"), "ByteLevel")) {
            GG_TRY(check_byte_level(level, false));
            return read_split(split, draft);
        }
    }
    return gg_fail(GG_BAD_DATA,
                   "field 'pre_tokenizer': %s is not supported, only ByteLevel, or a Sequence of Split and "
                   "ByteLevel",
                   json_is_string(type) ? json_string_value(type) : "its kind");
}

/* None, NFC, or a sequence of these. */
static gg_status read_normalizer(const json_t *normalizer, struct gg_tokenizer_draft *draft) {
    const json_t *type = json_object_get(normalizer, "type");
    const json_t *steps = json_object_get(normalizer, "normalizers");
    const bool sequence = is_text(type, "Sequence");
    for (size_t i = 0; i < (sequence ? json_array_size(steps) : 1); i++) {
        const json_t *step = sequence ? json_array_get(steps, i) : normalizer;
        const json_t *kind = json_object_get(step, "type");
        if (is_text(kind, "NFC"))
            draft->nfc = true;
        else if (!is_empty(step))
            return gg_fail(GG_BAD_DATA, "field 'normalizer' of type %s: only NFC is supported",
                           json_is_string(kind) ? json_string_value(kind) : "unknown");
    }
    return GG_OK;
}

/* What is done to the ids behind the model concerns the special tokens that this program never adds. */
static gg_status check_post_processor(const json_t *post) {
    const json_t *type = json_object_get(post, "type"), *steps = json_object_get(post, "processors");
    const bool sequence = is_text(type, "Sequence");
    for (size_t i = 0; i < (sequence ? json_array_size(steps) : 1); i++) {
        const json_t *step = sequence ? json_array_get(steps, i) : post;
        const json_t *kind = json_object_get(step, "type");
        if (!is_empty(step) && !is_text(kind, "ByteLevel") && !is_text(kind, "TemplateProcessing"))
            return gg_fail(
                GG_BAD_DATA,
                "field 'post_processor': only null, ByteLevel and TemplateProcessing are supported");
    }
    return GG_OK;
}

/* Marks the special token that a template puts in front of a text. */
static void read_begin_of_text(const json_t *post, struct gg_tokenizer_draft *draft) {
    const json_t *steps = json_object_get(post, "processors");
    const size_t count = steps != NULL ? json_array_size(steps) : 1;
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        const json_t *step = steps != NULL ? json_array_get(steps, i) : post;
        const json_t *first = json_array_get(json_object_get(step, "single"), 0);
        const json_t *name = json_object_get(json_object_get(first, "SpecialToken"), "id");
        uint32_t id;
        found = json_is_string(name) && gg_vocabulary_find(&draft->vocabulary, json_string_value(name),
                                                           json_string_length(name), &id);
        if (found)
            draft->vocabulary.entries[id].begins = true; /* the vocabulary has none but special ones yet */
    }
}

/* Whether this is a tokenizer of the kind that this program has, and what tells it from others of the kind. */
static gg_status read_kind(const json_t *root, const json_t *model, struct gg_tokenizer_draft *draft) {
    static const char *const refused[] = {"truncation", "padding", NULL};
    static const char *const model_refused[] = {"dropout", "continuing_subword_prefix", "end_of_word_suffix",
                                                "byte_fallback", NULL};
    if (!is_text(json_object_get(model, "type"), "BPE"))
        return gg_fail(GG_BAD_DATA, "field 'model.type': only BPE is supported");
    GG_TRY(want_empty(root, "", refused));
    GG_TRY(want_empty(model, "model.", model_refused));
    draft->whole_words = json_is_true(json_object_get(model, "ignore_merges"));
    GG_TRY(read_normalizer(json_object_get(root, "normalizer"), draft));
    GG_TRY(check_post_processor(json_object_get(root, "post_processor")));
    return read_pre_tokenizer(json_object_get(root, "pre_tokenizer"), draft);
}

gg_status gg_read_tokenizer_json(const json_t *root, struct gg_tokenizer_draft *draft) {
    const json_t *model = json_object_get(root, "model");
    if (!json_is_object(model))
        return gg_fail(GG_BAD_DATA,
                       "no field 'model': not a tokenizer.json (of a vocab.json, name its folder)");
    draft->other_kind = true;
    GG_TRY(read_kind(root, model, draft));
    draft->other_kind = false;
    GG_TRY(read_added_tokens(json_object_get(root, "added_tokens"), draft));
    read_begin_of_text(json_object_get(root, "post_processor"), draft);
    GG_TRY(add_vocabulary(json_object_get(model, "vocab"), draft));
    return read_merges(json_object_get(model, "merges"), draft);
}
