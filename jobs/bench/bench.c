/* gridgpt bench: how fast this machine trains a model, and where the time goes. */
#include "core/base/memory.h"
#include "core/plan/legality.h"
#include "jobs/bench/bench_checkpoint.h"
#include "jobs/bench/bench_data.h"
#include "jobs/bench/bench_generate.h"
#include "jobs/bench/bench_kernels.h"
#include "jobs/bench/bench_matmul.h"
#include "jobs/bench/bench_step.h"
#include "jobs/command/commands.h"
#include "jobs/command/job.h"
#include "jobs/command/job_settings.h"

#include <stdlib.h>
#include <string.h>

struct values {
    int64_t repeats;
    struct gg_text_list compare;
    bool matmul, kernels, checkpoint, generate, alone, json;
};

#define AT(member) offsetof(struct values, member)
static const struct gg_option options[] = {
    {"matmul", GG_OPTION_FLAG, AT(matmul), 0, 0, NULL, NULL, NULL,
     "every matmul shape of the model on the grid, alone", 0},
    {"kernels", GG_OPTION_FLAG, AT(kernels), 0, 0, NULL, NULL, NULL,
     "every kernel that works element by element, against what memory can do", 0},
    {"checkpoint", GG_OPTION_FLAG, AT(checkpoint), 0, 0, NULL, NULL, NULL,
     "writing and reading checkpoints beside plain files, below run.dir", 0},
    {"generate", GG_OPTION_FLAG, AT(generate), 0, 0, NULL, NULL, NULL,
     "writing text, one and eight at once, against what reading the weights takes, and taking a prompt in",
     0},
    {"compare", GG_OPTION_LIST, AT(compare), 0, 0, NULL, NULL, "SETTINGS",
     "in turns with a settings file or name=value words ('parallel.grid=2x1 batch.micro=8'); may be "
     "given several times",
     0},
    {"alone", GG_OPTION_FLAG, AT(alone), 0, 0, NULL, NULL, NULL, "rank 0 alone too, in turns: weak scaling",
     0},
    {"repeats", GG_OPTION_INTEGER, AT(repeats), 1, 100, "5", NULL, "N",
     "measurements, of which the median counts", 0},
    {"json", GG_OPTION_FLAG, AT(json), 0, 0, NULL, NULL, NULL, "print the result as a JSON object", 0},
};
static const struct gg_option_table table = {"option", "--", options, sizeof options / sizeof *options};

/* Without a settings file and without batch.sequences, a step is one micro-batch on each replica. */
static gg_status choose_batch(const struct gg_world *world, const struct gg_words *words, bool file,
                              struct gg_settings *settings) {
    struct gg_place place;
    for (int i = 0; i < words->count; i++)
        file = file || strncmp(words->items[i], "batch.sequences=", 16) == 0;
    if (file)
        return GG_OK;
    const struct gg_plan_request request = gg_settings_plan_request(settings);
    GG_TRY(gg_legality_grid(&request, world->size, world->rank, &place));
    settings->batch.sequences = settings->batch.micro * place.replicas;
    return GG_OK;
}

/* The settings of one variant: those of the command line, with a file or name=value words of its own. */
struct variant_settings {
    struct gg_settings settings;
    struct gg_bench_data data;
};

/* Words with those of `item` (a settings file, or name=value words with blanks between) put in. */
static struct gg_words add_words(const struct gg_words *words, char *item) {
    struct gg_words all = {gg_calloc((size_t)words->count + strlen(item) + 1, sizeof(char *)), 0};
    const bool file = words->count > 0 && strchr(words->items[0], '=') == NULL;
    const bool other_file = item[0] != '\0' && strchr(item, '=') == NULL;
    if (other_file)
        all.items[all.count++] = item;
    for (int i = file && other_file ? 1 : 0; i < words->count; i++)
        all.items[all.count++] = words->items[i];
    if (!other_file)
        for (char *rest = item, *word; (word = strtok_r(rest, " ", &rest)) != NULL;)
            all.items[all.count++] = word;
    return all;
}

