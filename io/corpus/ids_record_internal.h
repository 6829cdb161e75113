/* Records out of ids, and ids out of lines, for ids_block.c. Local.
 */
#ifndef GG_IO_CORPUS_IDS_RECORD_INTERNAL_H
#define GG_IO_CORPUS_IDS_RECORD_INTERNAL_H

#include "io/corpus/ids_block.h"

bool gg_ids_line_blank(const char *line, size_t length);

/* Makes a record of `count` ids that stand behind the batch's, with room for one more: the end id, where it belongs
 * and is missing. A whole document without any other id becomes nothing. */
gg_status gg_ids_record_add(const struct gg_ids_format *format, size_t count, int64_t document,
                            uint32_t flags, struct gg_text_batch *batch) GG_MUST_USE;

/* Appends the record of a line, or two, the second with its tail.
 *   line [in] its number, for messages */
gg_status gg_ids_line_add(const struct gg_ids_block *block, int64_t line, const char *text, size_t length,
                          int64_t document, double tail, struct gg_text_batch *batch) GG_MUST_USE;

#endif
