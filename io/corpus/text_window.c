#include "io/corpus/text_window.h"

#include "core/base/memory.h"
#include "core/text/tokenizer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

gg_status gg_text_window_open(struct gg_text_window *window, const char *path, size_t block_bytes,
                              bool unpack) {
    const bool standard = strcmp(path, "-") == 0;
    *window = (struct gg_text_window){.name = standard ? "standard input" : path, .capacity = block_bytes};
    if (unpack)
        GG_TRY(gg_text_input_open(path, &window->packed));
    else if ((window->file = standard ? stdin : fopen(path, "rb")) == NULL)
        return gg_fail(GG_STORAGE, "%s: cannot be opened: %s", path, strerror(errno));
    void *memory;
    const gg_status status = gg_try_malloc(block_bytes, "a block of text", &memory);
    if (status != GG_OK)
        gg_text_window_close(window);
    else
        window->text = memory;
    return status;
}

/* Doubles a window that is full of one word. */
static gg_status grow(struct gg_text_window *window) {
    if (window->capacity >= 2 * GG_WORD_MAX_BYTES)
        return gg_fail(
            GG_BAD_DATA,
            "%s: byte %llu: a word (a run of letters, spaces ...) longer than %zu bytes: is this text?",
            window->name, (unsigned long long)window->offset, GG_WORD_MAX_BYTES);
    char *larger = gg_realloc_or_null(window->text, 2 * window->capacity);
    if (larger == NULL)
        return gg_fail(GG_RESOURCE, "%s: no memory for a word of %zu bytes", window->name, window->capacity);
    window->text = larger;
    window->capacity *= 2;
    return GG_OK;
}

gg_status gg_text_window_next(struct gg_text_window *window, size_t consumed) {
    GG_ASSERT(consumed <= window->bytes && !window->last);
    memmove(window->text, window->text + consumed, window->bytes - consumed);
    window->bytes -= consumed;
    window->offset += consumed;
    if (window->bytes == window->capacity)
        GG_TRY(grow(window));
    size_t read = 0;
    if (window->packed != NULL)
        GG_TRY(gg_text_input_read(window->packed, window->text + window->bytes,
                                  window->capacity - window->bytes, &read));
    else
        read = fread(window->text + window->bytes, 1, window->capacity - window->bytes, window->file);
    if (window->file != NULL && ferror(window->file))
        return gg_fail(GG_STORAGE, "%s: cannot be read: %s", window->name, strerror(errno));
    window->bytes += read;
    window->last = window->bytes < window->capacity;
    return GG_OK;
}

gg_status gg_text_window_fail(const struct gg_text_window *window, size_t at, gg_status status) {
    return gg_fail_within(status, "%s: byte %llu", window->name, (unsigned long long)(window->offset + at));
}

void gg_text_window_close(struct gg_text_window *window) {
    if (window->file != NULL && window->file != stdin)
        fclose(window->file);
    gg_text_input_close(&window->packed);
    free(window->text);
    *window = (struct gg_text_window){0};
}
