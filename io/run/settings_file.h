/* Settings files: YAML into the settings table. All local.
 *
 * A file is one mapping. Dotted names and nested mappings mean the same and may be mixed:
 *     model.layers: 12            model:
 *     data.train: [a.h5, b.h5]      layers: 12
 * Each setting may stand once. Anchors, aliases, tags and further documents are refused.
 */
#ifndef GG_IO_RUN_SETTINGS_FILE_H
#define GG_IO_RUN_SETTINGS_FILE_H

#include "core/base/settings.h"

#include <stddef.h>

/* Sets what a file gives; each setting it names is replaced.
 *   settings [in,out] prepared by gg_settings_init; not resolved afterwards
 * GG_USAGE, naming file and line: missing or unreadable, larger than 1 MiB, not YAML, not a mapping, an
 * unknown name, a value that is not allowed, a setting given twice. */
gg_status gg_settings_read_file(struct gg_settings *settings, const char *path) GG_MUST_USE;

/* The same from memory, as a checkpoint keeps it.
 *   origin [in] for messages, in the place of the file's name */
gg_status gg_settings_read_text(struct gg_settings *settings, const char *text, size_t bytes,
                                const char *origin) GG_MUST_USE;

/* Sets one setting from a "name=value" word of a command line; a list replaces the file's list the first time
 * and is appended to after that.
 *   words, index [in] all words and which one to set
 * GG_USAGE with the setting's name: as gg_settings_set, and for text that is not UTF-8. */
gg_status gg_settings_set_word(struct gg_settings *settings, char *const *words, int index) GG_MUST_USE;

#endif
