/* Denormal numbers: those nearest to zero, which processors add and multiply a hundred times slower than
 * others, and which no training needs. Local.
 */
#ifndef GG_CORE_BASE_DENORMALS_H
#define GG_CORE_BASE_DENORMALS_H

#include <stdbool.h>

/* Has the processor take denormals as zero, as operands and as results: in this thread and in all of its
 * OpenMP threads. A thread begins as the one that makes it is: called before others are made, it holds for
 * them too. Returns false, and does nothing, on a processor that it does not know (other than x86-64 and
 * 64-bit ARM). */
bool gg_denormals_flush(void);

#endif
