/* What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput(): libFuzzer calls it with
 * inputs of its own making (tests/run.sh fuzz SECONDS), driver.c with the files of corpus/NAME/. It returns
 * 0, and aborts (GG_ASSERT) where a property does not hold: input may be refused, never harm. All local.
 */
#ifndef GG_TESTS_FUZZ_FUZZ_H
#define GG_TESTS_FUZZ_FUZZ_H

#include "core/base/status.h"
#include "core/text/tokenizer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* A file in memory with these bytes. Returns its path, valid until the next call. */
const char *fuzz_file(const void *data, size_t bytes);

/* The same under a name of its own in a folder in memory, for what opens no links into /proc (HDF5). A new
 * file each time: HDF5 takes one that it never closed for the same again. Removed by the next call and at
 * exit. */
const char *fuzz_named_file(const void *data, size_t bytes);

/* A copy with a NUL behind it, as gg_file_read() gives; owned by the caller (free). */
char *fuzz_text(const void *data, size_t bytes);

/* The next of a row of numbers that depend on the first state alone; never 0. */
uint32_t fuzz_next(uint32_t *state);

/* What follows from the failure: it is one of `allowed`, and is described. */
void fuzz_check_failure(gg_status status, gg_status allowed);

/* The text that ids spell is `text`. */
void fuzz_check_decoded(const gg_tokenizer *tokenizer, const struct gg_ids *ids, const char *text,
                        size_t bytes);

#endif
