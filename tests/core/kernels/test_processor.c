/* What the processor has for bfloat16: against Linux's own list of its flags and the environment, and the
 * words for every kind of processor. */
#include "tests/check.h"

#include "core/kernels/matmul/matmul.h"
#include "core/kernels/matmul/matmul_bf16.h"
#include "core/kernels/processor.h"

#include <stdlib.h>
#include <string.h>

/* A flag of the first processor, as Linux names it. */
static bool linux_lists(const char *flag) {
    char line[16384], wanted[64];
    bool found = false;
    FILE *file = fopen("/proc/cpuinfo", "r");
    assert_non_null(file);
    snprintf(wanted, sizeof wanted, " %s ", flag);
    while (!found && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "flags", 5) != 0)
            continue;
        line[strcspn(line, "\n")] = ' ';
        found = strstr(line, wanted) != NULL;
    }
    fclose(file);
    return found;
}

static bool is_set(const char *name, const char *value) {
    const char *text = getenv(name);
    return text != NULL && strcmp(text, value) == 0;
}

#ifdef GG_MATMUL_IS_ONEDNN
/* Whether the environment keeps oneDNN from AVX512_BF16. */
static bool is_held_back(void) {
    static const char *const names[] = {"DNNL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA"};
    static const char *const lesser[] = {"SSE41",     "AVX",         "AVX2",
                                         "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (size_t i = 0; i < sizeof lesser / sizeof *lesser; i++)
            if (is_set(names[n], lesser[i]))
                return true;
    return false;
}
#endif

static void as_linux_lists_it(void **state) {
    (void)state;
    const struct gg_processor *here = gg_processor_here();
    const bool amx = linux_lists("amx_bf16") && linux_lists("amx_tile");
    printf("AMX %d (granted %d, forbidden %d), AVX512_BF16 %d\n", here->amx, here->amx_granted,
           here->amx_forbidden, here->avx512_bf16);
    assert_int_equal(here->amx_granted, amx && !is_set("GRIDGPT_AMX", "0"));
    assert_int_equal(here->avx512_bf16, linux_lists("avx512_bf16"));
    assert_int_equal(gg_tiles_available(), here->amx_granted);
#ifdef GG_MATMUL_IS_ONEDNN
    assert_int_equal(gg_matmul_library_has_bf16(), here->avx512_bf16 && !is_held_back());
#else
    assert_false(gg_matmul_library_has_bf16());
#endif
    assert_int_equal(gg_matmul_has_bf16(), gg_tiles_available() || gg_matmul_library_has_bf16());
}

static void lack_of_every_kind(void **state) {
    (void)state;
    const char *const none = "the processor has no AMX", *const forbidden =
                                                             "GRIDGPT_AMX=0 forbids the processor's AMX";
    const char *const denied = "the system does not grant the processor's AMX, as Linux does from 5.16 on";
    const struct {
        struct gg_processor processor;
        const char *amx;
    } kinds[] = {
        {{.amx = false}, none},
        {{.amx = false, .amx_forbidden = true}, none},
        {{.amx = true, .amx_forbidden = true}, forbidden},
        {{.amx = true}, denied},
    };
    char text[256], expected[256];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int form = 0; form < 4; form++) {
            struct gg_processor processor = kinds[i].processor;
            const bool onednn = form & 1;
            processor.avx512_bf16 = form & 2;
            snprintf(expected, sizeof expected, "%s, and %s", kinds[i].amx,
                     !processor.avx512_bf16 ? "it has no AVX512_BF16"
                     : onednn ? "oneDNN 2.6.3 does not use its AVX512_BF16 (is DNNL_MAX_CPU_ISA or "
                                "ONEDNN_MAX_CPU_ISA set?)"
                              : "BLAS has no kernels for its AVX512_BF16, as oneDNN has");
            gg_processor_lack(&processor, onednn ? "oneDNN 2.6.3" : "BLAS", onednn, text, sizeof text);
            assert_string_equal(text, expected);
        }
    gg_processor_lack(&kinds[0].processor, "BLAS", false, text, 8);
    assert_string_equal(text, "the pro");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_linux_lists_it),
                                       cmocka_unit_test(lack_of_every_kind)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
