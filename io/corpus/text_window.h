/* Text read in blocks, for readers that take whole words off its front (gg_encode_part, gg_word_counts_add).
 *
 *     size_t consumed = 0;
 *     do {
 *         GG_TRY(gg_text_window_next(&window, consumed));
 *         ... take words off window.text, set consumed ...
 *     } while (!window.last);
 *
 * Memory is one block. It grows only where a reader can take nothing off a whole block (a word longer than
 * that) and to 32 MiB at most: text without an end of a word within that is refused. All local.
 */
#ifndef GG_IO_CORPUS_TEXT_WINDOW_H
#define GG_IO_CORPUS_TEXT_WINDOW_H

#include "core/base/status.h"
#include "io/corpus/text_input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Block size of readers that need no other. */
#define GG_TEXT_BLOCK_BYTES ((size_t)1 << 20)

struct gg_text_window {
    const char *name; /* for messages; the caller's */
    char *text;       /* owned */
    size_t bytes;
    uint64_t offset; /* of text[0] in the file, unpacked */
    bool last;       /* the file ends where the text ends */
    size_t capacity;
    gg_text_input *packed; /* one of these two; the other is NULL */
    FILE *file;
};

/* Opens a file, or standard input for "-"; nothing is read yet.
 *   block_bytes [in] at least 1
 *   unpack      [in] gzip and zstd files are unpacked (io/corpus/text_input.h); otherwise every byte is text
 * GG_STORAGE: it cannot be opened; GG_BAD_DATA: packed in another way; GG_RESOURCE: no memory for a block. */
gg_status gg_text_window_open(struct gg_text_window *window, const char *path, size_t block_bytes,
                              bool unpack) GG_MUST_USE;

/* Drops `consumed` bytes off the front and reads on until the block is full or the file ends. GG_STORAGE: the
 * file cannot be read; GG_BAD_DATA: nothing was consumed of 32 MiB, or packed data is damaged; the message
 * names file and offset. */
gg_status gg_text_window_next(struct gg_text_window *window, size_t consumed) GG_MUST_USE;

/* Puts "file: byte N" of a failure at text[at] in front of the message and returns `status`. */
gg_status gg_text_window_fail(const struct gg_text_window *window, size_t at, gg_status status);

void gg_text_window_close(struct gg_text_window *window);

#endif
