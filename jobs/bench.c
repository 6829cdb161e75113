/* gridgpt bench: how fast this machine trains a model, and where the time goes. */
#include "jobs/bench_data.h"
#include "jobs/bench_matmul.h"
#include "jobs/bench_step.h"
#include "jobs/commands.h"
#include "jobs/grid_check.h"
#include "jobs/job.h"
#include "jobs/job_settings.h"

#include <string.h>

struct values {
    int64_t repeats;
    bool matmul, alone, json;
};

#define AT(member) offsetof(struct values, member)
static const struct gg_option options[] = {
    {"matmul", GG_OPTION_FLAG, AT(matmul), 0, 0, NULL, NULL, NULL,
     "every matmul shape of the model on the grid, alone"},
    {"alone", GG_OPTION_FLAG, AT(alone), 0, 0, NULL, NULL, NULL, "rank 0 alone too, in turns: weak scaling"},
    {"repeats", GG_OPTION_INTEGER, AT(repeats), 1, 1000, "5", NULL, "N",
     "measurements, of which the median counts"},
    {"json", GG_OPTION_FLAG, AT(json), 0, 0, NULL, NULL, NULL, "print the result as a JSON object"},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

/* Without a settings file and without batch.sequences, a step is one micro-batch on each replica. */
static gg_status choose_batch(const struct gg_world *world, const struct gg_words *words, bool file,
                              struct gg_settings *settings) {
    int p, q;
    for (int i = 0; i < words->count; i++)
        file = file || strncmp(words->items[i], "batch.sequences=", 16) == 0;
    if (file)
        return GG_OK;
    GG_TRY(gg_grid_check(settings, world->size, &p, &q));
    settings->batch.sequences = settings->batch.micro * (world->size / (p * q));
    return GG_OK;
}

static gg_status bench_settings(const struct gg_world *world, struct gg_settings *settings,
                                const struct values *values) {
    gg_job_threads(settings->compute.threads);
    if (values->matmul)
        return gg_bench_matmul(world, settings, 50257, (int)values->repeats, values->json);
    const struct gg_bench_step_options step = {(int)values->repeats, values->alone, values->json};
    struct gg_bench_data data;
    gg_status status = gg_agree(world->comm, gg_bench_data_make(settings, &data));
    if (status == GG_OK)
        status = gg_bench_step(world, settings, &step);
    gg_bench_data_remove(&data);
    return status;
}

static gg_status bench(const struct gg_world *world, void *options_read, const struct gg_words *words) {
    static char preset[] = "model.preset=gpt2-124m", micro[] = "batch.micro=4";
    char *const defaults[] = {preset, micro, NULL};
    const bool file = words->count > 0 && strchr(words->items[0], '=') == NULL;
    struct gg_settings settings;
    gg_settings_init(&settings);
    gg_status status = gg_job_settings(world, words, file ? NULL : defaults, &settings);
    if (status == GG_OK)
        status = choose_batch(world, words, file, &settings);
    if (status == GG_OK)
        status = bench_settings(world, &settings, options_read);
    gg_settings_free(&settings);
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    struct values values = {0};
    return gg_job_run(command, argc, argv, &values, 0, 100000, bench);
}

const struct gg_command gg_command_bench = {
    .name = "bench",
    .usage = "mpirun -n N gridgpt bench [SETTINGS.yaml] [key=value]... [options]",
    .summary =
        "how fast these ranks train a model, and where the time goes\n"
        "Without settings: GPT-2 124M, 4 sequences of 1024 tokens on each replica, random tokens. Writes\n"
        "nothing but a temporary shard below TMPDIR.",
    .options = &table,
    .run = run,
};
