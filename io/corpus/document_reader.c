#include "io/corpus/document_reader.h"

#include "core/base/memory.h"
#include "io/corpus/document_reader_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A plain file is read in pieces of so many bytes, to read little that is not wanted. */
enum { PIECE_BYTES = 1 << 14 };

static bool name_says_jsonl(const char *path) {
    size_t length = strlen(path);
    static const char *const packings[] = {".gz", ".zst"}, *const names[] = {".jsonl", ".ndjson"};
    for (size_t i = 0; i < 2; i++) {
        const size_t suffix = strlen(packings[i]);
        if (length > suffix && strncmp(path + length - suffix, packings[i], suffix) == 0) {
            length -= suffix;
            break;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        const size_t suffix = strlen(names[i]);
        if (length > suffix && strncmp(path + length - suffix, names[i], suffix) == 0)
            return true;
    }
    return false;
}

bool gg_document_format_json(const struct gg_document_format *format, const char *path) {
    return format->form == GG_DOCUMENTS_JSONL || (format->form == GG_DOCUMENTS_AUTO && name_says_jsonl(path));
}

/* As many bytes as there is room for, or of a plain file as are wanted. */
static gg_status read_more(gg_document_reader *r, size_t wanted) {
    const size_t room = r->capacity - r->end;
    size_t got = 0;
    if (r->input != NULL) {
        GG_TRY(gg_text_input_read(r->input, r->buffer + r->end, room, &got));
        r->input_ended = got < room;
        r->end += got;
        return GG_OK;
    }
    size_t most = wanted - (r->end - r->begin);
    most = most + PIECE_BYTES < room ? (most + PIECE_BYTES - 1) / PIECE_BYTES * PIECE_BYTES : room;
    const int64_t left = r->file_bytes - r->read_to;
    most = (int64_t)most < left ? most : (size_t)left;
    while (got < most) {
        const ssize_t some = pread(r->fd, r->buffer + r->end + got, most - got, r->read_to + (off_t)got);
        if (some == 0)
            return gg_fail(GG_STORAGE, "%s: became shorter while it was read", r->path);
        if (some < 0 && errno != EINTR)
            return gg_fail(GG_STORAGE, "%s: %s", r->path, strerror(errno));
        got += some > 0 ? (size_t)some : 0;
    }
    r->read_to += (int64_t)got;
    r->end += got;
    r->input_ended = r->read_to == r->file_bytes;
    return GG_OK;
}

gg_status gg_document_reader_fill(gg_document_reader *r, size_t wanted) {
    if (r->end - r->begin >= wanted || r->input_ended)
        return GG_OK;
    if (r->begin < r->end)
        memmove(r->buffer, r->buffer + r->begin, r->end - r->begin);
    r->end -= r->begin;
    r->begin = 0;
    if (r->capacity < wanted) {
        char *larger = gg_realloc_or_null(r->buffer, wanted + PIECE_BYTES);
        if (larger == NULL)
            return gg_fail(GG_RESOURCE, "%s: no memory for a line of %zu bytes", r->path, wanted);
        r->buffer = larger;
        r->capacity = wanted + PIECE_BYTES;
    }
    return read_more(r, wanted);
}

void gg_document_reader_consume(gg_document_reader *r, size_t bytes) {
    r->begin += bytes;
    r->offset += (int64_t)bytes;
}

gg_document_reader *gg_document_reader_create(const char *path, const struct gg_document_format *format) {
    gg_document_reader *r = gg_calloc(1, sizeof *r);
    r->path = gg_strdup(path);
    r->fd = -1;
    r->json = gg_document_format_json(format, path);
    r->separator = r->json ? NULL : format->separator;
    r->separator_bytes = r->separator != NULL ? strlen(r->separator) : 0;
    r->stop = INT64_MAX;
    r->line_start = true;
    return r;
}

gg_status gg_document_reader_skip_mark(gg_document_reader *r) {
    GG_TRY(gg_document_reader_fill(r, 3));
    if (r->end >= 3 && memcmp(r->buffer, "\xEF\xBB\xBF", 3) == 0)
        gg_document_reader_consume(r, 3);
    return GG_OK;
}

gg_status gg_document_reader_open(const char *path, const struct gg_document_format *format,
                                  gg_document_reader **reader) {
    gg_document_reader *r = gg_document_reader_create(path, format);
    r->capacity = 4 * GG_UNIT_BYTES;
    r->buffer = gg_malloc(r->capacity);
    gg_status status = gg_text_input_open(path, &r->input);
    if (status == GG_OK)
        status = gg_document_reader_skip_mark(r);
    if (status != GG_OK)
        gg_document_reader_close(&r);
    *reader = r;
    return status;
}

void gg_document_reader_close(gg_document_reader **reader) {
    if (*reader == NULL)
        return;
    gg_text_input_close(&(*reader)->input);
    if ((*reader)->fd >= 0)
        close((*reader)->fd);
    free((*reader)->buffer);
    free((*reader)->path);
    free(*reader);
    *reader = NULL;
}

void gg_document_reader_cut(gg_document_reader *reader, const struct gg_document_cut *cuts, size_t count) {
    reader->cuts = cuts;
    reader->cut_count = count;
}

int64_t gg_document_reader_position(const gg_document_reader *reader) {
    return gg_text_input_position(reader->input);
}

size_t gg_document_separator_at(const gg_document_reader *r, size_t at) {
    size_t i = at + r->separator_bytes;
    if (i > r->end || memcmp(r->buffer + at, r->separator, r->separator_bytes) != 0)
        return 0;
    if (i < r->end && r->buffer[i] == '\r')
        i++;
    if (i == r->end)
        return i - at; /* the last line, without a line feed */
    return r->buffer[i] == '\n' ? i + 1 - at : 0;
}

/* Where the document ends, counted from the buffer's begin: at most `window`, or SIZE_MAX if it is longer.
 *   behind [out] bytes of the separator line that follows */
static size_t document_end(const gg_document_reader *r, size_t window, size_t *behind) {
    const size_t there = r->end - r->begin;
    *behind = 0;
    if (r->separator != NULL) {
        size_t at = r->begin;
        bool line_start = r->line_start;
        while (at < r->end && at - r->begin <= window) {
            if (line_start && (*behind = gg_document_separator_at(r, at)) > 0)
                return at - r->begin;
            const char *feed = memchr(r->buffer + at, '\n', r->end - at);
            if (feed == NULL)
                break;
            at = (size_t)(feed + 1 - r->buffer);
            line_start = true;
        }
    }
    return r->input_ended && there <= window ? there : SIZE_MAX;
}

/* Goes over the next bytes of the document. */
static void pass(gg_document_reader *r, size_t bytes) {
    r->line_start = r->buffer[r->begin + bytes - 1] == '\n';
    r->done += (int64_t)bytes;
    gg_document_reader_consume(r, bytes);
}

static void hand_out(gg_document_reader *r, size_t bytes, bool last, struct gg_text_unit *unit) {
    *unit = (struct gg_text_unit){.bytes = r->buffer + r->begin,
                                  .count = bytes,
                                  .first = !r->continued,
                                  .last = last,
                                  .tail = r->tail,
                                  .document = r->document,
                                  .offset = r->offset};
    r->continued = !last;
    pass(r, bytes);
}

static void end_document(gg_document_reader *r, size_t separator_bytes) {
    gg_document_reader_consume(r, separator_bytes);
    r->line_start = true;
    r->continued = r->tail = false;
    r->document += r->done > 0;
    r->done = r->step = 0;
}

/* Bytes from the buffer's begin to where the next cut is at the latest. */
static size_t window_bytes(const gg_document_reader *r) {
    return (size_t)((r->step + 1) * (int64_t)GG_UNIT_STEP + (int64_t)GG_CUT_BYTES - r->done);
}

/* Where the current document is to be cut in two. */
static int64_t wanted_cut(const gg_document_reader *r) {
    const int64_t document = r->offset - r->done;
    size_t low = 0, high = r->cut_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (r->cuts[middle].document < document)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->cut_count && r->cuts[low].document == document ? r->cuts[low].at : 0;
}

/* The next bytes, up to a cut or with `ends` to the document's end. */
static void hand_out_part(gg_document_reader *r, size_t part, bool ends, size_t behind,
                          struct gg_text_unit *unit) {
    const int64_t wanted = r->tail ? 0 : wanted_cut(r), cut_at = wanted - r->done;
    const bool cut_here = !ends && wanted > 0 && cut_at == (int64_t)part;
    if (r->passing) {
        pass(r, part);
        r->tail = wanted > 0 && cut_at < (int64_t)part;
    } else if (cut_at > 0 && cut_at < (int64_t)part) {
        const size_t front = gg_line_cut(r->buffer + r->begin, part, (size_t)cut_at);
        hand_out(r, front, true, unit);
        r->tail = true;
        r->rest = (struct gg_unit_rest){part - front, behind, ends};
        return;
    } else {
        hand_out(r, part, ends || cut_here, unit);
    }
    r->tail = r->tail || cut_here;
    r->continued = !cut_here;
    r->step++;
    if (ends)
        end_document(r, behind);
}

/* The next unit of the document, which ends at `end`, or behind the next cut if that is SIZE_MAX. */
static void next_part(gg_document_reader *r, size_t end, size_t behind, struct gg_text_unit *unit) {
    const size_t from = window_bytes(r) - GG_CUT_BYTES;
    if (end != SIZE_MAX)
        hand_out_part(r, end, true, behind, unit);
    else
        hand_out_part(r, from + gg_safe_cut(r->buffer + r->begin + from, GG_CUT_BYTES), false, 0, unit);
}

/* Whether what comes next begins behind the range. */
static bool is_beyond(const gg_document_reader *r) {
    return r->offset - r->done + r->step * (int64_t)GG_UNIT_STEP >= r->stop;
}

static gg_status next_plain(gg_document_reader *r, struct gg_text_unit *unit, bool *more) {
    if (r->rest.bytes > 0) {
        const struct gg_unit_rest rest = r->rest;
        r->rest.bytes = 0;
        *more = true;
        hand_out_part(r, rest.bytes, rest.ends, rest.behind, unit);
        return GG_OK;
    }
    for (;;) {
        *more = !is_beyond(r);
        if (!*more)
            return GG_OK;
        GG_TRY(gg_document_reader_fill(r, window_bytes(r) + r->separator_bytes + 2));
        *more = r->begin < r->end;
        if (!*more)
            return GG_OK;
        size_t behind;
        const size_t end = document_end(r, window_bytes(r), &behind);
        const bool passing = r->passing;
        if (end == 0)
            end_document(r, behind);
        else
            next_part(r, end, behind, unit);
        r->passing = false;
        if (end > 0 && !passing)
            return GG_OK;
    }
}

gg_status gg_document_line_end(gg_document_reader *r, size_t at, size_t *length) {
    for (size_t searched = 0;;) {
        const char *line = r->buffer + r->begin + at;
        const size_t there = r->end - r->begin - at;
        const char *feed = memchr(line + searched, '\n', there - searched);
        if (feed != NULL || r->input_ended) {
            *length = feed != NULL ? (size_t)(feed + 1 - line) : there;
            return GG_OK;
        }
        if (there > GG_JSON_LINE_MAX_BYTES)
            return gg_fail(GG_BAD_DATA,
                           "%s: the line at byte %lld is longer than the %zu MiB a JSONL line may have",
                           r->path, (long long)(r->offset + (int64_t)at), GG_JSON_LINE_MAX_BYTES >> 20);
        searched = there;
        GG_TRY(gg_document_reader_fill(r, at + 2 * there + 1));
    }
}

bool gg_document_line_blank(const char *line, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (strchr(" \t\r\n", line[i]) == NULL || line[i] == '\0')
            return false;
    return true;
}

static gg_status next_line(gg_document_reader *r, struct gg_text_unit *unit, bool *more) {
    for (;;) {
        GG_TRY(gg_document_reader_fill(r, 1));
        *more = r->begin < r->end && r->offset < r->stop;
        if (!*more)
            return GG_OK;
        size_t length = 0;
        r->line++;
        GG_TRY(gg_document_line_end(r, 0, &length));
        *unit = (struct gg_text_unit){.bytes = r->buffer + r->begin,
                                      .count = length,
                                      .json = true,
                                      .first = true,
                                      .last = true,
                                      .document = r->document,
                                      .offset = r->offset,
                                      .line = r->line};
        gg_document_reader_consume(r, length);
        if (gg_document_line_blank(unit->bytes, length))
            continue;
        r->document++;
        return GG_OK;
    }
}

gg_status gg_document_reader_next(gg_document_reader *reader, struct gg_text_unit *unit, bool *more) {
    return reader->json ? next_line(reader, unit, more) : next_plain(reader, unit, more);
}
