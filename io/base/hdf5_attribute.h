/* Attributes of HDF5 objects: numbers or texts of one type. For the one thread that may call HDF5
 * (io/base/hdf5_error.h). Local.
 */
#ifndef GG_IO_BASE_HDF5_ATTRIBUTE_H
#define GG_IO_BASE_HDF5_ATTRIBUTE_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

/* Writes a new attribute.
 *   count [in] a list of so many, perhaps none; negative: a single one
 * False when HDF5 cannot. */
bool gg_hdf5_put_attribute(hid_t object, const char *name, hid_t file_type, hid_t memory_type,
                           const void *values, int64_t count);

/* Reads an attribute of exactly that type in the file and so many elements; false when there is no such one,
 * or it cannot be read.
 *   values [out] (count) of the memory's type */
bool gg_hdf5_get_attribute(hid_t object, const char *name, hid_t file_type, hid_t memory_type, void *values,
                           int64_t count);

#endif
