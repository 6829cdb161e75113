/* Reading a checkpoint's metadata, with every check that a file from outside needs. */
#include "core/base/memory.h"
#include "core/plan/parallel_settings.h"
#include "io/base/file.h"
#include "io/base/hdf5_attribute.h"
#include "io/base/hdf5_error.h"
#include "io/base/hdf5_walk.h"
#include "io/checkpoint/checkpoint_format_internal.h"
#include "mpi/world/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_TENSORS = 1 << 20, MOST_STATES = 16, MOST_SETTINGS_BYTES = 1 << 26 };

/* Opens a file; < 0 on failure. */
static hid_t open_file(const char *path) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
    /* Locks protect nothing here, a finished file is never changed, and some file systems lack them. */
    H5Pset_file_locking(access, false, true);
#endif
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    return file;
}

static bool get_number(hid_t object, const char *name, hid_t file_type, hid_t memory_type, void *value) {
    return gg_hdf5_get_attribute(object, name, file_type, memory_type, value, 1);
}

static bool is_ours(hid_t file) {
    char text[sizeof GG_CHECKPOINT_FORMAT] = "";
    const hid_t type = gg_checkpoint_format_type();
    const bool good = gg_hdf5_get_attribute(file, "format", type, type, text, 1);
    H5Tclose(type);
    return good && strcmp(text, GG_CHECKPOINT_FORMAT) == 0;
}

/* Whether a dataset is a plain one that lies within the file; its sizes, and where it begins. */
static bool plain_dataset(hid_t dataset, hid_t wanted_type, int64_t file_bytes, int *dimensions,
                          hsize_t sizes[2], int64_t *begin) {
    const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset),
                create = H5Dget_create_plist(dataset);
    bool good = type >= 0 && space >= 0 && create >= 0 && H5Tequal(type, wanted_type) > 0 &&
                H5Pget_layout(create) == H5D_CONTIGUOUS && H5Pget_external_count(create) == 0;
    *dimensions = good ? H5Sget_simple_extent_ndims(space) : 0;
    good = good && (*dimensions == 1 || *dimensions == 2) &&
           H5Sget_simple_extent_dims(space, sizes, NULL) == *dimensions;
    if (good) {
        const hsize_t limit = (hsize_t)file_bytes, columns = *dimensions == 2 ? sizes[1] : 1;
        const hsize_t elements = columns == 0 || (sizes[0] <= limit && columns <= limit / (sizes[0] + 1))
                                     ? sizes[0] * columns
                                     : limit + 1;
        const hsize_t bytes = elements <= limit ? elements * H5Tget_size(type) : limit + 1;
        const haddr_t offset = H5Dget_offset(dataset);
        good = bytes == 0 || (bytes <= limit && offset != HADDR_UNDEF && offset <= limit - bytes);
        *begin = bytes > 0 && good ? (int64_t)offset : 0;
    }
    H5Pclose(create);
    H5Sclose(space);
    H5Tclose(type);
    return good;
}

static gg_status get_text(hid_t file, const char *path, const char *name, int64_t file_bytes, char **text,
                          size_t *bytes) {
    int dimensions;
    hsize_t sizes[2];
    int64_t begin;
    *bytes = 0;
    *text = gg_strdup("");
    if (H5Lexists(file, name, H5P_DEFAULT) == 0)
        return GG_OK;
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    if (dataset < 0)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: /%s cannot be read", path, name);
    gg_status status = GG_OK;
    void *memory = NULL;
    if (!plain_dataset(dataset, H5T_STD_U8LE, file_bytes, &dimensions, sizes, &begin) || dimensions != 1)
        status = gg_fail(GG_BAD_DATA, "%s: damaged: /%s is not a text", path, name);
    else
        status = gg_try_malloc(sizes[0] + 1, name, &memory);
    if (status == GG_OK && sizes[0] > 0 &&
        H5Dread(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, memory) < 0)
        status = gg_hdf5_fail(GG_BAD_DATA, "%s: /%s cannot be read", path, name);
    if (status == GG_OK) {
        ((char *)memory)[sizes[0]] = '\0';
        free(*text);
        *text = memory;
        *bytes = sizes[0];
    } else {
        free(memory);
    }
    H5Dclose(dataset);
    return status;
}

