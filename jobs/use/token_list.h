/* Tokens as JSONL, a line each: {"document", "position", "id", "text", "log_probability", "rank", "alternatives": [{"id",
 * "text", "log_probability"}, ...]}. Local.
 */
#ifndef GG_JOBS_USE_TOKEN_LIST_H
#define GG_JOBS_USE_TOKEN_LIST_H

#include "core/text/tokenizer.h"
#include "jobs/use/result_file.h"
#include "jobs/use/token_record.h"

void gg_token_list_write(const struct gg_result_file *file, const gg_tokenizer *tokenizer,
                         const struct gg_token_record *token);

#endif
