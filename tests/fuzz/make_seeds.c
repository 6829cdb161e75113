/* Makes the binary seeds that need our own writers: a shard and a checkpoint each of the smallest kind that
 * has all parts. Usage: make_seeds FOLDER; make_seeds.sh tells the rest. */
#include "core/base/memory.h"
#include "core/model/graph.h"
#include "io/checkpoint/checkpoint.h"
#include "io/shards/shard_writer.h"
#include "mpi/world/world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static gg_status make_shard(const char *path, int64_t vocab) {
    enum { TOKENS = 40 };
    const struct gg_shard_spec spec = {.fingerprint = 0x0123456789abcdefu, .vocab = vocab, .level = 1};
    gg_shard_writer *writer;
    uint32_t tokens[TOKENS];
    GG_TRY(gg_shard_writer_create(path, &spec, &writer));
    for (int document = 0; document < 3; document++) {
        for (int i = 0; i < TOKENS; i++)
            tokens[i] = (uint32_t)((document + 7 * i) % 50);
        GG_TRY(gg_shard_writer_append(writer, tokens, TOKENS, true, 4 * TOKENS));
    }
    GG_TRY(gg_shard_writer_finish(writer));
    return gg_shard_writer_commit(&writer);
}

static gg_status make_checkpoint(struct gg_world *world, const char *path, int64_t layers, bool moments) {
    const struct gg_model_config config = {.layers = layers,
                                           .heads = 1,
                                           .kv_heads = 1,
                                           .head_size = 4,
                                           .norm_eps = 1e-5,
                                           .tied = true,
                                           .biases = true,
                                           .width = 4,
                                           .mlp_width = 16,
                                           .context = 4,
                                           .vocab = 4,
                                           .padded_vocab = 4};
    const struct gg_shards shards = {.feature_shards = 1, .token_shards = 1};
    static char settings[] = "model.layers: 1\ndata.train: [\"a.h5\"]\n", tokenizer[] = "{\"model\": {}}";
    const struct gg_checkpoint_meta meta = {.step = 3,
                                            .updates = 2,
                                            .vocab = 4,
                                            .train_loss = 3.25,
                                            .val_loss = NAN,
                                            .settings_yaml = settings,
                                            .tokenizer_json = tokenizer,
                                            .tokenizer_bytes = sizeof tokenizer - 1};
    struct gg_graph graph;
    gg_graph_make(&config, &shards, &graph);
    const struct gg_parameter_table table = graph.table;
    float *values = gg_calloc((size_t)table.local_elements, sizeof *values);
    gg_parameters_initialise(&table, 1, values);
    const gg_status status =
        gg_checkpoint_write(world->comm, path, &table, values, moments ? &gg_optimizer_adamw : NULL,
                            (float *const[]){values, values}, &meta);
    free(values);
    gg_graph_free(&graph);
    return status;
}

int main(int argc, char **argv) {
    struct gg_world world;
    if (argc != 2 || gg_world_start(&world) != GG_OK)
        return 64;
    char *shard16 = gg_format("%s/shard/shard16.h5", argv[1]);
    char *shard32 = gg_format("%s/shard/shard32.h5", argv[1]);
    char *weights = gg_format("%s/checkpoint/weights.h5", argv[1]);
    char *moments = gg_format("%s/checkpoint/moments.h5", argv[1]);
    gg_status status = make_shard(shard16, 50);
    if (status == GG_OK)
        status = make_shard(shard32, 70000);
    if (status == GG_OK)
        status = make_checkpoint(&world, weights, 1, false);
    if (status == GG_OK)
        status = make_checkpoint(&world, moments, 1, true);
    if (status != GG_OK)
        fprintf(stderr, "%s\n", gg_failure());
    free(shard16);
    free(shard32);
    free(weights);
    free(moments);
    gg_world_stop(&world);
    return (int)status;
}
