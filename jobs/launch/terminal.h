/* Whether a person watches. Local.
 */
#ifndef GG_JOBS_LAUNCH_TERMINAL_H
#define GG_JOBS_LAUNCH_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* Whether what is written to `out` (stdout or stderr) ends on a terminal. Under mpirun, which stands between
 * with pipes and pseudo-terminals of its own, its own output counts; ranks of other machines say no. */
bool gg_terminal_behind(FILE *out);

/* Columns of that terminal; 80 where they cannot be told. */
int gg_terminal_columns(FILE *out);

#endif
