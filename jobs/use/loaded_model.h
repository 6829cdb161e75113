/* A model out of a checkpoint, for the subcommands that use one: evaluate, generate.
 */
#ifndef GG_JOBS_USE_LOADED_MODEL_H
#define GG_JOBS_USE_LOADED_MODEL_H

#include "core/text/tokenizer.h"
#include "io/checkpoint/checkpoint.h"
#include "jobs/command/settings.h"
#include "jobs/replica/replica.h"

struct gg_loaded_model {
    char *path; /* of the checkpoint's file */
    struct gg_checkpoint_contents contents;
    struct gg_settings
        settings;            /* the run's, but for the grid, the micro-batch and adapters, which are merged */
    gg_tokenizer *tokenizer; /* the one in the checkpoint; NULL: it has none, and works on ids */
    struct gg_replica replica; /* opened for weights */
};

/* Opens a checkpoint, or the newest of a run folder, spreads the model over grids of the world's ranks, and
 * reads its weights, verified. Adapters are added to the weights of the checkpoint that they stand beside, which is
 * looked for where it was, and rank 0 says so. Collective over the world.
 *   grid      [in]  "PxQ"; each P x Q ranks hold a replica
 *   micro     [in]  sequences that a replica takes at once, which Q must divide
 *   precision [in]  enum gg_precision_option (precision_choice.h)
 *   model     [out] free with gg_loaded_model_close, also after a failure
 * GG_USAGE: a grid that cannot work. GG_STORAGE, GG_BAD_DATA, GG_RESOURCE. On all ranks alike. */
gg_status gg_loaded_model_open(const struct gg_world *world, const char *path, const char *grid,
                               int64_t micro, int precision, struct gg_loaded_model *model) GG_MUST_USE;

/* Ids of the tokenizer, or where there is none those that the model was trained on. Local. */
int64_t gg_loaded_model_vocab(const struct gg_loaded_model *model);

/* Collective. */
void gg_loaded_model_close(struct gg_loaded_model *model);

#endif
