/* Keeps a file that is open for appending the one that stands under its name. Local.
 */
#ifndef GG_IO_RUN_METRICS_FOLLOW_H
#define GG_IO_RUN_METRICS_FOLLOW_H

#include "core/base/status.h"

/* Sees whether `path` still is the file that is open, and where it is not, opens what is to be written to
 * from now on: the file that has the name, else a new one, with the contents of the open one when that was
 * deleted.
 *   fd     [in,out] open for reading and appending; closed when another one takes its place
 *   notice [out]    what was found and done, a constant text; NULL: nothing was amiss
 * GG_STORAGE: it cannot be made or opened; `fd` is as before, and the next call tries again. */
gg_status gg_metrics_follow(const char *path, int *fd, const char **notice) GG_MUST_USE;

#endif
