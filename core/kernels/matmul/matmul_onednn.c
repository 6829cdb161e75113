#include "core/kernels/matmul/matmul.h"
#include "core/kernels/matmul/matmul_bf16.h"

#include "core/kernels/matmul/onednn_check.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>

/* dnnl_sgemm is in the C API of v2 and v3 alike, row-major, picks its kernel from the CPU's own flags, and on
 * weight gradients (transposed A) outruns the matmul primitive. */
void gg_matmul_scaled(enum gg_transpose transpose_a, enum gg_transpose transpose_b, int64_t m, int64_t n,
                      int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                      float beta, float *c, int64_t ldc) {
    const dnnl_status_t status =
        dnnl_sgemm(transpose_a == GG_TRANSPOSED ? 'T' : 'N', transpose_b == GG_TRANSPOSED ? 'T' : 'N', m, n,
                   k, alpha, a, lda, b, ldb, beta, c, ldc);
    gg_onednn_check(status, "dnnl_sgemm", __FILE__, __LINE__);
}

const char *gg_matmul_library_name(void) {
    static _Thread_local char name[48];
    const dnnl_version_t *version = dnnl_version();
    snprintf(name, sizeof name, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
    return name;
}
