#include "io/corpus/document_reader.h"

#include "core/base/memory.h"
#include "io/corpus/text_input.h"

#include <stdlib.h>
#include <string.h>

struct gg_document_reader {
    char *path;
    gg_text_input *input;
    bool json;
    const char *separator;
    size_t separator_bytes;

    char *buffer; /* bytes not yet handed out: [begin, end) */
    size_t begin, end, capacity;
    bool input_ended;
    int64_t offset; /* of buffer[begin] in the file */
    int64_t line;
    int64_t document; /* number of the current one, or of the one to come */
    const int64_t *cuts;
    int64_t cut_count;

    /* Of the current plain-text document. */
    int64_t done;   /* its bytes handed out */
    bool tail;      /* behind the cut */
    bool continued; /* the next unit goes on with it */
    bool line_start;
};

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

/* Sees to it that `wanted` bytes are in the buffer, or all that there are. */
static gg_status fill(gg_document_reader *r, size_t wanted) {
    if (r->end - r->begin >= wanted || r->input_ended)
        return GG_OK;
    memmove(r->buffer, r->buffer + r->begin, r->end - r->begin);
    r->end -= r->begin;
    r->begin = 0;
    if (r->capacity < wanted) {
        char *larger = gg_realloc_or_null(r->buffer, wanted);
        if (larger == NULL)
            return gg_fail(GG_RESOURCE, "%s: no memory for a line of %zu bytes", r->path, wanted);
        r->buffer = larger;
        r->capacity = wanted;
    }
    size_t got;
    GG_TRY(gg_text_input_read(r->input, r->buffer + r->end, r->capacity - r->end, &got));
    r->input_ended = got < r->capacity - r->end;
    r->end += got;
    return GG_OK;
}

static void consume(gg_document_reader *r, size_t bytes) {
    r->begin += bytes;
    r->offset += (int64_t)bytes;
}

gg_status gg_document_reader_open(const char *path, const struct gg_document_format *format,
                                  gg_document_reader **reader) {
    gg_document_reader *r = gg_calloc(1, sizeof *r);
    r->path = gg_strdup(path);
    r->json =
        format->form == GG_DOCUMENTS_JSONL || (format->form == GG_DOCUMENTS_AUTO && name_says_jsonl(path));
    r->separator = r->json ? NULL : format->separator;
    r->separator_bytes = r->separator != NULL ? strlen(r->separator) : 0;
    r->capacity = 4 * GG_UNIT_BYTES;
    r->buffer = gg_malloc(r->capacity);
    r->line_start = true;
    gg_status status = gg_text_input_open(path, &r->input);
    if (status == GG_OK)
        status = fill(r, 3);
    if (status != GG_OK)
        gg_document_reader_close(&r);
    else if (r->end >= 3 && memcmp(r->buffer, "\xEF\xBB\xBF", 3) == 0)
        consume(r, 3);
    *reader = r;
    return status;
}

void gg_document_reader_close(gg_document_reader **reader) {
    if (*reader == NULL)
        return;
    gg_text_input_close(&(*reader)->input);
    free((*reader)->buffer);
    free((*reader)->path);
    free(*reader);
    *reader = NULL;
}

void gg_document_reader_cut(gg_document_reader *reader, const int64_t *cuts, int64_t count) {
    reader->cuts = cuts;
    reader->cut_count = count;
}

int64_t gg_document_reader_position(const gg_document_reader *reader) {
    return gg_text_input_position(reader->input);
}

/* Length of the separator line that begins at buffer[at], its line end included; 0 when none does. */
static size_t separator_at(const gg_document_reader *r, size_t at) {
    size_t i = at + r->separator_bytes;
    if (i > r->end || memcmp(r->buffer + at, r->separator, r->separator_bytes) != 0)
        return 0;
    if (i < r->end && r->buffer[i] == '\r')
        i++;
    if (i == r->end)
        return i - at; /* the last line, without a line feed */
    return r->buffer[i] == '\n' ? i + 1 - at : 0;
}

/* Where the document ends, counted from the buffer's begin: at most GG_UNIT_BYTES, or SIZE_MAX if it is
 * longer.
 *   behind [out] bytes of the separator line that follows */
