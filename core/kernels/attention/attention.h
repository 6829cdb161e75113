/* Causal multi-head attention (Vaswani et al. 2017, eq. 1): softmax(Q K^T / sqrt(HS) + mask) V; with fewer
 * key-value heads than query heads each of them serves a group (Ainslie et al. 2023, grouped-query
 * attention), and with a window a query sees the last keys alone (Child et al. 2019, local attention).
 *
 * Works on blocks of query rows and keys, so that no more than a block of scores ever exists: the softmax is
 * taken as blocks of keys go by (Milakov and Gimelshein 2018, algorithm 3), and blocks that no query sees,
 * being after them or before their windows, are skipped. The backward pass recomputes the probabilities from
 * the kept log-sums (Dao et al. 2022, algorithm 4). Threads share the (sequence, head) pairs, and in the
 * backward pass the (sequence, key-value head) pairs. All local: a rank has whole heads.
 *
 * In bf16 the products take bf16 operands, probabilities and their gradients among them; scores, softmax and
 * all sums over blocks are fp32.
 */
#ifndef GG_CORE_KERNELS_ATTENTION_ATTENTION_H
#define GG_CORE_KERNELS_ATTENTION_ATTENTION_H

#include "core/kernels/dropout.h"
#include "core/kernels/storage.h"

#include <stddef.h>
#include <stdint.h>

struct gg_attention {
    enum gg_precision stored; /* of queries, keys, values, output and their gradients */
    int64_t sequences;
    int64_t time;          /* queries of each sequence */
    int64_t first;         /* position of the first query; keys are positions 0 .. first + time - 1 */
    const int64_t *firsts; /* (sequences) that of each, `first` being the largest; NULL: `first` for all */
    const int64_t *owners; /* (sequences) whose keys and values each reads; NULL: its own */
    int64_t heads;         /* this rank's */
    int64_t kv_heads; /* this rank's; divides heads: query head h reads head h / (heads / kv_heads) of them */
    int64_t head_size;
    int64_t window;        /* a query sees the last so many keys, itself included; 0: all */
    const int32_t *starts; /* (sequences, time) first key that a query sees, not above its own place and never
                            * falling along a sequence; NULL: 0. With `first` 0 only */

    /* Rows of queries have `heads` heads side by side, those of keys and of values `kv_heads`; a sequence's
     * keys start `key_sequence_stride` elements after the one's before. */
    int64_t query_stride, key_stride; /* elements from one token's row to the next */
    int64_t key_sequence_stride;      /* elements from one sequence's keys to the next's */
    int64_t key_rows;                 /* rows of keys that stand in memory, at least first + time */

    /* Dropout of the probabilities: masks derive from (sample, head of the whole model, query, key). */
    struct gg_dropout dropout;
    uint32_t site;
    int64_t first_head, whole_heads, context;
    const uint64_t *sample_ids; /* (sequences); may be NULL without dropout */
};

/* Scratch that both passes need, for all threads, with at most so many rows of keys.
 *   group [in] query heads of each key-value head */
size_t gg_attention_workspace_bytes(enum gg_precision stored, int64_t keys, int64_t head_size, int64_t group,
                                    int threads);

/* out[b, t, h, :] = attention of query (b, t, h).
 *   query, key, value [in]  first row of the first sequence, first head; heads stand beside each other in a
 *                           row
 *   out               [out] (sequences, time, heads * head_size), dense
 *   log_sums          [out] (sequences, heads, time): log of the sum of exp of the scaled scores; NULL: not
 *                           wanted */
void gg_attention_forward(const struct gg_attention *shape, const void *query, const void *key,
                          const void *value, void *out, float *log_sums, void *workspace);

/* The same for one query of each sequence (time 1), as writing text takes it: keys and values are read once, by
 * vectors and not by products of a library, and probabilities stay fp32. A query's result does not depend on the
 * other sequences, to the last bit. Without dropout. */
void gg_attention_decode(const struct gg_attention *shape, const void *query, const void *key,
                         const void *value, void *out, void *workspace);

/* Gradients, for first = 0. With P the probabilities, D[t] = sum of dO[t] O[t]:
 *   dV = P^T dO,  dS = P (dO V^T - D),  dQ = dS K / sqrt(HS),  dK = dS^T Q / sqrt(HS)
 * where dK and dV are sums over a group's query heads, in their order.
 *   d_query, d_key, d_value [out] with the strides of query, key and value; overwritten */
void gg_attention_backward(const struct gg_attention *shape, const void *query, const void *key,
                           const void *value, const void *out, const float *log_sums, const void *d_out,
                           void *d_query, void *d_key, void *d_value, void *workspace);

#endif
