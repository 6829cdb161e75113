/* Reading a part of a plain file: what begins in it can be told without what is before it. */
#include "core/base/memory.h"
#include "io/corpus/document_reader_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes from the buffer's begin to the end of the range. */
static size_t range_bytes(const gg_document_reader *r) {
    return r->stop > r->offset ? (size_t)(r->stop - r->offset) : 0;
}

/* Goes to the first line that begins in the range, or behind it. */
static gg_status find_first_line(gg_document_reader *r) {
    if (r->range_begin == 0)
        return gg_document_reader_skip_mark(r);
    GG_TRY(gg_document_reader_fill(r, range_bytes(r)));
    const size_t there = r->end - r->begin;
    const char *feed = memchr(r->buffer + r->begin, '\n', there);
    gg_document_reader_consume(r, feed != NULL ? (size_t)(feed + 1 - r->buffer) - r->begin : there);
    return GG_OK;
}

static gg_status scan_lines(gg_document_reader *r, struct gg_range_summary *summary) {
    GG_TRY(find_first_line(r));
    GG_TRY(gg_document_reader_fill(r, range_bytes(r)));
    size_t length;
    for (size_t at = 0; at < range_bytes(r) && r->begin + at < r->end; at += length) {
        GG_TRY(gg_document_line_end(r, at, &length));
        summary->lines++;
        summary->documents += !gg_document_line_blank(r->buffer + r->begin + at, length);
    }
    return GG_OK;
}

/* Text without separators: all that is to be known is where the file's only document begins. */
static gg_status scan_whole(gg_document_reader *r, struct gg_range_summary *summary) {
    summary->same = r->range_begin > 0;
    if (summary->same)
        return GG_OK;
    GG_TRY(gg_document_reader_skip_mark(r));
    summary->documents = r->offset < r->file_bytes;
    summary->open = summary->documents > 0 ? r->offset : -1;
    return GG_OK;
}

/* Looks at each line that begins in the range, or that begins before it and may be a separator which ends in it.
 * Leaves the buffer's begin at the range's, or behind such a separator. */
static gg_status scan_separators(gg_document_reader *r, struct gg_range_summary *summary) {
    const bool from_front = r->offset == 0;
    if (from_front)
        GG_TRY(gg_document_reader_skip_mark(r));
    GG_TRY(gg_document_reader_fill(r, range_bytes(r) + r->separator_bytes + 2));
    const char *text = r->buffer + r->begin;
    const size_t there = r->end - r->begin;
    const size_t stop = range_bytes(r) < there ? range_bytes(r) : there;
    const size_t lead = r->range_begin > r->offset ? (size_t)(r->range_begin - r->offset) : 0;
    size_t start = lead, next;
    bool between = from_front; /* no document is under way */
    summary->same = r->range_begin > 0;
    const char *feed = from_front ? NULL : memchr(text, '\n', there);
    const size_t first = from_front ? 0 : feed != NULL ? (size_t)(feed + 1 - text) : there;
    for (size_t at = first; at < stop; at = next) {
        const size_t separator = gg_document_separator_at(r, r->begin + at);
        feed = memchr(text + at, '\n', there - at);
        next = separator > 0 ? at + separator : feed != NULL ? (size_t)(feed + 1 - text) : there;
        if (at < lead && separator > 0 && next >= lead) {
            start = next;
            r->passing = false;
        }
        if (at >= lead && separator > 0) {
            summary->same = 0;
            summary->open = -1;
        } else if (at >= lead && between) {
            summary->same = 0;
            summary->open = r->offset + (int64_t)at;
            summary->documents++;
        }
        between = separator > 0;
    }
    r->line_start = !r->passing || (start > 0 && text[start - 1] == '\n');
    gg_document_reader_consume(r, start);
    return GG_OK;
}

static gg_status open_file(gg_document_reader *r) {
    struct stat info;
    r->fd = open(r->path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return gg_fail(GG_STORAGE, "%s: %s", r->path, strerror(errno));
    if (fstat(r->fd, &info) != 0 || info.st_size != r->file_bytes)
        return gg_fail(GG_STORAGE,
                       "%s: the ranks do not read the same input: the file changed meanwhile, or not every "
                       "node sees the same files",
                       r->path);
    return GG_OK;
}

gg_status gg_document_range_open(const char *path, const struct gg_document_format *format,
                                 int64_t file_bytes, int64_t begin, int64_t end, gg_document_reader **reader,
                                 struct gg_range_summary *summary) {
    gg_document_reader *r = gg_document_reader_create(path, format);
    *summary = (struct gg_range_summary){.open = -1};
    r->file_bytes = file_bytes;
    r->range_begin = begin;
    r->stop = end < file_bytes ? end : file_bytes;
    r->passing = begin > 0;
    /* What tells whether a line begins at the range's front. */
    const int64_t lead = r->json ? 1 : r->separator != NULL ? (int64_t)r->separator_bytes + 3 : 0;
    const int64_t mark = r->separator != NULL ? 3 : 0; /* at the front; it must be seen whole */
    r->read_to = r->offset = begin > lead + mark ? begin - lead : 0;
    r->input_ended = r->read_to == file_bytes;
    gg_status status = open_file(r);
    if (status == GG_OK)
        status = r->json                ? scan_lines(r, summary)
                 : r->separator == NULL ? scan_whole(r, summary)
                                        : scan_separators(r, summary);
    if (status != GG_OK)
        gg_document_reader_close(&r);
    *reader = r;
    return status;
}

void gg_range_summary_add(struct gg_range_summary *before, const struct gg_range_summary *range) {
    before->documents += range->documents;
    before->lines += range->lines;
    if (!range->same)
        before->open = range->open;
}

void gg_document_range_begin(gg_document_reader *r, const struct gg_range_summary *before) {
    r->line = before->lines;
    r->passing = r->passing && !r->json && before->open >= 0;
    if (!r->passing)
        return;
    r->done = r->offset - before->open;
    r->step = (r->done - 1) / (int64_t)GG_UNIT_STEP;
    r->document = -1;
    r->continued = true;
}
