/* What the writer and the reader of checkpoints share: the names in the file, the table of its numbers, and
 * the metadata's checksum. All local.
 */
#ifndef GG_IO_CHECKPOINT_CHECKPOINT_FORMAT_INTERNAL_H
#define GG_IO_CHECKPOINT_CHECKPOINT_FORMAT_INTERNAL_H

#include "io/checkpoint/checkpoint.h"

#include <hdf5.h>

/* How many groups a file has: the weights, and each state of the optimizer (NULL: none). */
int gg_checkpoint_group_count(const struct gg_optimizer_kind *optimizer);

/* The name of group 0 ("model") and of the others ("optimizer/STATE"). */
struct gg_checkpoint_group {
    char name[sizeof((struct gg_checkpoint_tensor *)0)->group];
};
struct gg_checkpoint_group gg_checkpoint_group_name(const struct gg_optimizer_kind *optimizer, int group);

/* The numbers of struct gg_checkpoint_meta, each an attribute of the file's root. */
struct gg_checkpoint_field {
    const char *name;
    enum { GG_FIELD_INTEGER, GG_FIELD_HASH, GG_FIELD_REAL } type; /* all of 8 bytes */
    size_t offset;
};
extern const struct gg_checkpoint_field gg_checkpoint_fields[];
extern const int gg_checkpoint_field_count;

/* Those that are only there where meta->compared is set. */
extern const struct gg_checkpoint_field gg_checkpoint_compared_fields[];
extern const int gg_checkpoint_compared_field_count;

/* That is only there where it is above 0. */
extern const struct gg_checkpoint_field gg_checkpoint_reproducible_field;

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
