/* Standard output and error as what they may be: a full disk, a pipe that nobody reads any more, closed.
 * Local.
 */
#ifndef GG_JOBS_COMMAND_STANDARD_STREAMS_H
#define GG_JOBS_COMMAND_STANDARD_STREAMS_H

#include "core/base/status.h"

/* Takes the numbers of standard streams that the program was started without, so that no file which is opened
 * later gets one of them, and what is printed with it. Reading or writing them fails as before. For main's
 * first line. */
void gg_standard_streams_hold(void);

/* A write that cannot be done fails with an error, and no longer ends the process with a signal (SIGPIPE,
 * SIGXFSZ): for what must end in good order, all ranks alike, whoever reads its output. */
void gg_standard_streams_survive(void);

/* Writes out standard output. GG_STORAGE when some of what was printed to it so far is lost. */
gg_status gg_standard_output_end(void) GG_MUST_USE;

/* GG_STORAGE when some of what was printed to standard error so far is lost. */
gg_status gg_standard_error_end(void) GG_MUST_USE;

#endif
