#include "io/base/hdf5_attribute.h"

bool gg_hdf5_put_attribute(hid_t object, const char *name, hid_t file_type, hid_t memory_type,
                           const void *values, int64_t count) {
    const hsize_t dimension = count < 0 ? 1 : (hsize_t)count;
    const hid_t space = count < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &dimension, NULL);
    const hid_t attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool good = attribute >= 0 && (count == 0 || H5Awrite(attribute, memory_type, values) >= 0);
    if (attribute >= 0)
        H5Aclose(attribute);
    H5Sclose(space);
    return good;
}

bool gg_hdf5_get_attribute(hid_t object, const char *name, hid_t file_type, hid_t memory_type, void *values,
                           int64_t count) {
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0)
        return false;
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const bool good = type >= 0 && space >= 0 && H5Tequal(type, file_type) > 0 &&
                      H5Sget_simple_extent_npoints(space) == count &&
                      (count == 0 || H5Aread(attribute, memory_type, values) >= 0);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    H5Aclose(attribute);
    return good;
}
