/* The settings that a layout is planned from, of the rooms that they stand in.
 */
#ifndef GG_CORE_PLAN_PLAN_REQUEST_H
#define GG_CORE_PLAN_PLAN_REQUEST_H

#include "core/model/model_settings.h"
#include "core/optim/optim_settings.h"
#include "core/plan/batch_settings.h"
#include "core/plan/parallel_settings.h"

struct gg_plan_request {
    const struct gg_model_settings *model;
    const struct gg_batch_settings *batch;
    const struct gg_parallel_settings *parallel;
    const struct gg_optim_settings *optim;
    int reproducible; /* virtual replicas of the run that is gone on with; 0: of none */
    bool marked;      /* micro-batches have marks (core/data/micro_batch.h) */
};

#endif
