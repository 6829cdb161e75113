/* Samples as lines of JSON, in one of a few forms, and what they are to a model: tokens, which of them are learned, and
 * a class. All local.
 *
 *   prompt        {"prompt": TEXT, "completion": TEXT}           the completion is learned
 *   messages      {"messages": [{"role": ROLE, "content": TEXT}, ...]}   the assistant's turns
 *   instruction   {"instruction": TEXT, "input": TEXT, "output": TEXT}   a user's turn and the assistant's; input
 *                                                                may be left out
 *   label         {"text": TEXT, "label": TEXT or INTEGER}       the class of the text
 *   text          {"text": TEXT}                                 all of it but its first token
 *
 * Each may have "task": TEXT, a line that stands before the prompt, the text, or the first user's turn. Other fields
 * are passed over. Prompts, instructions and texts that are learned end with the tokenizer's end of text.
 */
#ifndef GG_IO_SAMPLES_SAMPLE_FORM_H
#define GG_IO_SAMPLES_SAMPLE_FORM_H

#include "core/text/chat_template.h"

#include <jansson.h>

enum gg_sample_form {
    GG_SAMPLE_AUTO,
    GG_SAMPLE_PROMPT,
    GG_SAMPLE_MESSAGES,
    GG_SAMPLE_INSTRUCTION,
    GG_SAMPLE_LABEL,
    GG_SAMPLE_TEXT,
    GG_SAMPLE_FORMS
};
/* "auto", "prompt" ..., NULL-terminated. */
extern const char *const gg_sample_form_names[];

/* What a line of a form is like, for messages: {"prompt": TEXT, "completion": TEXT}. */
extern const char *const gg_sample_form_lines[];

/* The form that a line's fields make. GG_BAD_DATA: none; the message leaves file and line to the caller, as do those
 * below. */
gg_status gg_sample_form_of(const json_t *line, enum gg_sample_form *form) GG_MUST_USE;

/* What samples are read with. */
struct gg_sample_reader {
    enum gg_sample_form form; /* not GG_SAMPLE_AUTO */
    const char *task;         /* of samples that name none; or NULL */
    const gg_tokenizer *tokenizer;
    gg_encoder *encoder;
    const struct gg_chat_template *chat;
    const struct gg_text_list *labels; /* classes, in their order */
};

/* Appends a line's tokens, of which an empty list came.
 *   label [out] its class; -1: the form has none
 * GG_BAD_DATA: a field is missing or of another type, an unknown role or label, nothing to learn; others as
 * gg_encode. */
gg_status gg_sample_read(const struct gg_sample_reader *reader, const json_t *line,
                         struct gg_learned_ids *list, int32_t *label) GG_MUST_USE;

/* Appends the tokens of a line's messages for a model to answer: behind them stands the assistant's prefix.
 *   reader [in] its form is not looked at
 * Fails as gg_sample_read, but that there may be nothing to learn. */
gg_status gg_sample_ask(const struct gg_sample_reader *reader, const json_t *line,
                        struct gg_learned_ids *list) GG_MUST_USE;

/* The text of a line's label, owned by the caller: an integer as its digits. GG_BAD_DATA: it has none. */
gg_status gg_sample_label(const json_t *line, char **label) GG_MUST_USE;

#endif
