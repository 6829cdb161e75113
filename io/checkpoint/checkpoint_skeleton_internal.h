/* Making checkpoint files. All local.
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_SKELETON_INTERNAL_H
#define GG_IO_CHECKPOINT_CHECKPOINT_SKELETON_INTERNAL_H

#include "io/checkpoint/checkpoint.h"

/* Writes a file that holds everything but the tensors' values, and gives it its final length. What stands in
 * the values' places is left as it is, and space that the file had is kept; the places depend on the tensors'
 * shapes and the texts' lengths alone.
 *   tensors [in,out] group by group, with their checksums; gets the offsets
 * GG_STORAGE, GG_RESOURCE. */
gg_status gg_checkpoint_write_skeleton(const char *path, const struct gg_checkpoint_meta *meta,
                                       struct gg_checkpoint_tensor *tensors, int count) GG_MUST_USE;

#endif
