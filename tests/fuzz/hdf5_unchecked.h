/* HDF5's checksums, off: programs that link hdf5_unchecked.c put their own functions in the place of two of
 * libhdf5's, so that its parsers see what a checksum would have refused. They go by the bytes of the file
 * that is being read, which they must be told. All local.
 */
#ifndef GG_TESTS_FUZZ_HDF5_UNCHECKED_H
#define GG_TESTS_FUZZ_HDF5_UNCHECKED_H

#include <stdbool.h>
#include <stddef.h>

/* `file` is about to be read by HDF5.
 *   repair [in] right checksums are put into `file` wherever HDF5 looks at one */
void hdf5_unchecked(unsigned char *file, size_t bytes, bool repair);

#endif
