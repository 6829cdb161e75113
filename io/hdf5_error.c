#include "io/hdf5_error.h"

#include <hdf5.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { INNER_BYTES = 256 };

void gg_hdf5_quiet(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void gg_hdf5_start(void) {
    H5dont_atexit();
    H5open();
}

/* Keeps a description. Of one about reading or writing, which tells addresses and times too, only the
 * system's own words: ... error message = 'No space left on device', ... */
static herr_t keep_description(unsigned depth, const H5E_error2_t *error, void *text) {
    (void)depth;
    if (error->desc == NULL || error->desc[0] == '\0')
        return 0;
    static const char words[] = "error message = '";
    const char *from = strstr(error->desc, words);
    from = from != NULL ? from + strlen(words) : error->desc;
    snprintf(text, INNER_BYTES, "%.*s", (int)strcspn(from, from != error->desc ? "'" : "\n"), from);
    return 0;
}

gg_status gg_hdf5_fail(gg_status status, const char *format, ...) {
    char message[2048], inner[INNER_BYTES] = "";
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
