/* Blocks of a file of ids that another program made, which ranks read each by itself.
 *
 * Raw files are little-endian uint16 or uint32, nothing else; a document ends behind each end id, if there is one, and
 * with its file. JSONL has a document a line: a list of ids, or an object with such a member. A raw document comes in
 * records of GG_IDS_PIECE ids from its begin on; a line is a record. A block takes the records that begin in it, and
 * reads on as far as these go. All local.
 */
#ifndef GG_IO_CORPUS_IDS_BLOCK_H
#define GG_IO_CORPUS_IDS_BLOCK_H

#include "io/corpus/ids_record.h"

#define GG_IDS_PIECE       ((int64_t)1 << 20)
#define GG_IDS_BLOCK_BYTES ((int64_t)4 << 20) /* of JSONL; of a raw file GG_IDS_PIECE ids */

/* Where a raw document is cut in two, the second part for validation: an id of its file that is not the document's
 * first. Sorted by file and place. */
struct gg_ids_cut {
    int64_t file, at;
};

/* What is before a block. */
struct gg_ids_place {
    int64_t documents; /* in the corpus */
    int64_t lines;     /* in the file; JSONL */
    int64_t open;      /* raw: the id of the file at which the document, or its part behind a cut, began */
};

/* Set the first members, zero the others; a block may be read again for another part. */
struct gg_ids_block {
    const struct gg_ids_format *format;
    const struct gg_ids_cut *cuts;
    size_t cut_count;
    const char *path;
    int64_t file, file_bytes; /* number among the inputs; size */
    int64_t begin, end;       /* bytes of the file; whole ids */

    int64_t documents, lines; /* that begin in it; lines only of JSONL */
    int64_t *starts;          /* raw: (start_count) where documents, and parts behind cuts, begin */
    size_t start_count, start_capacity;
    int64_t from; /* byte of the file at which the text begins */
    char *text;
    size_t bytes, capacity;
};

/* Bytes of an id of a raw file; of JSONL 1. */
int gg_ids_width(enum gg_ids_form form);

/* Reads the block and finds out what begins in it. GG_STORAGE: missing, unreadable, or of another size. GG_BAD_DATA: a
 * line above GG_JSON_LINE_MAX_BYTES. GG_RESOURCE. */
gg_status gg_ids_block_read(struct gg_ids_block *block) GG_MUST_USE;

/* Appends the records of a block that was read, numbered from those before.
 *   tail [in] fraction of a JSONL document's ids that becomes its tail; 0: no tail
 * GG_BAD_DATA, naming file and line or byte: a line that is no list of ids, an id that is not in the vocabulary.
 * GG_RESOURCE. */
gg_status gg_ids_block_take(const struct gg_ids_block *block, const struct gg_ids_place *before, double tail,
                            struct gg_text_batch *batch) GG_MUST_USE;

/* Adds a block to what is before the next one of its file. */
void gg_ids_place_add(struct gg_ids_place *place, const struct gg_ids_block *block);

void gg_ids_block_free(struct gg_ids_block *block);

#endif
