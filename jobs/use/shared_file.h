/* A file that rank 0 reads for all.
 */
#ifndef GG_JOBS_USE_SHARED_FILE_H
#define GG_JOBS_USE_SHARED_FILE_H

#include "mpi/world/world.h"

#include <stddef.h>

/* The file's bytes on every rank. Collective; fails alike on every rank.
 *   data [out] owned by the caller (free); a NUL follows the last byte
 * As gg_file_read; GG_BAD_DATA: it has more than 1 GiB. */
gg_status gg_shared_file_read(const struct gg_world *world, const char *path, char **data,
                              size_t *bytes) GG_MUST_USE;

#endif
