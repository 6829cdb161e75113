/* The settings of a job, from its command line's words, the same on every rank.
 */
#ifndef GG_JOBS_COMMAND_JOB_SETTINGS_H
#define GG_JOBS_COMMAND_JOB_SETTINGS_H

#include "jobs/command/command_line.h"
#include "jobs/command/settings.h"
#include "mpi/world/world.h"

/* Reads the first word as a settings file (when it is no name=value word) and the rest as name=value words,
 * and resolves the settings.
 *   defaults [in] name=value words that come before all others; NULL-terminated, or NULL
 * Local. Fails as gg_settings_read_file, gg_settings_set_word, gg_settings_resolve. */
gg_status gg_job_settings_read(const struct gg_words *words, char *const *defaults,
                               struct gg_settings *settings) GG_MUST_USE;

/* The same on all ranks: rank 0 reads, the others take what it found, so that no two ranks can differ.
 * Collective; fails alike on every rank. */
gg_status gg_job_settings(const struct gg_world *world, const struct gg_words *words, char *const *defaults,
                          struct gg_settings *settings) GG_MUST_USE;

#endif
