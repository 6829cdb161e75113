#include "jobs/bench/bench_data.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "io/shards/shard_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOKENS = 1 << 21, DEFAULT_VOCAB = 50257 };

static gg_status write_shard(const char *path, int64_t vocab) {
    const struct gg_shard_spec spec = {.fingerprint = 1, .vocab = vocab, .level = 1};
    gg_shard_writer *writer = NULL;
    GG_TRY(gg_shard_writer_create(path, &spec, &writer));
    uint32_t *tokens = gg_malloc(TOKENS * sizeof *tokens);
    for (int64_t i = 0; i < TOKENS; i++)
        tokens[i] =
            (uint32_t)(gg_random_bits(1, GG_STREAM(GG_STREAM_SAMPLE, 1), (uint64_t)i) % (uint64_t)vocab);
    gg_status status = gg_shard_writer_append(writer, tokens, TOKENS, true, 4 * (int64_t)TOKENS);
    free(tokens);
    if (status == GG_OK)
        status = gg_shard_writer_finish(writer);
    if (status == GG_OK)
        return gg_shard_writer_commit(&writer);
    gg_shard_writer_destroy(&writer);
    return status;
}

gg_status gg_bench_data_make(struct gg_settings *settings, struct gg_bench_data *data) {
    *data = (struct gg_bench_data){0};
    if (gg_corpora_count(&settings->data.train) > 0)
        return GG_OK;
    const char *base = getenv("TMPDIR");
    data->folder = gg_format("%s/gridgpt-bench-XXXXXX", base != NULL && base[0] != '\0' ? base : "/tmp");
    if (mkdtemp(data->folder) == NULL) {
        const gg_status status =
            gg_fail(GG_STORAGE, "%s: cannot be made: %s; set TMPDIR to a writable folder", data->folder,
                    strerror(errno));
        free(data->folder);
        data->folder = NULL;
        return status;
    }
    data->path = gg_format("%s/train-00000.h5", data->folder);
    GG_TRY(write_shard(data->path, settings->model.vocab > 0 ? settings->model.vocab : DEFAULT_VOCAB));
    return gg_settings_set(settings, "data.train", data->path, "bench");
}

void gg_bench_data_remove(struct gg_bench_data *data) {
    if (data->path != NULL)
        unlink(data->path);
    if (data->folder != NULL)
        rmdir(data->folder);
    free(data->path);
    free(data->folder);
    *data = (struct gg_bench_data){0};
}
