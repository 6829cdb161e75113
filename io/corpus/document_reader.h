/* Cuts a text file into documents, without parsing more than that takes.
 *
 * Plain text is one document, or several split at lines that equal a separator. A document comes in units of
 * at most GG_UNIT_BYTES, cut where cleaning and tokenizing do not notice, so that a file or a line of any size
 * streams through a fixed buffer. The k-th cut lies in the GG_CUT_BYTES behind byte k GG_UNIT_STEP of the
 * document, where gg_safe_cut finds it best; there is none where no more than these follow. So it can be found
 * without what is before, and several readers can share a file: each takes the units that begin in its range
 * of bytes, a unit behind a cut counting as beginning at byte k GG_UNIT_STEP.
 * JSONL comes a line a unit, still as JSON (gg_json_text() takes the text out). A byte-order mark at the
 * front of a file is skipped; empty documents and blank lines do not count. Memory: 16 MiB, or of a range its
 * size and GG_UNIT_BYTES; or twice the longest JSONL line. All local.
 */
#ifndef GG_IO_CORPUS_DOCUMENT_READER_H
#define GG_IO_CORPUS_DOCUMENT_READER_H

#include "core/text/clean.h"

#include <stdint.h>

#define GG_UNIT_BYTES          ((size_t)4 << 20)
#define GG_CUT_BYTES           ((size_t)64 << 10)
#define GG_UNIT_STEP           (GG_UNIT_BYTES - GG_CUT_BYTES)
#define GG_JSON_LINE_MAX_BYTES ((size_t)256 << 20)

enum gg_document_form {
    GG_DOCUMENTS_AUTO, /* by name: .jsonl or .ndjson, with or without .gz or .zst; else text */
    GG_DOCUMENTS_TEXT,
    GG_DOCUMENTS_JSONL,
};

struct gg_document_format {
    enum gg_document_form form;
    const char *separator; /* a whole line, without its line feed; "" a blank one; NULL: none */
    const char *field;     /* JSONL: member that holds the text */
};

/* Whether a file of that name is JSONL. */
bool gg_document_format_json(const struct gg_document_format *format, const char *path);

struct gg_text_unit {
    const char *bytes; /* valid until the next call */
    size_t count;
    bool json;
    bool first, last; /* of its document, or of the part before or behind a cut */
    bool tail;        /* of the part behind a cut */
    int64_t document; /* number in the file, from 0; of a range: from its first one, -1 the one under way */
    int64_t offset;   /* of its first byte in the (decompressed) file */
    int64_t line;     /* JSONL: from 1; else 0 */
};

typedef struct gg_document_reader gg_document_reader;

/* Errors as gg_text_input_open. The format must outlive the reader. */
gg_status gg_document_reader_open(const char *path, const struct gg_document_format *format,
                                  gg_document_reader **reader) GG_MUST_USE;
void gg_document_reader_close(gg_document_reader **reader);

/* Where a plain-text document is to be cut in two. */
struct gg_document_cut {
    int64_t file;     /* number among the inputs; the reader does not look at it */
    int64_t document; /* its first byte in the file */
    int64_t at;       /* byte of the document; 0: nowhere */
};

/* Asks for documents to be cut in two near that byte of each, at a line (gg_line_cut): units up to there, then
 * units with `tail` set.
 *   cuts [in]  (count) in the order of the documents; kept */
void gg_document_reader_cut(gg_document_reader *reader, const struct gg_document_cut *cuts, size_t count);

/* What a range of a file tells those who read the ranges behind it. */
struct gg_range_summary {
    int64_t documents, lines; /* that begin in it (lines: JSONL) */
    int64_t open;             /* plain text: first byte of the document under way at its end; -1: none */
    int64_t same;             /* 1: the one that was under way before it still is; then `open` says nothing */
};

/* Opens a plain file to read the units that begin in [begin, end) of it, and finds the summary. A little is
 * read on both sides of the range.
 *   file_bytes [in] the file's size
 *   begin      [in] 0, or above 3
 * GG_STORAGE: missing, unreadable, or of another size; else as gg_document_reader_next. */
gg_status gg_document_range_open(const char *path, const struct gg_document_format *format,
                                 int64_t file_bytes, int64_t begin, int64_t end, gg_document_reader **reader,
                                 struct gg_range_summary *summary) GG_MUST_USE;

/* Adds a range to the summary of what is before it; one that is zero but for `open` -1 begins a file. */
void gg_range_summary_add(struct gg_range_summary *before, const struct gg_range_summary *range);

/* Tells a range's reader what all ranges before it were, ahead of its first unit. */
void gg_document_range_begin(gg_document_reader *reader, const struct gg_range_summary *before);

/* The next unit; *more is false at the end of the file.
 * Errors as gg_text_input_read; GG_BAD_DATA for a JSONL line above GG_JSON_LINE_MAX_BYTES. */
gg_status gg_document_reader_next(gg_document_reader *reader, struct gg_text_unit *unit,
                                  bool *more) GG_MUST_USE;

/* Bytes of the file consumed, compressed ones for a compressed file. */
int64_t gg_document_reader_position(const gg_document_reader *reader);

/* Appends the text field of a JSONL unit to `text`.
 *   path  [in] for messages
 *   rules [in] with replace_invalid, bytes that are no UTF-8 and escaped lone surrogates become U+FFFD
 * GG_BAD_DATA: not a JSON object, no such field, not a string; the message names file and line. */
gg_status gg_json_text(const char *path, const struct gg_text_unit *unit, const char *field,
                       const struct gg_clean_rules *rules, struct gg_text *text) GG_MUST_USE;

/* The failure of a file that is not UTF-8 from that byte on: GG_BAD_DATA. */
gg_status gg_invalid_utf8(const char *path, int64_t offset);

#endif