static size_t document_end(const gg_document_reader *r, size_t *behind) {
    const size_t there = r->end - r->begin;
    *behind = 0;
    if (r->separator != NULL) {
        size_t at = r->begin;
        bool line_start = r->line_start;
        while (at < r->end && at - r->begin <= GG_UNIT_BYTES) {
            if (line_start && (*behind = separator_at(r, at)) > 0)
                return at - r->begin;
            const char *feed = memchr(r->buffer + at, '\n', r->end - at);
            if (feed == NULL)
                break;
            at = (size_t)(feed + 1 - r->buffer);
            line_start = true;
        }
    }
    return r->input_ended && there <= GG_UNIT_BYTES ? there : SIZE_MAX;
}

static void hand_out(gg_document_reader *r, size_t bytes, bool last, struct gg_text_unit *unit) {
    *unit = (struct gg_text_unit){.bytes = r->buffer + r->begin,
                                  .count = bytes,
                                  .first = !r->continued,
                                  .last = last,
                                  .tail = r->tail,
                                  .document = r->document,
                                  .offset = r->offset};
    r->line_start = r->buffer[r->begin + bytes - 1] == '\n';
    r->done += (int64_t)bytes;
    r->continued = !last;
    consume(r, bytes);
}

static void end_document(gg_document_reader *r, size_t separator_bytes) {
    consume(r, separator_bytes);
    r->line_start = true;
    r->continued = r->tail = false;
    r->document += r->done > 0;
    r->done = 0;
}

static gg_status next_plain(gg_document_reader *r, struct gg_text_unit *unit, bool *more) {
    size_t end, behind;
    for (;;) {
        GG_TRY(fill(r, GG_UNIT_BYTES + r->separator_bytes + 2));
        *more = r->begin < r->end;
        if (!*more)
            return GG_OK;
        end = document_end(r, &behind);
        if (end > 0)
            break;
        end_document(r, behind);
    }
    const size_t window = end < GG_UNIT_BYTES ? end : GG_UNIT_BYTES;
    const int64_t cut_at = !r->tail && r->document < r->cut_count ? r->cuts[r->document] : 0;
    if (cut_at > r->done && (uint64_t)(cut_at - r->done) < window) {
        const size_t cut = gg_line_cut(r->buffer + r->begin, window, (size_t)(cut_at - r->done));
        hand_out(r, cut, true, unit);
        r->tail = true;
    } else if (end != SIZE_MAX) {
        hand_out(r, end, true, unit);
        end_document(r, behind);
    } else {
        hand_out(r, gg_safe_cut(r->buffer + r->begin, GG_UNIT_BYTES), false, unit);
    }
    return GG_OK;
}

/* Finds the end of the line at the buffer's begin, reading on as far as needed. */
static gg_status complete_line(gg_document_reader *r, size_t *length) {
    for (size_t searched = 0;;) {
        const char *line = r->buffer + r->begin;
        const size_t there = r->end - r->begin;
        const char *feed = memchr(line + searched, '\n', there - searched);
        if (feed != NULL || r->input_ended) {
            *length = feed != NULL ? (size_t)(feed + 1 - line) : there;
            return GG_OK;
        }
        if (there > GG_JSON_LINE_MAX_BYTES)
            return gg_fail(GG_BAD_DATA, "%s: line %lld is longer than the %zu MiB a JSONL line may have",
                           r->path, (long long)r->line, GG_JSON_LINE_MAX_BYTES >> 20);
        searched = there;
        GG_TRY(fill(r, 2 * there + 1));
    }
}

static bool is_blank(const char *line, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (strchr(" \t\r\n", line[i]) == NULL || line[i] == '\0')
            return false;
    return true;
}

static gg_status next_line(gg_document_reader *r, struct gg_text_unit *unit, bool *more) {
    for (;;) {
        GG_TRY(fill(r, 1));
        *more = r->begin < r->end;
        if (!*more)
            return GG_OK;
        size_t length = 0;
        r->line++;
        GG_TRY(complete_line(r, &length));
        *unit = (struct gg_text_unit){.bytes = r->buffer + r->begin,
                                      .count = length,
                                      .json = true,
                                      .first = true,
                                      .last = true,
                                      .document = r->document,
                                      .offset = r->offset,
                                      .line = r->line};
        consume(r, length);
        if (is_blank(unit->bytes, length))
            continue;
        r->document++;
        return GG_OK;
    }
}

gg_status gg_document_reader_next(gg_document_reader *reader, struct gg_text_unit *unit, bool *more) {
    return reader->json ? next_line(reader, unit, more) : next_plain(reader, unit, more);
}
