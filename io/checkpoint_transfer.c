#include "io/checkpoint_transfer.h"

#include "io/checkpoint_checksum.h"
#include "io/checkpoint_file.h"
#include "io/checkpoint_format.h"
#include "io/hdf5_error.h"
#include "io/tensor_piece.h"

#include <fcntl.h>
#include <string.h>

/* Bytes of one call: what was read is summed up before it leaves the cache. */
enum { TRANSFER_BYTES = 4 << 20 };

int gg_checkpoint_share_groups(const struct gg_checkpoint_share *share) {
    return share->values[1] != NULL ? GG_CHECKPOINT_GROUPS : 1;
}

hid_t gg_checkpoint_open_together(MPI_Comm comm, const char *path, bool write) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
    H5Pset_fapl_mpio(access, comm, MPI_INFO_NULL);
    H5Pset_all_coll_metadata_ops(access, true);
    const hid_t file = H5Fopen(path, write ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access);
    H5Pclose(access);
    return file;
}

gg_status gg_checkpoint_open_tensors(hid_t file, const struct gg_checkpoint_share *share, hid_t *datasets) {
    const struct gg_parameter_table *table = share->table;
    gg_status status = GG_OK;
    for (int i = 0; i < gg_checkpoint_share_groups(share) * table->count; i++) {
        const struct gg_checkpoint_tensor tensor =
            gg_checkpoint_describe(&table->items[i % table->count], gg_checkpoint_groups[i / table->count]);
        datasets[i] = gg_checkpoint_open_tensor(file, &tensor);
        if (datasets[i] < 0 && status == GG_OK)
            status = gg_hdf5_fail(GG_STORAGE, "%s/%s cannot be opened", tensor.group, tensor.name);
    }
    return status;
}

void gg_checkpoint_close_tensors(const struct gg_checkpoint_share *share, hid_t *datasets) {
    for (int i = 0; i < gg_checkpoint_share_groups(share) * share->table->count; i++)
        if (datasets[i] >= 0)
            H5Dclose(datasets[i]);
}

/* Selects in the whole tensor what a piece is there. */
static bool select_in_file(hid_t space, const struct gg_parameter *p, const struct gg_tensor_part *part,
                           const struct gg_tensor_piece *piece) {
    const int64_t rows = piece->rows;
    const int skip = 2 - p->dimensions; /* a vector has no row dimension */
    H5S_seloper_t how = H5S_SELECT_SET;
    for (int64_t c = 0, run; c < piece->columns; c += run) {
        int64_t column;
        run = gg_tensor_run(part, piece->column + c, piece->columns - c, &column);
        /* Blocks of the same length that follow at the stride are one selection. */
        const int64_t alike = run == part->block ? (piece->columns - c) / part->block : 1;
        const hsize_t start[2] = {(hsize_t)(part->first_row + piece->row), (hsize_t)column},
                      stride[2] = {(hsize_t)rows, (hsize_t)(alike > 1 ? part->stride : run)},
                      count[2] = {1, (hsize_t)alike}, block[2] = {(hsize_t)rows, (hsize_t)run};
        if (H5Sselect_hyperslab(space, how, start + skip, stride + skip, count + skip, block + skip) < 0)
            return false;
        how = H5S_SELECT_OR;
        run *= alike;
    }
    return true;
}

