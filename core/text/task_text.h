/* Text of evaluation tasks, made ready as lm-evaluation-harness does it, so that scores can be compared with published
 * ones (EleutherAI/lm-evaluation-harness, lm_eval/tasks/hellaswag/utils.py and lm_eval/api/model.py). Text is UTF-8;
 * white space and characters are what Python's str takes for such. All local.
 */
#ifndef GG_CORE_TEXT_TASK_TEXT_H
#define GG_CORE_TEXT_TASK_TEXT_H

#include "core/base/status.h"
#include "core/text/growing_text.h"

#include <stddef.h>
#include <stdint.h>

/* HellaSwag's clean-up of what WikiHow left in it: white space at both ends goes, " [title]" becomes ". ", other
 * brackets go with what is in them on their line, and of two spaces one stays. Appends. GG_RESOURCE: no memory. */
gg_status gg_hellaswag_clean(const char *text, size_t bytes, struct gg_text *clean) GG_MUST_USE;

/* The first character in title case and the others in lower case, each by its simple mapping. Appends. GG_RESOURCE. */
gg_status gg_text_capitalize(const char *text, size_t bytes, struct gg_text *out) GG_MUST_USE;

/* Bytes of the white space that a text ends with. */
size_t gg_trailing_space(const char *text, size_t bytes);

/* Characters (code points); a byte that begins none counts as one. */
int64_t gg_text_characters(const char *text, size_t bytes);

#endif
