#include "io/tokenizer/tokenizer_file.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/tokenizer/tokenizer_forms_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX_BYTES = 256 * 1024 * 1024 };

/* Makes the tokenizer when the draft was read well, and frees the draft.
 *   other_kind [out] as gg_tokenizer_load_known */
static gg_status finish(gg_status status, struct gg_tokenizer_draft *draft, const char *name,
                        bool *other_kind, gg_tokenizer **tokenizer) {
    if (status == GG_OK)
        status = gg_tokenizer_draft_finish(draft, tokenizer);
    *other_kind = status == GG_BAD_DATA && draft->other_kind;
    gg_tokenizer_draft_free(draft);
    return status == GG_OK ? GG_OK : gg_fail_within(status, "%s", name);
}

static gg_status from_json(const char *json, size_t bytes, const char *name_for_messages, bool *other_kind,
                           gg_tokenizer **tokenizer) {
    struct gg_tokenizer_draft draft = {0};
    json_t *root;
    *tokenizer = NULL;
    gg_status status = gg_json_parse(json, bytes, &root);
    if (status == GG_OK)
        status = gg_read_tokenizer_json(root, &draft);
    json_decref(root);
    return finish(status, &draft, name_for_messages, other_kind, tokenizer);
}

gg_status gg_tokenizer_from_json(const char *json, size_t bytes, const char *name_for_messages,
                                 gg_tokenizer **tokenizer) {
    bool other_kind;
    return from_json(json, bytes, name_for_messages, &other_kind, tokenizer);
}

/* vocab.json and merges.txt go with GPT-2's pattern only where no tokenizer_config.json says otherwise. */
static gg_status check_class(const char *folder, bool *other_kind) {
    char *path = gg_format("%s/tokenizer_config.json", folder), *text = NULL;
    json_t *root = NULL;
    size_t bytes;
    gg_status status = GG_OK;
    if (gg_file_exists(path)) {
        status = gg_file_read(path, FILE_MAX_BYTES, &text, &bytes);
        if (status == GG_OK) {
            status = gg_json_parse(text, bytes, &root);
            if (status != GG_OK)
                status = gg_fail_within(status, "%s", path);
        }
    }
    const char *name = json_string_value(json_object_get(root, "tokenizer_class"));
    if (status == GG_OK && name != NULL && strcmp(name, "GPT2Tokenizer") != 0 &&
        strcmp(name, "GPT2TokenizerFast") != 0) {
        *other_kind = true;
        status = gg_fail(GG_BAD_DATA,
                         "%s: field 'tokenizer_class': the pattern of %s is not told by vocab.json and "
                         "merges.txt; a tokenizer.json is wanted",
                         path, name);
    }
    json_decref(root);
    free(text);
    free(path);
    return status;
}

/* vocab.json and merges.txt of a folder. Which of the two is at fault stands in the message. */
static gg_status load_pair(const char *folder, const char *vocab, const char *merges, bool *other_kind,
                           gg_tokenizer **tokenizer) {
    struct gg_tokenizer_draft draft = {0};
    json_t *root = NULL;
    char *text = NULL;
    size_t bytes;
    GG_TRY(check_class(folder, other_kind));
    GG_TRY(gg_file_read(vocab, FILE_MAX_BYTES, &text, &bytes));
    gg_status status = gg_json_parse(text, bytes, &root);
    if (status == GG_OK)
        status = gg_read_vocab_json(root, &draft);
    json_decref(root);
    free(text);
    if (status != GG_OK)
        return finish(status, &draft, vocab, other_kind, tokenizer);
    status = gg_file_read(merges, FILE_MAX_BYTES, &text, &bytes);
    if (status == GG_OK) {
        status = gg_read_merges_text(text, bytes, &draft);
        free(text);
        if (status != GG_OK)
            return finish(status, &draft, merges, other_kind, tokenizer);
    }
    return finish(status, &draft, folder, other_kind, tokenizer);
}

static gg_status load_file(const char *path, bool *other_kind, gg_tokenizer **tokenizer) {
    char *text;
    size_t bytes;
    GG_TRY(gg_file_read(path, FILE_MAX_BYTES, &text, &bytes));
    gg_status status;
    if (bytes == 0) {
        status = gg_fail(GG_BAD_DATA, "%s: the file is empty: no tokenizer", path);
    } else if (text[strspn(text, " \t\r\n")] == '{') {
        status = from_json(text, bytes, path, other_kind, tokenizer);
    } else {
        struct gg_tokenizer_draft draft = {0};
        status = gg_read_ranks(text, bytes, &draft);
        if (status != GG_OK)
            status = gg_fail_within(status, "neither a tokenizer.json nor a .tiktoken rank file");
        status = finish(status, &draft, path, other_kind, tokenizer);
    }
    free(text);
    return status;
}

gg_status gg_tokenizer_load_known(const char *path, bool *other_kind, gg_tokenizer **tokenizer) {
    *tokenizer = NULL;
    *other_kind = false;
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return load_file(path, other_kind, tokenizer);
    char *whole = gg_format("%s/tokenizer.json", path), *vocab = gg_format("%s/vocab.json", path);
    char *merges = gg_format("%s/merges.txt", path);
    gg_status status;
    if (gg_file_exists(whole))
        status = load_file(whole, other_kind, tokenizer);
    else if (gg_file_exists(vocab) && gg_file_exists(merges))
        status = load_pair(path, vocab, merges, other_kind, tokenizer);
    else
        status =
            gg_fail(GG_STORAGE, "%s: no tokenizer.json in this folder, nor vocab.json and merges.txt", path);
    free(merges);
    free(vocab);
    free(whole);
    return status;
}

gg_status gg_tokenizer_load(const char *path, gg_tokenizer **tokenizer) {
    bool other_kind;
    return gg_tokenizer_load_known(path, &other_kind, tokenizer);
}

gg_status gg_tokenizer_save(const gg_tokenizer *tokenizer, const char *path) {
    size_t bytes;
    char *json = gg_tokenizer_to_json(tokenizer, &bytes);
    if (json == NULL)
        return gg_fail_within(GG_BAD_DATA, "%s", path);
    const gg_status status = gg_file_write(path, json, bytes);
    free(json);
    return status;
}