static bool move_rows(hid_t dataset, hid_t plan, const struct gg_parameter *p,
                      const struct gg_tensor_part *part, const struct gg_tensor_piece *piece, bool write,
                      float *values) {
    const int64_t rows = piece->rows;
    /* A piece that begins within a row has only that one. */
    const hsize_t sizes[2] = {(hsize_t)rows, (hsize_t)(rows > 1 ? p->local_columns : piece->columns)},
                  start[2] = {0, 0}, count[2] = {(hsize_t)rows, (hsize_t)piece->columns};
    const hid_t file_space = H5Dget_space(dataset), memory_space = H5Screate_simple(2, sizes, NULL);
    const bool good =
        file_space >= 0 && memory_space >= 0 &&
        H5Sselect_hyperslab(memory_space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
        select_in_file(file_space, p, part, piece) &&
        (write ? H5Dwrite(dataset, H5T_NATIVE_FLOAT, memory_space, file_space, plan, values)
               : H5Dread(dataset, H5T_NATIVE_FLOAT, memory_space, file_space, plan, values)) >= 0;
    H5Sclose(memory_space);
    H5Sclose(file_space);
    return good;
}

/* Where a piece's first element stands in the buffer of its group. */
static float *piece_values(const struct gg_checkpoint_share *share, int group, const struct gg_range *range,
                           int64_t element) {
    const int64_t shift = share->compact[group] ? range->at - range->from : 0;
    return share->values[group] + (element + shift);
}

static int64_t piece_element(const struct gg_parameter *p, const struct gg_tensor_piece *piece) {
    return p->offset + piece->row * p->local_columns + piece->column;
}

/* One tensor's way between buffers and file. */
struct move {
    const struct gg_checkpoint_share *share;
    const struct gg_parameter *p;
    struct gg_tensor_part part;
    int group;
    hid_t dataset, plan;
    bool write;
    uint64_t sum; /* of what was read */
};

/* Moves a piece, some rows at a time. */
static bool move_piece(struct move *m, const struct gg_range *range, const struct gg_tensor_piece *piece) {
    const int64_t row_bytes = m->p->local_columns * (int64_t)sizeof(float);
    const int64_t step = row_bytes < TRANSFER_BYTES ? TRANSFER_BYTES / row_bytes : 1;
    float *values = piece_values(m->share, m->group, range, piece_element(m->p, piece));
    for (int64_t row = 0; row < piece->rows; row += step) {
        struct gg_tensor_piece rows = *piece;
        rows.row += row;
        rows.rows = piece->rows - row < step ? piece->rows - row : step;
        float *at = values + row * m->p->local_columns;
        if (!move_rows(m->dataset, m->plan, m->p, &m->part, &rows, m->write, at))
            return false;
        if (!m->write)
            m->sum += gg_checksum_piece(m->share->table, m->p, &rows, at);
    }
    return true;
}

static gg_status move_tensor(hid_t dataset, const struct gg_checkpoint_share *share, int index, bool write,
                             uint64_t *sum) {
    const struct gg_parameter_table *table = share->table;
    const struct gg_parameter *p = &table->items[index % table->count];
    struct move move = {.share = share,
                        .p = p,
                        .part = gg_tensor_part(table, p),
                        .group = index / table->count,
                        .dataset = dataset,
                        .plan = H5Pcreate(H5P_DATASET_XFER),
                        .write = write};
    bool good = move.plan >= 0 && H5Pset_dxpl_mpio(move.plan, H5FD_MPIO_INDEPENDENT) >= 0;
    for (int i = 0; i < share->range_count; i++) {
        struct gg_tensor_piece pieces[GG_TENSOR_PIECES];
        const int count = gg_tensor_pieces(table, p, &share->ranges[i], pieces);
        for (int k = 0; good && k < count; k++)
            good = move_piece(&move, &share->ranges[i], &pieces[k]);
    }
    const gg_status status =
        good ? GG_OK
             : gg_hdf5_fail(GG_STORAGE, "%s/%s: cannot be %s", gg_checkpoint_groups[move.group], p->name,
                            write ? "written" : "read");
    H5Pclose(move.plan);
    *sum = move.sum;
    return status;
}

gg_status gg_checkpoint_write_tensor(hid_t dataset, const struct gg_checkpoint_share *share, int index) {
    if (!gg_parameter_owned(share->table, &share->table->items[index % share->table->count]))
        return GG_OK;
    uint64_t none;
    return move_tensor(dataset, share, index, true, &none);
}

/* Sets what the ranges hold of a tensor to zero where some of it is padding, which no file has. */
static void clear_padded(const struct gg_checkpoint_share *share, int index) {
    const struct gg_parameter *p = &share->table->items[index % share->table->count];
    const struct gg_tensor_part part = gg_tensor_part(share->table, p);
    if (part.rows == p->local_rows && part.columns == p->local_columns)
        return;
    for (int i = 0; i < share->range_count; i++) {
        const struct gg_range *range = &share->ranges[i];
        const int64_t end = p->offset + p->local_rows * p->local_columns;
        const int64_t from = range->from > p->offset ? range->from : p->offset,
                      to = range->to < end ? range->to : end;
        if (from < to)
            memset(piece_values(share, index / share->table->count, range, from), 0,
                   (size_t)(to - from) * sizeof(float));
    }
}

gg_status gg_checkpoint_read_tensor(hid_t dataset, const struct gg_checkpoint_share *share, int index,
                                    uint64_t *sum) {
    clear_padded(share, index);
    return move_tensor(dataset, share, index, false, sum);
}

void gg_checkpoint_prefetch_tensor(int fd, hid_t dataset, const struct gg_checkpoint_share *share,
                                   int index) {
    const struct gg_parameter_table *table = share->table;
    const struct gg_parameter *p = &table->items[index % table->count];
    const int64_t first = gg_tensor_part(table, p).first_row, row_bytes = p->columns * (int64_t)sizeof(float);
    const haddr_t begin = H5Dget_offset(dataset);
    for (int i = 0; begin != HADDR_UNDEF && i < share->range_count; i++) {
        struct gg_tensor_piece pieces[GG_TENSOR_PIECES];
        const int count = gg_tensor_pieces(table, p, &share->ranges[i], pieces);
        for (int k = 0; k < count; k++)
            posix_fadvise(fd, (off_t)begin + (first + pieces[k].row) * row_bytes, pieces[k].rows * row_bytes,
                          POSIX_FADV_WILLNEED);
    }
}

uint64_t gg_checkpoint_sum_tensor(const struct gg_checkpoint_share *share, int index) {
    const struct gg_parameter_table *table = share->table;
    const struct gg_parameter *p = &table->items[index % table->count];
    uint64_t sum = 0;
    for (int i = 0; i < share->range_count; i++) {
        struct gg_tensor_piece pieces[GG_TENSOR_PIECES];
        const int count = gg_tensor_pieces(table, p, &share->ranges[i], pieces);
        for (int k = 0; k < count; k++)
            sum += gg_checksum_piece(table, p, &pieces[k],
                                     piece_values(share, index / table->count, &share->ranges[i],
                                                  piece_element(p, &pieces[k])));
    }
    return sum;
}
