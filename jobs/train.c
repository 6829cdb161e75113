/* gridgpt train: the settings on every rank, then the trainer. */
#include "core/base/memory.h"
#include "core/base/settings.h"
#include "io/settings_file.h"
#include "jobs/commands.h"
#include "jobs/job.h"
#include "jobs/stop_signal.h"
#include "jobs/trainer.h"

#include <stdlib.h>
#include <string.h>

static gg_status read_settings(const struct gg_words *words, struct gg_settings *settings) {
    GG_TRY(gg_settings_read_file(settings, words->items[0]));
    for (int i = 1; i < words->count; i++)
        GG_TRY(gg_settings_set_word(settings, words->items, i));
    return gg_settings_resolve(settings);
}

/* Rank 0 reads and resolves; the others take what it found, so that no two ranks can differ. Collective. */
static gg_status share_settings(const struct gg_world *world, const struct gg_words *words,
                                struct gg_settings *settings) {
    GG_TRY(gg_agree(world->comm, world->rank == 0 ? read_settings(words, settings) : GG_OK));
    char *yaml = world->rank == 0 ? gg_settings_yaml(settings) : NULL;
    int64_t bytes = yaml != NULL ? (int64_t)strlen(yaml) : 0;
    MPI_Bcast(&bytes, 1, MPI_INT64_T, 0, world->comm);
    if (yaml == NULL)
        yaml = gg_malloc((size_t)bytes + 1);
    MPI_Bcast(yaml, gg_int(bytes), MPI_CHAR, 0, world->comm);
    gg_status status = GG_OK;
    if (world->rank != 0)
        status = gg_settings_read_text(settings, yaml, (size_t)bytes, "the settings of rank 0");
    free(yaml);
    return gg_agree(world->comm, status);
}

static gg_status train(const struct gg_world *world, void *values, const struct gg_words *words) {
    (void)values;
    struct gg_settings settings;
    struct gg_trainer trainer = {0};
    gg_stop_install(world->rank == 0);
    gg_settings_init(&settings);
    gg_status status = share_settings(world, words, &settings);
    if (status == GG_OK) {
        gg_job_threads(settings.compute.threads);
        status = gg_trainer_create(world, &settings, &trainer);
        if (status == GG_OK)
            status = gg_trainer_run(&trainer);
        gg_trainer_destroy(&trainer);
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
        "with a checkpoint and exit status 75; under mpirun, send SIGUSR1 (mpirun passes it on and waits).",
    .run = run,
    .settings = &gg_settings_table,
};
