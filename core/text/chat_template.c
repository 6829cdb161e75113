#include "core/text/chat_template.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* A setting's text, with a token's name in place of each `from`. */
static char *replaced(char *text, const char *from, const char *token, size_t token_bytes) {
    size_t done = 0;
    for (char *at = strstr(text, from); at != NULL; at = strstr(text + done, from)) {
        char *longer =
            gg_format("%.*s%.*s%s", (int)(at - text), text, (int)token_bytes, token, at + strlen(from));
        done = (size_t)(at - text) + token_bytes;
        free(text);
        text = longer;
    }
    return text;
}

static char *filled(const char *text, const gg_tokenizer *tokenizer) {
    const int64_t begin = gg_tokenizer_begin_of_text(tokenizer);
    size_t begin_bytes = 0, end_bytes;
    const char *begin_name = begin >= 0 ? gg_token_bytes(tokenizer, (uint32_t)begin, &begin_bytes) : "";
    const char *end_name = gg_token_bytes(tokenizer, gg_tokenizer_end_of_text(tokenizer), &end_bytes);
    return replaced(replaced(gg_strdup(text != NULL ? text : ""), "{begin}", begin_name, begin_bytes),
                    "{end}", end_name, end_bytes);
}

void gg_chat_template_make(const struct gg_chat_settings *settings, const gg_tokenizer *tokenizer,
                           struct gg_chat_template *made) {
    made->begin = filled(settings->begin, tokenizer);
    for (int role = 0; role < GG_CHAT_ROLES; role++) {
        made->prefix[role] = filled(settings->prefix[role], tokenizer);
        made->suffix[role] = filled(settings->suffix[role], tokenizer);
    }
}

void gg_chat_template_free(struct gg_chat_template *chat) {
    free(chat->begin);
    for (int role = 0; role < GG_CHAT_ROLES; role++) {
        free(chat->prefix[role]);
        free(chat->suffix[role]);
    }
    *chat = (struct gg_chat_template){0};
}

enum gg_chat_role gg_chat_role_find(const char *name) {
    int role = 0;
    while (role < GG_CHAT_ROLES && strcmp(gg_chat_role_names[role], name) != 0)
        role++;
    return (enum gg_chat_role)role;
}

void gg_learned_ids_free(struct gg_learned_ids *list) {
    gg_ids_free(&list->ids);
    gg_text_free(&list->learned);
}

/* The flags of the ids that have none yet. */
static gg_status flag(struct gg_learned_ids *list, bool learned) {
    const char byte = learned ? 1 : 0;
    while (list->learned.count < list->ids.count)
        GG_TRY(gg_text_append(&list->learned, &byte, 1));
    return GG_OK;
}

gg_status gg_learned_ids_append(struct gg_learned_ids *list, gg_encoder *encoder, const char *text,
                                size_t bytes, bool special, bool learned) {
    GG_TRY(gg_encode(encoder, text, bytes, special, &list->ids));
    return flag(list, learned);
}

/* What is being written: text that is not encoded yet, all of it learned or all not. */
struct writer {
    const gg_tokenizer *tokenizer;
    gg_encoder *encoder;
    struct gg_learned_ids *list;
    struct gg_text text;
    bool learned;
};

static gg_status encode_text(struct writer *w) {
    const size_t bytes = w->text.count;
    w->text.count = 0;
    return bytes == 0 ? GG_OK
                      : gg_learned_ids_append(w->list, w->encoder, w->text.bytes, bytes, false, w->learned);
}

static gg_status learn(struct writer *w, bool learned) {
    if (learned != w->learned)
        GG_TRY(encode_text(w));
    w->learned = learned;
    return GG_OK;
}

