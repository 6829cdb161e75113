#include "io/corpus/text_input.h"

#include "core/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { BUFFER_BYTES = 1 << 20 };

enum form { PLAIN, GZIP, ZSTD };

struct gg_text_input {
    char *path;
    int fd;
    enum form form;
    char *buffer; /* bytes of the file not yet consumed: [begin, end) */
    size_t begin, end;
    int64_t before; /* bytes of the file before the buffer's first */
    bool file_ended;
    bool within; /* inside a gzip member or zstd frame */
    z_stream zlib;
    ZSTD_DStream *zstd;
};

static gg_status refill(gg_text_input *in) {
    in->before += (int64_t)in->begin;
    memmove(in->buffer, in->buffer + in->begin, in->end - in->begin);
    in->end -= in->begin;
    in->begin = 0;
    while (in->end < BUFFER_BYTES && !in->file_ended) {
        const ssize_t got = read(in->fd, in->buffer + in->end, BUFFER_BYTES - in->end);
        if (got > 0)
            in->end += (size_t)got;
        else if (got == 0)
            in->file_ended = true;
        else if (errno != EINTR)
            return gg_fail(GG_STORAGE, "%s: %s", in->path, strerror(errno));
    }
    return GG_OK;
}

/* The form that a file's first bytes tell. */
static gg_status recognise(const char *path, const char *start, size_t bytes, enum form *form) {
    static const struct {
        const char *magic;
        size_t bytes;
        const char *name; /* NULL: read here */
        enum form form;
    } forms[] = {
        {"\x1f\x8b", 2, NULL, GZIP},
        {"\x28\xb5\x2f\xfd", 4, NULL, ZSTD},
        {"\xfd"
         "7zXZ\0",
         6, "xz", PLAIN},
        {"PK\3\4", 4, "zip", PLAIN},
    };
    *form = PLAIN;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (bytes >= forms[i].bytes && memcmp(start, forms[i].magic, forms[i].bytes) == 0) {
            if (forms[i].name != NULL)
                return gg_fail(GG_BAD_DATA, "%s: %s is not read here; unpack it, or use gzip or zstd", path,
                               forms[i].name);
            *form = forms[i].form;
        }
    /* A zstd frame that is to be skipped: 0x184D2A50 to 0x184D2A5F, little-endian. */
    if (bytes >= 4 && ((unsigned char)start[0] & 0xF0) == 0x50 && memcmp(start + 1, "\x2a\x4d\x18", 3) == 0)
        *form = ZSTD;
    if (bytes >= 10 && memcmp(start, "BZh", 3) == 0 && memcmp(start + 4, "1AY&SY", 6) == 0)
        return gg_fail(GG_BAD_DATA, "%s: bzip2 is not read here; unpack it, or use gzip or zstd", path);
    return GG_OK;
}

gg_status gg_text_input_probe(const char *path, bool *packed) {
    char start[16];
    size_t bytes = 0;
    enum form form = PLAIN;
    *packed = false;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && bytes < sizeof start) {
        got = read(fd, start + bytes, sizeof start - bytes);
        if (got > 0)
            bytes += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    const int error = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return gg_fail(GG_STORAGE, "%s: %s", path, strerror(error));
    GG_TRY(recognise(path, start, bytes, &form));
    *packed = form != PLAIN;
    return GG_OK;
}

/* Makes ready to unpack. */
static gg_status begin(gg_text_input *in) {
    GG_TRY(recognise(in->path, in->buffer, in->end, &in->form));
    if (in->form == GZIP && inflateInit2(&in->zlib, 15 + 16) != Z_OK)
        return gg_fail(GG_RESOURCE, "%s: no memory to decompress it", in->path);
    if (in->form == ZSTD && (in->zstd = ZSTD_createDStream()) == NULL)
        return gg_fail(GG_RESOURCE, "%s: no memory to decompress it", in->path);
    return GG_OK;
}

