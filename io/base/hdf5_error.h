/* HDF5's own error stack, turned into our messages. For the one thread that may call HDF5 at a time: the
 * main thread, but while a checkpoint is written behind the training (checkpoint_writer.h) that one.
 */
#ifndef GG_IO_BASE_HDF5_ERROR_H
#define GG_IO_BASE_HDF5_ERROR_H

#include "core/base/status.h"

/* Stops HDF5 from printing its error stack to stderr, and forgets the system's error (below). Cheap; called
 * by everything that opens HDF5 files. */
void gg_hdf5_quiet(void);

/* The first error of the system (an errno) that this thread's HDF5 calls came upon since gg_hdf5_quiet():
 * what tells a storage that fails from a file that is damaged. ENOMEM also when HDF5 found no memory; 0:
 * none. */
int gg_hdf5_system_error(void);

/* Starts HDF5 so that it never ends by itself. To be called before MPI is started: HDF5 1.10 cannot close a
 * file when the disk is full, and its own end, which it would hang into MPI_Finalize() and exit(), then
 * crashes over that file before the failure is told. Files are all closed by those that opened them. */
void gg_hdf5_start(void);

/* As gg_fail(), with HDF5's innermost description in brackets behind the message when there is one. The
 * status becomes GG_RESOURCE when the process is short of memory: HDF5, and MPI below it, which may have to
 * load a part of itself, call that a file that cannot be opened, or a damaged one. */
gg_status gg_hdf5_fail(gg_status status, const char *format, ...) GG_PRINTF_LIKE(2, 3);

#endif
