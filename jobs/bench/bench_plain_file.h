/* Plain files, to measure a disk with: what checkpoints are compared with. All local.
 */
#ifndef GG_JOBS_BENCH_BENCH_PLAIN_FILE_H
#define GG_JOBS_BENCH_BENCH_PLAIN_FILE_H

#include "core/base/status.h"

#include <stdint.h>

/* Writes a new file from its begin to its end, 8 MiB at a time, fsyncs it, and renames it over an older one,
 * as a checkpoint is.
 *   seconds [out] for all of it
 * GG_STORAGE. */
gg_status gg_plain_file_write(const char *path, int64_t bytes, double *seconds) GG_MUST_USE;

/* Reads it likewise, from the disk: the system is told to forget it first.
 *   seconds [out] without that */
gg_status gg_plain_file_read(const char *path, double *seconds) GG_MUST_USE;

/* Tells the system to forget what it keeps of a file in memory (posix_fadvise; a hint). */
void gg_plain_file_forget(const char *path);

#endif
