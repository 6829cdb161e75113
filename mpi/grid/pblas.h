/* ScaLAPACK's PBLAS and BLACS, as C declarations, and the two symbols of theirs that our program provides.
 *
 * PBLAS multiplies local tiles with the Fortran symbol sgemm_ and cuts its work by pilaenv_ (its "logical
 * block"). Where ScaLAPACK is a shared library that calls both through the dynamic linker, our definitions
 * take their place: tiles on the local matmul library, and a block of our choice in place of 32. Vendor
 * libraries that bind their own are left alone; gg_grid_uses_our_tiles() tells, by trying.
 */
#ifndef GG_MPI_GRID_PBLAS_H
#define GG_MPI_GRID_PBLAS_H

#include "core/base/precision.h"

#include <mpi.h>

enum { GG_DESCRIPTOR_LENGTH = 9 };

int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *context, const char *order, int rows, int columns);
void Cblacs_gridinfo(int context, int *rows, int *columns, int *row, int *column);
void Cblacs_gridexit(int context);

/* C = alpha op(A) op(B) + beta C, column-major, block-cyclic; indices from 1. */
void psgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
             const float *alpha, const float *a, const int *ia, const int *ja, const int *desca,
             const float *b, const int *ib, const int *jb, const int *descb, const float *beta, float *c,
             const int *ic, const int *jc, const int *descc);

/* PBLAS's logical block: how many of the inner index it takes at a time. Measured figures stand in
 * docs/performance.md. Local; the same on all ranks. */
void gg_pblas_set_block(int block);

/* What tiles are multiplied in, where our sgemm_ multiplies them: in bf16 their elements are rounded first.
 * PBLAS's messages and sums stay fp32. To be set around a product; by one thread. */
void gg_pblas_set_precision(enum gg_precision precision);

/* Tiles that our sgemm_ has multiplied since the start; stays 0 where it does not take ScaLAPACK's place. */
long gg_pblas_tiles(void);

#endif
