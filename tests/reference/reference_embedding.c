#include "tests/reference/reference_embedding.h"

void reference_embedding(const double *table, const int32_t *ids, int64_t tokens, int64_t width, double *y) {
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t c = 0; c < width; c++)
            y[t * width + c] = table[ids[t] * width + c];
}

void reference_embedding_gradient(const double *d_y, const int32_t *ids, int64_t tokens, int64_t width,
                                  double *gradient) {
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t c = 0; c < width; c++)
            gradient[ids[t] * width + c] += d_y[t * width + c];
}
