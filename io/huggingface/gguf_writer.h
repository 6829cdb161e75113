/* GGUF files, version 3 (docs/gguf.md of ggml): a header, keys with typed values, a list of tensors, and their
 * values one behind the other, each at a multiple of 32 bytes. Local.
 *
 * First all keys and tensors are told, then the header is written, then the tensors' values in the order told.
 * Memory: the header, which has the vocabulary in it, and a stretch of values.
 */
#ifndef GG_IO_HUGGINGFACE_GGUF_WRITER_H
#define GG_IO_HUGGINGFACE_GGUF_WRITER_H

#include "core/base/status.h"
#include "io/huggingface/gguf_values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gg_gguf_writer gg_gguf_writer;

/* A writer of the file PATH, of which nothing is made yet. */
void gg_gguf_writer_create(const char *path, gg_gguf_writer **writer);

/* Removes what was not finished. */
void gg_gguf_writer_destroy(gg_gguf_writer **writer);

/* Keys. That there is no memory for them shows in gg_gguf_writer_begin. */
void gg_gguf_put_uint32(gg_gguf_writer *writer, const char *key, uint32_t value);
void gg_gguf_put_float(gg_gguf_writer *writer, const char *key, float value);
void gg_gguf_put_bool(gg_gguf_writer *writer, const char *key, bool value);
void gg_gguf_put_text(gg_gguf_writer *writer, const char *key, const char *text);

/* A key whose value is a list; its items are to follow, exactly so many. */
void gg_gguf_put_texts(gg_gguf_writer *writer, const char *key, uint64_t count);
void gg_gguf_add_text(gg_gguf_writer *writer, const char *text, size_t bytes);
void gg_gguf_put_int32s(gg_gguf_writer *writer, const char *key, uint64_t count);
void gg_gguf_add_int32(gg_gguf_writer *writer, int32_t value);

/* A tensor (rows, columns), row-major, which GGUF lists as (columns, rows); a vector of one row.
 *   name       [in] at most 63 bytes
 *   dimensions [in] 1 or 2
 *   columns    [in] whole blocks for Q8_0 */
void gg_gguf_add_tensor(gg_gguf_writer *writer, const char *name, int dimensions, int64_t rows,
                        int64_t columns, enum gg_gguf_type type);

/* Writes the header into PATH.tmp. GG_STORAGE, GG_RESOURCE. */
gg_status gg_gguf_writer_begin(gg_gguf_writer *writer) GG_MUST_USE;

/* Writes the next values of the tensors, which their types round.
 *   count [in] whole rows, or for vectors all; not beyond the tensor's end
 * GG_BAD_DATA: a number that the type cannot hold, with the tensor's name in GGUF; GG_STORAGE. */
gg_status gg_gguf_writer_values(gg_gguf_writer *writer, const float *values, int64_t count) GG_MUST_USE;

/* Gives the file its name, all on the disk. GG_STORAGE. */
gg_status gg_gguf_writer_finish(gg_gguf_writer *writer) GG_MUST_USE;

#endif
