/* A document reader's state, which document_reader.c and document_range.c share.
 */
#ifndef GG_IO_CORPUS_DOCUMENT_READER_INTERNAL_H
#define GG_IO_CORPUS_DOCUMENT_READER_INTERNAL_H

#include "io/corpus/document_reader.h"
#include "io/corpus/text_input.h"

/* What is behind the cut that was asked for, of the unit which it went through. */
struct gg_unit_rest {
    size_t bytes;
    size_t behind; /* bytes of the separator line that follows */
    bool ends;     /* with the document */
};

struct gg_document_reader {
    char *path;
    gg_text_input *input; /* a stream; NULL: bytes of a plain file, read at their places */
    int fd;               /* of that plain file, else negative */
    int64_t file_bytes, read_to;
    bool json;
    const char *separator;
    size_t separator_bytes;

    char *buffer; /* bytes not yet handed out: [begin, end) */
    size_t begin, end, capacity;
    bool input_ended;
    int64_t range_begin; /* units that begin in [range_begin, stop) are handed out */
    int64_t stop;
    int64_t offset; /* of buffer[begin] in the file */
    int64_t line;
    int64_t document; /* number of the current one, or of the one to come */
    const struct gg_document_cut *cuts;
    size_t cut_count;

    /* Of the current plain-text document. */
    int64_t done;   /* its bytes handed out */
    int64_t step;   /* cuts between its units that lie before */
    bool tail;      /* behind the cut that was asked for */
    bool continued; /* the next unit goes on with it */
    bool line_start;
    bool passing; /* what comes up to the next cut belongs to a unit that begins before the range */
    struct gg_unit_rest rest;
};

/* A reader without input or buffer. */
gg_document_reader *gg_document_reader_create(const char *path, const struct gg_document_format *format);

/* Passes over a byte-order mark at the file's front. */
gg_status gg_document_reader_skip_mark(gg_document_reader *reader) GG_MUST_USE;

/* Sees to it that `wanted` bytes are in the buffer, or all that there are. */
gg_status gg_document_reader_fill(gg_document_reader *reader, size_t wanted) GG_MUST_USE;

/* Passes over bytes at the buffer's begin. */
void gg_document_reader_consume(gg_document_reader *reader, size_t bytes);

/* Length of the separator line that begins at buffer[at], its line end included; 0 when none does. What may
 * follow it is in the buffer. */
size_t gg_document_separator_at(const gg_document_reader *reader, size_t at);

/* Finds the end of the line that begins `at` bytes behind the buffer's begin, reading on as far as needed.
 * GG_BAD_DATA: it is too long. */
gg_status gg_document_line_end(gg_document_reader *reader, size_t at, size_t *length) GG_MUST_USE;

bool gg_document_line_blank(const char *line, size_t length);

#endif