static gg_status get_fields(hid_t file, const char *path, const struct gg_checkpoint_field *fields, int count,
                            struct gg_checkpoint_meta *meta) {
    for (int i = 0; i < count; i++) {
        const struct gg_checkpoint_field *field = &fields[i];
        if (!get_number(file, field->name, gg_checkpoint_field_type(field, true),
                        gg_checkpoint_field_type(field, false), (char *)meta + field->offset))
            return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: attribute %s cannot be read", path, field->name);
    }
    return GG_OK;
}

static gg_status get_numbers(hid_t file, const char *path, struct gg_checkpoint_meta *meta) {
    int64_t version = 0;
    if (!is_ours(file))
        return gg_fail(GG_BAD_DATA, "%s: an HDF5 file, but not a gridgpt checkpoint", path);
    if (!get_number(file, "format_version", H5T_STD_I64LE, H5T_NATIVE_INT64, &version))
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: no format version", path);
    if (version != GG_CHECKPOINT_VERSION)
        return gg_fail(GG_BAD_DATA, "%s: checkpoint format %lld; this gridgpt reads format %d", path,
                       (long long)version, GG_CHECKPOINT_VERSION);
    GG_TRY(get_fields(file, path, gg_checkpoint_fields, gg_checkpoint_field_count, meta));
    meta->reproducible = 0;
    if (H5Aexists(file, gg_checkpoint_reproducible_field.name) > 0)
        GG_TRY(get_fields(file, path, &gg_checkpoint_reproducible_field, 1, meta));
    if (meta->reproducible < 0 || meta->reproducible > GG_MOST_VIRTUAL_REPLICAS ||
        (meta->reproducible & (meta->reproducible - 1)) != 0)
        return gg_fail(GG_BAD_DATA, "%s: damaged: attribute reproducible is %lld", path,
                       (long long)meta->reproducible);
    meta->compared = H5Aexists(file, gg_checkpoint_compared_fields[0].name) > 0;
    if (!meta->compared)
        return GG_OK;
    return get_fields(file, path, gg_checkpoint_compared_fields, gg_checkpoint_compared_field_count, meta);
}

/* Of adapters: the checkpoint that they stand beside. */
static gg_status get_base(hid_t file, const char *path, int64_t file_bytes, struct gg_checkpoint_meta *meta) {
    enum { DIGITS = 16 };
    char *text, *end;
    size_t bytes;
    GG_TRY(get_text(file, path, "base", file_bytes, &text, &bytes));
    gg_status status = GG_OK;
    if (bytes > 0) {
        meta->base_checksum = strtoull(text, &end, 16);
        if (end != text + DIGITS || *end != ' ' || strlen(text) != bytes || bytes <= DIGITS + 1)
            status = gg_fail(GG_BAD_DATA, "%s: damaged: /base is no checksum and path", path);
        else
            meta->base_path = gg_strdup(end + 1);
    }
    free(text);
    return status;
}

static gg_status get_texts(hid_t file, const char *path, int64_t file_bytes,
                           struct gg_checkpoint_meta *meta) {
    size_t settings_bytes = 0;
    GG_TRY(get_text(file, path, "settings", file_bytes, &meta->settings_yaml, &settings_bytes));
    if (strlen(meta->settings_yaml) != settings_bytes || settings_bytes > MOST_SETTINGS_BYTES)
        return gg_fail(GG_BAD_DATA, "%s: damaged: /settings is not a text", path);
    GG_TRY(get_text(file, path, "tokenizer", file_bytes, &meta->tokenizer_json, &meta->tokenizer_bytes));
    if (meta->tokenizer_bytes == 0) {
        free(meta->tokenizer_json);
        meta->tokenizer_json = NULL;
    }
    return get_base(file, path, file_bytes, meta);
}

