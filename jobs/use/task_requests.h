/* What a model is asked for a task: how likely each choice is behind its context. All local.
 *
 * Text becomes ids as in lm-evaluation-harness (lm_eval/api/model.py, _encode_pair): white space at a context's end is
 * the choice's, both are encoded together, and the choice has what comes behind as many ids as the context alone has. An
 * empty context is the token that begins texts, or that ends documents. A longer one loses its beginning.
 */
#ifndef GG_JOBS_USE_TASK_REQUESTS_H
#define GG_JOBS_USE_TASK_REQUESTS_H

#include "core/text/tokenizer.h"
#include "jobs/use/task.h"

struct gg_task_request {
    int64_t first, count; /* of the ids: of context and choice, at most the model's context + 1 */
    int64_t scored;       /* the last of them are the choice */
    bool truncated;       /* the context has lost its beginning */
};

struct gg_task_requests {
    struct gg_ids ids;
    struct gg_task_request *items; /* a sample's choices in order, samples in order */
    int64_t count;
    int64_t *order; /* (count) longest first: rows that go through the model together are of like lengths */
};

/*   context  [in]     of the model
 *   requests [in,out] zeroed; free with gg_task_requests_free, also after a failure
 * GG_BAD_DATA with file and line: a choice that is longer than the context, or makes no token of its own; as gg_encode. */
gg_status gg_task_requests_make(const struct gg_task *task, const gg_tokenizer *tokenizer, int64_t context,
                                struct gg_task_requests *requests) GG_MUST_USE;
void gg_task_requests_free(struct gg_task_requests *requests);

/* Bytes that they hold. */
size_t gg_task_requests_bytes(const struct gg_task_requests *requests);

#endif
