/* What a status of oneDNN means to us. Local.
 */
#ifndef GG_CORE_KERNELS_MATMUL_ONEDNN_CHECK_H
#define GG_CORE_KERNELS_MATMUL_ONEDNN_CHECK_H

#include <oneapi/dnnl/dnnl.h>

/* Returns when the call has succeeded. Our arguments are right and the processor was asked, so that what is
 * left is that the library could not get memory, be it for tables or for the code that it makes: it then says
 * so, or that it failed at run time, or, having tried every way it knows, that it knows none. The process
 * ends as without memory for a table of our own (core/base/memory.h): a product has nobody to report to.
 * Wrong arguments are an internal error.
 *   call, file, line [in] for the message */
void gg_onednn_check(dnnl_status_t status, const char *call, const char *file, int line);

#endif
