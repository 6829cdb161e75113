/* The memory that a run would take on so many ranks, from one process.
 */
#ifndef GG_JOBS_USE_PLAN_SHOW_H
#define GG_JOBS_USE_PLAN_SHOW_H

#include "jobs/command/settings.h"

/* The vocabulary that the model will have: model.vocab, or the tokenizer's entries. Local. Fails as below. */
gg_status gg_plan_vocab(const struct gg_settings *settings, int64_t *vocab) GG_MUST_USE;

/* Prints it by part, of the rank that takes most, to standard output. Without model.vocab the tokenizer's entries
 * are asked for (data.tokenizer). Local.
 * GG_USAGE: the layout is not legal, or nothing tells the vocabulary. GG_STORAGE, GG_BAD_DATA: the tokenizer. */
gg_status gg_plan_show(const struct gg_settings *settings, int ranks) GG_MUST_USE;

#endif
