/* A run that stops anywhere and goes on with other replicas, grids and ZeRO stages takes every training
 * sample once: none is skipped, none is seen twice. Counted by the samples' own numbers, as the trainer's
 * steps take them. And the same of a blend, by the tokens: those that (seed, number) tell, whoever reads them. */
#include "jobs/command/settings.h"
#include "tests/shard_fixture.h"

#include "core/data/blend.h"
#include "core/data/sampler.h"
#include "core/text/bpe_training.h"
#include "io/base/file.h"
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/train/train_checkpoint.h"
#include "jobs/train/train_step.h"
#include "jobs/train/trainer.h"

#include <unistd.h>

/* STEPS steps are some two and a half epochs of 190 samples. */
enum { CONTEXT = 16, SEQUENCES = 24, STEPS = 20, TOKENS = 190 * CONTEXT + 1 };

/* A blend of corpora of other lengths: the first is seen more than twice in BLEND_STEPS steps, the last not once. */
enum { CORPORA = 3, BLEND_STEPS = 10 };
static const struct {
    const char *name, *weight;
    int64_t tokens;
} corpora[CORPORA] = {
    {"a", "5", 70 * CONTEXT + 1}, {"b-2", "2.5", 100 * CONTEXT + 3}, {"c", "0.5", 90 * CONTEXT + 1}};

static struct gg_world world;
static char folder[64];
static uint64_t taken[STEPS + 1][SEQUENCES]; /* by step; a step that is done again overwrites */

static char *in_folder(const char *name) {
    return gg_format("%s/%s", folder, name);
}

/* A tokenizer of single bytes, and a shard that says it was made with it. */
static void make_data(void) {
    const struct gg_word_counts none = {0};
    gg_tokenizer *tokenizer;
    char *shard = in_folder("train.h5"), *path = in_folder("tokenizer.json");
    CHECK_OK(gg_bpe_train(&none, GG_VOCABULARY_MIN, &tokenizer));
    CHECK_OK(gg_tokenizer_save(tokenizer, path));
    fixture_shard(shard, 1, TOKENS, TOKENS, GG_VOCABULARY_MIN, gg_tokenizer_fingerprint(tokenizer));
    for (int c = 0; c < CORPORA; c++) {
        char *name = gg_format("%s/%s.h5", folder, corpora[c].name);
        fixture_shard(name, 10 + (uint64_t)c, corpora[c].tokens, corpora[c].tokens, GG_VOCABULARY_MIN,
                      gg_tokenizer_fingerprint(tokenizer));
        free(name);
    }
    gg_tokenizer_destroy(&tokenizer);
    free(shard);
    free(path);
}

static void set(struct gg_settings *settings, const char *name, char *text) {
    CHECK_OK(gg_settings_set(settings, name, text, "test"));
    free(text);
}

static void set_blend(struct gg_settings *s) {
    for (int c = 0; c < CORPORA; c++) {
        char *paths = gg_format("data.train.%s.paths", corpora[c].name);
        char *weight = gg_format("data.train.%s.weight", corpora[c].name);
        set(s, paths, gg_format("%s/%s.h5", folder, corpora[c].name));
        set(s, weight, gg_strdup(corpora[c].weight));
        free(paths);
        free(weight);
    }
}

static void make_settings(struct gg_settings *s, bool blend, int p, int q, int zero) {
    const int replicas = world.size / (p * q);
    gg_settings_init(s);
    set(s, "model.layers", gg_strdup("1"));
    set(s, "model.heads", gg_strdup("12"));
    set(s, "model.width", gg_strdup("24"));
    set(s, "model.context", gg_format("%d", CONTEXT));
    if (blend)
        set_blend(s);
    else
        set(s, "data.train", in_folder("train.h5"));
    set(s, "batch.sequences", gg_format("%d", SEQUENCES));
    /* One micro-batch a step: all of a step's samples are there to be looked at. */
    set(s, "batch.micro", gg_format("%d", SEQUENCES / replicas));
    set(s, "optim.warmup", gg_strdup("2"));
    set(s, "parallel.grid", gg_format("%dx%d", p, q));
    set(s, "parallel.zero", gg_format("%d", zero));
    set(s, "run.dir", in_folder(blend ? "blend" : "run"));
    set(s, "run.steps", gg_format("%d", STEPS));
    CHECK_OK(gg_settings_resolve(s));
}

/* What a sample of the blend must hold, straight from the fixture. */
static void check_tokens(const struct gg_trainer *t, gg_blend *blend, uint64_t sample, const int32_t *inputs,
                         const int32_t *targets) {
    int corpus;
    uint64_t number;
    int64_t shard, offset;
    struct gg_sampler sampler;
    gg_blend_locate(blend, sample, &corpus, &number);
    CHECK_OK(gg_sampler_init(&sampler, &corpora[corpus].tokens, 1, CONTEXT,
                             gg_data_corpus_seed(&t->session.settings->data, corpora[corpus].name), true));
    gg_sampler_locate(&sampler, number, &shard, &offset);
    for (int i = 0; i < CONTEXT; i++) {
        assert_int_equal(inputs[i], fixture_token(10 + (uint64_t)corpus, offset + i, GG_VOCABULARY_MIN));
        assert_int_equal(targets[i], fixture_token(10 + (uint64_t)corpus, offset + i + 1, GG_VOCABULARY_MIN));
    }
    gg_sampler_free(&sampler);
}

