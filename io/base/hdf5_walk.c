#include "io/base/hdf5_walk.h"

#include "core/base/memory.h"
#include "io/base/hdf5_error.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 4, MOST_ATTRIBUTE_BYTES = 1 << 24 };

/* Sizes of an object's header, indices and heaps, for which HDF5 reads all of their heads. */
static bool measure(hid_t object) {
#if H5_VERSION_GE(1, 12, 0)
    H5O_native_info_t info;
    return H5Oget_native_info(object, &info, H5O_NATIVE_INFO_ALL) >= 0;
#else
    H5O_info_t info;
    return H5Oget_info(object, &info) >= 0;
#endif
}

/* For H5Aiterate2: reads one attribute; negative ends it. */
static herr_t read_attribute(hid_t object, const char *name, const H5A_info_t *info, void *unused) {
    (void)info;
    (void)unused;
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    const hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1;
    const hsize_t bytes = attribute >= 0 ? H5Aget_storage_size(attribute) : 0;
    bool good = type >= 0 && bytes <= MOST_ATTRIBUTE_BYTES && H5Tis_variable_str(type) == 0 &&
                H5Tdetect_class(type, H5T_VLEN) == 0;
    if (good && bytes > 0) {
        void *value = gg_malloc(bytes);
        good = H5Aread(attribute, type, value) >= 0;
        free(value);
    }
    if (type >= 0)
        H5Tclose(type);
    if (attribute >= 0)
        H5Aclose(attribute);
    return good ? 0 : -1;
}

static gg_status walk_group(const char *path, hid_t group, const char *name, int depth);

static gg_status walk_object(const char *path, hid_t object, const char *name, int depth) {
    const H5I_type_t kind = H5Iget_type(object);
    if (!measure(object))
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: the structure of %s cannot be read", path, name);
    if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, read_attribute, NULL) < 0)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: the attributes of %s cannot be read", path, name);
    if (kind == H5I_GROUP || kind == H5I_FILE)
        return walk_group(path, object, name, depth);
    return kind == H5I_DATASET ? GG_OK
                               : gg_fail(GG_BAD_DATA, "%s: %s is neither a group nor a dataset", path, name);
}

/* The `index`-th link of a group in one of its orders; what it leads to is walked in the order of names
 * alone. */
static gg_status walk_link(const char *path, hid_t group, const char *name, H5_index_t order, hsize_t index,
                           int depth) {
    char child[256];
    H5L_info_t link;
    const ssize_t length =
        H5Lget_name_by_idx(group, ".", order, H5_ITER_INC, index, child, sizeof child, H5P_DEFAULT);
    if (length <= 0 || (size_t)length >= sizeof child || H5Lget_info(group, child, &link, H5P_DEFAULT) < 0 ||
        link.type != H5L_TYPE_HARD)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: a name in %s cannot be read", path, name);
    if (order != H5_INDEX_NAME)
        return GG_OK;
    char *whole = gg_format("%s%s%s", name, strcmp(name, "/") == 0 ? "" : "/", child);
    const hid_t object = H5Oopen(group, child, H5P_DEFAULT);
    const gg_status status = object >= 0
                                 ? walk_object(path, object, whole, depth)
                                 : gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: %s cannot be read", path, whole);
    if (object >= 0)
        H5Oclose(object);
    free(whole);
    return status;
}

static gg_status walk_group(const char *path, hid_t group, const char *name, int depth) {
    H5G_info_t info;
    unsigned kept = 0;
    const hid_t created = H5Gget_create_plist(group);
    const bool good = depth < MOST_DEPTH && created >= 0 && H5Gget_info(group, &info) >= 0 &&
                      H5Pget_link_creation_order(created, &kept) >= 0;
    if (created >= 0)
        H5Pclose(created);
    if (!good)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: %s cannot be read", path, name);
    for (hsize_t i = 0; i < info.nlinks; i++)
        GG_TRY(walk_link(path, group, name, H5_INDEX_NAME, i, depth + 1));
    for (hsize_t i = 0; (kept & H5P_CRT_ORDER_TRACKED) != 0 && i < info.nlinks; i++)
        GG_TRY(walk_link(path, group, name, H5_INDEX_CRT_ORDER, i, depth + 1));
    return GG_OK;
}

gg_status gg_hdf5_walk(const char *path, hid_t file) {
    const hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
    if (root < 0)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: / cannot be read", path);
    const gg_status status = walk_object(path, root, "/", 0);
    H5Gclose(root);
    return status;
}
