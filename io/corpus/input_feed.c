#include "io/corpus/input_feed.h"

#include "core/base/memory.h"
#include "mpi/world/world.h"

#include <stdlib.h>

enum { TAG_SIZES = 11, TAG_UNITS, TAG_TEXT };

void gg_unit_parcel_free(struct gg_unit_parcel *parcel) {
    free(parcel->units);
    gg_text_free(&parcel->text);
    *parcel = (struct gg_unit_parcel){0};
}

void gg_unit_parcel_clear(struct gg_unit_parcel *parcel) {
    parcel->count = parcel->text.count = 0;
}

static void make_room(struct gg_unit_parcel *parcel, size_t count) {
    if (count <= parcel->capacity)
        return;
    parcel->capacity = count < 2 * parcel->capacity ? 2 * parcel->capacity : count;
    parcel->units = gg_realloc(parcel->units, parcel->capacity * sizeof *parcel->units);
}

gg_status gg_unit_parcel_add(struct gg_unit_parcel *parcel, const struct gg_text_unit *unit) {
    GG_TRY(gg_text_append(&parcel->text, unit->bytes, unit->count));
    make_room(parcel, parcel->count + 1);
    parcel->units[parcel->count] = *unit;
    parcel->units[parcel->count++].bytes = NULL;
    return GG_OK;
}

void gg_unit_parcel_send(const struct gg_unit_parcel *parcel, int rank, MPI_Comm comm) {
    const int64_t sizes[2] = {(int64_t)parcel->count, (int64_t)parcel->text.count};
    MPI_Send(sizes, 2, MPI_INT64_T, rank, TAG_SIZES, comm);
    MPI_Send(parcel->units, gg_int(sizes[0] * (int64_t)sizeof *parcel->units), MPI_BYTE, rank, TAG_UNITS,
             comm);
    MPI_Send(parcel->text.bytes, gg_int(sizes[1]), MPI_BYTE, rank, TAG_TEXT, comm);
}

void gg_unit_parcel_receive(struct gg_unit_parcel *parcel, int rank, MPI_Comm comm) {
    int64_t sizes[2];
    MPI_Recv(sizes, 2, MPI_INT64_T, rank, TAG_SIZES, comm, MPI_STATUS_IGNORE);
    parcel->count = (size_t)sizes[0];
    parcel->text.count = (size_t)sizes[1];
    make_room(parcel, parcel->count);
    if (parcel->text.capacity < parcel->text.count) {
        parcel->text.capacity = parcel->text.count;
        parcel->text.bytes = gg_realloc(parcel->text.bytes, parcel->text.capacity);
    }
    MPI_Recv(parcel->units, gg_int(sizes[0] * (int64_t)sizeof *parcel->units), MPI_BYTE, rank, TAG_UNITS,
             comm, MPI_STATUS_IGNORE);
    MPI_Recv(parcel->text.bytes, gg_int(sizes[1]), MPI_BYTE, rank, TAG_TEXT, comm, MPI_STATUS_IGNORE);
}