static void check_blend(const struct gg_trainer *t) {
    const struct gg_micro_batch *batch = &t->session.replica.state.batch;
    const int count = SEQUENCES / t->session.replica.topology.replicas;
    double weights[CORPORA];
    for (int c = 0; c < CORPORA; c++)
        weights[c] = strtod(corpora[c].weight, NULL);
    gg_blend *blend = gg_blend_create(weights, CORPORA);
    for (int row = 0; row < count; row++)
        check_tokens(t, blend, batch->sample_ids[row], batch->inputs + row * CONTEXT,
                     batch->targets + row * CONTEXT);
    gg_blend_destroy(&blend);
}

static void note_samples(const struct gg_trainer *t) {
    const int count = SEQUENCES / t->session.replica.topology.replicas;
    MPI_Allgather(t->session.replica.state.batch.sample_ids, count, MPI_UINT64_T, taken[t->at.step], count,
                  MPI_UINT64_T, t->session.replica.topology.across_replicas);
}

/* Goes on to step `end`; of that, what comes behind step `saved` is lost. */
static void run(bool blend, int p, int q, int zero, int64_t begin, int64_t saved, int64_t end) {
    struct gg_settings settings;
    struct gg_trainer trainer = {0};
    make_settings(&settings, blend, p, q, zero);
    CHECK_OK(gg_trainer_create(&world, &settings, &trainer));
    assert_int_equal(trainer.at.step, begin);
    while (trainer.at.step < end) {
        struct gg_step_result result;
        CHECK_OK(gg_train_step(&trainer, &result));
        assert_true(result.loss > 0 && !result.skipped);
        note_samples(&trainer);
        if (blend)
            check_blend(&trainer);
        if (trainer.at.step == saved)
            gg_train_checkpoint_begin(&trainer);
    }
    gg_trainer_destroy(&trainer);
    gg_settings_free(&settings);
}

static void check_checkpoint(int64_t step) {
    struct gg_checkpoint_contents contents;
    char *checkpoints = in_folder("run/checkpoints"), *path = gg_checkpoint_path(checkpoints, step);
    CHECK_OK(gg_checkpoint_open(world.comm, path, &contents));
    assert_int_equal(contents.meta.step, step);
    assert_int_equal(contents.meta.consumed_samples, step * SEQUENCES);
    assert_int_equal(contents.meta.consumed_tokens, step * SEQUENCES * CONTEXT);
    gg_checkpoint_contents_free(&contents);
    free(path);
    free(checkpoints);
}

/* Each sample of the first `steps` steps was taken once. */
static void check_taken(int steps) {
    int times[STEPS * SEQUENCES] = {0};
    for (int step = 1; step <= steps; step++) {
        for (int i = 0; i < SEQUENCES; i++) {
            const uint64_t sample = taken[step][i];
            if (sample >= (uint64_t)steps * SEQUENCES)
                fail_msg("step %d takes sample %llu of %d", step, (unsigned long long)sample,
                         steps * SEQUENCES);
            times[sample]++;
        }
    }
    for (int sample = 0; sample < steps * SEQUENCES; sample++)
        if (times[sample] != 1)
            fail_msg("sample %d was taken %d times", sample, times[sample]);
}

static void every_sample_once(void **state) {
    (void)state;
    static const struct {
        int p, q, zero;
        int64_t saved, end;
    } runs[] = {{1, 1, 1, 5, 9}, {0, 1, 0, 11, 12}, {1, 0, 0, 13, 20}, {1, 1, 0, STEPS, STEPS}};
    int64_t begin = 0;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        /* 0: as many as there are ranks */
        const int p = runs[i].p > 0 ? runs[i].p : world.size, q = runs[i].q > 0 ? runs[i].q : world.size;
        run(false, p, q, runs[i].zero, begin, runs[i].saved, runs[i].end);
        begin = runs[i].saved;
        check_checkpoint(begin);
    }
    check_taken(STEPS);
}

/* As many replicas as ranks, and then one grid of all ranks, goes on. */
static void blend_goes_on(void **state) {
    (void)state;
    memset(taken, 0xFF, sizeof taken);
    run(true, 1, 1, 1, 0, 4, 6);
    run(true, 1, world.size, 0, 4, BLEND_STEPS, BLEND_STEPS);
    check_taken(BLEND_STEPS);
}

static void remove_files(void) {
    static const char *const names[] = {"train.h5",
                                        "a.h5",
                                        "b-2.h5",
                                        "c.h5",
                                        "blend/lock",
                                        "blend/settings.yaml",
                                        "blend/metrics.jsonl",
                                        "blend/checkpoints/step-00000004.h5",
                                        "blend/checkpoints/step-00000010.h5",
                                        "blend/checkpoints",
                                        "blend",
                                        "tokenizer.json",
                                        "run/lock",
                                        "run/settings.yaml",
                                        "run/metrics.jsonl",
                                        "run/checkpoints/step-00000005.h5",
                                        "run/checkpoints/step-00000011.h5",
                                        "run/checkpoints/step-00000013.h5",
                                        "run/checkpoints/step-00000020.h5",
                                        "run/checkpoints",
                                        "run"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = in_folder(names[i]);
        if (remove(path) != 0)
            rmdir(path);
        free(path);
    }
    rmdir(folder);
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    snprintf(folder, sizeof folder, "test_train_samples_%d.d", world.size);
    if (world.rank == 0) {
        remove_files();
        CHECK_OK(gg_folder_create(folder));
        make_data();
    }
    MPI_Barrier(world.comm);
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_sample_once), cmocka_unit_test(blend_goes_on)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Barrier(world.comm);
    if (world.rank == 0)
        remove_files();
    gg_world_stop(&world);
    return failed;
}
