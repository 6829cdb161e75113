/* How ranks are dealt out: D replicas, each a grid of P x Q ranks.
 *
 * Consecutive ranks form one grid, column by column: rank = (replica * Q + q) * P + p, so that the feature
 * shards of a token shard are neighbours.
 */
#ifndef GG_CORE_PLAN_PLACE_H
#define GG_CORE_PLAN_PLACE_H

#include "core/model/shards.h"

struct gg_place {
    int replicas, replica;   /* D, and this rank's d */
    struct gg_shards shards; /* P, Q, and this rank's p and q */
};

/* The place of `rank` of so many ranks, which P x Q divides. */
static inline struct gg_place gg_place_of(int ranks, int feature_shards, int token_shards, int rank) {
    const int grid = feature_shards * token_shards;
    return (struct gg_place){.replicas = ranks / grid,
                             .replica = rank / grid,
                             .shards = {.feature_shards = feature_shards,
                                        .feature_index = rank % grid % feature_shards,
                                        .token_shards = token_shards,
                                        .token_index = rank % grid / feature_shards}};
}

#endif
