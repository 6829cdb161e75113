/* Work on files from outside in a child process, so that a library that crashes over one, or never ends,
 * takes the child with it and not the program's word on what happened. For commands without MPI and before
 * threads. Local.
 */
#ifndef GG_JOBS_COMMAND_CHILD_H
#define GG_JOBS_COMMAND_CHILD_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Forks. In the child *inside is true and GG_OK is returned: it does the work and leaves through main(),
 * which tells of its failure. The parent comes back when the child has ended, *inside false, with the child's
 * exit status and no description, for it is told; GG_BAD_DATA with one when it crashed or took more processor
 * time than it may. Any other signal that ended the child ends the parent too.
 *   path        [in] the file worked on, for the message
 *   library     [in] what reads it, for the message
 *   cpu_seconds [in] processor time of the child; waiting for storage does not count
 * GG_RESOURCE: no process to be had. */
gg_status gg_child_run(const char *path, const char *library, int64_t cpu_seconds, bool *inside) GG_MUST_USE;

#endif
