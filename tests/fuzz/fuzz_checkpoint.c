/* Checkpoints, HDF5's checksums and the metadata's own off: what opens is printed and verified. */
#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/checkpoint_format_internal.h"
#include "jobs/use/model_print.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/hdf5_unchecked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The linker puts this in the place of the checksum's function (--wrap); it notes what the metadata are. */
uint64_t __real_gg_checkpoint_metadata_checksum(const struct gg_checkpoint_meta *meta,
                                                const struct gg_checkpoint_tensor *tensors, int count);
uint64_t __wrap_gg_checkpoint_metadata_checksum(const struct gg_checkpoint_meta *meta,
                                                const struct gg_checkpoint_tensor *tensors, int count);
static uint64_t computed;

uint64_t __wrap_gg_checkpoint_metadata_checksum(const struct gg_checkpoint_meta *meta,
                                                const struct gg_checkpoint_tensor *tensors, int count) {
    computed = __real_gg_checkpoint_metadata_checksum(meta, tensors, count);
    return computed;
}

/* Puts the checksum into its attribute's message: name, type, dataspace, value. */
static bool put_checksum(unsigned char *file, size_t bytes) {
    static const char name[] = "metadata_checksum";
    enum { TYPE_AND_SPACE_BYTES = 12 + 4 };
    unsigned char *found = memmem(file, bytes, name, sizeof name);
    if (found == NULL ||
        bytes - (size_t)(found - file) < sizeof name + TYPE_AND_SPACE_BYTES + sizeof computed)
        return false;
    memcpy(found + sizeof name + TYPE_AND_SPACE_BYTES, &computed, sizeof computed);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static FILE *out;
    if (out == NULL)
        out = fopen("/dev/null", "w");
    unsigned char *copy = (unsigned char *)fuzz_text(data, bytes);
    struct gg_checkpoint_contents contents;
    hdf5_unchecked(copy, bytes, false);
    const char *path = fuzz_named_file(copy, bytes);
    gg_status status = gg_checkpoint_examine(path, &contents);
    if (status == GG_BAD_DATA && strstr(gg_failure(), "do not fit their checksum") != NULL &&
        put_checksum(copy, bytes)) {
        path = fuzz_named_file(copy, bytes);
        status = gg_checkpoint_examine(path, &contents);
    }
    if (status == GG_OK) {
        gg_checkpoint_contents_free(&contents);
        status = gg_checkpoint_print(path, true, true, gg_model_print, out);
    }
    if (status != GG_OK)
        fuzz_check_failure(status, GG_BAD_DATA);
    free(copy);
    return 0;
}
