#include "jobs/use/token_list.h"

static json_t *text_of(const gg_tokenizer *tokenizer, int32_t id) {
    size_t length = 0;
    const char *bytes = gg_token_bytes(tokenizer, (uint32_t)id, &length);
    return gg_json_of_text(bytes != NULL ? bytes : "", length);
}

void gg_token_list_write(const struct gg_result_file *file, const gg_tokenizer *tokenizer,
                         const struct gg_token_record *token) {
    json_t *alternatives = json_array();
    for (int64_t k = 0; k < token->alternatives; k++)
        json_array_append_new(alternatives, json_pack("{s:i, s:o, s:o}", "id", (int)token->ids[k], "text",
                                                      text_of(tokenizer, token->ids[k]), "log_probability",
                                                      gg_result_number((double)token->id_probabilities[k])));
    gg_result_file_line(file, json_pack("{s:I, s:I, s:i, s:o, s:o, s:i, s:o}", "document",
                                        (json_int_t)token->document, "position", (json_int_t)token->position,
                                        "id", (int)token->id, "text", text_of(tokenizer, token->id),
                                        "log_probability", gg_result_number((double)token->log_probability),
                                        "rank", (int)token->rank, "alternatives", alternatives));
}
