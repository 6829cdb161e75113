/* The room that a checkpoint takes on the disk, and its file while it has a temporary name. All local.
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_SPACE_INTERNAL_H
#define GG_IO_CHECKPOINT_CHECKPOINT_SPACE_INTERNAL_H

#include "io/checkpoint/checkpoint.h"

/* More bytes than the file will need: metadata are some hundred bytes a tensor, and data are aligned. Only the
 * lengths of the texts count. */
int64_t gg_checkpoint_bytes_needed(const struct gg_checkpoint_meta *meta,
                                   const struct gg_checkpoint_tensor *tensors, int count);

/* Whether the folder of `path` can take so many bytes, and a file may have as many. GG_STORAGE. */
gg_status gg_checkpoint_look_for_space(const char *path, int64_t bytes) GG_MUST_USE;

/* Makes the file and takes its space on the disk, so that a full disk or a quota shows here and not in the
 * middle of the writing. File systems that cannot do it are left alone.
 *   path [in] what the file will be called, for messages
 * GG_STORAGE, GG_RESOURCE. */
gg_status gg_checkpoint_reserve_space(const char *path, const char *temporary, int64_t bytes) GG_MUST_USE;

/* Gives the space back at once, though the file may still be open. */
void gg_checkpoint_remove_temporary(const char *temporary);

#endif
