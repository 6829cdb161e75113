/* Windows that slide over a document, so that each of its tokens is predicted once, and from as many of those before it
 * as the stride leaves. All local and pure.
 *
 * The first window predicts the first `context` tokens, from a token that stands before the document (the one that ends
 * documents). Each further one predicts the next `stride` tokens, or those that are left, and ends with them: its inputs
 * are the `context` tokens before, so that every token has at least context - stride before it where the document has
 * (lm-evaluation-harness, lm_eval/utils.py, get_rolling_token_windows, with stride = max_seq_len - context_len + 1).
 */
#ifndef GG_CORE_DATA_SLIDING_WINDOW_H
#define GG_CORE_DATA_SLIDING_WINDOW_H

#include <stdint.h>

/* A window: `scored` tokens from `end` - `scored` on are predicted, from inputs that begin at `begin`: -1 is the token
 * before the document. */
struct gg_window {
    int64_t begin, end, scored;
};

/* How many windows a document has: none without tokens. */
int64_t gg_window_count(int64_t tokens, int64_t context, int64_t stride);

/* One of them. */
struct gg_window gg_window_at(int64_t tokens, int64_t context, int64_t stride, int64_t window);

#endif
