/* Settings files: YAML, dotted names ("optim.lr: 3e-4") or the same as nested maps. All local.
 *
 * A value is a scalar, or for lists a sequence of scalars. What the settings mean stands in
 * core/base/settings.h alone.
 */
#ifndef GG_IO_SETTINGS_FILE_H
#define GG_IO_SETTINGS_FILE_H

#include "core/base/settings.h"

#include <stddef.h>

/* Sets what a YAML text gives.
 *   origin   [in]     for messages: the file's name
 *   settings [in,out] fresh from gg_settings_init; not resolved afterwards
 * GG_USAGE, naming origin and line: not YAML, not a map, an unknown name, a value out of range, a name given
 * twice. */
gg_status gg_settings_read_text(struct gg_settings *settings, const char *text, size_t bytes,
                                const char *origin) GG_MUST_USE;

/* The same from a file. GG_USAGE also when it is missing or unreadable. */
gg_status gg_settings_read_file(struct gg_settings *settings, const char *path) GG_MUST_USE;

/* Sets one setting from a "name=value" word of a command line; a list replaces the file's list the first time
 * and is appended to after that.
 *   words, index [in] all words and which one to set */
gg_status gg_settings_set_word(struct gg_settings *settings, char *const *words, int index) GG_MUST_USE;

#endif
