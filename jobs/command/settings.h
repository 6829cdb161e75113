/* The settings of a run: the rooms' structs, and their rows put together in one table.
 * All local.
 */
#ifndef GG_JOBS_COMMAND_SETTINGS_H
#define GG_JOBS_COMMAND_SETTINGS_H

#include "core/data/data_settings.h"
#include "core/model/compute_settings.h"
#include "core/model/lora_settings.h"
#include "core/model/model_settings.h"
#include "core/optim/optim_settings.h"
#include "core/plan/batch_settings.h"
#include "core/plan/parallel_settings.h"
#include "core/plan/plan_request.h"
#include "core/text/chat_settings.h"
#include "io/checkpoint/checkpoint_settings.h"
#include "io/samples/finetune_settings.h"
#include "jobs/train/eval_settings.h"
#include "jobs/train/run_settings.h"

struct gg_settings {
    struct gg_model_settings model;
    struct gg_data_settings data;
    struct gg_batch_settings batch;
    struct gg_optim_settings optim;
    struct gg_parallel_settings parallel;
    struct gg_compute_settings compute;
    struct gg_checkpoint_settings checkpoint;
    struct gg_eval_settings eval;
    struct gg_finetune_settings finetune;
    struct gg_chat_settings chat;
    struct gg_run_settings run;
    struct gg_lora_settings lora;
    bool *given; /* per row of the table: set from a file or the command line, not by default; owned */
};

/* All rooms' rows, with offsets into struct gg_settings. Filled before main(), never written after. */
extern struct gg_option_table gg_settings_table;

/* Fills in the defaults. Free with gg_settings_free. */
void gg_settings_init(struct gg_settings *settings);
void gg_settings_free(struct gg_settings *settings);

/* Sets one and notes that it was given; errors as gg_options_set. */
gg_status gg_settings_set(struct gg_settings *settings, const char *name, const char *text,
                          const char *origin) GG_MUST_USE;

/* As gg_settings_file_read, gg_settings_file_read_text and gg_settings_file_set_word. */
gg_status gg_settings_read_file(struct gg_settings *settings, const char *path) GG_MUST_USE;
gg_status gg_settings_read_text(struct gg_settings *settings, const char *text, size_t bytes,
                                const char *origin) GG_MUST_USE;

/* A checkpoint's settings, NUL-terminated. They are whole: what an older program did not write has its default, and a
 * preset that says more today fills in nothing. */
gg_status gg_settings_read_checkpoint(struct gg_settings *settings, const char *yaml,
                                      const char *origin) GG_MUST_USE;
gg_status gg_settings_set_word(struct gg_settings *settings, char *const *words, int index) GG_MUST_USE;

/* Fills in what follows from others and was not given (a preset's sizes, the final learning rate, the length
 * of wsd's decay), then checks what can be checked from the settings alone: heads divide the width,
 * micro-batches make up the batch, learning rates and phases of the schedule are in order ... GG_USAGE with
 * the settings' names. */
gg_status gg_settings_resolve(struct gg_settings *settings) GG_MUST_USE;

/* The checkpoint that a new run begins with, or NULL: run.from, or finetune.from; and which of them. */
const char *gg_settings_from(const struct gg_settings *settings, const char **name);

/* As gg_options_yaml. */
char *gg_settings_yaml(const struct gg_settings *settings);

/* What a layout is planned from; points into the settings. */
struct gg_plan_request gg_settings_plan_request(const struct gg_settings *settings);

#endif
