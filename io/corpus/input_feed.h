/* Units that travel between ranks: of packed files, which one rank reads for all.
 */
#ifndef GG_IO_CORPUS_INPUT_FEED_H
#define GG_IO_CORPUS_INPUT_FEED_H

#include "core/text/growing_text.h"
#include "io/corpus/document_reader.h"

#include <mpi.h>

/* Some units of a file; zero it to begin. */
struct gg_unit_parcel {
    struct gg_text_unit *units; /* their `bytes` are not valid: they follow each other in `text` */
    size_t count, capacity;
    struct gg_text text;
};

/* Local. */
void gg_unit_parcel_free(struct gg_unit_parcel *parcel);
void gg_unit_parcel_clear(struct gg_unit_parcel *parcel);

/* Appends a unit. GG_RESOURCE. Local. */
gg_status gg_unit_parcel_add(struct gg_unit_parcel *parcel, const struct gg_text_unit *unit) GG_MUST_USE;

/* One rank sends, the other receives; an empty parcel is a message as well. What is received replaces what was
 * there. */
void gg_unit_parcel_send(const struct gg_unit_parcel *parcel, int rank, MPI_Comm comm);
void gg_unit_parcel_receive(struct gg_unit_parcel *parcel, int rank, MPI_Comm comm);

#endif
