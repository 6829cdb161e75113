#include "jobs/command/version.h"

#include "core/kernels/matmul/matmul.h"

#include <hdf5.h>
#include <mpi.h>
#include <string.h>
#include <zstd.h>

/* "Open MPI v4.1.4" of what some libraries make a paragraph of. */
static void print_mpi(FILE *out) {
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(text, &length);
    text[strcspn(text, ",\n")] = '\0';
    for (char *tab = text; (tab = strchr(tab, '\t')) != NULL;)
        *tab = ' ';
    fprintf(out, "MPI: %s\n", text);
}

void gg_version_print(FILE *out) {
    fprintf(out, "gridgpt %s\n", GG_VERSION);
    print_mpi(out);
    fprintf(out, "HDF5: %d.%d.%d\n", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
    fprintf(out, "zstd: %s\n", ZSTD_versionString());
    fprintf(out, "matmul: %s\n", gg_matmul_maker(GG_PRECISION_FP32));
}
