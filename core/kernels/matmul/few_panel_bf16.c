#include "core/kernels/matmul/few_panel_internal.h"

#include "core/base/status.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define GG_FEW_TARGET           __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")))
#define GG_FEW_PAIRS(sum, w, x) ((gg_floats16)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(w), (__m512bh)(x)))
#include "core/kernels/matmul/few_panel_body_internal.h"

GG_FEW_TARGET void gg_few_panel_avx512_bf16(const struct gg_few_panel *panel) {
    GG_ASSERT(panel->stored == GG_PRECISION_BF16);
    few_panel(GG_PRECISION_BF16, panel);
}
#else
void gg_few_panel_avx512_bf16(const struct gg_few_panel *panel) {
    gg_few_panel_plain(panel);
}
#endif
