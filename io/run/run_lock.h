/* One job at a time in a run folder: a file lock that ends with the process that holds it, however it ends.
 * All local.
 */
#ifndef GG_IO_RUN_RUN_LOCK_H
#define GG_IO_RUN_RUN_LOCK_H

#include "core/base/status.h"

#include <stdbool.h>

/* Locks FOLDER/lock, and writes host and process into it.
 *   wait_seconds [in]  how long to wait for another that holds it: one that was killed may still be dying
 *   give_up      [in]  asked while it waits whether to wait no longer
 *   lock         [out] for gg_run_lock_release(); -1 where the file system knows no locks (a warning is
 *                      printed)
 * GG_FAILED: another process has it; the message names its host and id. GG_STORAGE. */
gg_status gg_run_lock_take(const char *folder, double wait_seconds, bool (*give_up)(void),
                           int *lock) GG_MUST_USE;

/* Takes -1 too. */
void gg_run_lock_release(int *lock);

#endif
