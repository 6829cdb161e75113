/* Whole files, and files that appear under their final name only when they are whole. All local.
 */
#ifndef GG_IO_BASE_FILE_H
#define GG_IO_BASE_FILE_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a whole file.
 *   max_bytes [in]  a larger file is refused (GG_BAD_DATA)
 *   data      [out] owned by the caller (free); a NUL follows the last byte
 * GG_STORAGE: missing or unreadable; GG_RESOURCE: no memory. */
gg_status gg_file_read(const char *path, size_t max_bytes, char **data, size_t *bytes) GG_MUST_USE;

/* Writes a whole file under a temporary name beside it, fsyncs, renames, fsyncs the folder. */
gg_status gg_file_write(const char *path, const void *data, size_t bytes) GG_MUST_USE;

/* The second half of writing safely: fsyncs `temporary`, renames it to `path`, fsyncs the folder. On failure
 * the temporary file is removed. */
gg_status gg_file_commit(const char *temporary, const char *path) GG_MUST_USE;

/* Makes a folder and those above it; it is no error when it is there. */
gg_status gg_folder_create(const char *path) GG_MUST_USE;

/* The status of a failed system call on a file: GG_RESOURCE where the process or the machine ran out of
 * something (descriptors, memory), else GG_STORAGE. */
gg_status gg_file_status(int error);

/* Whether a path leads to a regular file that can be opened, without waiting for a FIFO's writer, for ever
 * perhaps. GG_BAD_DATA: a folder, a FIFO, a device, a socket; GG_STORAGE or GG_RESOURCE: missing, or cannot
 * be opened. */
gg_status gg_file_check_regular(const char *path) GG_MUST_USE;

bool gg_file_exists(const char *path);

/* Which file stands under a name, and in which state. */
struct gg_file_identity {
    uint64_t device, inode;              /* the same for every name and link of a file */
    int64_t bytes, seconds, nanoseconds; /* its size, and when it was written to last */
};

/* Looks without opening. Fails as gg_file_check_regular, but for what opening may bring. */
gg_status gg_file_identify(const char *path, struct gg_file_identity *identity) GG_MUST_USE;

/* Size in bytes, or -1. */
int64_t gg_file_size(const char *path);

#endif
