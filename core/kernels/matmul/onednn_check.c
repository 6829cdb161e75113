#include "core/kernels/matmul/onednn_check.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <string.h>

void gg_onednn_check(dnnl_status_t status, const char *call, const char *file, int line) {
    if (status == dnnl_success)
        return;
    if (status == dnnl_invalid_arguments)
        gg_assertion_failed(call, file, line);
    const int shown = (int)strcspn(call, "(");
    char what[128];
    snprintf(what, sizeof what, "a matrix product (oneDNN's %.*s: status %d)", shown, call, (int)status);
    gg_out_of_memory(what, 0);
}
