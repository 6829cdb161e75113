#include "jobs/train/train_checkpoint.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "jobs/launch/watchdog.h"
#include "jobs/train/train_report.h"

#include <stdlib.h>

char *gg_train_checkpoint_folder(const struct gg_trainer *t) {
    return gg_format("%s/checkpoints", t->session.settings->run.dir);
}

bool gg_train_checkpoint_behind(const struct gg_settings *settings) {
    return settings->checkpoint.async && gg_checkpoint_writer_can_wait();
}

gg_status gg_train_checkpoint_prepare(struct gg_trainer *t) {
    const bool split = t->session.replica.plan.owned_elements <
                       t->session.replica.graph.table.trained_elements; /* states are compact */
    gg_parameter_table_part(&t->session.replica.graph.table, true, &t->trained);
    t->ranges = gg_malloc((size_t)t->session.replica.plan.partition.bucket_count * sizeof *t->ranges);
    gg_partition_ranges(&t->session.replica.plan.partition, t->session.replica.topology.replica, t->ranges);
    t->share = (struct gg_checkpoint_share){
        .table = &t->trained,
        .ranges = t->ranges,
        .range_count = gg_int(t->session.replica.plan.partition.bucket_count),
        .optimizer = t->session.replica.optimizer.kind,
        .values = {t->session.replica.state.weights},
    };
    for (int s = 0; s < t->share.optimizer->state_count; s++) {
        t->share.values[1 + s] = t->session.replica.state.optimizer[s];
        t->share.compact[1 + s] = split;
    }
    if (t->session.settings->checkpoint.async && !gg_train_checkpoint_behind(t->session.settings) &&
        t->session.world->rank == 0)
        fprintf(stderr, "checkpoint.async: this MPI allows no second thread (MPI_THREAD_MULTIPLE): the "
                        "training stands still while a checkpoint is written\n");
    return gg_checkpoint_writer_create(t->session.world->comm, &t->share,
                                       gg_train_checkpoint_behind(t->session.settings), &t->writer);
}

void gg_train_checkpoint_begin(struct gg_trainer *t) {
    gg_train_checkpoint_settle(t);
    if (t->saved_step == t->at.step)
        return;
    const double begin = gg_clock_seconds();
    gg_watchdog_at("beginning a checkpoint", "parallel write, unless it is written behind the training");
    gg_watchdog_await(GG_WATCHED_LONG);
    struct gg_checkpoint_meta meta = t->at;
    char *folder = gg_train_checkpoint_folder(t), *yaml = gg_settings_yaml(t->session.settings);
    meta.run_seed = t->session.settings->run.seed;
    meta.data_seed = t->session.settings->data.seed;
    meta.vocab = t->session.replica.graph.config.vocab;
    meta.data_fingerprint = t->session.data.data_fingerprint;
    meta.tokenizer_fingerprint = t->session.data.tokenizer_fingerprint;
    meta.settings_yaml = yaml;
    meta.tokenizer_json = t->session.data.tokenizer_json;
    meta.tokenizer_bytes = t->session.data.tokenizer_bytes;
    if (t->session.settings->lora.rank > 0) {
        meta.base_path = t->resume.from;
        meta.base_checksum = t->resume.from_checksum;
    }
    const struct gg_checkpoint_retention retention = {
        t->session.settings->checkpoint.keep, t->session.settings->checkpoint.keep_every, t->best_due};
    t->best_due = false;
    gg_checkpoint_writer_begin(t->writer, folder, &meta, &retention);
    free(yaml);
    free(folder);
    t->checkpoint_clock = gg_clock_seconds();
    t->seconds[GG_PHASE_CHECKPOINT] += t->checkpoint_clock - begin;
}

gg_status gg_train_checkpoint_take(struct gg_trainer *t) {
    if (!gg_checkpoint_writer_busy(t->writer))
        return GG_OK;
    const double begin = gg_clock_seconds();
    gg_watchdog_at("ending a checkpoint", "agreement of all ranks on its write");
    gg_watchdog_await(GG_WATCHED_LONG);
    const gg_status status = gg_checkpoint_writer_wait(t->writer, &t->written);
    gg_time_limit_checkpoint(&t->time_limit, t->written.copy_seconds + t->written.write_seconds);
    t->seconds[GG_PHASE_CHECKPOINT] += gg_clock_seconds() - begin;
    t->written_fresh = true;
    if (t->written.folder_made)
        gg_train_report_note(
            t, "warning: %s/checkpoints was gone, and the checkpoints in it; it has been made again",
            t->session.settings->run.dir);
    if (t->written.written)
        t->saved_step = t->written.step;
    return status;
}

void gg_train_checkpoint_settle(struct gg_trainer *t) {
    if (gg_train_checkpoint_take(t) == GG_OK)
        return;
    /* The run goes on with the older checkpoint. */
    gg_train_report_note(t, "warning: %s step %lld: %s",
                         t->written.written ? "behind the checkpoint of" : "no checkpoint of",
                         (long long)t->written.step, gg_failure());
}

gg_status gg_train_checkpoint_save(struct gg_trainer *t) {
    gg_train_checkpoint_begin(t);
    return gg_train_checkpoint_take(t);
}

void gg_train_checkpoint_free(struct gg_trainer *t) {
    gg_checkpoint_writer_destroy(&t->writer);
    gg_parameter_table_free(&t->trained);
    free(t->ranges);
    t->ranges = NULL;
}
