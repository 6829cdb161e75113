/* Which rank reads what of the input, so that it is read once by all together.
 *
 * In a round each rank gets a block of about GG_BLOCK_BYTES, in the input's order: a range of a plain file, or
 * some small plain files whole. It reads that and a little around it: as much as it takes to see what begins in
 * the range and where its last unit ends (document_reader.h). What a rank has to know of the ranges before its own
 * (how many lines; where the document under way begins) is told by one small message of each to all. A packed
 * file is read by one rank, another one for each file, which hands its units to all as blocks. So rank r of n
 * reads about 1/n of plain input, whatever n is.
 */
#ifndef GG_IO_CORPUS_INPUT_ROUNDS_H
#define GG_IO_CORPUS_INPUT_ROUNDS_H

#include "io/corpus/corpus_split.h"
#include "io/corpus/input_feed.h"
#include "mpi/world/world.h"

#define GG_BLOCK_BYTES (2 * (int64_t)GG_UNIT_STEP)

/* What a rank is to work on in a round. */
struct gg_input_block {
    size_t file, files; /* those of them that are left */
    int64_t begin, end; /* of a range */
    bool ranged;        /* a range of a file that has others */
    bool fed;           /* its units were handed over */
};

/* Set the first four and zero the rest; they must outlive it. */
struct gg_input_rounds {
    const struct gg_world *world;
    const struct gg_input_files *files;
    const struct gg_document_format *format;
    const struct gg_corpus_split *split; /* says where documents are to be cut */

    /* What comes next; the same on every rank. */
    size_t file;
    int64_t offset;                 /* of a plain file */
    struct gg_range_summary before; /* of it, up to there */
    int64_t position;               /* bytes of the files read by now */

    /* This rank's block. */
    struct gg_input_block *blocks;     /* (ranks) */
    gg_document_reader *reader;        /* of its range or file */
    struct gg_range_summary front;     /* what is before that in the file */
    struct gg_unit_parcel parcel;      /* where it is fed */
    size_t parcel_units, parcel_bytes; /* of it that were taken */
    int64_t documents;                 /* that begin in the block, as far as it was taken */
    int64_t file_documents;            /* the same, before the file at hand */

    /* Of the rank that reads a packed file. */
    gg_document_reader *feed;
    int64_t fed_documents; /* that begin in the blocks before */
};

/* Begins the next round: deals out blocks, and opens this rank's. Collective; the status is the rank's own, who
 * must agree on it before the next round.
 *   ended [out] the input ends with this round; the same on every rank
 * Errors as gg_document_reader_next, and of gg_document_range_open. */
gg_status gg_input_rounds_deal(struct gg_input_rounds *rounds, bool *ended) GG_MUST_USE;

/* The next unit of this rank's block; its document is numbered from the first that begins in the block, and -1
 * the one that goes on from before.
 *   file [out] number of its file; or, with *more and unit->count 0, of a file that holds no document at all
 * Errors as gg_document_reader_next. Local. */
gg_status gg_input_rounds_next(struct gg_input_rounds *rounds, struct gg_text_unit *unit, size_t *file,
                               bool *more) GG_MUST_USE;

/* Local. */
void gg_input_rounds_end(struct gg_input_rounds *rounds);

#endif
