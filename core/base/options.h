/* Tables of named, typed values: the settings of a run and the options of a subcommand.
 *
 * A table describes the fields of a plain C struct. It drives setting from text, range checks, the nearest
 * known name in messages, defaults, printing and --help, so that a name, its range and its help stand once.
 */
#ifndef GG_CORE_BASE_OPTIONS_H
#define GG_CORE_BASE_OPTIONS_H

#include "core/base/status.h"
#include "core/base/text_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum gg_option_type {
    GG_OPTION_INTEGER, /* int64_t; suffixes k, m, g (powers of 1000) are understood */
    GG_OPTION_REAL,    /* double */
    GG_OPTION_FLAG,    /* bool: true or false; as a command-line option it takes no value */
    GG_OPTION_TEXT,    /* char *, owned, NULL when unset */
    GG_OPTION_CHOICE,  /* int: index into `choices` */
    GG_OPTION_LIST,    /* struct gg_text_list; given again it is appended to, [a, b] sets it whole */
    GG_OPTION_CORPORA, /* struct gg_corpora: as LIST, or named lists (core/base/corpora.h), with weights up to `max` or
                          (0) without */
};

/* What a setting's row says of it beside its value. */
enum gg_setting_flags {
    GG_SETTING_SHAPES_MODEL = 1, /* weights of another value do not fit */
    GG_SETTING_FIXED = 2,        /* a resumed run may not change it */
};

struct gg_option {
    const char *name;
    enum gg_option_type type;
    size_t offset;              /* of the field in the struct of values */
    double min, max;            /* INTEGER, REAL: allowed range, inclusive */
    const char *default_text;   /* NULL: none (TEXT and LIST are unset, FLAG is false) */
    const char *const *choices; /* CHOICE: names, NULL-terminated */
    const char *value_name;     /* for --help: N, PATH ... */
    const char *help;
    unsigned flags; /* enum gg_setting_flags */
};

struct gg_option_table {
    const char *noun;   /* "setting" or "option", for messages */
    const char *prefix; /* "--" for options, "" for settings */
    const struct gg_option *options;
    size_t count;
};

/* A struct of values with its table, and which of them were given. */
struct gg_option_values {
    const struct gg_option_table *table;
    void *values;
    bool *given; /* per row of the table: set from a file or the command line, not by default */
};

/* Fills every field with its default. The struct must be zeroed memory. Local. */
void gg_options_defaults(const struct gg_option_table *table, void *values);

/* Frees the strings and lists and sets them to NULL. Local. */
void gg_options_free(const struct gg_option_table *table, void *values);

/* Whether its value may be a list: LIST and CORPORA. */
bool gg_option_is_list(const struct gg_option *option);

/* The option of that name, or NULL. */
const struct gg_option *gg_options_find(const struct gg_option_table *table, const char *name);

/* The row of corpora whose corpus a name is of, or NULL.
 *   rest [out] the name behind the row's and its dot: "en.weight" */
const struct gg_option *gg_options_find_corpora(const struct gg_option_table *table, const char *name,
                                                const char **rest);

/* The known name nearest to `name` (edit distance at most a third of its length), or NULL. */
const char *gg_options_nearest(const struct gg_option_table *table, const char *name);

/* Sets one field from text.
 *   origin  [in]  where the text comes from, for messages: "command line", "run.yaml line 3"
 * GG_USAGE: unknown name (the message gives the nearest known one), text that is not of the type, value out
 * of range (the message gives what is allowed). Local. */
gg_status gg_options_set(const struct gg_option_table *table, void *values, const char *name,
                         const char *text, const char *origin) GG_MUST_USE;

/* Replaces a list field, and named corpora in its place, by `count` copies of `items`. Local. */
void gg_options_set_list(const struct gg_option *option, void *values, const char *const *items,
                         size_t count);

/* As gg_options_set, and notes that it was given. Local. */
gg_status gg_option_values_set(const struct gg_option_values *values, const char *name, const char *text,
                               const char *origin) GG_MUST_USE;

/* Sets a list to `count` copies of `items` and notes that it was given. GG_USAGE: unknown name, or an option
 * that is no list. Local. */
gg_status gg_option_values_set_list(const struct gg_option_values *values, const char *name,
                                    const char *const *items, size_t count, const char *origin) GG_MUST_USE;

/* Whether the option of that name, which is in the table, was given. */
bool gg_options_given(const struct gg_option_table *table, const bool *given, const char *name);

/* Writes a field's value as text that gg_options_set() reads back to the same value (a list as a YAML flow
 * sequence of double-quoted strings), but for named corpora: a YAML flow mapping, for readers. Returns the length
 * snprintf would; 0 and "" when unset. Local. */
size_t gg_options_format(const struct gg_option *option, const void *values, char *text, size_t bytes);

/* The same as a string owned by the caller. */
char *gg_option_text(const struct gg_option *option, const void *values);

/* All values, whose texts must be UTF-8, as YAML, one name a line, that reads back to the same values. Returns
 * a string owned by the caller. Local. */
char *gg_options_yaml(const struct gg_option_table *table, const void *values);

/* What values are allowed, in words: "an integer from 1 to 1000". */
void gg_options_allowed(const struct gg_option *option, char *text, size_t bytes);

/* Prints the table as the options part of --help. */
void gg_options_help(const struct gg_option_table *table, FILE *out);

/* What stands nearest to `name` among `count` names, or NULL; for subcommands and choices. */
const char *gg_nearest_name(const char *name, const char *const *names, size_t count);

#endif
