#include "core/kernels/matmul/few_panel_body_internal.h"

void gg_few_panel_plain(const struct gg_few_panel *panel) {
    if (panel->stored == GG_PRECISION_BF16)
        few_panel(GG_PRECISION_BF16, panel);
    else
        few_panel(GG_PRECISION_FP32, panel);
}
