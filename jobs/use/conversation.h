/* A conversation with a model at a terminal.
 */
#ifndef GG_JOBS_USE_CONVERSATION_H
#define GG_JOBS_USE_CONVERSATION_H

#include "jobs/use/generation.h"

/* Reads a line after the other on rank 0, each a user's turn, and writes the model's answer to each, which sees all that
 * was said before, until the lines end. A conversation that fills the context ends: that is said, and another begins.
 * Collective over the world; fails alike on every rank.
 *   g     [in]  of one text, with a chat template
 *   drawn [out] tokens
 * As gg_generation_run. */
gg_status gg_conversation_hold(const struct gg_generation *g, int64_t *drawn) GG_MUST_USE;

#endif
