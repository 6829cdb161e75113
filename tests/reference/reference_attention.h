/* Causal multi-head attention, plain (Vaswani et al. 2017, "Attention is all you need", eq. 1), with S the
 * softmax over the keys up to the query's own position, or the last `window` of them; query head h reads
 * key-value head h / (heads / kv_heads):
 *   S = softmax(Q K^T / sqrt(HS)),  P = mask S,  O = P V
 * and its gradient, the chain rule through the softmax (Dao et al. 2022, "FlashAttention", appendix B.2):
 *   dV = P^T dO
 *   dS = S (mask dO V^T - D),  D[t] = sum of dO[t] O[t]
 *   dQ = dS K / sqrt(HS),  dK = dS^T Q / sqrt(HS)
 */
#ifndef GG_TESTS_REFERENCE_ATTENTION_H
#define GG_TESTS_REFERENCE_ATTENTION_H

#include "core/kernels/attention/attention.h"

/* Where things stand is said by `shape` (strides, first, window, dropout) as to the kernel; its `stored` is not used.
 *   out, log_sums [out] as the kernel's */
void reference_attention(const struct gg_attention *shape, const double *query, const double *key,
                         const double *value, double *out, double *log_sums);

/* Gradients of queries, keys and values, with `first` 0.
 *   out       [in]  the kernel's own, as D takes it
 *   gradients [out] d_query, d_key, d_value with the strides of query, key and value; zero before
 *   sizes     [out] the same of the terms' magnitudes, which rounding errors are in proportion to */
void reference_attention_backward(const struct gg_attention *shape, const double *query, const double *key,
                                  const double *value, const double *out, const double *d_out,
                                  double *const gradients[3], double *const sizes[3]);

#endif
