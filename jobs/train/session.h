/* What a training step needs beside its replica: cores, data, the machine's rate, the memory that all of it takes.
 * Opened in parts, between which a run looks for its checkpoint and tells what it is about to do; bench opens the same
 * and only steps.
 *
 * Everything is collective over the world and fails alike on every rank; GG_STOPPED when a signal came meanwhile.
 * `session` is zeroed memory at first; gg_session_close after a failure too.
 */
#ifndef GG_JOBS_TRAIN_SESSION_H
#define GG_JOBS_TRAIN_SESSION_H

#include "jobs/launch/gemm_rate.h"
#include "jobs/launch/launch_check.h"
#include "jobs/replica/replica.h"
#include "jobs/train/train_data.h"
#include "jobs/train/train_memory.h"

struct gg_session {
    const struct gg_world *world;
    const struct gg_settings *settings; /* resolved */
    struct gg_launch_cores cores;
    struct gg_replica replica;
    struct gg_train_data data;
    struct gg_gemm_rate gemm;
    size_t evaluation_bytes; /* of tasks and written texts: set by who has them, before it is measured */
    bool reduction_thread;   /* a thread drives the sum of the gradients on; else calls between kernels do */
    struct gg_train_memory memory;
};

/* Checks cores, precision, grid and batch, opens the data, shapes the model.
 *   tokenizer [in] whether the tokenizer is wanted; without it the vocabulary is the shards'
 *   copies    [in] whether checkpoints are copied and written behind the training */
gg_status gg_session_open(const struct gg_world *world, const struct gg_settings *settings, bool tokenizer,
                          bool copies, struct gg_session *session) GG_MUST_USE;

/* Measures the machine, chooses what drives reductions, and works out the memory of a rank. */
gg_status gg_session_measure(struct gg_session *session) GG_MUST_USE;

/* Compares that with the limits set to it, and allocates it. GG_RESOURCE. */
gg_status gg_session_allocate(struct gg_session *session) GG_MUST_USE;

/* Starts reading ahead.
 *   consumed [in] samples that were taken before */
gg_status gg_session_start(struct gg_session *session, int64_t consumed) GG_MUST_USE;

void gg_session_close(struct gg_session *session);

#endif
