/* The subcommands of 'gridgpt tokenizer', for jobs/corpus/tokenizer_command.c. */
#ifndef GG_JOBS_CORPUS_TOKENIZER_COMMANDS_H
#define GG_JOBS_CORPUS_TOKENIZER_COMMANDS_H

#include "jobs/command/command_line.h"

extern const struct gg_command gg_command_tokenizer_train;
extern const struct gg_command gg_command_tokenizer_encode;
extern const struct gg_command gg_command_tokenizer_decode;

#endif
