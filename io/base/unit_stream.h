/* The units of several text files, one file after the other, with their documents numbered throughout. All
 * local.
 */
#ifndef GG_IO_BASE_UNIT_STREAM_H
#define GG_IO_BASE_UNIT_STREAM_H

#include "core/base/options.h"
#include "io/corpus/corpus_split.h"

/* Set the first three, zero the rest; they must outlive the stream. */
struct gg_unit_stream {
    const struct gg_text_list *paths;
    const struct gg_document_format *format;
    const struct gg_corpus_split *split; /* says where documents are to be cut */

    gg_document_reader *reader; /* of paths->items[file] */
    size_t file;
    int64_t first_document; /* number of the file's first one */
    int64_t documents;      /* seen so far */
    int64_t bytes_before;   /* sizes of the files read whole */
};

/* The next unit; its document is numbered over all files.
 *   path [out] its file; or, with *more and unit->count 0, a file that held no document at all
 * *more is false at the end of the last file. Errors as gg_document_reader_next. */
gg_status gg_unit_stream_next(struct gg_unit_stream *stream, struct gg_text_unit *unit, const char **path,
                              bool *more) GG_MUST_USE;

/* Bytes of the files consumed. */
int64_t gg_unit_stream_position(const struct gg_unit_stream *stream);

void gg_unit_stream_close(struct gg_unit_stream *stream);

#endif
