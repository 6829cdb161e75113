/* Moving a rank's share of a checkpoint between its buffers and the open file. Internal to io/checkpoint_*.c.
 */
#ifndef GG_IO_CHECKPOINT_TRANSFER_H
#define GG_IO_CHECKPOINT_TRANSFER_H

#include "io/checkpoint.h"

#include <hdf5.h>

/* How many groups a share has: 1 (weights), or GG_CHECKPOINT_GROUPS. */
int gg_checkpoint_share_groups(const struct gg_checkpoint_share *share);

/* Opens a file with MPI-IO; < 0 on failure. Collective. */
hid_t gg_checkpoint_open_together(MPI_Comm comm, const char *path, bool write);

/* Opens the datasets of the table's tensors, group by group, in a file opened together. All are tried, so
 * that every rank makes the same calls. Collective over the ranks of the file.
 *   datasets [out] (groups x table->count), < 0 where it failed; for gg_checkpoint_close_tensors */
gg_status gg_checkpoint_open_tensors(hid_t file, const struct gg_checkpoint_share *share,
                                     hid_t *datasets) GG_MUST_USE;
void gg_checkpoint_close_tensors(const struct gg_checkpoint_share *share, hid_t *datasets);

/* Writes, or reads, what this rank's share holds of one tensor, each piece by itself: no rank waits for
 * another. (Open MPI's collective buffering, where some ranks write for others, hangs when such a rank's
 * write fails.) Local.
 *   index [in] group * table->count + parameter
 *   sum   [out] the checksum of what was read, repeated parts included
 * Reading sets padding to zero. Repeated parts are read by all and written by token shard 0.
 * GG_STORAGE, with HDF5's reason. */
gg_status gg_checkpoint_write_tensor(hid_t dataset, const struct gg_checkpoint_share *share,
                                     int index) GG_MUST_USE;
gg_status gg_checkpoint_read_tensor(hid_t dataset, const struct gg_checkpoint_share *share, int index,
                                    uint64_t *sum) GG_MUST_USE;

/* Has the system read what this rank's share holds of one tensor in advance, whole rows of it. Local.
 *   fd [in] the same file, open for reading */
void gg_checkpoint_prefetch_tensor(int fd, hid_t dataset, const struct gg_checkpoint_share *share, int index);

/* The checksum of what this rank's share holds of one tensor, repeated parts included. Local. */
uint64_t gg_checkpoint_sum_tensor(const struct gg_checkpoint_share *share, int index);

#endif
