/* A file of text to read.
 */
#ifndef GG_IO_CORPUS_INPUT_FILE_H
#define GG_IO_CORPUS_INPUT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gg_input_file {
    char *path;
    int64_t bytes;
    bool packed; /* gzip or zstd: can only be read from its beginning */
};

/* In their order; the same on every rank. */
struct gg_input_files {
    struct gg_input_file *items;
    size_t count;
    int64_t bytes; /* of all */
};

#endif
