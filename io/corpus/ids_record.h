/* Records out of ids that another program made, and ids out of lines. Local.
 */
#ifndef GG_IO_CORPUS_IDS_RECORD_H
#define GG_IO_CORPUS_IDS_RECORD_H

#include "io/corpus/text_worker.h"

enum gg_ids_form { GG_IDS_NONE, GG_IDS_JSONL, GG_IDS_UINT16, GG_IDS_UINT32 };

struct gg_ids_format {
    enum gg_ids_form form;
    const char *field; /* JSONL: member that holds the ids */
    int64_t vocab;     /* ids are below */
    int64_t end_id;    /* stands behind each document, and is put there where it is missing; -1: none */
};

bool gg_ids_line_blank(const char *line, size_t length);

/* Makes a record of `count` ids that stand behind the batch's, with room for one more: the end id, where it belongs
 * and is missing. A whole document without any other id becomes nothing. */
gg_status gg_ids_record_add(const struct gg_ids_format *format, size_t count, int64_t document,
                            uint32_t flags, struct gg_text_batch *batch) GG_MUST_USE;

/* A line of JSONL. */
struct gg_ids_line {
    const char *path; /* of its file, for messages */
    int64_t number;
    const char *text;
    size_t length;
};

/* Appends the record of a line, or two, the second with its tail.
 *   tail [in] fraction of its ids; 0: no tail
 * GG_BAD_DATA, naming file and line: no list of ids, an id that is not in the vocabulary. GG_RESOURCE. */
gg_status gg_ids_line_add(const struct gg_ids_format *format, const struct gg_ids_line *line,
                          int64_t document, double tail, struct gg_text_batch *batch) GG_MUST_USE;

#endif
