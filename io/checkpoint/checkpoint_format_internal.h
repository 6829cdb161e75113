/* What the writer and the reader of checkpoints share: the names in the file, the table of its numbers, and
 * the metadata's checksum. All local.
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_FORMAT_INTERNAL_H
#define GG_IO_CHECKPOINT_CHECKPOINT_FORMAT_INTERNAL_H

#include "io/checkpoint/checkpoint.h"

#include <hdf5.h>

/* "model", "optimizer/exp_avg", "optimizer/exp_avg_sq" */
extern const char *const gg_checkpoint_groups[GG_CHECKPOINT_GROUPS];

/* The numbers of struct gg_checkpoint_meta, each an attribute of the file's root. */
struct gg_checkpoint_field {
    const char *name;
    enum { GG_FIELD_INTEGER, GG_FIELD_HASH, GG_FIELD_REAL } type; /* all of 8 bytes */
    size_t offset;
};
extern const struct gg_checkpoint_field gg_checkpoint_fields[];
extern const int gg_checkpoint_field_count;

/* HDF5's type of the attribute `format`, in the file and in memory; to be closed by the caller. */
hid_t gg_checkpoint_format_type(void);

/* HDF5's type of a field, in the file and in memory. */
hid_t gg_checkpoint_field_type(const struct gg_checkpoint_field *field, bool in_file);

/* XXH3 over the numbers, the texts, and each tensor's group, name, shape and checksum. */
uint64_t gg_checkpoint_metadata_checksum(const struct gg_checkpoint_meta *meta,
                                         const struct gg_checkpoint_tensor *tensors, int count);

/* A tensor of the table as a file lists it, its checksum left 0. */
struct gg_checkpoint_tensor gg_checkpoint_describe(const struct gg_parameter *parameter, const char *group);

#endif
