/* A run that stops anywhere and goes on with other replicas, grids and ZeRO stages takes every training
 * sample once: none is skipped, none is seen twice. Counted by the samples' own numbers, as the trainer's
 * steps take them. */
#include "jobs/command/settings.h"
#include "tests/shard_fixture.h"

#include "core/text/bpe_training.h"
#include "io/base/file.h"
#include "io/tokenizer/tokenizer_file.h"
#include "jobs/train/train_checkpoint.h"
#include "jobs/train/train_step.h"
#include "jobs/train/trainer.h"

#include <unistd.h>

/* STEPS steps are some two and a half epochs of 190 samples. */
enum { CONTEXT = 16, SEQUENCES = 24, STEPS = 20, TOKENS = 190 * CONTEXT + 1 };

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
    gg_tokenizer_destroy(&tokenizer);
    free(shard);
    free(path);
}

static void set(struct gg_settings *settings, const char *name, char *text) {
    CHECK_OK(gg_settings_set(settings, name, text, "test"));
    free(text);
}

static void make_settings(struct gg_settings *s, int p, int q, int zero) {
    const int replicas = world.size / (p * q);
    gg_settings_init(s);
    set(s, "model.layers", gg_strdup("1"));
    set(s, "model.heads", gg_strdup("12"));
    set(s, "model.width", gg_strdup("24"));
    set(s, "model.context", gg_format("%d", CONTEXT));
    set(s, "data.train", in_folder("train.h5"));
    set(s, "batch.sequences", gg_format("%d", SEQUENCES));
    /* One micro-batch a step: all of a step's samples are there to be looked at. */
    set(s, "batch.micro", gg_format("%d", SEQUENCES / replicas));
    set(s, "optim.warmup", gg_strdup("2"));
    set(s, "parallel.grid", gg_format("%dx%d", p, q));
    set(s, "parallel.zero", gg_format("%d", zero));
    set(s, "run.dir", in_folder("run"));
    set(s, "run.steps", gg_format("%d", STEPS));
    CHECK_OK(gg_settings_resolve(s));
}

static void note_samples(const struct gg_trainer *t) {
    const int count = SEQUENCES / t->session.replica.topology.replicas;
    MPI_Allgather(t->session.replica.state.batch.sample_ids, count, MPI_UINT64_T, taken[t->at.step], count,
                  MPI_UINT64_T, t->session.replica.topology.across_replicas);
}

/* Goes on to step `end`; of that, what comes behind step `saved` is lost. */
static void run(int p, int q, int zero, int64_t begin, int64_t saved, int64_t end) {
    struct gg_settings settings;
    struct gg_trainer trainer = {0};
    make_settings(&settings, p, q, zero);
    CHECK_OK(gg_trainer_create(&world, &settings, &trainer));
    assert_int_equal(trainer.at.step, begin);
    while (trainer.at.step < end) {
        struct gg_step_result result;
        CHECK_OK(gg_train_step(&trainer, &result));
        assert_true(result.loss > 0 && !result.skipped);
        note_samples(&trainer);
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
        run(p, q, runs[i].zero, begin, runs[i].saved, runs[i].end);
        begin = runs[i].saved;
        check_checkpoint(begin);
    }
    int times[STEPS * SEQUENCES] = {0};
    for (int step = 1; step <= STEPS; step++) {
        for (int i = 0; i < SEQUENCES; i++) {
            const uint64_t sample = taken[step][i];
            if (sample >= STEPS * SEQUENCES)
                fail_msg("step %d takes sample %llu of %d", step, (unsigned long long)sample,
                         STEPS * SEQUENCES);
            times[sample]++;
        }
    }
    for (int sample = 0; sample < STEPS * SEQUENCES; sample++)
        if (times[sample] != 1)
            fail_msg("sample %d was taken %d times", sample, times[sample]);
}

static void remove_files(void) {
    static const char *const names[] = {"train.h5",
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_sample_once)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Barrier(world.comm);
    if (world.rank == 0)
        remove_files();
    gg_world_stop(&world);
    return failed;
}
