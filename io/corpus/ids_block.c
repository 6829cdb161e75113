#include "io/corpus/ids_block.h"

#include "core/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int gg_ids_width(enum gg_ids_form form) {
    return form == GG_IDS_UINT32 ? 4 : form == GG_IDS_UINT16 ? 2 : 1;
}

/* Reads bytes of the file up to `to`, behind those that are there. */
static gg_status read_to(struct gg_ids_block *b, int fd, int64_t to) {
    const size_t wanted = (size_t)((to < b->file_bytes ? to : b->file_bytes) - b->from);
    if (wanted > b->capacity) {
        char *larger = gg_realloc_or_null(b->text, wanted);
        if (larger == NULL)
            return gg_fail(GG_RESOURCE, "%s: no memory for a block of %zu bytes", b->path, wanted);
        b->text = larger;
        b->capacity = wanted;
    }
    while (b->bytes < wanted) {
        const ssize_t got =
            pread(fd, b->text + b->bytes, wanted - b->bytes, (off_t)(b->from + (int64_t)b->bytes));
        if (got > 0)
            b->bytes += (size_t)got;
        else if (got == 0)
            return gg_fail(GG_STORAGE, "%s: ends too early; it changed meanwhile", b->path);
        else if (errno != EINTR)
            return gg_fail(GG_STORAGE, "%s: %s", b->path, strerror(errno));
    }
    return GG_OK;
}