/* A text of the template: its special tokens end what stands before. */
static gg_status write_template(struct writer *w, const char *text) {
    const size_t bytes = strlen(text);
    for (size_t from = 0; from < bytes;) {
        uint32_t id;
        size_t length;
        const size_t at = gg_tokenizer_find_special(w->tokenizer, text, bytes, from, true, &id, &length);
        GG_TRY(gg_text_append(&w->text, text + from, at - from));
        if (at == bytes)
            return GG_OK;
        GG_TRY(encode_text(w));
        GG_TRY(gg_learned_ids_append(w->list, w->encoder, text + at, length, true, w->learned));
        from = at + length;
    }
    return GG_OK;
}

static gg_status write_turn(struct writer *w, const struct gg_chat_template *chat,
                            const struct gg_chat_turn *turn) {
    GG_TRY(write_template(w, chat->prefix[turn->role]));
    GG_TRY(learn(w, turn->role == GG_CHAT_ASSISTANT));
    GG_TRY(gg_text_append(&w->text, turn->text, turn->bytes));
    GG_TRY(write_template(w, chat->suffix[turn->role]));
    return learn(w, false);
}

gg_status gg_chat_encode(const struct gg_chat_template *chat, const gg_tokenizer *tokenizer,
                         gg_encoder *encoder, const struct gg_chat_turn *turns, size_t count, bool answer,
                         struct gg_learned_ids *list) {
    struct writer w = {.tokenizer = tokenizer, .encoder = encoder, .list = list};
    gg_status status = write_template(&w, chat->begin);
    for (size_t i = 0; status == GG_OK && i < count; i++)
        status = write_turn(&w, chat, &turns[i]);
    if (status == GG_OK && answer)
        status = write_template(&w, chat->prefix[GG_CHAT_ASSISTANT]);
    if (status == GG_OK)
        status = encode_text(&w);
    gg_text_free(&w.text);
    return status;
}

/* Puts a piece behind a text, which is made anew. */
static void put(char **text, const char *piece) {
    char *longer = gg_format("%s%s", *text, piece);
    free(*text);
    *text = longer;
}

/* A text as a Jinja string: in single quotes, which are escaped like backslashes and ends of lines. */
static void put_quoted(char **text, const char *words) {
    put(text, "'");
    for (; *words != '\0'; words++) {
        const char letter[] = {*words, '\0'};
        if (*words == '\'' || *words == '\\')
            put(text, "\\");
        put(text, *words == '\n'   ? "\\n"
                  : *words == '\r' ? "\\r" /* Jinja takes a bare one for an end of line, "\n" */
                  : *words == '\t' ? "\\t"
                                   : letter);
    }
    put(text, "'");
}

static void put_value(char **text, const char *words) {
    if (*words == '\0')
        return;
    put(text, "{{ ");
    put_quoted(text, words);
    put(text, " }}");
}

static void put_role(char **text, const struct gg_chat_template *chat, enum gg_chat_role role) {
    put(text, role == 0 ? "{% if message['role'] == '" : "{% elif message['role'] == '");
    put(text, gg_chat_role_names[role]);
    put(text, "' %}{{ ");
    put_quoted(text, chat->prefix[role]);
    put(text, " + message['content'] + ");
    put_quoted(text, chat->suffix[role]);
    put(text, " }}");
}

char *gg_chat_jinja(const struct gg_chat_settings *settings, const gg_tokenizer *tokenizer) {
    if (!settings->turns)
        return settings->jinja != NULL ? gg_strdup(settings->jinja) : NULL;
    struct gg_chat_template chat;
    char *text = gg_strdup("");
    gg_chat_template_make(settings, tokenizer, &chat);
    put_value(&text, chat.begin);
    put(&text, "{% for message in messages %}");
    for (int role = 0; role < GG_CHAT_ROLES; role++)
        put_role(&text, &chat, (enum gg_chat_role)role);
    put(&text, "{% else %}{{ raise_exception('a turn is system, user or assistant') }}{% endif %}{% endfor %}"
               "{% if add_generation_prompt %}");
    put_value(&text, chat.prefix[GG_CHAT_ASSISTANT]);
    put(&text, "{% endif %}");
    gg_chat_template_free(&chat);
    return text;
}
