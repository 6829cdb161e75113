/* A checkpoint of weights that is written as they come, in stretches, so that nobody need hold the model: for
 * those who bring it from elsewhere. All local.
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_STREAM_H
#define GG_IO_CHECKPOINT_CHECKPOINT_STREAM_H

#include "io/checkpoint/checkpoint.h"

typedef struct gg_checkpoint_stream gg_checkpoint_stream;

/* Begins a checkpoint: makes its file, under a temporary name, and takes its space on the disk.
 *   table  [in]  of the whole model, on a grid of one rank; must outlive the stream
 *   meta   [in]  counts and texts, which must not change and must outlive the stream
 *   stream [out] owned by the caller (gg_checkpoint_stream_destroy), also after a failure
 * GG_STORAGE, GG_RESOURCE: as gg_checkpoint_write_share. */
gg_status gg_checkpoint_stream_create(const char *path, const struct gg_parameter_table *table,
                                      const struct gg_checkpoint_meta *meta,
                                      gg_checkpoint_stream **stream) GG_MUST_USE;

/* Writes consecutive elements of a tensor. Tensors may come in any order; the elements of each come in theirs,
 * none twice.
 *   index  [in] of the tensor in the table
 *   values [in] `count` elements of the row-major tensor, those behind the last ones given
 * GG_STORAGE, GG_RESOURCE. */
gg_status gg_checkpoint_stream_put(gg_checkpoint_stream *stream, int index, const float *values,
                                   int64_t count) GG_MUST_USE;

/* Ends it, once all elements of all tensors were put: the file gets its name when it is whole on the disk. An
 * older file of that name stays when this fails. GG_STORAGE, GG_RESOURCE. */
gg_status gg_checkpoint_stream_finish(gg_checkpoint_stream *stream) GG_MUST_USE;

/* Removes the temporary file of a stream that was not finished, and frees it. */
void gg_checkpoint_stream_destroy(gg_checkpoint_stream **stream);

#endif
