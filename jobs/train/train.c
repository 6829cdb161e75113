/* gridgpt train and gridgpt finetune: the settings on every rank, then the trainer. */
#include "jobs/command/commands.h"
#include "jobs/command/job.h"
#include "jobs/command/job_settings.h"
#include "jobs/command/settings.h"
#include "jobs/command/standard_streams.h"
#include "jobs/launch/launch_check.h"
#include "jobs/launch/stop_signal.h"
#include "jobs/launch/watchdog.h"
#include "jobs/train/trainer.h"

/* Which of the two commands the settings are for. */
static gg_status check_command(const struct gg_settings *settings, bool finetunes) {
    if (finetunes && settings->finetune.from == NULL)
        return gg_fail(GG_USAGE,
                       "finetune.from is not set: name the checkpoint or the run folder to begin with");
    if (!finetunes && settings->finetune.from != NULL)
        return gg_fail(GG_USAGE,
                       "finetune.from is set: 'gridgpt finetune' trains on samples, and train on token "
                       "shards, from a checkpoint where run.from names one");
    return GG_OK;
}

static gg_status work(const struct gg_world *world, const struct gg_words *words, bool finetunes) {
    struct gg_settings settings;
    struct gg_trainer trainer = {0};
    if (world->rank == 0)
        gg_stop_take_terminal();
    gg_settings_init(&settings);
    gg_status status = gg_launch_check_same(world, words);
    if (status == GG_OK)
        status = gg_job_settings(world, words, NULL, &settings);
    if (status == GG_OK)
        status = check_command(&settings, finetunes);
    if (status == GG_OK) {
        gg_job_threads(settings.compute.threads);
        gg_watchdog_start(world, (double)settings.run.watchdog, settings.run.watchdog_minutes);
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

static gg_status train(const struct gg_world *world, void *values, const struct gg_words *words) {
    (void)values;
    return work(world, words, false);
}

static gg_status finetune(const struct gg_world *world, void *values, const struct gg_words *words) {
    (void)values;
    return work(world, words, true);
}

static gg_status run_train(const struct gg_command *command, int argc, char **argv) {
    return gg_job_run(command, argc, argv, NULL, 1, 100000, train);
}

static gg_status run_finetune(const struct gg_command *command, int argc, char **argv) {
    return gg_job_run(command, argc, argv, NULL, 1, 100000, finetune);
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
    .run = run_train,
    .settings = &gg_settings_table,
    .stops = true,
};

const struct gg_command gg_command_finetune = {
    .name = "finetune",
    .usage = "mpirun -n N gridgpt finetune SETTINGS.yaml [key=value]...",
    .summary =
        "goes on training a checkpoint on samples, as train does on text\n\n"
        "finetune.from names the checkpoint, data.train and data.val files of JSON, a sample a line:\n"
        "  {\"prompt\": TEXT, \"completion\": TEXT}                    the completion is learned\n"
        "  {\"messages\": [{\"role\": \"user\", \"content\": TEXT}, ...]}   the assistant's turns\n"
        "  {\"instruction\": TEXT, \"input\": TEXT, \"output\": TEXT}    the output, as the assistant's turn\n"
        "  {\"text\": TEXT, \"label\": TEXT}                          the class of the text\n"
        "  {\"text\": TEXT}                                         all of it\n"
        "A line may have a \"task\", which is told before it. model.context is the most tokens of a sample;\n"
        "several are put side by side in it, and none sees another. All else is as with train.",
    .run = run_finetune,
    .settings = &gg_settings_table,
    .stops = true,
};
