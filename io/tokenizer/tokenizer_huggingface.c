#include "io/tokenizer/tokenizer_huggingface.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/tokenizer/tokenizer_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *token_name(const gg_tokenizer *tokenizer, int64_t id) {
    size_t length = 0;
    const char *name = id >= 0 ? gg_token_bytes(tokenizer, (uint32_t)id, &length) : NULL;
    return name != NULL ? json_stringn(name, length) : json_null();
}

/* The class is the one that takes tokenizer.json as it is, of whatever model. */
static gg_status write_config(const gg_tokenizer *tokenizer, const char *path, int64_t context,
                              const char *chat_template) {
    json_t *root =
        json_pack("{s:s, s:o, s:o, s:I, s:b, s:b}", "tokenizer_class", "PreTrainedTokenizerFast", "bos_token",
                  token_name(tokenizer, gg_tokenizer_begin_of_text(tokenizer)), "eos_token",
                  token_name(tokenizer, gg_tokenizer_end_of_text(tokenizer)), "model_max_length",
                  (json_int_t)context, "clean_up_tokenization_spaces", 0, "add_prefix_space", 0);
    if (chat_template != NULL && root != NULL)
        json_object_set_new(root, "chat_template", json_string(chat_template));
    char *text = root != NULL ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (text == NULL)
        return gg_fail(GG_RESOURCE, "%s: no memory to write it", path);
    const gg_status status = gg_file_write(path, text, strlen(text));
    free(text);
    return status;
}

gg_status gg_tokenizer_write_huggingface(const gg_tokenizer *tokenizer, const char *folder, int64_t context,
                                         const char *chat_template) {
    char *whole = gg_format("%s/tokenizer.json", folder);
    char *config = gg_format("%s/tokenizer_config.json", folder);
    gg_status status = gg_tokenizer_save(tokenizer, whole);
    if (status == GG_OK)
        status = write_config(tokenizer, config, context, chat_template);
    free(config);
    free(whole);
    return status;
}
