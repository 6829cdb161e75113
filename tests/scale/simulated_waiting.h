/* Waiting in simulated time, for code that tests again and again whether messages have come.
 *
 * In a simulation no time goes by in a loop that tests. The linker puts these functions in the place of MPI's
 * (--wrap): MPI_Testall, when it is asked once more about messages of which nothing has come since, lets time go by
 * up to the next that comes; and MPI_Isend counts. Ranks are coroutines of one process, told apart by number.
 */
#ifndef GG_TESTS_SCALE_SIMULATED_WAITING_H
#define GG_TESTS_SCALE_SIMULATED_WAITING_H

#include "tests/scale/simulation.h"

#include <stdbool.h>
#include <stdint.h>

/* For all ranks of a simulation, before it runs. */
void simulated_waiting_start(const struct simulation *simulation);
void simulated_waiting_stop(void);

/* How this rank waits from now on: not at all, as calls between two kernels do; until `moment` (MPI_Wtime) at the
 * latest, as a thread does that drives beside the kernels; or until a message comes, whenever that is. */
void simulated_waiting_never(void);
void simulated_waiting_until(double moment);
void simulated_waiting_forever(void);

/* Whether the moment has come. */
bool simulated_waiting_is_over(void);

/* Sleeps until the moment, unless messages were waited for since the last call. */
void simulated_waiting_rest(void);

/* What this rank sent since the last reset: all of it, and what left its node. */
struct simulated_traffic {
    int64_t messages, bytes, bytes_off_node;
};
struct simulated_traffic simulated_traffic(void);
void simulated_traffic_reset(void);

/* Lets `seconds` go by. */
void simulated_sleep(double seconds);

#endif
