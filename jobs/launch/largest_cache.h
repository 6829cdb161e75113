/* The processor's largest caches.
 */
#ifndef GG_JOBS_LAUNCH_LARGEST_CACHE_H
#define GG_JOBS_LAUNCH_LARGEST_CACHE_H

#include <stdint.h>

/* Bytes of all caches of the last level that stand behind the cores this process may run on, as Linux tells
 * of them; one of 32 MiB where it does not. Local. */
int64_t gg_largest_cache_bytes(void);

#endif
