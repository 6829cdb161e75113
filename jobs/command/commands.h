/* The subcommands, one file each; main.c lists them. */
#ifndef GG_JOBS_COMMAND_COMMANDS_H
#define GG_JOBS_COMMAND_COMMANDS_H

#include "jobs/command/command_line.h"

extern const struct gg_command gg_command_tokenizer;
extern const struct gg_command gg_command_prepare;
extern const struct gg_command gg_command_evaluate;
extern const struct gg_command gg_command_generate;
extern const struct gg_command gg_command_train;
extern const struct gg_command gg_command_finetune;
extern const struct gg_command gg_command_inspect;
extern const struct gg_command gg_command_import;
extern const struct gg_command gg_command_export;
extern const struct gg_command gg_command_bench;
extern const struct gg_command gg_command_settings;

#endif
