/* Rows of a table that is split over ranks: who needs a row asks its owner. The embedding look-up where
 * tokens and vocabulary rows are split over the same ranks.
 *
 * Rank q of the communicator owns rows [q * local_rows, (q + 1) * local_rows). Scratch grows to what the
 * largest call needed: a few times the rank's own activation. Everything is collective over the communicator.
 */
#ifndef GG_MPI_GRID_EXCHANGE_H
#define GG_MPI_GRID_EXCHANGE_H

#include "core/base/precision.h"

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

struct gg_exchange;

/* comm [in] kept; must outlive the exchange */
struct gg_exchange *gg_exchange_create(MPI_Comm comm);
void gg_exchange_destroy(struct gg_exchange **exchange);

/* Bytes that it holds by now (the most: core/plan/plan_memory.h). Local. */
size_t gg_exchange_held_bytes(const struct gg_exchange *exchange);

/* out[t, :] = row ids[t] of the whole table.
 *   table (local_rows, row_bytes), ids (tokens), out (tokens, row_bytes) */
void gg_exchange_rows(struct gg_exchange *exchange, const void *table, int64_t local_rows, size_t row_bytes,
                      const int32_t *ids, int64_t tokens, void *out);

/* gradient of row ids[t] += d_out[t, :], at its owner, in the order of (rank, token).
 *   d_out (tokens, width) of the precision `stored`, gradient (local_rows, width) */
void gg_exchange_gradients(struct gg_exchange *exchange, enum gg_precision stored, const void *d_out,
                           const int32_t *ids, int64_t tokens, float *gradient, int64_t local_rows,
                           int64_t width);

#endif
