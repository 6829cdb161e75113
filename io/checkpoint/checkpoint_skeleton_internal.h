/* Making checkpoint files. All local.
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_SKELETON_INTERNAL_H
#define GG_IO_CHECKPOINT_CHECKPOINT_SKELETON_INTERNAL_H

#include "io/checkpoint/checkpoint.h"

/* Writes a file that holds everything but the tensors' values, with their places left open. The file is
 * overwritten and gets its final length; space that it had is kept.
 *   tensors [in,out] group by group, with their checksums; gets the offsets
 * GG_STORAGE, GG_RESOURCE. */
gg_status gg_checkpoint_write_skeleton(const char *path, const struct gg_checkpoint_meta *meta,
                                       struct gg_checkpoint_tensor *tensors, int count) GG_MUST_USE;

#endif
