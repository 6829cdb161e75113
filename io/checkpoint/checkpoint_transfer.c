#include "io/checkpoint/checkpoint_transfer_internal.h"

#include "io/base/file_vector.h"
#include "io/checkpoint/checkpoint_checksum_internal.h"
#include "io/checkpoint/checkpoint_format_internal.h"
#include "io/checkpoint/tensor_piece.h"

#include <fcntl.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "checkpoints hold little-endian numbers");

/* Bytes of one call: what was read is summed up before it leaves the cache. */
enum { TRANSFER_BYTES = 4 << 20 };

int gg_checkpoint_share_groups(const struct gg_checkpoint_share *share) {
    return gg_checkpoint_group_count(share->optimizer);
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
    int64_t offset; /* of the tensor in the file */
    struct gg_file_vector vector;
    uint64_t sum; /* of what was read */
};

/* Moves the runs of consecutive columns that a piece's rows come to in the whole tensor. */
static gg_status move_rows(struct move *m, const struct gg_tensor_piece *piece, float *values) {
    for (int64_t r = 0; r < piece->rows; r++) {
        const int64_t row = (m->part.first_row + piece->row + r) * m->p->columns;
        float *at = values + r * m->p->local_columns;
        for (int64_t c = 0, run; c < piece->columns; c += run) {
            int64_t column;
            run = gg_tensor_run(&m->part, piece->column + c, piece->columns - c, &column);
            GG_TRY(gg_file_vector_add(&m->vector, m->offset + (row + column) * (int64_t)sizeof(float), at + c,
                                      (size_t)run * sizeof(float)));
        }
    }
    return gg_file_vector_move(&m->vector);
}

/* Moves a piece, some rows at a time. */
static gg_status move_piece(struct move *m, const struct gg_range *range,
                            const struct gg_tensor_piece *piece) {
    const int64_t row_bytes = m->p->local_columns * (int64_t)sizeof(float);
    const int64_t step = row_bytes < TRANSFER_BYTES ? TRANSFER_BYTES / row_bytes : 1;
    float *values = piece_values(m->share, m->group, range, piece_element(m->p, piece));
    for (int64_t row = 0; row < piece->rows; row += step) {
        struct gg_tensor_piece rows = *piece;
        rows.row += row;
        rows.rows = piece->rows - row < step ? piece->rows - row : step;
        float *at = values + row * m->p->local_columns;
        GG_TRY(move_rows(m, &rows, at));
        if (!m->vector.write)
            m->sum += gg_checksum_piece(m->share->table, m->p, &rows, at);
    }
    return GG_OK;
}

static gg_status move_tensor(int fd, int64_t offset, const struct gg_checkpoint_share *share, int index,
                             bool write, uint64_t *sum) {
    const struct gg_parameter_table *table = share->table;
    const struct gg_parameter *p = &table->items[index % table->count];
    struct move move = {.share = share,
                        .p = p,
                        .part = gg_tensor_part(table, p),
                        .group = index / table->count,
                        .offset = offset,
                        .vector = {.fd = fd, .write = write}};
    gg_status status = GG_OK;
    for (int i = 0; i < share->range_count; i++) {
        struct gg_tensor_piece pieces[GG_TENSOR_PIECES];
        const int count = gg_tensor_pieces(table, p, &share->ranges[i], pieces);
        for (int k = 0; status == GG_OK && k < count; k++)
            status = move_piece(&move, &share->ranges[i], &pieces[k]);
    }
    if (status != GG_OK)
        gg_fail_within(status, "%s/%s: cannot be %s",
                       gg_checkpoint_group_name(share->optimizer, move.group).name, p->name,
                       write ? "written" : "read");
    *sum = move.sum;
    return status;
}

gg_status gg_checkpoint_write_tensor(int fd, int64_t offset, const struct gg_checkpoint_share *share,
                                     int index) {
    if (!gg_parameter_owned(share->table, &share->table->items[index % share->table->count]))
        return GG_OK;
    uint64_t none;
    return move_tensor(fd, offset, share, index, true, &none);
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

gg_status gg_checkpoint_read_tensor(int fd, int64_t offset, const struct gg_checkpoint_share *share,
                                    int index, uint64_t *sum) {
    clear_padded(share, index);
    return move_tensor(fd, offset, share, index, false, sum);
}

void gg_checkpoint_prefetch_tensor(int fd, int64_t offset, const struct gg_checkpoint_share *share,
                                   int index) {
    const struct gg_parameter_table *table = share->table;
    const struct gg_parameter *p = &table->items[index % table->count];
    const int64_t first = gg_tensor_part(table, p).first_row, row_bytes = p->columns * (int64_t)sizeof(float);
    for (int i = 0; i < share->range_count; i++) {
        struct gg_tensor_piece pieces[GG_TENSOR_PIECES];
        const int count = gg_tensor_pieces(table, p, &share->ranges[i], pieces);
        for (int k = 0; k < count; k++)
            posix_fadvise(fd, (off_t)offset + (first + pieces[k].row) * row_bytes, pieces[k].rows * row_bytes,
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
