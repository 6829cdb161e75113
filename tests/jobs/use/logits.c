/* The logits of a checkpoint's model, for tests that compare them with other programs': `logits CHECKPOINT IDS` writes
 * them to standard output, float32, (tokens, vocabulary); `logits CHECKPOINT IDS EXPECTED TOLERANCE` compares them with
 * a file of that form and exits with 1 where one differs by more. IDS is a file of int32. */
#include "core/base/memory.h"
#include "io/base/file.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/use/loaded_model.h"

#include <math.h>
#include <stdlib.h>

/* (tokens, padded vocabulary), owned by the caller. Each token's come from a call of its own, as in generation. */
static gg_status compute(const struct gg_replica *r, const int32_t *ids, int64_t count, float **logits) {
    const int64_t padded = r->graph.config.padded_vocab, sequence = 0;
    gg_model *model = NULL;
    if (count > r->graph.config.context)
        return gg_fail(GG_USAGE, "%lld ids, and the context has %lld", (long long)count,
                       (long long)r->graph.config.context);
    GG_TRY(gg_model_create(&r->graph, &r->fabric, GG_MODEL_GENERATE, 1, r->state.weights, NULL, &model));
    *logits = gg_calloc((size_t)(count * padded), sizeof **logits);
    for (int64_t t = 0; t < count; t++)
        gg_model_decode(model, &sequence, 1, ids + t, &t, *logits + t * padded);
    gg_model_destroy(&model);
    return GG_OK;
}

static gg_status compare(const float *logits, int64_t tokens, int64_t vocab, int64_t padded, const char *path,
                         double tolerance) {
    char *expected;
    size_t bytes;
    double worst = 0;
    GG_TRY(gg_file_read(path, (size_t)1 << 30, &expected, &bytes));
    if (bytes != (size_t)(tokens * vocab) * sizeof(float))
        return gg_fail(GG_BAD_DATA, "%s: %zu bytes, and not %lld x %lld float32", path, bytes,
                       (long long)tokens, (long long)vocab);
    const float *theirs = (const void *)expected;
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t v = 0; v < vocab; v++) {
            const double error = fabs((double)logits[t * padded + v] - (double)theirs[t * vocab + v]);
            if (!(error <= worst))
                worst = error;
        }
    free(expected);
    printf("largest difference %.3g, tolerance %.3g\n", worst, tolerance);
    return worst <= tolerance ? GG_OK : gg_fail(GG_FAILED, "the logits differ");
}

static gg_status work(const struct gg_world *world, char **words, int count) {
    struct gg_loaded_model model;
    char *ids = NULL;
    size_t bytes = 0;
    float *logits = NULL;
    gg_status status = gg_loaded_model_open(world, words[0], "1x1", 1, GG_PRECISION_OPTION_FP32, &model);
    if (status == GG_OK)
        status = gg_file_read(words[1], (size_t)1 << 24, &ids, &bytes);
    const int64_t tokens = (int64_t)(bytes / sizeof(int32_t));
    const int64_t vocab = model.replica.graph.config.vocab, padded = model.replica.graph.config.padded_vocab;
    if (status == GG_OK)
        status = compute(&model.replica, (const int32_t *)(void *)ids, tokens, &logits);
    if (status == GG_OK && count == 4)
        status = compare(logits, tokens, vocab, padded, words[2], strtod(words[3], NULL));
    for (int64_t t = 0; status == GG_OK && count == 2 && t < tokens; t++)
        fwrite(logits + t * padded, sizeof *logits, (size_t)vocab, stdout);
    free(logits);
    free(ids);
    gg_loaded_model_close(&model);
    return status;
}

int main(int argc, char **argv) {
    struct gg_world world;
    if (argc != 3 && argc != 5)
        return GG_USAGE;
    gg_status status = gg_world_start(&world);
    if (status == GG_OK)
        status = work(&world, argv + 1, argc - 1);
    if (status != GG_OK)
        fprintf(stderr, "logits: %s\n", gg_failure());
    gg_world_stop(&world);
    return (int)status;
}
