/* The rates at which threads can stream through memory: reading, writing, and both at once, which no kernel
 * that works out of cache can exceed. After STREAM (McCalpin 1995), in float32, on the rank's threads; for
 * arrays far larger than the caches, on huge pages (gg_try_malloc). Writes go past the caches, so that no
 * line is read that is about to be written. Arrays are 64-byte aligned. Local.
 */
#ifndef GG_CORE_KERNELS_STREAMS_H
#define GG_CORE_KERNELS_STREAMS_H

#include <stdint.h>

/* Their sum, in no particular order: 4 bytes an element are read. */
float gg_stream_read(const float *a, int64_t count);

/* a[i] = s: 4 bytes an element are written. */
void gg_stream_write(float *a, float s, int64_t count);

/* a[i] = b[i] + s c[i], STREAM's triad: of an element, 8 bytes are read and 4 written. */
void gg_stream_triad(float *a, const float *b, const float *c, float s, int64_t count);

/* a[i] = s a[i], as an optimizer updates its state: of an element, 4 bytes are read and 4 written. */
void gg_stream_update(float *a, float s, int64_t count);

#endif
