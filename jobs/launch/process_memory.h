/* The memory of this process. Local.
 */
#ifndef GG_JOBS_LAUNCH_PROCESS_MEMORY_H
#define GG_JOBS_LAUNCH_PROCESS_MEMORY_H

#include <stddef.h>

/* Bytes it holds now, and the most it ever held. */
size_t gg_memory_resident(void);
size_t gg_memory_peak(void);

#endif
