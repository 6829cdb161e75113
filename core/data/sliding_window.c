#include "core/data/sliding_window.h"

#include "core/base/status.h"

int64_t gg_window_count(int64_t tokens, int64_t context, int64_t stride) {
    GG_ASSERT(stride >= 1 && stride <= context);
    if (tokens <= context)
        return tokens > 0;
    return 1 + (tokens - context + stride - 1) / stride;
}

struct gg_window gg_window_at(int64_t tokens, int64_t context, int64_t stride, int64_t window) {
    const int64_t first = tokens < context ? tokens : context;
    if (window == 0)
        return (struct gg_window){-1, first, first};
    const int64_t done = context + (window - 1) * stride;
    const int64_t end = done + stride < tokens ? done + stride : tokens;
    return (struct gg_window){end - context - 1, end, end - done};
}