static uint32_t id_at(const struct gg_ids_block *b, int64_t i) {
    const int width = gg_ids_width(b->format->form);
    const unsigned char *p = (const unsigned char *)b->text + (i * width - b->from);
    const uint32_t low = (uint32_t)p[0] | (uint32_t)p[1] << 8;
    return width == 2 ? low : low | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int compare_cuts(const void *a, const void *b) {
    const struct gg_ids_cut *x = a, *y = b;
    return x->file != y->file ? (x->file > y->file) - (x->file < y->file) : (x->at > y->at) - (x->at < y->at);
}

static bool is_cut(const struct gg_ids_block *b, int64_t i) {
    const struct gg_ids_cut here = {.file = b->file, .at = i};
    return b->cut_count > 0 && bsearch(&here, b->cuts, b->cut_count, sizeof here, compare_cuts) != NULL;
}

/* Whether a document, or a part behind a cut, begins with that id; the one before was read. */
static bool starts(const struct gg_ids_block *b, int64_t i) {
    return i == 0 || (b->format->end_id >= 0 && id_at(b, i - 1) == (uint32_t)b->format->end_id) ||
           is_cut(b, i);
}

static gg_status scan_raw(struct gg_ids_block *b, int fd) {
    const int width = gg_ids_width(b->format->form);
    b->from = b->begin > 0 ? b->begin - width : 0;
    GG_TRY(read_to(b, fd, b->end + GG_IDS_PIECE * width));
    for (int64_t i = b->begin / width; i < b->end / width; i++) {
        if (!starts(b, i))
            continue;
        if (b->start_count == b->start_capacity) {
            b->start_capacity = b->start_capacity > 0 ? 2 * b->start_capacity : 256;
            b->starts = gg_realloc(b->starts, b->start_capacity * sizeof *b->starts);
        }
        b->starts[b->start_count++] = i;
        b->documents += !is_cut(b, i);
    }
    return GG_OK;
}

/* Length of the line at text[at] with its line feed, reading on as far as needed. */
static gg_status line_length(struct gg_ids_block *b, int fd, size_t at, size_t *length) {
    for (size_t searched = at;;) {
        const char *feed = memchr(b->text + searched, '\n', b->bytes - searched);
        const bool ended = b->from + (int64_t)b->bytes == b->file_bytes;
        if (feed != NULL || ended) {
            *length = (feed != NULL ? (size_t)(feed + 1 - b->text) : b->bytes) - at;
            return GG_OK;
        }
        if (b->bytes - at > GG_JSON_LINE_MAX_BYTES)
            return gg_fail(GG_BAD_DATA,
                           "%s: the line at byte %" PRId64
                           " is longer than the %zu MiB a JSONL line may have",
                           b->path, b->from + (int64_t)at, GG_JSON_LINE_MAX_BYTES >> 20);
        searched = b->bytes;
        GG_TRY(read_to(b, fd, b->from + 2 * (int64_t)b->bytes + 1));
    }
}

static gg_status scan_lines(struct gg_ids_block *b, int fd) {
    b->from = b->begin > 0 ? b->begin - 1 : 0;
    GG_TRY(read_to(b, fd, b->end));
    size_t at = 0, length = 0;
    if (b->begin > 0) { /* what is before the first line feed belongs to the block before */
        const char *feed = memchr(b->text, '\n', b->bytes);
        at = feed != NULL ? (size_t)(feed + 1 - b->text) : b->bytes;
    }
    memmove(b->text, b->text + at, b->bytes - at);
    b->bytes -= at;
    b->from += (int64_t)at;
    for (at = 0; b->from + (int64_t)at < b->end; at += length) {
        GG_TRY(line_length(b, fd, at, &length));
        b->lines++;
        b->documents += !gg_ids_line_blank(b->text + at, length);
    }
    return GG_OK;
}

gg_status gg_ids_block_read(struct gg_ids_block *b) {
    struct stat info;
    b->documents = b->lines = 0;
    b->start_count = b->bytes = 0;
    const int fd = open(b->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gg_fail(GG_STORAGE, "%s: %s", b->path, strerror(errno));
    gg_status status = GG_OK;
    if (fstat(fd, &info) != 0 || info.st_size != b->file_bytes)
        status = gg_fail(GG_STORAGE,
                         "%s: the ranks do not read the same input: the file changed meanwhile, or not every "
                         "node sees the same files",
                         b->path);
    if (status == GG_OK)
        status = b->format->form == GG_IDS_JSONL ? scan_lines(b, fd) : scan_raw(b, fd);
    close(fd);
    return status;
}

void gg_ids_block_free(struct gg_ids_block *b) {
    free(b->text);
    free(b->starts);
    *b = (struct gg_ids_block){0};
}

void gg_ids_place_add(struct gg_ids_place *place, const struct gg_ids_block *b) {
    place->documents += b->documents;
    place->lines += b->lines;
    if (b->start_count > 0)
        place->open = b->starts[b->start_count - 1];
}

static gg_status take_lines(const struct gg_ids_block *b, const struct gg_ids_place *before, double tail,
                            struct gg_text_batch *batch) {
    int64_t document = before->documents, line = before->lines;
    for (size_t at = 0, length; b->from + (int64_t)at < b->end && at < b->bytes; at += length) {
        const char *feed = memchr(b->text + at, '\n', b->bytes - at);
        length = (feed != NULL ? (size_t)(feed + 1 - b->text) : b->bytes) - at;
        line++;
        if (gg_ids_line_blank(b->text + at, length))
            continue;
        const struct gg_ids_line one = {b->path, line, b->text + at, length};
        GG_TRY(gg_ids_line_add(b->format, &one, document, tail, batch));
        document++;
    }
    return GG_OK;
}

/* The record of ids [first, end) of a document. */
static gg_status take_piece(const struct gg_ids_block *b, int64_t first, int64_t end, int64_t document,
                            uint32_t flags, struct gg_text_batch *batch) {
    const size_t count = (size_t)(end - first);
    GG_TRY(gg_ids_reserve(&batch->ids, count + 1));
    uint32_t *ids = batch->ids.items + batch->ids.count;
    for (size_t i = 0; i < count; i++) {
        ids[i] = id_at(b, first + (int64_t)i);
        if (ids[i] >= (uint64_t)b->format->vocab)
            return gg_fail(
                GG_BAD_DATA,
                "%s: the id at byte %" PRId64 " is %" PRIu32 ", and --vocab %" PRId64
                " has ids below that; is the file %s?",
                b->path, (first + (int64_t)i) * gg_ids_width(b->format->form), ids[i], b->format->vocab,
                b->format->form == GG_IDS_UINT16 ? "uint16, little-endian" : "uint32, little-endian");
    }
    return gg_ids_record_add(b->format, count, document, flags, batch);
}

/* Where a document or part begins from the block's end on, as far as was read; beyond: no record of the block goes so
 * far. */
static int64_t next_start(const struct gg_ids_block *b) {
    const int width = gg_ids_width(b->format->form);
    const int64_t read = (b->from + (int64_t)b->bytes) / width, ids = b->file_bytes / width;
    int64_t i = b->end / width;
    while (i < ids && i <= read && !starts(b, i))
        i++;
    return i;
}

static gg_status take_raw(const struct gg_ids_block *b, const struct gg_ids_place *before,
                          struct gg_text_batch *batch) {
    const int width = gg_ids_width(b->format->form);
    const int64_t end = b->end / width, following = next_start(b);
    int64_t open = before->open, document = before->documents - 1;
    size_t next = 0;
    for (int64_t at = b->begin / width, limit; at < end; at = limit) {
        if (next < b->start_count && b->starts[next] == at) {
            open = at;
            document += !is_cut(b, at);
            next++;
        }
        limit = next < b->start_count ? b->starts[next] : following;
        const uint32_t part = is_cut(b, open) ? GG_RECORD_TAIL : 0;
        int64_t piece = open + (at - open + GG_IDS_PIECE - 1) / GG_IDS_PIECE * GG_IDS_PIECE;
        for (; piece < limit && piece < end; piece += GG_IDS_PIECE) {
            const bool last = piece + GG_IDS_PIECE >= limit;
            GG_TRY(take_piece(b, piece, last ? limit : piece + GG_IDS_PIECE, document,
                              part | (piece == open ? GG_RECORD_FIRST : 0u) | (last ? GG_RECORD_LAST : 0u),
                              batch));
        }
    }
    return GG_OK;
}

gg_status gg_ids_block_take(const struct gg_ids_block *b, const struct gg_ids_place *before, double tail,
                            struct gg_text_batch *batch) {
    return b->format->form == GG_IDS_JSONL ? take_lines(b, before, tail, batch) : take_raw(b, before, batch);
}
