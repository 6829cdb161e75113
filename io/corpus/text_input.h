/* A stream of bytes from a file: plain, gzip (several members too) or zstd (several frames too), told apart
 * by their first bytes, never by name. Memory: 2 MiB, and the window a zstd frame asks for (128 MiB at most).
 * All local.
 */
#ifndef GG_IO_CORPUS_TEXT_INPUT_H
#define GG_IO_CORPUS_TEXT_INPUT_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gg_text_input gg_text_input;

/* Looks at a regular file's first bytes, and reads no more of it.
 *   packed [out] whether it is gzip or zstd, which can only be read from its beginning
 * Errors as gg_text_input_open. */
gg_status gg_text_input_probe(const char *path, bool *packed) GG_MUST_USE;

/* Opens a file; "-" is standard input.
 * GG_STORAGE: missing, unreadable, a folder. GG_BAD_DATA: xz, bzip2 or zip, which must be unpacked first. */
gg_status gg_text_input_open(const char *path, gg_text_input **input) GG_MUST_USE;
void gg_text_input_close(gg_text_input **input);

/* Reads up to `capacity` decompressed bytes; *bytes is less only at the end of the stream.
 * GG_STORAGE: reading failed. GG_BAD_DATA: compressed data that is damaged, truncated, or followed by
 * something else; the message names the file and the byte of it. */
gg_status gg_text_input_read(gg_text_input *input, char *buffer, size_t capacity, size_t *bytes) GG_MUST_USE;

/* Bytes of the file consumed so far (compressed bytes for a compressed one): for progress. */
int64_t gg_text_input_position(const gg_text_input *input);

#endif
