/* HDF5's own error stack, turned into our messages. For the one thread that may call HDF5 at a time: the
 * main thread, but while a checkpoint is written behind the training (io/checkpoint_writer.h) that one.
 */
#ifndef GG_IO_HDF5_ERROR_H
#define GG_IO_HDF5_ERROR_H

#include "core/base/status.h"

/* Stops HDF5 from printing its error stack to stderr. Cheap; called by everything that opens HDF5 files. */
void gg_hdf5_quiet(void);

/* Starts HDF5 so that it never ends by itself. To be called before MPI is started: HDF5 1.10 cannot close a
 * file when the disk is full, and its own end, which it would hang into MPI_Finalize() and exit(), then
 * crashes over that file before the failure is told. Files are all closed by those that opened them. */
void gg_hdf5_start(void);

/* As gg_fail(), with HDF5's innermost description in brackets behind the message when there is one. */
gg_status gg_hdf5_fail(gg_status status, const char *format, ...) GG_PRINTF_LIKE(2, 3);

#endif
