/* Making checkpoint files and opening them. Internal to io/checkpoint_*.c. All local.
 */
#ifndef GG_IO_CHECKPOINT_FILE_H
#define GG_IO_CHECKPOINT_FILE_H

#include "io/checkpoint.h"

#include <hdf5.h>

/* Opens a file on this rank alone, without MPI-IO; < 0 on failure. */
hid_t gg_checkpoint_open_local(const char *path);

/* Opens the dataset of a tensor; < 0 on failure. Collective where the file was opened with MPI-IO. */
hid_t gg_checkpoint_open_tensor(hid_t file, const struct gg_checkpoint_tensor *tensor);

/* Writes a file that holds everything but the tensors' values, with their places left open. The file is
 * overwritten and gets its final length; space that it had is kept.
 *   tensors [in] group by group, with their checksums
 * GG_STORAGE, GG_RESOURCE. */
gg_status gg_checkpoint_write_skeleton(const char *path, const struct gg_checkpoint_meta *meta,
                                       const struct gg_checkpoint_tensor *tensors, int count) GG_MUST_USE;

#endif
