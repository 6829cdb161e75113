/* The skeleton of a checkpoint: the whole HDF5 file but for the tensors' values.
 *
 * HDF5 makes it in memory (a sparse file of the kernel's), and it is copied to the disk by plain writes. So
 * HDF5 never has metadata to write to a storage that may fail: a file that cannot be flushed cannot be closed
 * either, and would take the process down with it.
 */
#include "core/base/memory.h"
#include "io/base/file.h"
#include "io/base/hdf5_attribute.h"
#include "io/base/hdf5_error.h"
#include "io/checkpoint/checkpoint_format_internal.h"
#include "io/checkpoint/checkpoint_skeleton_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 20 };

static bool put_number(hid_t object, const char *name, hid_t file_type, hid_t memory_type,
                       const void *value) {
    return gg_hdf5_put_attribute(object, name, file_type, memory_type, value, -1);
}

static bool put_fields(hid_t file, const struct gg_checkpoint_field *fields, int count,
                       const struct gg_checkpoint_meta *meta) {
    bool good = true;
    for (int i = 0; good && i < count; i++)
        good = put_number(file, fields[i].name, gg_checkpoint_field_type(&fields[i], true),
                          gg_checkpoint_field_type(&fields[i], false), (const char *)meta + fields[i].offset);
    return good;
}

static bool put_metadata(hid_t file, const struct gg_checkpoint_meta *meta,
                         const struct gg_checkpoint_tensor *tensors, int count) {
    const hid_t text = gg_checkpoint_format_type();
    bool good = put_number(file, "format", text, text, GG_CHECKPOINT_FORMAT);
    H5Tclose(text);
    const int64_t version = GG_CHECKPOINT_VERSION;
    good = good && put_number(file, "format_version", H5T_STD_I64LE, H5T_NATIVE_INT64, &version);
    good = good && put_fields(file, gg_checkpoint_fields, gg_checkpoint_field_count, meta);
    if (meta->compared)
        good =
            good && put_fields(file, gg_checkpoint_compared_fields, gg_checkpoint_compared_field_count, meta);
    if (meta->reproducible > 0)
        good = good && put_fields(file, &gg_checkpoint_reproducible_field, 1, meta);
    const uint64_t checksum = gg_checkpoint_metadata_checksum(meta, tensors, count);
    return good && put_number(file, "metadata_checksum", H5T_STD_U64LE, H5T_NATIVE_UINT64, &checksum);
}

/* The text of /base; owned by the caller, NULL: none. */
static char *base_text(const struct gg_checkpoint_meta *meta) {
    return meta->base_path != NULL
               ? gg_format("%016llx %s", (unsigned long long)meta->base_checksum, meta->base_path)
               : NULL;
}

/* A contiguous dataset, its place in the file taken at once and not filled. Returns < 0 on failure. */
static hid_t create_dataset(hid_t place, const char *name, hid_t type, int dimensions, const hsize_t *sizes) {
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(dimensions, sizes, NULL);
    H5Pset_layout(create, H5D_CONTIGUOUS);
    H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(create, H5D_FILL_TIME_NEVER);
    H5Pset_obj_track_times(create, false);
    const hid_t dataset = H5Dcreate2(place, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(create);
    return dataset;
}

static bool put_text(hid_t file, const char *name, const char *text, size_t bytes) {
    if (bytes == 0) /* an absent text is read as an empty one */
        return true;
    const hsize_t length = bytes;
    const hid_t dataset = create_dataset(file, name, H5T_STD_U8LE, 1, &length);
    if (dataset < 0)
        return false;
    const bool good = H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0;
    return H5Dclose(dataset) >= 0 && good;
}

static hid_t create_group(hid_t place, const char *name) {
    const hid_t create = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_link_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    H5Pset_obj_track_times(create, false);
    const hid_t group = H5Gcreate2(place, name, H5P_DEFAULT, create, H5P_DEFAULT);
    H5Pclose(create);
    return group;
}

/* Makes a tensor's dataset, and notes where its values will stand. */
static bool put_tensor(hid_t group, struct gg_checkpoint_tensor *tensor) {
    const hsize_t sizes[2] = {(hsize_t)tensor->rows, (hsize_t)tensor->columns};
    const hid_t dataset = create_dataset(group, tensor->name, H5T_IEEE_F32LE, tensor->dimensions,
                                         sizes + 2 - tensor->dimensions);
    if (dataset < 0)
        return false;
    const haddr_t offset = H5Dget_offset(dataset);
    tensor->offset = (int64_t)offset;
    const bool good = offset != HADDR_UNDEF &&
                      put_number(dataset, "checksum", H5T_STD_U64LE, H5T_NATIVE_UINT64, &tensor->checksum);
    return H5Dclose(dataset) >= 0 && good;
}

/* The groups and the datasets of all tensors, which stand group by group. */
static bool put_tensors(hid_t file, struct gg_checkpoint_tensor *tensors, int count) {
    bool good = true;
    hid_t group = -1;
    for (int i = 0; good && i < count; i++) {
        if (i == 0 || strcmp(tensors[i].group, tensors[i - 1].group) != 0) {
            if (group >= 0)
                H5Gclose(group);
            if (strchr(tensors[i].group, '/') != NULL && H5Lexists(file, "optimizer", H5P_DEFAULT) == 0)
                H5Gclose(create_group(file, "optimizer"));
            group = create_group(file, tensors[i].group);
        }
        good = group >= 0 && put_tensor(group, &tensors[i]);
    }
    if (group >= 0)
        H5Gclose(group);
    return good;
}

/* Makes the file in the memory file `fd`. */
static gg_status make_file(int fd, const struct gg_checkpoint_meta *meta,
                           struct gg_checkpoint_tensor *tensors, int count) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
    H5Pset_alignment(access, 65536, 4096);
    /* Not the default driver: with that one HDF5 follows the link in /proc, which leads to no path. */
    H5Pset_fapl_stdio(access);
    const hid_t create = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(create, false);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    H5Pclose(create);
    H5Pclose(access);
    if (file < 0)
        return gg_hdf5_fail(GG_RESOURCE, "HDF5 cannot make a file in memory");
    gg_status status = GG_OK;
    char *base = base_text(meta);
    if (!put_metadata(file, meta, tensors, count) ||
        !put_text(file, "settings", meta->settings_yaml, strlen(meta->settings_yaml)) ||
        !put_text(file, "tokenizer", meta->tokenizer_json, meta->tokenizer_bytes) ||
        !put_text(file, "base", base, base != NULL ? strlen(base) : 0) || !put_tensors(file, tensors, count))
        status = gg_hdf5_fail(GG_RESOURCE, "HDF5 cannot make the checkpoint's metadata");
    free(base);
    if (H5Fclose(file) < 0 && status == GG_OK)
        status = gg_hdf5_fail(GG_RESOURCE, "HDF5 cannot close a file in memory");
    return status;
}