/* The `index`-th tensor of a group, in the order of creation. */
static gg_status get_tensor(hid_t group, const char *path, int64_t file_bytes, hsize_t index,
                            struct gg_checkpoint_tensor *tensor) {
    const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, index,
                                              tensor->name, sizeof tensor->name, H5P_DEFAULT);
    H5L_info_t link;
    if (length <= 0 || (size_t)length >= sizeof tensor->name ||
        H5Lget_info(group, tensor->name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: a name in /%s cannot be read", path, tensor->group);
    const hid_t dataset = H5Dopen2(group, tensor->name, H5P_DEFAULT);
    if (dataset < 0)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: tensor /%s/%s cannot be read", path, tensor->group,
                            tensor->name);
    hsize_t sizes[2] = {0};
    const bool good =
        plain_dataset(dataset, H5T_IEEE_F32LE, file_bytes, &tensor->dimensions, sizes, &tensor->offset) &&
        get_number(dataset, "checksum", H5T_STD_U64LE, H5T_NATIVE_UINT64, &tensor->checksum);
    H5Dclose(dataset);
    if (!good)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: tensor /%s/%s is not float32 with a checksum", path,
                            tensor->group, tensor->name);
    tensor->rows = tensor->dimensions == 2 ? (int64_t)sizes[0] : 1;
    tensor->columns = (int64_t)sizes[tensor->dimensions - 1];
    return GG_OK;
}

static gg_status get_group(hid_t file, const char *path, const char *name,
                           struct gg_checkpoint_contents *contents) {
    const hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
    H5G_info_t info;
    if (group < 0 || H5Gget_info(group, &info) < 0 || info.nlinks > MOST_TENSORS) {
        const gg_status status = gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: /%s cannot be read", path, name);
        H5Gclose(group);
        return status;
    }
    gg_status status = GG_OK;
    const size_t total = (size_t)contents->count + (size_t)info.nlinks;
    contents->tensors = gg_realloc(contents->tensors, (total + 1) * sizeof *contents->tensors);
    for (hsize_t i = 0; status == GG_OK && i < info.nlinks; i++) {
        struct gg_checkpoint_tensor *tensor = &contents->tensors[contents->count];
        memset(tensor, 0, sizeof *tensor);
        snprintf(tensor->group, sizeof tensor->group, "%s", name);
        status = get_tensor(group, path, contents->file_bytes, i, tensor);
        contents->count += status == GG_OK;
    }
    H5Gclose(group);
    return status;
}

/* The groups of the optimizer's states, in the order of creation, whatever their names. */
static gg_status get_states(hid_t file, const char *path, struct gg_checkpoint_contents *contents) {
    if (H5Lexists(file, "optimizer", H5P_DEFAULT) <= 0)
        return GG_OK;
    const hid_t states = H5Gopen2(file, "optimizer", H5P_DEFAULT);
    H5G_info_t info = {.nlinks = 0};
    gg_status status = GG_OK;
    if (states < 0 || H5Gget_info(states, &info) < 0 || info.nlinks > MOST_STATES)
        status = gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: /optimizer cannot be read", path);
    for (hsize_t i = 0; status == GG_OK && i < info.nlinks; i++) {
        struct gg_checkpoint_group group = {"optimizer/"};
        const size_t begin = strlen(group.name), room = sizeof group.name - begin;
        const ssize_t length = H5Lget_name_by_idx(states, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, i,
                                                  group.name + begin, room, H5P_DEFAULT);
        H5L_info_t link;
        if (length <= 0 || (size_t)length >= room || H5Lget_info(file, group.name, &link, H5P_DEFAULT) < 0 ||
            link.type != H5L_TYPE_HARD)
            status = gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: a name in /optimizer cannot be read", path);
        else
            status = get_group(file, path, group.name, contents);
    }
    H5Gclose(states);
    return status;
}

static gg_status read_contents(hid_t file, const char *path, struct gg_checkpoint_contents *contents) {
    GG_TRY(get_numbers(file, path, &contents->meta));
    GG_TRY(get_texts(file, path, contents->file_bytes, &contents->meta));
    GG_TRY(get_group(file, path, "model", contents));
    GG_TRY(get_states(file, path, contents));
    uint64_t stored = 0;
    if (!get_number(file, "metadata_checksum", H5T_STD_U64LE, H5T_NATIVE_UINT64, &stored))
        return gg_hdf5_fail(GG_BAD_DATA, "%s: damaged: no metadata checksum", path);
    if (stored != gg_checkpoint_metadata_checksum(&contents->meta, contents->tensors, contents->count))
        return gg_fail(GG_BAD_DATA, "%s: damaged: the metadata do not fit their checksum", path);
    return GG_OK;
}

