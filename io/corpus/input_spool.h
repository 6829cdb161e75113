/* Makes every input a file that can be read again, and by every rank.
 */
#ifndef GG_IO_CORPUS_INPUT_SPOOL_H
#define GG_IO_CORPUS_INPUT_SPOOL_H

#include "core/base/options.h"
#include "io/corpus/input_file.h"
#include "mpi/world/world.h"

/* Copies what is not a regular file (standard input as "-", pipes) to FOLDER/input-N.tmp, and looks at the
 * first bytes of each file. Collective; all ranks return the same status.
 *   text  [in]  false: any bytes, which are taken as they are and not looked at
 *   files [out] zeroed by the caller; the files to read, in order; end with gg_input_spool_end
 * GG_STORAGE, GG_BAD_DATA (packed in a way that is not read) naming the input. */
gg_status gg_input_spool(const struct gg_world *world, const struct gg_text_list *inputs, const char *folder,
                         bool text, struct gg_input_files *files) GG_MUST_USE;

/* Rank 0 removes the copies; every rank frees the list. Local. */
void gg_input_spool_end(const struct gg_world *world, const struct gg_text_list *inputs,
                        struct gg_input_files *files);

#endif
