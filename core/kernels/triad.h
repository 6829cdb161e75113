/* The rate at which threads can stream through memory, which no elementwise kernel that works out of cache
 * can exceed. Local.
 */
#ifndef GG_CORE_KERNELS_TRIAD_H
#define GG_CORE_KERNELS_TRIAD_H

#include <stdint.h>

/* a[i] = b[i] + s c[i]: the triad of STREAM (McCalpin 1995), in float32, on the rank's threads. It reads two
 * arrays and writes one: 12 bytes an element (what a processor reads of `a` before it writes is not counted).
 */
void gg_triad(float *a, const float *b, const float *c, float s, int64_t count);

#endif
