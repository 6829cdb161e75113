#include "io/base/unit_stream.h"

static gg_status open_file(struct gg_unit_stream *stream) {
    GG_TRY(gg_document_reader_open(stream->paths->items[stream->file], stream->format, &stream->reader));
    const struct gg_corpus_split *split = stream->split;
    stream->first_document = stream->documents;
    if (split->cut != NULL && split->documents > stream->first_document)
        gg_document_reader_cut(stream->reader, split->cut + stream->first_document,
                               split->documents - stream->first_document);
    return GG_OK;
}

gg_status gg_unit_stream_next(struct gg_unit_stream *stream, struct gg_text_unit *unit, const char **path,
                              bool *more) {
    while (stream->file < stream->paths->count) {
        *path = stream->paths->items[stream->file];
        if (stream->reader == NULL)
            GG_TRY(open_file(stream));
        GG_TRY(gg_document_reader_next(stream->reader, unit, more));
        if (*more) {
            unit->document += stream->first_document;
            stream->documents = unit->document + 1;
            return GG_OK;
        }
        stream->bytes_before += gg_document_reader_position(stream->reader);
        gg_document_reader_close(&stream->reader);
        stream->file++;
        if (stream->documents == stream->first_document) {
            *unit = (struct gg_text_unit){0};
            *more = true;
            return GG_OK;
        }
    }
    *more = false;
    return GG_OK;
}

int64_t gg_unit_stream_position(const struct gg_unit_stream *stream) {
    return stream->bytes_before + (stream->reader != NULL ? gg_document_reader_position(stream->reader) : 0);
}

void gg_unit_stream_close(struct gg_unit_stream *stream) {
    gg_document_reader_close(&stream->reader);
}
