/* A file of results that is written as they come, and has its name once it is whole. All local.
 */
#ifndef GG_JOBS_USE_RESULT_FILE_H
#define GG_JOBS_USE_RESULT_FILE_H

#include "core/base/status.h"
#include "io/base/json_value.h"

#include <jansson.h>
#include <stdio.h>

struct gg_result_file {
    FILE *out; /* NULL: not open */
    char *path, *temporary;
};

/* Opens PATH.tmp. GG_STORAGE. */
gg_status gg_result_file_open(const char *path, struct gg_result_file *file) GG_MUST_USE;

/* GG_STORAGE when something could not be written. A file that is not open is well. */
gg_status gg_result_file_check(const struct gg_result_file *file) GG_MUST_USE;

/* Gives it its name. GG_STORAGE. A file that is not open is well. */
gg_status gg_result_file_commit(struct gg_result_file *file) GG_MUST_USE;

/* Removes what was not given its name. */
void gg_result_file_discard(struct gg_result_file *file);

/* Writes an object as a line, and frees it. */
void gg_result_file_line(const struct gg_result_file *file, json_t *object);

/* A number as JSON, which has none that is not finite: null. */
json_t *gg_result_number(double value);

#endif
