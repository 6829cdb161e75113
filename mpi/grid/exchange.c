#include "mpi/grid/exchange.h"

#include "core/base/memory.h"
#include "core/kernels/storage.h"
#include "mpi/world/world.h"

#include <stdlib.h>
#include <string.h>

struct gg_exchange {
    MPI_Comm comm;
    int size;
    /* Per rank: what we ask of it, and what it asks of us. */
    int *asked, *asked_at, *wanted, *wanted_at;
    int32_t *order;        /* (tokens) our tokens, grouped by owner */
    int32_t *asked_ids;    /* (tokens) their ids */
    int32_t *wanted_ids;   /* ids that others ask of us */
    char *sent, *received; /* rows */
    size_t order_capacity, asked_capacity, wanted_capacity, sent_capacity, received_capacity; /* bytes */
};

struct gg_exchange *gg_exchange_create(MPI_Comm comm) {
    struct gg_exchange *exchange = gg_calloc(1, sizeof *exchange);
    exchange->comm = comm;
    MPI_Comm_size(comm, &exchange->size);
    int *numbers = gg_calloc(4 * (size_t)exchange->size, sizeof *numbers);
    exchange->asked = numbers;
    exchange->asked_at = numbers + exchange->size;
    exchange->wanted = numbers + 2 * exchange->size;
    exchange->wanted_at = numbers + 3 * exchange->size;
    return exchange;
}

void gg_exchange_destroy(struct gg_exchange **exchange) {
    if (*exchange == NULL)
        return;
    free((*exchange)->asked);
    free((*exchange)->order);
    free((*exchange)->asked_ids);
    free((*exchange)->wanted_ids);
    free((*exchange)->sent);
    free((*exchange)->received);
    free(*exchange);
    *exchange = NULL;
}

size_t gg_exchange_held_bytes(const struct gg_exchange *e) {
    return 4 * (size_t)e->size * sizeof(int) + e->order_capacity + e->asked_capacity + e->wanted_capacity +
           e->sent_capacity + e->received_capacity;
}

/* capacity: in bytes. */
static void *grow(void *memory, size_t *capacity, int64_t count, size_t item_bytes) {
    const size_t bytes = (size_t)count * item_bytes;
    if (bytes <= *capacity)
        return memory;
    *capacity = bytes;
    free(memory);
    return gg_malloc(bytes);
}

/* Where each rank's part begins; returns the whole. */
static int64_t offsets(const int *counts, int *at, int size) {
    int64_t total = 0;
    for (int q = 0; q < size; q++) {
        at[q] = gg_int(total);
        total += counts[q];
    }
    return total;
}

/* Groups our tokens by owner and tells every owner which of its rows we mean. Returns how many of our rows
 * others mean. */
static int64_t ask(struct gg_exchange *e, int64_t local_rows, const int32_t *ids, int64_t tokens) {
    e->order = grow(e->order, &e->order_capacity, tokens, sizeof *e->order);
    e->asked_ids = grow(e->asked_ids, &e->asked_capacity, tokens, sizeof *e->asked_ids);
    memset(e->asked, 0, (size_t)e->size * sizeof *e->asked);
    for (int64_t t = 0; t < tokens; t++)
        e->asked[ids[t] / local_rows]++;
    offsets(e->asked, e->asked_at, e->size);
    for (int64_t t = 0; t < tokens; t++) {
        const int64_t place = e->asked_at[ids[t] / local_rows]++;
        e->order[place] = (int32_t)t;
        e->asked_ids[place] = ids[t];
    }
    offsets(e->asked, e->asked_at, e->size);
    MPI_Alltoall(e->asked, 1, MPI_INT, e->wanted, 1, MPI_INT, e->comm);
    const int64_t total = offsets(e->wanted, e->wanted_at, e->size);
    e->wanted_ids = grow(e->wanted_ids, &e->wanted_capacity, total, sizeof *e->wanted_ids);
    MPI_Alltoallv(e->asked_ids, e->asked, e->asked_at, MPI_INT32_T, e->wanted_ids, e->wanted, e->wanted_at,
                  MPI_INT32_T, e->comm);
    return total;
}

static int64_t first_row(const struct gg_exchange *e, int64_t local_rows) {
    int rank;
    MPI_Comm_rank(e->comm, &rank);
    return rank * local_rows;
}

/* A row as one MPI item, so that counts stay counts of rows. */
static MPI_Datatype row_type(size_t row_bytes) {
    MPI_Datatype type;
    MPI_Type_contiguous(gg_int((int64_t)row_bytes), MPI_BYTE, &type);
    MPI_Type_commit(&type);
    return type;
}

static void make_room(struct gg_exchange *e, int64_t sent_rows, int64_t received_rows, size_t row_bytes) {
    e->sent = grow(e->sent, &e->sent_capacity, sent_rows, row_bytes);
    e->received = grow(e->received, &e->received_capacity, received_rows, row_bytes);
}

void gg_exchange_rows(struct gg_exchange *e, const void *table, int64_t local_rows, size_t row_bytes,
                      const int32_t *ids, int64_t tokens, void *out) {
    const int64_t total = ask(e, local_rows, ids, tokens), first = first_row(e, local_rows);
    make_room(e, total, tokens, row_bytes);
    for (int64_t i = 0; i < total; i++)
        memcpy(e->sent + (size_t)i * row_bytes,
               (const char *)table + (size_t)(e->wanted_ids[i] - first) * row_bytes, row_bytes);
    MPI_Datatype row = row_type(row_bytes);
    MPI_Alltoallv(e->sent, e->wanted, e->wanted_at, row, e->received, e->asked, e->asked_at, row, e->comm);
    MPI_Type_free(&row);
    for (int64_t i = 0; i < tokens; i++)
        memcpy((char *)out + (size_t)e->order[i] * row_bytes, e->received + (size_t)i * row_bytes, row_bytes);
}

GG_KERNEL_BODY void add_row(enum gg_precision stored, const void *from, float *to, int64_t width) {
    for (int64_t c = 0; c < width; c++)
        to[c] += gg_load(stored, from, c);
}

void gg_exchange_gradients(struct gg_exchange *e, enum gg_precision stored, const void *d_out,
                           const int32_t *ids, int64_t tokens, float *gradient, int64_t local_rows,
                           int64_t width) {
    const int64_t total = ask(e, local_rows, ids, tokens), first = first_row(e, local_rows);
    const size_t row_bytes = (size_t)width * gg_stored_bytes(stored);
    make_room(e, tokens, total, row_bytes);
    for (int64_t i = 0; i < tokens; i++)
        memcpy(e->sent + (size_t)i * row_bytes, gg_at(stored, d_out, e->order[i] * width), row_bytes);
    MPI_Datatype row = row_type(row_bytes);
    MPI_Alltoallv(e->sent, e->asked, e->asked_at, row, e->received, e->wanted, e->wanted_at, row, e->comm);
    MPI_Type_free(&row);
    for (int64_t i = 0; i < total; i++)
        GG_SPECIALISE(add_row, stored, gg_at(stored, e->received, i * width),
                      gradient + (e->wanted_ids[i] - first) * width, width);
}
