/* Whether parallel.grid works on so many ranks, for this model and batch.
 */
#ifndef GG_JOBS_GRID_CHECK_H
#define GG_JOBS_GRID_CHECK_H

#include "core/base/settings.h"

/* Reads parallel.grid of resolved settings and checks it. Local, the same on every rank; needs no BLACS.
 *   feature_shards, token_shards [out] P and Q
 * GG_USAGE: not of the form PxQ; ranks are no multiple of P x Q; P does not divide model.heads; Q does not
 * divide batch.micro or model.width. The message lists the grids that would work on so many ranks. */
gg_status gg_grid_check(const struct gg_settings *settings, int ranks, int *feature_shards,
                        int *token_shards) GG_MUST_USE;

#endif
