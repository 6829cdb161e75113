/* The command line of a subcommand: options from a table, and the words that are none. Local.
 */
#ifndef GG_JOBS_COMMAND_COMMAND_LINE_H
#define GG_JOBS_COMMAND_COMMAND_LINE_H

#include "core/base/options.h"

#include <stdbool.h>

struct gg_command {
    const char *name;                      /* "train" */
    const char *usage;                     /* "gridgpt train SETTINGS.yaml [key=value]..." */
    const char *summary;                   /* what it does, a sentence or a few lines */
    const struct gg_option_table *options; /* NULL: none but --help */
    /* argv[0] is the subcommand's name. Returns the exit status; main() prints the recorded description of a
     * failure, so ranks that are not to speak clear it (gg_fail(status, "")), as gg_job_run() does; and it
     * sees that standard output is written. */
    gg_status (*run)(const struct gg_command *command, int argc, char **argv);
    const char *more_help;                  /* further text below the options, or NULL */
    const struct gg_option_table *settings; /* listed by --help below the options, or NULL */
    bool stops; /* SIGINT, SIGTERM and SIGUSR1 ask it to stop (stop_signal.h), from main's first lines */
};

struct gg_words {
    char **items; /* point into argv; the array is owned */
    int count;
};

/* Reads argv[1..] into `values` (of the command's option table; defaults are filled in first) and `words`.
 * --name VALUE and --name=VALUE both work, -- ends the options, a lone - is a word.
 * When --help stands anywhere, prints the help and sets *help. GG_USAGE on unknown options or bad values. */
gg_status gg_command_line_read(const struct gg_command *command, int argc, char **argv, void *values,
                               struct gg_words *words, bool *help) GG_MUST_USE;

void gg_words_free(struct gg_words *words);

/* A subcommand of one process, without MPI: reads the command line, does the work. Commands of all ranks:
 * gg_job_run.
 *   values [in,out] zeroed struct of the command's options; freed here */
gg_status gg_command_run(const struct gg_command *command, int argc, char **argv, void *values,
                         gg_status (*work)(const struct gg_command *command, const void *values,
                                           const struct gg_words *words)) GG_MUST_USE;

#endif
