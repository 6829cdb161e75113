#include "io/tokenizer/tokenizer_file.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/tokenizer/tokenizer_forms_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX_BYTES = 256 * 1024 * 1024 };

/* Makes the tokenizer when the draft was read well, and frees the draft. */
static gg_status finish(gg_status status, struct gg_tokenizer_draft *draft, const char *name,
                        gg_tokenizer **tokenizer) {
    if (status == GG_OK)
        status = gg_tokenizer_draft_finish(draft, tokenizer);
    gg_tokenizer_draft_free(draft);
    return status == GG_OK ? GG_OK : gg_fail_within(status, "%s", name);
}

gg_status gg_tokenizer_from_json(const char *json, size_t bytes, const char *name_for_messages,
                                 gg_tokenizer **tokenizer) {
    struct gg_tokenizer_draft draft = {0};
    json_t *root;
    *tokenizer = NULL;
    gg_status status = gg_json_parse(json, bytes, &root);
    if (status == GG_OK)
        status = gg_read_tokenizer_json(root, &draft);
    json_decref(root);
    return finish(status, &draft, name_for_messages, tokenizer);
}

/* vocab.json and merges.txt of a folder. Which of the two is at fault stands in the message. */
static gg_status load_pair(const char *folder, const char *vocab, const char *merges,
                           gg_tokenizer **tokenizer) {
    struct gg_tokenizer_draft draft = {0};
    json_t *root = NULL;
    char *text = NULL;
    size_t bytes;
    GG_TRY(gg_file_read(vocab, FILE_MAX_BYTES, &text, &bytes));
    gg_status status = gg_json_parse(text, bytes, &root);
    if (status == GG_OK)
        status = gg_read_vocab_json(root, &draft);
    json_decref(root);
    free(text);
    if (status != GG_OK)
        return finish(status, &draft, vocab, tokenizer);
    status = gg_file_read(merges, FILE_MAX_BYTES, &text, &bytes);
    if (status == GG_OK) {
        status = gg_read_merges_text(text, bytes, &draft);
        free(text);
        if (status != GG_OK)
            return finish(status, &draft, merges, tokenizer);
    }
    return finish(status, &draft, folder, tokenizer);
}

static gg_status load_file(const char *path, gg_tokenizer **tokenizer) {
    char *text;
    size_t bytes;
    GG_TRY(gg_file_read(path, FILE_MAX_BYTES, &text, &bytes));
    gg_status status;
    if (bytes == 0) {
        status = gg_fail(GG_BAD_DATA, "%s: the file is empty: no tokenizer", path);
    } else if (text[strspn(text, " \t\r\n")] == '{') {
        status = gg_tokenizer_from_json(text, bytes, path, tokenizer);
    } else {
        struct gg_tokenizer_draft draft = {0};
        status = gg_read_ranks(text, bytes, &draft);
        if (status != GG_OK)
            status = gg_fail_within(status, "neither a tokenizer.json nor a .tiktoken rank file");
        status = finish(status, &draft, path, tokenizer);
    }
    free(text);
    return status;
}

gg_status gg_tokenizer_load(const char *path, gg_tokenizer **tokenizer) {
    *tokenizer = NULL;
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return load_file(path, tokenizer);
    char *whole = gg_format("%s/tokenizer.json", path), *vocab = gg_format("%s/vocab.json", path);
    char *merges = gg_format("%s/merges.txt", path);
    gg_status status;
    if (gg_file_exists(whole))
        status = load_file(whole, tokenizer);
    else if (gg_file_exists(vocab) && gg_file_exists(merges))
        status = load_pair(path, vocab, merges, tokenizer);
    else
        status =
            gg_fail(GG_STORAGE, "%s: no tokenizer.json in this folder, nor vocab.json and merges.txt", path);
    free(merges);
    free(vocab);
    free(whole);
    return status;
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
