/* A rank's place in the grid that holds a replica: features are split over P shards, tokens over Q.
 */
#ifndef GG_CORE_MODEL_SHARDS_H
#define GG_CORE_MODEL_SHARDS_H

struct gg_shards {
    int feature_shards, feature_index; /* P and p */
    int token_shards, token_index;     /* Q and q */
};

#endif