static gg_status read_variant(const struct gg_world *world, const struct gg_words *words, const char *item,
                              struct variant_settings *variant) {
    static char preset[] = "model.preset=gpt2-124m", micro[] = "batch.micro=4";
    char *const defaults[] = {preset, micro, NULL};
    char *text = gg_strdup(item);
    struct gg_words all = add_words(words, text);
    const bool file = all.count > 0 && strchr(all.items[0], '=') == NULL;
    gg_settings_init(&variant->settings);
    gg_status status = gg_job_settings(world, &all, file ? NULL : defaults, &variant->settings);
    if (status == GG_OK)
        status = choose_batch(world, &all, file, &variant->settings);
    /* Steps alone take no checkpoint, and are not to hold a copy of the state for one. */
    variant->settings.checkpoint.async = false;
    gg_words_free(&all);
    free(text);
    return status;
}

/* The command line's settings, what --compare names, and rank 0 alone. */
static gg_status bench_steps(const struct gg_world *world, const struct values *values,
                             const struct gg_words *words) {
    struct variant_settings all[GG_BENCH_VARIANTS] = {0};
    struct gg_bench_variant variants[GG_BENCH_VARIANTS] = {0};
    const int settings = 1 + (int)values->compare.count;
    int count = 0;
    if (settings + 1 > GG_BENCH_VARIANTS)
        return gg_fail(GG_USAGE, "--compare: at most %d settings can be measured in turns",
                       GG_BENCH_VARIANTS - 2);
    gg_status status = GG_OK;
    for (int i = 0; status == GG_OK && i < settings; i++) {
        status = read_variant(world, words, i > 0 ? values->compare.items[i - 1] : "", &all[i]);
        if (status == GG_OK)
            status = gg_agree(world->comm, gg_bench_data_make(&all[i].settings, &all[i].data));
        variants[count++] =
            (struct gg_bench_variant){.name = i > 0 ? values->compare.items[i - 1] : "the settings given",
                                      .settings = &all[i].settings};
    }
    if (values->alone && world->size > 1)
        variants[count++] =
            (struct gg_bench_variant){.name = "rank 0 alone", .settings = &all[0].settings, .alone = true};
    gg_job_threads(all[0].settings.compute.threads);
    if (status == GG_OK)
        status = gg_bench_step(world, variants, count, (int)values->repeats, values->json);
    for (int i = 0; i < settings; i++) {
        gg_bench_data_remove(&all[i].data);
        if (all[i].settings.given != NULL)
            gg_settings_free(&all[i].settings);
    }
    return status;
}

/* What needs the model's shape, but no data. */
static gg_status bench_shape(const struct gg_world *world, const struct values *values,
                             const struct gg_words *words) {
    enum { GPT2_VOCAB = 50257 }; /* where model.vocab is 0 and no shard tells */
    struct variant_settings only = {0};
    gg_status status = read_variant(world, words, "", &only);
    gg_job_threads(only.settings.compute.threads);
    const int64_t vocab = only.settings.model.vocab > 0 ? only.settings.model.vocab : GPT2_VOCAB;
    if (status == GG_OK)
        status = (values->matmul     ? gg_bench_matmul
                  : values->kernels  ? gg_bench_kernels
                  : values->generate ? gg_bench_generate
                                     : gg_bench_checkpoint)(world, &only.settings, vocab,
                                                            (int)values->repeats, values->json);
    gg_settings_free(&only.settings);
    return status;
}

static gg_status bench(const struct gg_world *world, void *options_read, const struct gg_words *words) {
    const struct values *values = options_read;
    const int parts = values->matmul + values->kernels + values->checkpoint + values->generate;
    if (parts > 1)
        return gg_fail(
            GG_USAGE,
            "--matmul, --kernels, --checkpoint and --generate are benchmarks of their own; choose one");
    return parts == 1 ? bench_shape(world, values, words) : bench_steps(world, values, words);
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
        "nothing but a temporary shard below TMPDIR, and with --checkpoint files below run.dir that it\n"
        "removes. MFU counts the model's FLOPs once: what is recomputed stands as 'recompute' in the\n"
        "table of kernels and is part of the phase backward, but is no useful work. With --kernels the\n"
        "limit is the longest of bytes read / rate of read, bytes written / rate of write, and all bytes /\n"
        "the best rate of read, write, triad and update in place, on arrays that no cache holds; what is\n"
        "more than 5% faster has the reason beside it.",
    .options = &table,
    .run = run,
};
