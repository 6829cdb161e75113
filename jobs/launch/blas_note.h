/* What it costs that gridgpt was built on plain BLAS, without oneDNN: said once, when a run starts.
 */
#ifndef GG_JOBS_LAUNCH_BLAS_NOTE_H
#define GG_JOBS_LAUNCH_BLAS_NOTE_H

#include "jobs/launch/gemm_rate.h"
#include "mpi/world/world.h"

#include <stdbool.h>

/* On standard error of rank 0, the first time it is called: the rate of plain BLAS beside what the processors
 * could do, for which it measures them, about a tenth of a second. Nothing where no product of the run is
 * BLAS's: built with oneDNN, or bf16 by our own tiles on ranks that hold whole replicas. Collective; the same
 * `rate->precision` and `grid` on every rank.
 *   rate [in] measured on this rank
 *   grid [in] several ranks hold a replica: PBLAS multiplies */
void gg_blas_note(const struct gg_world *world, const struct gg_gemm_rate *rate, bool grid);

#endif
