/* Moving a rank's share of a checkpoint between its buffers and the file.
 *
 * By plain reads and writes of the system: a tensor is one run of float32 at a known place of the file. So
 * the system's own reason comes with every failure, a name may be as long as the system allows, and no file
 * but the checkpoint is made. (Open MPI 4.1 aborts in MPI_File_open() when a path has 245 characters.)
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_TRANSFER_INTERNAL_H
#define GG_IO_CHECKPOINT_CHECKPOINT_TRANSFER_INTERNAL_H

#include "io/checkpoint/checkpoint.h"

/* How many groups a share has: 1 (weights), and its optimizer's states. */
int gg_checkpoint_share_groups(const struct gg_checkpoint_share *share);

/* Writes, or reads, what this rank's share holds of one tensor. Local.
 *   fd     [in]  the file, open for writing alone, or for reading: a file that is open for both may, on NFS,
 *                be read where it is written in part, and then another machine's bytes are written with one's
 *                own
 *   offset [in]  of the tensor's first byte
 *   index  [in]  group * table->count + parameter
 *   sum    [out] the checksum of what was read, replicated parts included
 * Reading sets padding to zero. Replicated parts are read by all and written by token shard 0. GG_STORAGE and
 * GG_RESOURCE name the tensor. */
gg_status gg_checkpoint_write_tensor(int fd, int64_t offset, const struct gg_checkpoint_share *share,
                                     int index) GG_MUST_USE;
gg_status gg_checkpoint_read_tensor(int fd, int64_t offset, const struct gg_checkpoint_share *share,
                                    int index, uint64_t *sum) GG_MUST_USE;

/* Has the system read what this rank's share holds of one tensor in advance, whole rows of it. Local. */
void gg_checkpoint_prefetch_tensor(int fd, int64_t offset, const struct gg_checkpoint_share *share,
                                   int index);

/* The checksum of what this rank's share holds of one tensor, replicated parts included. Local. */
uint64_t gg_checkpoint_sum_tensor(const struct gg_checkpoint_share *share, int index);

#endif
