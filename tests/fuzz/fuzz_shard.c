/* Token shards, HDF5's checksums off: what opens is read to its end. */
#include "core/base/memory.h"
#include "io/shards/shard.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/hdf5_unchecked.h"

#include <stdlib.h>

static void check_shard(const gg_shard *shard) {
    const struct gg_shard_info *info = gg_shard_info(shard);
    GG_ASSERT(info->tokens >= 0 && info->vocab >= 1 && info->documents <= info->tokens);
    uint64_t *offsets = NULL;
    const gg_status status = gg_shard_read_documents(shard, &offsets);
    if (status != GG_OK)
        fuzz_check_failure(status, GG_BAD_DATA);
    GG_ASSERT((status == GG_OK) == (offsets != NULL));
    for (int64_t i = 0; offsets != NULL && i < info->documents; i++)
        GG_ASSERT(offsets[i] < (uint64_t)info->tokens);
    free(offsets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    unsigned char *copy = (unsigned char *)fuzz_text(data, bytes);
    const char *path = fuzz_named_file(data, bytes);
    gg_shard *shard;
    hdf5_unchecked(copy, bytes, false);
    gg_shard_recognise(path);
    gg_status status = gg_shard_open(path, &shard);
    if (status == GG_OK) {
        check_shard(shard);
        status = gg_shard_verify(shard);
    }
    if (status != GG_OK)
        fuzz_check_failure(status, GG_BAD_DATA);
    gg_shard_close(&shard);
    free(copy);
    return 0;
}
