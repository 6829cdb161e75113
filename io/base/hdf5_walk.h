/* All of an HDF5 file's bookkeeping, read once. For the one thread that may call HDF5 (io/base/hdf5_error.h).
 * Local.
 */
#ifndef GG_IO_BASE_HDF5_WALK_H
#define GG_IO_BASE_HDF5_WALK_H

#include "core/base/status.h"

#include <hdf5.h>

/* Walks an open file of ours as any other program may: every object by its name, in the order of names and
 * where it is kept in that of creation, every attribute, and how large each object's own structures are. HDF5
 * checks the checksums of all it reads on the way; what our own readers need of a file is less.
 *   path [in] for messages
 * GG_BAD_DATA: something cannot be read, or a file has what ours never have (links that lead elsewhere,
 * groups in groups without end); the message names path and object. */
gg_status gg_hdf5_walk(const char *path, hid_t file) GG_MUST_USE;

#endif
