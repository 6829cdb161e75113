/* Runs of a file's bytes on their way between the file and places in memory: neighbours travel in one call of
 * the system. All local.
 */
#ifndef GG_IO_BASE_FILE_VECTOR_H
#define GG_IO_BASE_FILE_VECTOR_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { GG_VECTOR_PIECES = 1024, GG_VECTOR_GAP_BYTES = 4096 };

/* To be set up as {.fd = fd, .write = write}. */
struct gg_file_vector {
    int fd;
    bool write;
    int64_t offset, bytes; /* the stretch of the file that is gathered so far */
    int count;
    struct iovec pieces[GG_VECTOR_PIECES];
    char gap[GG_VECTOR_GAP_BYTES]; /* takes what is read between two runs and not wanted */
};

/* Adds a run; moves what was gathered when the new one cannot join it. Nothing is sure before
 * gg_file_vector_move(). Errors as there. */
gg_status gg_file_vector_add(struct gg_file_vector *vector, int64_t offset, void *memory,
                             size_t bytes) GG_MUST_USE;

/* Moves what was gathered, whole. GG_STORAGE with the system's reason alone, also when the file ends early;
 * GG_RESOURCE. */
gg_status gg_file_vector_move(struct gg_file_vector *vector) GG_MUST_USE;

#endif
