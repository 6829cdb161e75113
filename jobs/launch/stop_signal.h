/* Being asked to stop: SIGINT, SIGTERM and SIGUSR1 set a flag that a run looks at between the parts of its
 * start, once a step and once a micro-batch of a validation. Local; the ranks agree in the allreduces that
 * are there anyway, and at the start in those of jobs/launch/stop_agreement.h.
 *
 * mpirun (Open MPI 4) forwards SIGUSR1 to the ranks at once and waits for them. On SIGINT and SIGTERM it does
 * not wait: it sends SIGTERM after a second and SIGKILL after another, too soon for a checkpoint. A
 * terminal's Ctrl-C would go to mpirun alone, for it puts every rank into a process group of its own.
 * Therefore the first rank, when it stands under mpirun on a terminal, makes itself the terminal's foreground
 * group until the end: Ctrl-C then reaches this rank, the run ends in good order, and mpirun sees ranks that
 * end by themselves. What is typed is thrown away: mpirun, which polls the terminal for input, would be
 * stopped (SIGTTIN) if it read any.
 */
#ifndef GG_JOBS_LAUNCH_STOP_SIGNAL_H
#define GG_JOBS_LAUNCH_STOP_SIGNAL_H

#include <stdbool.h>

/* Installs the handlers: in main's first lines, before MPI or anything else makes a thread. A second SIGINT
 * kills the process as usual. */
void gg_stop_install(void);

/* Makes this process the terminal's foreground group, as told above. One rank only. */
void gg_stop_take_terminal(void);

/* Whether a signal came. */
bool gg_stop_requested(void);

/* Gives the terminal back. For the end of the process: SIGTERM, SIGUSR1 and one SIGINT are ignored from now
 * on, for the run has ended and MPI is about to. */
void gg_stop_end(void);

#endif
