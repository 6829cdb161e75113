/* What this rank's processor has for bfloat16, what may be used of it, and the words for it: the one place
 * that finds out. All local; any thread.
 */
#ifndef GG_CORE_KERNELS_PROCESSOR_H
#define GG_CORE_KERNELS_PROCESSOR_H

#include <stdbool.h>
#include <stddef.h>

struct gg_processor {
    bool amx;           /* AMX for bfloat16 */
    bool amx_forbidden; /* by GRIDGPT_AMX=0 in the environment */
    bool amx_granted;   /* the system lets this process use it; not asked where it is forbidden */
    bool avx512_bf16;
};

/* Found out at the first call. */
const struct gg_processor *gg_processor_here(void);

/* Why nothing multiplies bfloat16 faster than float32, where neither AMX may be used nor the library uses
 * AVX512_BF16: "the processor has no AMX, and it has no AVX512_BF16".
 *   library     [in]  its name
 *   has_kernels [in]  for AVX512_BF16: oneDNN has, plain BLAS has not
 *   text        [out] cut to `bytes` */
void gg_processor_lack(const struct gg_processor *processor, const char *library, bool has_kernels,
                       char *text, size_t bytes);

#endif
