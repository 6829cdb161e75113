/* All MPI ranks of a job, and how they agree.
 *
 * Between two collectives no rank leaves alone: each does its local work, keeps its status, and calls
 * gg_agree(); then all leave or all go on.
 */
#ifndef GG_MPI_WORLD_WORLD_H
#define GG_MPI_WORLD_WORLD_H

#include "core/base/status.h"

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

struct gg_world {
    MPI_Comm comm; /* every rank; a duplicate of MPI_COMM_WORLD, errors abort */
    int rank, size;
};

/* Starts MPI (MPI_THREAD_MULTIPLE where granted, at least MPI_THREAD_FUNNELED) and fills the world. From then
 * on a rank that ends for lack of memory (core/base/memory.h) takes the others along. Collective over all
 * ranks of the job; works without mpirun too, as a world of one. */
gg_status gg_world_start(struct gg_world *world) GG_MUST_USE;

/* Whether MPI lets several threads call it at once (MPI_THREAD_MULTIPLE). Local, the same on every rank. */
bool gg_world_takes_threads(void);

/* Ends MPI. Collective. */
void gg_world_stop(struct gg_world *world);

/* All ranks learn whether every one succeeded. Returns GG_OK when all did; otherwise every rank returns the
 * status of the lowest failed rank, and its gg_failure() is that rank's description (with the rank named when
 * the world has more than one and not all failed alike). Collective over `comm`. */
gg_status gg_agree(MPI_Comm comm, gg_status status) GG_MUST_USE;

/* Every rank gets the root's status, and its description where that is a failure. Collective over `comm`.
 *   status [in] the root's counts */
gg_status gg_status_of_root(MPI_Comm comm, int root, gg_status status) GG_MUST_USE;

/* Checked narrowing at the calls of MPI, BLAS and BLACS. */
int gg_int(int64_t value);

/* Rank 0's string on every rank, owned by the caller; NULL stays NULL. Collective over `comm`.
 *   text [in,out] on rank 0 only read; on the others what it was is not looked at */
void gg_broadcast_text(MPI_Comm comm, char **text);

#endif
