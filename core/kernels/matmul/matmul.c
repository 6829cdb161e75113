/* What is the same whichever library multiplies. */
#include "core/kernels/matmul/matmul.h"
#include "core/kernels/matmul/matmul_bf16.h"
#include "core/kernels/processor.h"

void gg_matmul(enum gg_transpose transpose_a, enum gg_transpose transpose_b, int64_t m, int64_t n, int64_t k,
               const float *a, int64_t lda, const float *b, int64_t ldb, bool accumulate, float *c,
               int64_t ldc) {
    gg_matmul_scaled(transpose_a, transpose_b, m, n, k, 1, a, lda, b, ldb, accumulate ? 1 : 0, c, ldc);
}

void gg_matmul_bf16(enum gg_transpose transpose_a, enum gg_transpose transpose_b, int64_t m, int64_t n,
                    int64_t k, const gg_bf16 *a, int64_t lda, const gg_bf16 *b, int64_t ldb, bool accumulate,
                    enum gg_precision result, void *c, int64_t ldc) {
    const struct gg_bf16_product product = {transpose_a, transpose_b, m,          n,      k, a,  lda,
                                            b,           ldb,         accumulate, result, c, ldc};
    if (gg_tiles_available())
        gg_matmul_bf16_tiles(&product, gg_tile_product_amx);
    else
        gg_matmul_bf16_library(&product);
}

void gg_matmul_stored(enum gg_precision operands, enum gg_transpose transpose_a,
                      enum gg_transpose transpose_b, int64_t m, int64_t n, int64_t k, const void *a,
                      int64_t lda, const void *b, int64_t ldb, bool accumulate, enum gg_precision result,
                      void *c, int64_t ldc) {
    if (operands == GG_PRECISION_BF16)
        gg_matmul_bf16(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, accumulate, result, c, ldc);
    else
        gg_matmul(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, accumulate, c, ldc);
}

bool gg_matmul_has_bf16(void) {
    return gg_tiles_available() || gg_matmul_library_has_bf16();
}

const char *gg_matmul_bf16_lack(void) {
    static _Thread_local char text[256];
#ifdef GG_MATMUL_IS_ONEDNN
    const bool has_kernels = true;
#else
    const bool has_kernels = false;
#endif
    gg_processor_lack(gg_processor_here(), gg_matmul_library_name(), has_kernels, text, sizeof text);
    return text;
}

const char *gg_matmul_maker(enum gg_precision operands) {
    return operands == GG_PRECISION_BF16 && gg_tiles_available() ? "gridgpt's AMX tiles"
                                                                 : gg_matmul_library_name();
}