/* Whether the file begins as HDF5 files do, of which the library's own message is of no use; its size. */
static gg_status check_signature(const char *path, int64_t *file_bytes) {
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char begin[sizeof signature] = {0};
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t count = fd >= 0 && fstat(fd, &info) == 0 ? pread(fd, begin, sizeof begin, 0) : -1;
    const int error = errno;
    if (fd >= 0)
        close(fd);
    if (count < 0)
        return gg_fail(gg_file_status(error), "%s: %s", path, strerror(error));
    if (count < (ssize_t)sizeof begin || memcmp(begin, signature, sizeof begin) != 0)
        return gg_fail(GG_BAD_DATA, "%s: not a checkpoint: it is no HDF5 file", path);
    *file_bytes = (int64_t)info.st_size;
    return GG_OK;
}

gg_status gg_checkpoint_examine(const char *path, struct gg_checkpoint_contents *contents) {
    *contents = (struct gg_checkpoint_contents){0};
    GG_TRY(gg_file_check_regular(path));
    GG_TRY(check_signature(path, &contents->file_bytes));
    gg_hdf5_quiet();
    gg_status status = GG_OK;
    const hid_t file = open_file(path);
    if (file < 0) {
        status = gg_hdf5_fail(GG_BAD_DATA, "%s: damaged or truncated", path);
    } else {
        status = read_contents(file, path, contents);
        H5Fclose(file);
    }
    if (status != GG_OK)
        gg_checkpoint_contents_free(contents);
    /* What the system did not give is no damage. */
    const int error = gg_hdf5_system_error();
    if (status != GG_OK && error != 0)
        return gg_fail(gg_file_status(error), "%s: cannot be read: %s", path, strerror(error));
    return status;
}

gg_status gg_checkpoint_verify_bookkeeping(const char *path) {
    gg_hdf5_quiet();
    const hid_t file = open_file(path);
    if (file < 0)
        return gg_hdf5_fail(GG_BAD_DATA, "%s: cannot be opened", path);
    const gg_status status = gg_hdf5_walk(path, file);
    H5Fclose(file);
    return status;
}

gg_status gg_checkpoint_open(MPI_Comm comm, const char *path, struct gg_checkpoint_contents *contents) {
    int rank;
    MPI_Comm_rank(comm, &rank);
    gg_status status = GG_OK;
    *contents = (struct gg_checkpoint_contents){0};
    if (rank == 0)
        status = gg_checkpoint_examine(path, contents);
    GG_TRY(gg_agree(comm, status));

    struct gg_checkpoint_meta *meta = &contents->meta;
    int64_t settings_bytes = rank == 0 ? (int64_t)strlen(meta->settings_yaml) : 0;
    char *settings = meta->settings_yaml, *tokenizer = meta->tokenizer_json;
    struct gg_checkpoint_tensor *tensors = contents->tensors;
    MPI_Bcast(&settings_bytes, 1, MPI_INT64_T, 0, comm);
    MPI_Bcast(contents, sizeof *contents, MPI_BYTE, 0, comm);
    if (rank != 0) {
        settings = gg_malloc((size_t)settings_bytes + 1);
        tokenizer = meta->tokenizer_bytes > 0 ? gg_malloc(meta->tokenizer_bytes + 1) : NULL;
        tensors = gg_malloc(((size_t)contents->count + 1) * sizeof *tensors);
    }
    meta->settings_yaml = settings;
    meta->tokenizer_json = tokenizer;
    contents->tensors = tensors;
    MPI_Bcast(settings, gg_int(settings_bytes + 1), MPI_CHAR, 0, comm);
    if (tokenizer != NULL)
        MPI_Bcast(tokenizer, gg_int((int64_t)meta->tokenizer_bytes + 1), MPI_CHAR, 0, comm);
    gg_broadcast_text(comm, &meta->base_path);
    MPI_Bcast(tensors, gg_int(contents->count * (int64_t)sizeof *tensors), MPI_BYTE, 0, comm);
    return GG_OK;
}
