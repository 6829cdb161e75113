#include "jobs/bench/bench_step.h"

#include "core/base/memory.h"
#include "core/optim/schedule.h"
#include "jobs/bench/bench_figures.h"
#include "jobs/bench/bench_report.h"
#include "jobs/replica/replica_step.h"
#include "jobs/train/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gg_bench_run {
    struct gg_world alone_world;
    struct gg_settings alone_settings;
    struct gg_session session;
    struct gg_bench_series series;
};

static gg_status take_step(struct gg_bench_run *run, bool counts) {
    struct gg_session *t = &run->session;
    struct gg_replica_step result = {.learning_rate = gg_learning_rate(
                                         &t->settings->optim, t->settings->run.steps, run->series.steps + 1)};
    memset(t->replica.seconds, 0, sizeof t->replica.seconds);
    t->replica.kernels = (struct gg_model_times){0};
    MPI_Barrier(t->world->comm);
    GG_TRY(gg_replica_step(&t->replica, t->data.train, &result));
    run->series.losses[run->series.steps++] = result.loss;
    if (counts)
        gg_bench_series_add(&run->series, t, &result);
    return GG_OK;
}

/* A barrier that leaves the core to others: those who wait must not disturb the one who is measured. */
static void wait_quietly(MPI_Comm comm) {
    MPI_Request request;
    int done = 0;
    MPI_Ibarrier(comm, &request);
    while (MPI_Test(&request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done)
        usleep(2000);
}

/* A model with a run's initial weights that can step. */
static gg_status open_session(const struct gg_world *world, const struct gg_settings *settings,
                              struct gg_session *s) {
    GG_TRY(gg_session_open(world, settings, false, false, s));
    GG_TRY(gg_session_measure(s));
    GG_TRY(gg_session_allocate(s));
    gg_parameters_initialise(&s->replica.graph.table, (uint64_t)settings->run.seed, s->replica.state.weights);
    gg_model_weights_changed(s->replica.model);
    return gg_session_start(s, 0);
}

static gg_status make_variant(const struct gg_world *world, struct gg_bench_variant *v) {
    v->run = gg_calloc(1, sizeof *v->run);
    if (!v->alone)
        return open_session(world, v->settings, &v->run->session);
    if (world->rank != 0)
        return GG_OK;
    static char grid[] = "1x1";
    v->run->alone_settings = *v->settings; /* its strings are borrowed */
    v->run->alone_settings.parallel.grid = grid;
    v->run->alone_settings.batch.sequences = v->settings->batch.micro;
    v->run->alone_world.size = 1;
    MPI_Comm_dup(MPI_COMM_SELF, &v->run->alone_world.comm);
    return open_session(&v->run->alone_world, &v->run->alone_settings, &v->run->session);
}

static void free_variant(struct gg_bench_variant *v) {
    if (v->run == NULL)
        return;
    if (v->run->session.world != NULL)
        gg_session_close(&v->run->session);
    if (v->run->alone_world.size == 1)
        MPI_Comm_free(&v->run->alone_world.comm);
    free(v->run);
    v->run = NULL;
}

static gg_status step_variant(const struct gg_world *world, struct gg_bench_variant *v, bool counts) {
    if (!v->alone)
        return take_step(v->run, counts);
    const gg_status status = world->rank == 0 ? take_step(v->run, counts) : GG_OK;
    wait_quietly(world->comm);
    return gg_agree(world->comm, status);
}

/* A step of each variant in turns; the first round warms up. */
static gg_status measure(const struct gg_world *world, struct gg_bench_variant *variants, int count,
                         int repeats) {
    for (int round = -1; round < repeats; round++)
        for (int i = 0; i < count; i++)
            GG_TRY(step_variant(world, &variants[i], round >= 0));
    return GG_OK;
}

static void report(const struct gg_bench_variant *variants, const struct gg_bench_figures *figures, int count,
                   bool json) {
    struct gg_bench_result results[GG_BENCH_VARIANTS];
    for (int i = 0; i < count; i++) {
        const struct gg_bench_run *run = variants[i].run;
        results[i] = (struct gg_bench_result){variants[i].name, &run->session, &run->series, &figures[i]};
    }
    if (json)
        gg_bench_report_json(results, count);
    else
        gg_bench_report(results, count);
}

gg_status gg_bench_step(const struct gg_world *world, struct gg_bench_variant *variants, int count,
                        int repeats, bool json) {
    GG_ASSERT(count <= GG_BENCH_VARIANTS);
    struct gg_bench_figures figures[GG_BENCH_VARIANTS];
    repeats = repeats < GG_BENCH_REPEATS ? repeats : GG_BENCH_REPEATS;
    gg_status status = GG_OK;
    for (int i = 0; status == GG_OK && i < count; i++)
        status = gg_agree(world->comm, make_variant(world, &variants[i]));
    if (status == GG_OK)
        status = measure(world, variants, count, repeats);
    for (int i = 0; status == GG_OK && i < count; i++)
        if (!variants[i].alone || world->rank == 0)
            figures[i] = gg_bench_figures_of(&variants[i].run->series, &variants[i].run->session);
    if (status == GG_OK && world->rank == 0)
        report(variants, figures, count, json);
    for (int i = 0; i < count; i++)
        free_variant(&variants[i]);
    return status;
}
