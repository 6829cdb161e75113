#include "mpi/exchange.h"

#include "core/base/memory.h"
#include "mpi/world.h"

#include <stdlib.h>
#include <string.h>

struct gg_exchange {
    MPI_Comm comm;
    int size;
    /* Per rank: what we ask of it, and what it asks of us. */
    int *asked, *asked_at, *wanted, *wanted_at;
    int32_t *order;         /* (tokens) our tokens, grouped by owner */
    int32_t *asked_ids;     /* (tokens) their ids */
    int32_t *wanted_ids;    /* ids that others ask of us */
    float *sent, *received; /* rows */
    int64_t token_capacity, wanted_capacity, sent_capacity, received_capacity;
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

static void *grow(void *memory, int64_t *capacity, int64_t count, size_t item_bytes) {
    if (count <= *capacity)
        return memory;
    *capacity = count;
    free(memory);
    return gg_malloc((size_t)count * item_bytes);
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
    if (tokens > e->token_capacity) {
        int64_t capacity = e->token_capacity;
        e->order = grow(e->order, &capacity, tokens, sizeof *e->order);
        e->asked_ids = grow(e->asked_ids, &e->token_capacity, tokens, sizeof *e->asked_ids);
    }
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
static MPI_Datatype row_type(int64_t width) {
    MPI_Datatype type;
    MPI_Type_contiguous(gg_int(width), MPI_FLOAT, &type);
    MPI_Type_commit(&type);
    return type;
}

static void make_room(struct gg_exchange *e, int64_t sent, int64_t received) {
    e->sent = grow(e->sent, &e->sent_capacity, sent, sizeof *e->sent);
    e->received = grow(e->received, &e->received_capacity, received, sizeof *e->received);
}

void gg_exchange_rows(struct gg_exchange *e, const float *table, int64_t local_rows, int64_t width,
                      const int32_t *ids, int64_t tokens, float *out) {
    const int64_t total = ask(e, local_rows, ids, tokens), first = first_row(e, local_rows);
    const size_t row_bytes = (size_t)width * sizeof(float);
    make_room(e, total * width, tokens * width);
    for (int64_t i = 0; i < total; i++)
        memcpy(e->sent + i * width, table + (e->wanted_ids[i] - first) * width, row_bytes);
    MPI_Datatype row = row_type(width);
    MPI_Alltoallv(e->sent, e->wanted, e->wanted_at, row, e->received, e->asked, e->asked_at, row, e->comm);
    MPI_Type_free(&row);
    for (int64_t i = 0; i < tokens; i++)
        memcpy(out + e->order[i] * width, e->received + i * width, row_bytes);
}

void gg_exchange_gradients(struct gg_exchange *e, const float *d_out, const int32_t *ids, int64_t tokens,
                           float *gradient, int64_t local_rows, int64_t width) {
    const int64_t total = ask(e, local_rows, ids, tokens), first = first_row(e, local_rows);
    make_room(e, tokens * width, total * width);
    for (int64_t i = 0; i < tokens; i++)
        memcpy(e->sent + i * width, d_out + e->order[i] * width, (size_t)width * sizeof(float));
    MPI_Datatype row = row_type(width);
    MPI_Alltoallv(e->sent, e->asked, e->asked_at, row, e->received, e->wanted, e->wanted_at, row, e->comm);
    MPI_Type_free(&row);
    for (int64_t i = 0; i < total; i++) {
        float *to = gradient + (e->wanted_ids[i] - first) * width;
        const float *from = e->received + i * width;
        for (int64_t c = 0; c < width; c++)
            to[c] += from[c];
    }
}
