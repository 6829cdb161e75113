/* Embedding look-up, plain (Bengio et al. 2003, "A neural probabilistic language model", section 2: the
 * mapping C), and its gradient:
 *   y[t, :] = table[ids[t], :]
 *   d table[ids[t], :] += d_y[t, :]
 */
#ifndef GG_TESTS_REFERENCE_EMBEDDING_H
#define GG_TESTS_REFERENCE_EMBEDDING_H

#include <stdint.h>

/* ids (tokens), table (rows, width), y (tokens, width) */
void reference_embedding(const double *table, const int32_t *ids, int64_t tokens, int64_t width, double *y);

/* gradient [in,out] (rows, width) */
void reference_embedding_gradient(const double *d_y, const int32_t *ids, int64_t tokens, int64_t width,
                                  double *gradient);

#endif
