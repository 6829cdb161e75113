#include "core/kernels/processor.h"

#include "core/base/status.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct gg_processor here;

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

static void find_out(void) {
    enum { HAS_AMX_BF16 = 1 << 22, HAS_AMX_TILES = 1 << 24, HAS_AVX512_BF16 = 1 << 5 }; /* CPUID leaf 7 */
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };                               /* arch_prctl(2) */
    unsigned a, b, c, d;
    const char *wish = getenv("GRIDGPT_AMX");
    here.amx_forbidden = wish != NULL && strcmp(wish, "0") == 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0)
        return;
    here.amx = (d & HAS_AMX_BF16) != 0 && (d & HAS_AMX_TILES) != 0;
    here.amx_granted =
        here.amx && !here.amx_forbidden && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
    /* Subleaf 1 is there if subleaf 0 says that it has followers. */
    here.avx512_bf16 = a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & HAS_AVX512_BF16) != 0;
}
#else
static void find_out(void) {
}
#endif

const struct gg_processor *gg_processor_here(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    GG_ASSERT(pthread_once(&once, find_out) == 0);
    return &here;
}

void gg_processor_lack(const struct gg_processor *processor, const char *library, bool has_kernels,
                       char *text, size_t bytes) {
    const char *amx = !processor->amx            ? "the processor has no AMX"
                      : processor->amx_forbidden ? "GRIDGPT_AMX=0 forbids the processor's AMX"
                                                 : "the system does not grant the processor's AMX, as Linux "
                                                   "does from 5.16 on";
    if (!processor->avx512_bf16)
        snprintf(text, bytes, "%s, and it has no AVX512_BF16", amx);
    else if (!has_kernels)
        snprintf(text, bytes, "%s, and %s has no kernels for its AVX512_BF16, as oneDNN has", amx, library);
    else
        snprintf(text, bytes,
                 "%s, and %s does not use its AVX512_BF16 (is DNNL_MAX_CPU_ISA or ONEDNN_MAX_CPU_ISA set?)",
                 amx, library);
}
