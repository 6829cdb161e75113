/* Safetensors files (https://github.com/huggingface/safetensors): eight bytes with the length of a header, the
 * header in JSON, and the tensors' values, row-major and little-endian. A model is one file or several, with an
 * index that tells in which of them each tensor is. All local.
 *
 * What a header says is checked against the file before anything is believed: at most 100 MB of it, each
 * tensor's bytes as many as its shape and type have, no overlap, no hole, nothing behind the last.
 */
#ifndef GG_IO_HUGGINGFACE_SAFETENSORS_H
#define GG_IO_HUGGINGFACE_SAFETENSORS_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GG_SAFETENSORS_DIMENSIONS = 8, GG_SAFETENSORS_HEADER_BYTES = 100000000 };

/* Element types: those that can be read and written, and those that are known by their size alone. */
enum gg_safetensors_type {
    GG_SAFETENSORS_F32,
    GG_SAFETENSORS_BF16,
    GG_SAFETENSORS_F16, /* read only */
    GG_SAFETENSORS_READABLE,
};

struct gg_safetensors_tensor {
    char *name;
    int file;              /* index of its path */
    int type;              /* enum gg_safetensors_type; GG_SAFETENSORS_READABLE or more: cannot be read */
    const char *type_name; /* "F32" */
    int dimensions;        /* 0: a scalar */
    int64_t sizes[GG_SAFETENSORS_DIMENSIONS];
    int64_t elements, bytes;
    int64_t offset; /* of its first byte in the file */
};

struct gg_safetensors {
    char **paths; /* owned */
    int path_count;
    struct gg_safetensors_tensor *tensors; /* owned; by name */
    int count;
};
void gg_safetensors_free(struct gg_safetensors *set);

/* Reads the headers of a folder's model.safetensors or, where there is none, of the shards that its
 * model.safetensors.index.json names.
 *   set [out] owned by the caller, also after a failure (then empty)
 * GG_BAD_DATA, naming the file and the tensor or key: neither of the two, or something in them is not as it is
 * to be: also a tensor in two shards, in another shard than the index tells, or in none. GG_STORAGE,
 * GG_RESOURCE: not to be read. */
gg_status gg_safetensors_open(const char *folder, struct gg_safetensors *set) GG_MUST_USE;

/* Adds the tensors that a header lists.
 *   text       [in] the header, without its length
 *   data_bytes [in] that follow it in the file
 *   path       [in] index of the file's path
 * GG_BAD_DATA without the file's name. */
gg_status gg_safetensors_add_header(struct gg_safetensors *set, const char *text, size_t bytes,
                                    int64_t data_bytes, int path) GG_MUST_USE;

/* The tensor of that name, or NULL. */
const struct gg_safetensors_tensor *gg_safetensors_find(const struct gg_safetensors *set, const char *name);

/* A file of the set that is open for reading; {.fd = -1, .file = -1} to begin. */
struct gg_safetensors_reader {
    const struct gg_safetensors *set;
    int fd, file;
};

/* Reads elements [first, first + count) of a tensor as float32, whatever of the readable types they are. The
 * reader keeps the tensor's file open. GG_STORAGE, GG_RESOURCE: the message names the file. */
gg_status gg_safetensors_read(struct gg_safetensors_reader *reader,
                              const struct gg_safetensors_tensor *tensor, int64_t first, int64_t count,
                              float *values) GG_MUST_USE;
void gg_safetensors_reader_close(struct gg_safetensors_reader *reader);

#endif
