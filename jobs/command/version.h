/* What `gridgpt --version` says.
 */
#ifndef GG_JOBS_COMMAND_VERSION_H
#define GG_JOBS_COMMAND_VERSION_H

#include <stdio.h>

/* "gridgpt 1.2.3", then the libraries that its results and files depend on, a line each: MPI, HDF5 and zstd, and
 * what multiplies matrices. Local; MPI need not be running. */
void gg_version_print(FILE *out);

#endif
