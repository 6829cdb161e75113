/* The types of values that a GGUF file's tensors have, and rounding to them: float32, IEEE 754 half precision,
 * bfloat16, and ggml's Q8_0: blocks of 32 elements, a half d and 32 signed bytes q each, an element being d q.
 * Local.
 */
#ifndef GG_IO_HUGGINGFACE_GGUF_VALUES_H
#define GG_IO_HUGGINGFACE_GGUF_VALUES_H

#include "core/base/status.h"

#include <stdint.h>

/* As files have them (ggml_type in ggml.h). */
enum gg_gguf_type { GG_GGUF_F32 = 0, GG_GGUF_F16 = 1, GG_GGUF_Q8_0 = 8, GG_GGUF_BF16 = 30 };

enum { GG_GGUF_BLOCK = 32 /* elements of Q8_0's */ };

/* Bytes of so many elements, whole blocks of them. */
int64_t gg_gguf_bytes(enum gg_gguf_type type, int64_t count);

/* Rounds to the nearest, ties to even; Q8_0 divides by a block's largest over 127 and rounds ties away from zero,
 * as ggml does.
 *   count [in]  whole blocks for Q8_0
 *   to    [out] gg_gguf_bytes of them; needs no alignment
 * GG_BAD_DATA: a finite number too large for the type, or for Q8_0 any that is not finite; the message does not
 * name the tensor. */
gg_status gg_gguf_round(enum gg_gguf_type type, const float *values, int64_t count, void *to) GG_MUST_USE;

#endif
