/* The settings chat.*: how a conversation is written as one text, each turn between a prefix and a suffix.
 */
#ifndef GG_CORE_TEXT_CHAT_SETTINGS_H
#define GG_CORE_TEXT_CHAT_SETTINGS_H

#include "core/base/options.h"

enum gg_chat_role { GG_CHAT_SYSTEM, GG_CHAT_USER, GG_CHAT_ASSISTANT, GG_CHAT_ROLES };

/* "system", "user", "assistant" */
extern const char *const gg_chat_role_names[GG_CHAT_ROLES];

struct gg_chat_settings {
    bool turns; /* the model was trained on conversations in this template */
    char *begin;
    char *prefix[GG_CHAT_ROLES], *suffix[GG_CHAT_ROLES];
    char *jinja; /* NULL: none */
};

extern const struct gg_option_table gg_chat_setting_rows;

#endif
