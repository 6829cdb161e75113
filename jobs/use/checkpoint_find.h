/* The checkpoint that a path means. Local.
 */
#ifndef GG_JOBS_USE_CHECKPOINT_FIND_H
#define GG_JOBS_USE_CHECKPOINT_FIND_H

#include "core/base/status.h"

/* The file itself, or the newest checkpoint of a run folder or a folder of checkpoints.
 *   file [out] owned by the caller
 * GG_STORAGE: a folder without one. */
gg_status gg_checkpoint_find(const char *path, char **file) GG_MUST_USE;

#endif
