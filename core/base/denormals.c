#include "core/base/denormals.h"

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

static bool flush_here(void) {
    enum { DENORMALS_ARE_ZERO = 0x0040, FLUSH_TO_ZERO = 0x8000 }; /* of MXCSR */
    _mm_setcsr(_mm_getcsr() | DENORMALS_ARE_ZERO | FLUSH_TO_ZERO);
    return true;
}
#elif defined(__aarch64__)
static bool flush_here(void) {
    const uint64_t flush_to_zero = UINT64_C(1) << 24; /* FPCR.FZ, for operands and results */
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("msr fpcr, %0" : : "r"(control | flush_to_zero));
    return true;
}
#else
static bool flush_here(void) {
    return false;
}
#endif

bool gg_denormals_flush(void) {
    bool known = flush_here();
#pragma omp parallel reduction(&& : known)
    known = flush_here();
    return known;
}
