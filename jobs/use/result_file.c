#include "jobs/use/result_file.h"

#include "core/base/memory.h"
#include "io/base/file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REAL_DIGITS = 9 };

static void forget(struct gg_result_file *file) {
    free(file->path);
    free(file->temporary);
    *file = (struct gg_result_file){0};
}

gg_status gg_result_file_open(const char *path, struct gg_result_file *file) {
    file->path = gg_strdup(path);
    file->temporary = gg_format("%s.tmp", path);
    file->out = fopen(file->temporary, "w");
    if (file->out != NULL)
        return GG_OK;
    const int error = errno;
    forget(file);
    return gg_fail(gg_file_status(error), "%s: cannot be written: %s", path, strerror(error));
}

gg_status gg_result_file_check(const struct gg_result_file *file) {
    if (file->out == NULL || !ferror(file->out))
        return GG_OK;
    return gg_fail(GG_STORAGE, "%s: cannot be written", file->temporary);
}

gg_status gg_result_file_commit(struct gg_result_file *file) {
    if (file->out == NULL)
        return GG_OK;
    gg_status status = gg_result_file_check(file);
    if (fclose(file->out) != 0 && status == GG_OK)
        status = gg_fail(GG_STORAGE, "%s: cannot be written: %s", file->temporary, strerror(errno));
    if (status == GG_OK)
        status = gg_file_commit(file->temporary, file->path);
    else
        unlink(file->temporary);
    forget(file);
    return status;
}

void gg_result_file_discard(struct gg_result_file *file) {
    if (file->out == NULL)
        return;
    fclose(file->out);
    unlink(file->temporary);
    forget(file);
}

void gg_result_file_line(const struct gg_result_file *file, json_t *object) {
    GG_ASSERT(object != NULL);
    json_dumpf(object, file->out, JSON_REAL_PRECISION(REAL_DIGITS));
    putc('\n', file->out);
    json_decref(object);
}

json_t *gg_result_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}
