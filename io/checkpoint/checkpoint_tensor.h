/* One tensor of a checkpoint at a time, for those who take it elsewhere and have no model to read it into.
 * Local.
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_TENSOR_H
#define GG_IO_CHECKPOINT_CHECKPOINT_TENSOR_H

#include "io/checkpoint/checkpoint.h"

/* The tensor NAME of a group ("model"); NULL: there is none. Valid as long as the contents. */
const struct gg_checkpoint_tensor *gg_checkpoint_find_tensor(const struct gg_checkpoint_contents *contents,
                                                             const char *group, const char *name);

/* Reads a whole tensor and verifies its checksum.
 *   tensor [in]  of the contents of the file at `path`
 *   values [out] (rows, columns), row-major; to be trusted only when GG_OK is returned
 * GG_BAD_DATA: the values do not fit the checksum; GG_STORAGE, GG_RESOURCE: it cannot be read. The message
 * names the file and the tensor. */
gg_status gg_checkpoint_load_tensor(const char *path, const struct gg_checkpoint_tensor *tensor,
                                    float *values) GG_MUST_USE;

#endif
