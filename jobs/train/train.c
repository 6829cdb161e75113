/* gridgpt train: the settings on every rank, then the trainer. */
#include "jobs/command/commands.h"
#include "jobs/command/job.h"
#include "jobs/command/job_settings.h"
#include "jobs/command/settings.h"
#include "jobs/command/standard_streams.h"
#include "jobs/launch/launch_check.h"
#include "jobs/launch/stop_signal.h"
#include "jobs/launch/watchdog.h"
#include "jobs/train/trainer.h"

static gg_status train(const struct gg_world *world, void *values, const struct gg_words *words) {
    (void)values;
    struct gg_settings settings;
    struct gg_trainer trainer = {0};
    if (world->rank == 0)
        gg_stop_take_terminal();
    gg_settings_init(&settings);
    gg_status status = gg_launch_check_same(world, words);
    if (status == GG_OK)
        status = gg_job_settings(world, words, NULL, &settings);
    if (status == GG_OK) {
        gg_job_threads(settings.compute.threads);
        gg_watchdog_start(world->rank, (double)settings.run.watchdog, settings.run.watchdog_minutes);
        status = gg_trainer_create(world, &settings, &trainer);
        if (status == GG_OK)
            status = gg_trainer_run(&trainer);
        if (status == GG_OK) /* the report goes there; a run that has lost some of it went on all the same */
            status = gg_agree(world->comm, gg_standard_error_end());
        gg_trainer_destroy(&trainer);
        gg_watchdog_stop();
    }
    gg_settings_free(&settings);
    gg_stop_end();
    return status;
}

static gg_status run(const struct gg_command *command, int argc, char **argv) {
    return gg_job_run(command, argc, argv, NULL, 1, 100000, train);
}

const struct gg_command gg_command_train = {
    .name = "train",
    .usage = "mpirun -n N gridgpt train SETTINGS.yaml [key=value]...",
    .summary =
        "pretrains a model on token shards, data parallel over N ranks\n\n"
        "Settings come from a YAML file (dotted names or nested maps), then from key=value words. A run\n"
        "folder that has a checkpoint goes on from the newest one. Ctrl-C, SIGTERM and SIGUSR1 end the run\n"
        "with a checkpoint and exit status 75; under mpirun, send SIGUSR1 (mpirun passes it on and waits).\n"
        "Before the first step there is nothing to save: 75 as well, and the same command begins again.",
    .run = run,
    .settings = &gg_settings_table,
    .stops = true,
};
