/* Conversations as tokens: turns between prefixes and suffixes (chat_settings.h). All local.
 */
#ifndef GG_CORE_TEXT_CHAT_TEMPLATE_H
#define GG_CORE_TEXT_CHAT_TEMPLATE_H

#include "core/text/chat_settings.h"
#include "core/text/growing_text.h"
#include "core/text/tokenizer.h"

/* The settings' texts for one tokenizer; strings owned. */
struct gg_chat_template {
    char *begin, *prefix[GG_CHAT_ROLES], *suffix[GG_CHAT_ROLES];
};

struct gg_chat_turn {
    enum gg_chat_role role;
    const char *text;
    size_t bytes;
};

/* Puts the tokenizer's own tokens for {begin} (none: nothing) and {end}. Free with gg_chat_template_free. */
void gg_chat_template_make(const struct gg_chat_settings *settings, const gg_tokenizer *tokenizer,
                           struct gg_chat_template *made);
void gg_chat_template_free(struct gg_chat_template *chat);

/* The role of that name; GG_CHAT_ROLES: none. */
enum gg_chat_role gg_chat_role_find(const char *name);

/* Tokens that are made side by side with whether a model learns them. Zero it to begin. */
struct gg_learned_ids {
    struct gg_ids ids;
    struct gg_text learned; /* a byte for each: 1 where it is to be learned */
};
void gg_learned_ids_free(struct gg_learned_ids *list);

/* Appends the tokens of a text.
 *   special [in] special tokens are taken as such
 * Fails as gg_encode. */
gg_status gg_learned_ids_append(struct gg_learned_ids *list, gg_encoder *encoder, const char *text,
                                size_t bytes, bool special, bool learned) GG_MUST_USE;

/* Appends a conversation. What the template writes may hold special tokens, the turns' own text none. Text is encoded
 * as one piece from where a model begins to learn or ceases to, as it would be if the whole were; the assistant's
 * turns, their suffix with them, are learned.
 *   answer [in] ends with the assistant's prefix, for the model to go on
 * Fails as gg_encode. */
gg_status gg_chat_encode(const struct gg_chat_template *chat, const gg_tokenizer *tokenizer,
                         gg_encoder *encoder, const struct gg_chat_turn *turns, size_t count, bool answer,
                         struct gg_learned_ids *list) GG_MUST_USE;

/* The template that the settings tell of in Jinja, as Hugging Face's tokenizers have it: what gg_chat_encode writes, as
 * text; or one that was imported, where the model has not learned another. Owned by the caller; NULL: none. */
char *gg_chat_jinja(const struct gg_chat_settings *settings, const gg_tokenizer *tokenizer);

#endif
