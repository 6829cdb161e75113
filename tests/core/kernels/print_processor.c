/* Tells scripts what the processor has for bfloat16, as the program takes it: one line of it, named by the
 * argument. maker   who multiplies bfloat16: tiles, library, none lack    why nobody does library who
 * multiplies else: "oneDNN 2.6.3", "BLAS"
 */
#include "core/kernels/matmul/matmul.h"
#include "core/kernels/matmul/matmul_bf16.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    const char *wanted = argc == 2 ? argv[1] : "";
    if (strcmp(wanted, "maker") == 0)
        puts(gg_tiles_available() ? "tiles" : gg_matmul_library_has_bf16() ? "library" : "none");
    else if (strcmp(wanted, "lack") == 0)
        puts(gg_matmul_bf16_lack());
    else if (strcmp(wanted, "library") == 0)
        puts(gg_matmul_library_name());
    else
        return 64;
    return 0;
}
