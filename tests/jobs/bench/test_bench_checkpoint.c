/* The bench of checkpoints measures everything and leaves nothing behind. Settings on the command line
 * (key=value) replace the small model's. */
#include "jobs/command/settings.h"
#include "tests/check.h"

#include "core/base/memory.h"
#include "io/base/file.h"
#include "jobs/bench/bench_checkpoint.h"
#include "jobs/command/job.h"

#include <stdlib.h>
#include <string.h>

static struct gg_world world;
static struct gg_settings settings;

static void measures_and_cleans(void **state) {
    (void)state;
    CHECK_OK(gg_bench_checkpoint(&world, &settings, 50257, 3, false));
    CHECK_OK(gg_bench_checkpoint(&world, &settings, 50257, 1, true));
    MPI_Barrier(world.comm);
    assert_false(gg_file_exists(settings.run.dir));
}

static void refuses_a_grid_that_does_not_fit(void **state) {
    (void)state;
    char *grid = settings.parallel.grid;
    settings.parallel.grid = gg_strdup("7x1");
    CHECK_FAILS(gg_bench_checkpoint(&world, &settings, 50257, 1, false), GG_USAGE, "7x1");
    free(settings.parallel.grid);
    settings.parallel.grid = grid;
}

int main(int argc, char **argv) {
    static const char *const small[] = {"model.layers=2", "model.width=96", "model.heads=6",
                                        "parallel.zero=1"};
    if (gg_world_start(&world) != GG_OK)
        return 1;
    gg_settings_init(&settings);
    for (int i = 0; i < (argc > 1 ? argc - 1 : 4); i++) {
        char *word = gg_strdup(argc > 1 ? argv[i + 1] : small[i]), *value = strchr(word, '=');
        *value = '\0';
        CHECK_OK(gg_settings_set(&settings, word, value + 1, "test"));
        free(word);
    }
    char *folder = gg_format("test_bench_checkpoint_%d.d", world.size);
    CHECK_OK(gg_settings_set(&settings, "run.dir", folder, "test"));
    free(folder);
    CHECK_OK(gg_settings_resolve(&settings));
    gg_job_threads(settings.compute.threads);
    const struct CMUnitTest tests[] = {cmocka_unit_test(measures_and_cleans),
                                       cmocka_unit_test(refuses_a_grid_that_does_not_fit)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gg_settings_free(&settings);
    gg_world_stop(&world);
    return failed;
}