/* Copies bytes [at, end). */
static gg_status copy_range(int from, int to, const char *path, off_t at, off_t end, char *buffer) {
    while (at < end) {
        const size_t wanted = end - at < COPY_BYTES ? (size_t)(end - at) : COPY_BYTES;
        const ssize_t got = pread(from, buffer, wanted, at);
        if (got <= 0)
            return gg_fail(GG_RESOURCE, "%s: its metadata cannot be read back", path);
        const ssize_t put = pwrite(to, buffer, (size_t)got, at);
        if (put <= 0)
            return gg_fail(GG_STORAGE, "%s: cannot be written: %s", path,
                           put < 0 ? strerror(errno) : "nothing is taken");
        at += put;
    }
    return GG_OK;
}

/* The places of the tensors' values, in the order in which they stand. */
struct place {
    off_t begin, end;
};

static int compare_places(const void *a, const void *b) {
    const off_t x = ((const struct place *)a)->begin, y = ((const struct place *)b)->begin;
    return (x > y) - (x < y);
}

static struct place *value_places(const struct gg_checkpoint_tensor *tensors, int count) {
    struct place *places = gg_malloc(((size_t)count + 1) * sizeof *places);
    for (int i = 0; i < count; i++) {
        const int64_t bytes = tensors[i].rows * tensors[i].columns * (int64_t)sizeof(float);
        places[i] = (struct place){tensors[i].offset, tensors[i].offset + bytes};
    }
    qsort(places, (size_t)count, sizeof *places, compare_places);
    return places;
}

/* Copies what stands between the tensors' values in [at, end).
 *   next [in,out] the first place that may reach into the range */
static gg_status copy_around(int from, int to, const char *path, off_t at, off_t end,
                             const struct place **next, const struct place *last, char *buffer) {
    while (at < end) {
        while (*next < last && (*next)->end <= at)
            (*next)++;
        const off_t begin = *next < last && (*next)->begin < end ? (*next)->begin : end;
        GG_TRY(copy_range(from, to, path, at, begin, buffer));
        at = begin < end ? (*next)->end : end;
    }
    return GG_OK;
}

/* Copies what is no hole of the memory file and no tensor's, and gives the file on the disk its length. */
static gg_status copy_file(int from, const char *path, const struct gg_checkpoint_tensor *tensors,
                           int count) {
    const int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (to < 0)
        return gg_fail(gg_file_status(errno), "%s: cannot be created: %s", path, strerror(errno));
    char *buffer = gg_malloc(COPY_BYTES);
    struct place *places = value_places(tensors, count);
    const struct place *next = places;
    const off_t bytes = lseek(from, 0, SEEK_END);
    gg_status status = GG_OK;
    for (off_t at = 0; status == GG_OK && (at = lseek(from, at, SEEK_DATA)) >= 0;) {
        const off_t end = lseek(from, at, SEEK_HOLE);
        status = copy_around(from, to, path, at, end, &next, places + count, buffer);
        at = end;
    }
    free(places);
    if (status == GG_OK && ftruncate(to, bytes) != 0)
        status = gg_fail(GG_STORAGE, "%s: cannot be given its length: %s", path, strerror(errno));
    free(buffer);
    if (close(to) != 0 && status == GG_OK)
        status = gg_fail(GG_STORAGE, "%s: cannot be written: %s", path, strerror(errno));
    return status;
}

gg_status gg_checkpoint_write_skeleton(const char *path, const struct gg_checkpoint_meta *meta,
                                       struct gg_checkpoint_tensor *tensors, int count) {
    const int fd = memfd_create("gridgpt-checkpoint", MFD_CLOEXEC);
    if (fd < 0)
        return gg_fail(GG_RESOURCE, "%s: no file in memory to be had: %s", path, strerror(errno));
    gg_status status = make_file(fd, meta, tensors, count);
    if (status == GG_OK)
        status = copy_file(fd, path, tensors, count);
    else
        gg_fail_within(status, "%s", path);
    close(fd);
    return status;
}
