#include "jobs/train/session.h"

#include "core/plan/legality.h"
#include "jobs/launch/blas_note.h"
#include "jobs/launch/precision_choice.h"
#include "jobs/launch/reduction_driver.h"
#include "jobs/launch/stop_agreement.h"

#include <omp.h>

/* Between the parts of a start, each of which may take a while: whether to go on with it. */
static gg_status go_on(const struct gg_session *s) {
    return gg_stop_agree_at_start(s->world->comm);
}

gg_status gg_session_open(const struct gg_world *world, const struct gg_settings *settings, bool tokenizer,
                          bool copies, struct gg_session *s) {
    enum gg_precision precision;
    s->world = world;
    s->settings = settings;
    GG_TRY(go_on(s));
    GG_TRY(gg_launch_check_cores(world, omp_get_max_threads(), &s->cores));
    GG_TRY(gg_precision_choose(world, (enum gg_precision)settings->compute.precision,
                               (enum gg_fallback)settings->compute.fallback, &precision));
    GG_TRY(gg_replica_place(world, settings, &s->replica));
    GG_TRY(gg_legality_batch(&settings->batch, &s->replica.plan.place));
    const struct gg_plan_request request = gg_settings_plan_request(settings);
    GG_TRY(gg_legality_summation(&request, &s->replica.plan.place));
    GG_TRY(gg_train_data_open(&s->replica, tokenizer, &s->data));
    GG_TRY(go_on(s));
    return gg_replica_shape(&s->replica, s->data.vocab, precision, copies);
}

gg_status gg_session_measure(struct gg_session *s) {
    const struct gg_replica *r = &s->replica;
    GG_TRY(go_on(s));
    GG_TRY(gg_reduction_driver_choose(s->world, s->settings, &r->topology, &s->cores, &s->reduction_thread));
    GG_TRY(gg_gemm_rate_measure(s->world->comm, r->graph.config.precision, &s->gemm));
    gg_blas_note(s->world, &s->gemm, r->topology.shards.feature_shards * r->topology.shards.token_shards > 1);
    GG_TRY(go_on(s));
    gg_train_memory_measure(s->world, &r->plan, s->settings, &s->data, s->gemm.scratch_bytes, &s->memory);
    s->memory.plan.evaluation = s->evaluation_bytes;
    return GG_OK;
}

gg_status gg_session_allocate(struct gg_session *s) {
    GG_TRY(gg_train_memory_check_limits(s->world, &s->replica.graph, &s->memory));
    GG_TRY(gg_replica_open_training(&s->replica, s->reduction_thread, &s->cores.allowed));
    return go_on(s);
}

gg_status gg_session_start(struct gg_session *s, int64_t consumed) {
    const struct gg_loader_plan plan = {.consumed = consumed,
                                        .sequences = s->settings->batch.sequences,
                                        .micro = s->settings->batch.micro,
                                        .replica = s->replica.topology.replica,
                                        .replicas = s->replica.topology.replicas,
                                        .played = gg_summation_played(&s->replica.plan.partition.summation)};
    GG_TRY(gg_agree(s->world->comm, s->data.train != NULL ? gg_loader_start(s->data.train, &plan) : GG_OK));
    return go_on(s);
}

void gg_session_close(struct gg_session *s) {
    gg_train_data_close(&s->data);
    gg_replica_close(&s->replica);
    *s = (struct gg_session){0};
}
