#include "jobs/use/checkpoint_find.h"

#include "core/base/memory.h"
#include "io/checkpoint/checkpoint.h"

#include <stdlib.h>
#include <sys/stat.h>

gg_status gg_checkpoint_find(const char *path, char **file) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        *file = gg_strdup(path);
        return GG_OK;
    }
    char *below = gg_format("%s/checkpoints", path);
    gg_status status = gg_checkpoint_newest(below, file);
    free(below);
    if (status == GG_OK && *file == NULL)
        status = gg_checkpoint_newest(path, file);
    if (status == GG_OK && *file == NULL)
        status = gg_fail(GG_STORAGE, "%s: a folder without checkpoints", path);
    return status;
}
