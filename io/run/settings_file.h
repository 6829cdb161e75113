/* Settings files: YAML into the values of a table. All local.
 *
 * A file is one mapping. Dotted names and nested mappings mean the same and may be mixed:
 *     model.layers: 12            model:
 *     data.train: [a.h5, b.h5]      layers: 12
 * Each setting may stand once. Corpora (core/base/corpora.h) are a map of maps, or dotted names too:
 *     data.train: {en: {paths: en.h5, weight: 0.7}, de: {paths: [a.h5, b.h5], weight: 0.3}}
 * Anchors, aliases, tags and further documents are refused.
 */
#ifndef GG_IO_RUN_SETTINGS_FILE_H
#define GG_IO_RUN_SETTINGS_FILE_H

#include "core/base/options.h"

#include <stddef.h>

/* Sets what a file gives; each setting it names is replaced.
 *   values [in,out] with their defaults; what follows from others is left to the caller
 * GG_USAGE, naming file and line: missing or unreadable, larger than 1 MiB, not YAML, not a mapping, an
 * unknown name, a value that is not allowed, a setting given twice. */
gg_status gg_settings_file_read(const struct gg_option_values *values, const char *path) GG_MUST_USE;

/* The same from memory, as a checkpoint keeps it.
 *   origin [in] for messages, in the place of the file's name */
gg_status gg_settings_file_read_text(const struct gg_option_values *values, const char *text, size_t bytes,
                                     const char *origin) GG_MUST_USE;

/* Sets one setting from a "name=value" word of a command line; a list replaces the file's list the first time
 * and is appended to after that; a corpus is added to the file's corpora, or takes the place of the file's list.
 *   words, index [in] all words and which one to set
 * GG_USAGE with the setting's name: as gg_options_set, and for text that is not UTF-8. */
gg_status gg_settings_file_set_word(const struct gg_option_values *values, char *const *words,
                                    int index) GG_MUST_USE;

#endif
