#include "io/base/hdf5_error.h"

#include "core/base/memory.h"

#include <errno.h>
#include <hdf5.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INNER_BYTES = 256 };

static _Thread_local int system_error;

/* HDF5's drivers tell the system's error in words: "..., errno = 5, error message = ...". A file's name,
 * which may hold anything, stands before it. */
static herr_t keep_system_error(unsigned depth, const H5E_error2_t *error, void *unused) {
    (void)depth;
    (void)unused;
    static const char words[] = ", errno = ";
    const char *last = NULL;
    for (const char *at = error->desc; at != NULL && (at = strstr(at, words)) != NULL; at += sizeof words - 1)
        last = at;
    if (system_error == 0 && last != NULL)
        system_error = atoi(last + sizeof words - 1);
    if (system_error == 0 && error->maj_num == H5E_RESOURCE && error->min_num == H5E_NOSPACE)
        system_error = ENOMEM;
    return 0;
}

/* Called by HDF5 at the end of every call that failed, before another one forgets why. */
static herr_t note_failure(hid_t stack, void *unused) {
    return H5Ewalk2(stack, H5E_WALK_UPWARD, keep_system_error, unused);
}

void gg_hdf5_quiet(void) {
    system_error = 0;
    H5Eset_auto2(H5E_DEFAULT, note_failure, NULL);
}

int gg_hdf5_system_error(void) {
    return system_error;
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
    if (gg_memory_is_short())
        return gg_fail(GG_RESOURCE, "%s: no memory%s%s%s", message, inner[0] != '\0' ? " [HDF5: " : "", inner,
                       inner[0] != '\0' ? "]" : "");
    if (inner[0] == '\0')
        return gg_fail(status, "%s", message);
    return gg_fail(status, "%s [HDF5: %s]", message, inner);
}
