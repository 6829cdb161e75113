#include "io/hdf5_error.h"

#include <hdf5.h>
#include <stdarg.h>
#include <stdio.h>

void gg_hdf5_quiet(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static herr_t keep_description(unsigned depth, const H5E_error2_t *error, void *text) {
    (void)depth;
    if (error->desc != NULL && error->desc[0] != '\0')
        snprintf(text, 256, "%s", error->desc);
    return 0;
}

gg_status gg_hdf5_fail(gg_status status, const char *format, ...) {
    char message[2048], inner[256] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    /* Downward runs from the interface to the innermost function: the last one seen stays. */
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_description, inner);
    if (inner[0] == '\0')
        return gg_fail(status, "%s", message);
    return gg_fail(status, "%s [HDF5: %s]", message, inner);
}
