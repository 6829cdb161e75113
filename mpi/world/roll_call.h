/* Which ranks can still be reached, asked when nothing moves any more: where a link is cut or a process stands
 * still, those beyond it can tell nobody, so the others find out who does not answer.
 *
 * Every rank that takes part sends the set of ranks it has heard of, itself included, to its neighbours: the
 * ranks 1, 2, 4, 8, ... further on and back, modulo the number of ranks. Whoever learns of another rank by that
 * sends its set again. So those that can reach each other know of each other after log2(size) turns, and each
 * sends some 2 log2(size) sets of size / 8 bytes a few times and has that many connections: 24 sets of 512 bytes
 * on 4,096 ranks. To send to rank 0 alone would need connections of every node with it, at a time when the
 * network is in trouble, and would tell nothing where rank 0 is the lost one. A tree, or one round of
 * dissemination, has a single way from rank to rank, and a lost rank on it would make those behind it seem lost
 * too. Here a set finds its way around lost hosts: the ranks of one are a stretch, and the farther neighbours
 * lie beyond it. Only where most of a job is lost may some be out of each other's reach, and be named as well.
 *
 * Messages are nonblocking and on a communicator of their own; what waits in MPI elsewhere does not matter. One
 * thread of a rank at a time may work on a roll call; MPI_THREAD_MULTIPLE is needed where another is in MPI at
 * the same time.
 */
#ifndef GG_MPI_WORLD_ROLL_CALL_H
#define GG_MPI_WORLD_ROLL_CALL_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct gg_roll_call gg_roll_call;

/* Prepares one. Holds 64 bytes for each rank of the communicator. Collective over `comm`.
 *   host [in] this rank's, for the others' messages; its first 63 letters are kept */
gg_roll_call *gg_roll_call_create(MPI_Comm comm, const char *host);

/* Collective over the communicator it was made with; messages under way do not matter. */
void gg_roll_call_destroy(gg_roll_call **roll);

/* Takes what has come, and with `asks` sends what is news to a neighbour. To be called again and again, some
 * times a second. Local, does not wait.
 *   asks [in] false: only listens
 * Returns whether anything came: some rank asks. */
bool gg_roll_call_turn(gg_roll_call *roll, bool asks);

/* Has heard of nobody again; for when a call was for nothing. Local. */
void gg_roll_call_forget(gg_roll_call *roll);

/* Whether this rank has heard of that one, directly or by others; of itself it always has. Local. */
bool gg_roll_call_heard(const gg_roll_call *roll, int rank);

/* Those not heard of, by host: "ranks 2-3, 7 on h2; rank 8 on h3", and in the end "; 40 more" where the room
 * does not do. Local.
 *   text [out] `bytes` long, at least 64; "" when there are none
 * Returns how many there are. */
int gg_roll_call_missing(const gg_roll_call *roll, char *text, size_t bytes);

/* The neighbours of a rank, each once and without itself, and so that each is a neighbour of its neighbours. Pure.
 *   neighbours [out] room for GG_ROLL_CALL_NEIGHBOURS
 * Returns how many. */
enum { GG_ROLL_CALL_NEIGHBOURS = 64 };
int gg_roll_call_neighbours(int rank, int size, int neighbours[GG_ROLL_CALL_NEIGHBOURS]);

#endif
