/* A folder that has its name when all is in it. All local.
 */
#ifndef GG_IO_HUGGINGFACE_EXPORT_FOLDER_H
#define GG_IO_HUGGINGFACE_EXPORT_FOLDER_H

#include "core/base/status.h"

#include <stdbool.h>

struct gg_export_folder {
    char *path;      /* owned */
    char *temporary; /* where the files are written; owned */
    bool made;
};

/* Makes a folder beside the one wanted, PATH.tmp; one that a killed export left is emptied.
 *   folder [out] free with gg_export_folder_end, also after a failure
 * GG_USAGE: there is something of that name that is not an empty folder; GG_STORAGE. */
gg_status gg_export_folder_begin(const char *path, struct gg_export_folder *folder) GG_MUST_USE;

/* Gives it its name; the files in it are to be flushed already. GG_STORAGE. */
gg_status gg_export_folder_finish(struct gg_export_folder *folder) GG_MUST_USE;

/* Removes what was not finished, and frees. */
void gg_export_folder_end(struct gg_export_folder *folder);

#endif