gg_status gg_text_input_open(const char *path, gg_text_input **input) {
    gg_text_input *in = gg_calloc(1, sizeof *in);
    const bool standard = strcmp(path, "-") == 0;
    in->path = gg_strdup(standard ? "standard input" : path);
    in->buffer = gg_malloc(BUFFER_BYTES);
    in->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    gg_status status = GG_OK;
    if (in->fd < 0)
        status = gg_fail(GG_STORAGE, "%s: %s", in->path, strerror(errno));
    else if (fstat(in->fd, &info) == 0 && S_ISDIR(info.st_mode))
        status = gg_fail(GG_STORAGE, "%s: is a folder, not a file", in->path);
    if (status == GG_OK)
        status = refill(in);
    if (status == GG_OK)
        status = begin(in);
    if (status != GG_OK)
        gg_text_input_close(&in);
    *input = in;
    return status;
}

void gg_text_input_close(gg_text_input **input) {
    gg_text_input *in = *input;
    if (in == NULL)
        return;
    if (in->form == GZIP)
        inflateEnd(&in->zlib);
    ZSTD_freeDStream(in->zstd);
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    free(in->buffer);
    free(in->path);
    free(in);
    *input = NULL;
}

int64_t gg_text_input_position(const gg_text_input *in) {
    return in->before + (int64_t)in->begin;
}

static gg_status damaged(const gg_text_input *in, const char *what) {
    return gg_fail(GG_BAD_DATA, "%s: damaged %s data at byte %" PRId64 ": %s", in->path,
                   in->form == GZIP ? "gzip" : "zstd", gg_text_input_position(in), what);
}

/* Each of these consumes some input or produces some output; *bytes is what it added to `out`. */
static gg_status read_plain(gg_text_input *in, char *out, size_t capacity, size_t *bytes) {
    const size_t there = in->end - in->begin;
    *bytes = there < capacity ? there : capacity;
    memcpy(out, in->buffer + in->begin, *bytes);
    in->begin += *bytes;
    return GG_OK;
}

static gg_status read_gzip(gg_text_input *in, char *out, size_t capacity, size_t *bytes) {
    if (!in->within) {
        if (in->buffer[in->begin] != '\x1f')
            return damaged(in, "something else follows");
        if (inflateReset(&in->zlib) != Z_OK)
            return damaged(in, "zlib cannot start again");
        in->within = true;
    }
    in->zlib.next_in = (Bytef *)in->buffer + in->begin;
    in->zlib.avail_in = (uInt)(in->end - in->begin);
    in->zlib.next_out = (Bytef *)out;
    in->zlib.avail_out = (uInt)(capacity < BUFFER_BYTES ? capacity : BUFFER_BYTES);
    const int result = inflate(&in->zlib, Z_NO_FLUSH);
    in->begin = in->end - in->zlib.avail_in;
    *bytes = (size_t)((char *)in->zlib.next_out - out);
    if (result == Z_STREAM_END)
        in->within = false;
    else if (result == Z_MEM_ERROR)
        return gg_fail(GG_RESOURCE, "%s: no memory to decompress it", in->path);
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return damaged(in, in->zlib.msg != NULL ? in->zlib.msg : "zlib gives no reason");
    return GG_OK;
}

static gg_status read_zstd(gg_text_input *in, char *out, size_t capacity, size_t *bytes) {
    ZSTD_inBuffer from = {in->buffer, in->end, in->begin};
    ZSTD_outBuffer to = {out, capacity, 0};
    const size_t result = ZSTD_decompressStream(in->zstd, &to, &from);
    in->begin = from.pos;
    *bytes = to.pos;
    if (ZSTD_isError(result))
        return damaged(in, ZSTD_getErrorName(result));
    in->within = result != 0;
    return GG_OK;
}

gg_status gg_text_input_read(gg_text_input *in, char *buffer, size_t capacity, size_t *bytes) {
    *bytes = 0;
    while (*bytes < capacity) {
        if (in->begin == in->end)
            GG_TRY(refill(in));
        const bool no_input = in->begin == in->end;
        if (no_input && !in->within)
            return GG_OK;
        size_t got = 0;
        if (in->form == PLAIN)
            GG_TRY(read_plain(in, buffer + *bytes, capacity - *bytes, &got));
        else if (in->form == GZIP)
            GG_TRY(read_gzip(in, buffer + *bytes, capacity - *bytes, &got));
        else
            GG_TRY(read_zstd(in, buffer + *bytes, capacity - *bytes, &got));
        *bytes += got;
        /* No input left and nothing more came out of what was given before. */
        if (no_input && got == 0 && in->within)
            return damaged(in, "the file ends too early");
    }
    return GG_OK;
}
