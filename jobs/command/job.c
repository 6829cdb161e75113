#include "jobs/command/job.h"

#include "core/base/denormals.h"
#include "jobs/command/standard_streams.h"
#include "jobs/launch/launch_check.h"

#include <omp.h>
#include <stdlib.h>

static gg_status check_words(const struct gg_command *command, int count, int least, int most) {
    if (count >= least && count <= most)
        return GG_OK;
    return gg_fail(GG_USAGE, "%s words were given; usage: %s", count < least ? "too few" : "too many",
                   command->usage);
}

gg_status gg_job_run(const struct gg_command *command, int argc, char **argv, void *values, int min_words,
                     int max_words,
                     gg_status (*work)(const struct gg_world *, void *, const struct gg_words *)) {
    struct gg_words words;
    bool help;
    gg_status status = gg_command_line_read(command, argc, argv, values, &words, &help);
    if (status == GG_OK && !help)
        status = check_words(command, words.count, min_words, max_words);
    struct gg_world world;
    if (!help) {
        const gg_status read = status;
        gg_standard_streams_survive();
        status = gg_launch_check_environment();
        if (status == GG_OK)
            status = gg_world_start(&world);
        if (status == GG_OK) {
            status = gg_launch_check_world(&world);
            /* A wrong command line is wrong on every rank. */
            if (status == GG_OK)
                status = read != GG_OK ? read : work(&world, values, &words);
            if (status == GG_OK)
                status = gg_agree(world.comm, gg_standard_output_end());
            /* Said before MPI ends: mpirun stops listening when the first rank has left with a failure. */
            if (world.rank == 0 && status != GG_OK && gg_failure()[0] != '\0')
                fprintf(stderr, "gridgpt %s: %s\n", command->name, gg_failure());
            if (status != GG_OK)
                status = gg_fail(status, "%s", "");
            gg_world_stop(&world);
        }
    }
    gg_words_free(&words);
    if (command->options != NULL)
        gg_options_free(command->options, values);
    return status;
}

int gg_job_threads(int64_t threads) {
    if (threads == 0 && getenv("OMP_NUM_THREADS") == NULL)
        threads = 1;
    if (threads > 0)
        omp_set_num_threads(gg_int(threads));
    gg_denormals_flush();
    return omp_get_max_threads();
}
