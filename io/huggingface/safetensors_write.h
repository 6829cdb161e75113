/* Writing a safetensors file, its tensors in the order in which they stand in it, values in stretches. All local.
 */
#ifndef GG_IO_HUGGINGFACE_SAFETENSORS_WRITE_H
#define GG_IO_HUGGINGFACE_SAFETENSORS_WRITE_H

#include "io/huggingface/safetensors.h"

struct gg_safetensors_item {
    const char *name;
    int dimensions;
    int64_t sizes[2];
};

/* The bytes of an item's values. */
int64_t gg_safetensors_item_bytes(const struct gg_safetensors_item *item, enum gg_safetensors_type type);

typedef struct gg_safetensors_writer gg_safetensors_writer;

/* Makes the file and writes its header, with what PyTorch's loaders look for in it.
 *   type   [in]  GG_SAFETENSORS_F32 or GG_SAFETENSORS_BF16, of all items
 *   writer [out] owned by the caller (gg_safetensors_writer_destroy), also after a failure
 * GG_STORAGE, GG_RESOURCE. */
gg_status gg_safetensors_writer_create(const char *path, const struct gg_safetensors_item *items, int count,
                                       enum gg_safetensors_type type,
                                       gg_safetensors_writer **writer) GG_MUST_USE;

/* Writes the next values, of all items one after another; bf16 is rounded to the nearest. */
gg_status gg_safetensors_put(gg_safetensors_writer *writer, const float *values, int64_t count) GG_MUST_USE;

/* Flushes the file to the disk, once all values were put. */
gg_status gg_safetensors_writer_finish(gg_safetensors_writer *writer) GG_MUST_USE;

/* Closes the file; what was not finished stays as it is. */
void gg_safetensors_writer_destroy(gg_safetensors_writer **writer);

#endif
