/* A model out of a checkpoint, for the subcommands that use one: evaluate, generate.
 */
#ifndef GG_JOBS_LOADED_MODEL_H
#define GG_JOBS_LOADED_MODEL_H

#include "core/model/gpt.h"
#include "core/text/tokenizer.h"
#include "io/checkpoint.h"

struct gg_loaded_model {
    char *path; /* of the checkpoint's file */
    struct gg_checkpoint_contents contents;
    struct gg_settings settings;
    gg_tokenizer *tokenizer; /* the one in the checkpoint */
    struct gg_gpt_config config;
    struct gg_parameter_table table;
    float *weights; /* this rank's part */
};

/* Opens a checkpoint, or the newest of a run folder, and reads its weights, verified.
 * Collective over `comm`, the ranks of one replica, which form the fabric.
 *   model [out] free with gg_loaded_model_close, also after a failure
 * GG_STORAGE, GG_BAD_DATA, GG_RESOURCE on all ranks alike. */
gg_status gg_loaded_model_open(MPI_Comm comm, const struct gg_fabric *fabric, const char *path,
                               struct gg_loaded_model *model) GG_MUST_USE;
void gg_loaded_model_close(struct gg_loaded_model *model);

#endif
