#include "io/base/file_vector.h"

#include "io/base/file.h"

#include <errno.h>
#include <string.h>

/* What the system has moved is taken off the front. */
static void advance(struct iovec **next, int *left, size_t moved) {
    for (; *left > 0 && moved >= (*next)->iov_len; (*next)++, (*left)--)
        moved -= (*next)->iov_len;
    if (*left > 0) {
        (*next)->iov_base = (char *)(*next)->iov_base + moved;
        (*next)->iov_len -= moved;
    }
}

gg_status gg_file_vector_move(struct gg_file_vector *v) {
    struct iovec *next = v->pieces;
    off_t at = (off_t)v->offset;
    for (int left = v->count; left > 0;) {
        const ssize_t moved = v->write ? pwritev(v->fd, next, left, at) : preadv(v->fd, next, left, at);
        if (moved < 0 && errno == EINTR)
            continue;
        if (moved < 0)
            return gg_fail(gg_file_status(errno), "%s", strerror(errno));
        if (moved == 0)
            return gg_fail(GG_STORAGE, v->write ? "nothing is taken" : "the file has become shorter");
        at += moved;
        advance(&next, &left, (size_t)moved);
    }
    v->count = 0;
    return GG_OK;
}

static void append(struct gg_file_vector *v, void *memory, size_t bytes) {
    struct iovec *last = v->count > 0 ? &v->pieces[v->count - 1] : NULL;
    v->bytes += (int64_t)bytes;
    if (last != NULL && (char *)last->iov_base + last->iov_len == memory)
        last->iov_len += bytes;
    else
        v->pieces[v->count++] = (struct iovec){memory, bytes};
}

gg_status gg_file_vector_add(struct gg_file_vector *v, int64_t offset, void *memory, size_t bytes) {
    const int64_t gap = offset - (v->offset + v->bytes), bridged = v->write ? 0 : GG_VECTOR_GAP_BYTES;
    if (bytes == 0)
        return GG_OK;
    if (v->count > 0 && (gap < 0 || gap > bridged || v->count + 2 > GG_VECTOR_PIECES))
        GG_TRY(gg_file_vector_move(v));
    if (v->count == 0) {
        v->offset = offset;
        v->bytes = 0;
    } else if (gap > 0) {
        append(v, v->gap, (size_t)gap);
    }
    append(v, memory, bytes);
    return GG_OK;
}
