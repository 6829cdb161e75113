#include "core/text/chat_settings.h"

#include "core/base/option_rows.h"

const char *const gg_chat_role_names[GG_CHAT_ROLES] = {"system", "user", "assistant"};

#define GG_ROWS_OF struct gg_chat_settings
static const struct gg_option rows[] = {
    {GG_ROW_SWITCH("chat.turns", turns, "false",
                   "the model knows conversations in this template; finetune sets it")},
    {GG_ROW_TEXT("chat.begin", begin, "{begin}",
                 "what a conversation begins with; {begin} and {end} are the tokenizer's tokens for it")},
    {GG_ROW_TEXT("chat.system_prefix", prefix[GG_CHAT_SYSTEM], "### System:\n", "before a system's turn")},
    {GG_ROW_TEXT("chat.system_suffix", suffix[GG_CHAT_SYSTEM], "\n\n", "behind it")},
    {GG_ROW_TEXT("chat.user_prefix", prefix[GG_CHAT_USER], "### User:\n", "before a user's turn")},
    {GG_ROW_TEXT("chat.user_suffix", suffix[GG_CHAT_USER], "\n\n", "behind it")},
    {GG_ROW_TEXT("chat.assistant_prefix", prefix[GG_CHAT_ASSISTANT], "### Assistant:\n",
                 "before the assistant's turn")},
    {GG_ROW_TEXT("chat.assistant_suffix", suffix[GG_CHAT_ASSISTANT], "{end}",
                 "behind it: what the model ends its answers with")},
    {GG_ROW_TEXT("chat.jinja", jinja, NULL,
                 "an imported model's own template, kept as a text for its export")},
};
const struct gg_option_table gg_chat_setting_rows = {"setting", "", rows, sizeof rows / sizeof *rows};
#undef GG_ROWS_OF
