/* A value that is a list of paths, or a map of corpora's names to paths and weights: beside "data.train" there are
 * "data.train.NAME.paths", or just "data.train.NAME", and "data.train.NAME.weight". One replaces the other. All local.
 */
#ifndef GG_CORE_BASE_CORPORA_H
#define GG_CORE_BASE_CORPORA_H

#include "core/base/options.h"

#define GG_CORPORA_MOST        64
#define GG_CORPUS_NAME_LETTERS 40

struct gg_corpus {
    char *name; /* letters, digits, - and _; owned */
    struct gg_text_list paths;
    double weight; /* 0: not given */
};

/* Zero it to begin. */
struct gg_corpora {
    struct gg_text_list paths; /* of one corpus without a name; first, for it is a LIST's */
    struct gg_corpus *named;   /* sorted by name; then there are no paths beside */
    size_t count;              /* of the named ones */
};

/* Frees the named ones; the list stays. */
void gg_corpora_clear_named(struct gg_corpora *corpora);

/* Whether there is anything, and how many corpora: 1 without a name. */
size_t gg_corpora_count(const struct gg_corpora *corpora);

/* As gg_options_format: {en: {paths: ["a"], weight: 0.7}}. */
size_t gg_corpora_format(const struct gg_corpora *corpora, char *text, size_t bytes);

/* The row whose corpus a name is of, or NULL.
 *   rest [out] the name behind the row's and its dot: "en.weight" */
const struct gg_option *gg_corpora_find(const struct gg_option_table *table, const char *name,
                                        const char **rest);

/* Whether that is a corpus' list of paths. */
bool gg_corpora_is_paths(const char *rest);

/* Sets the paths of a corpus (appended to, [a, b] sets them whole) or its weight; the corpus is added where it is new,
 * and the list is emptied. Errors as gg_options_set; GG_USAGE for what is no name of a corpus, and for more than
 * GG_CORPORA_MOST. */
gg_status gg_corpora_set(const struct gg_option *option, void *values, const char *rest, const char *text,
                         const char *origin) GG_MUST_USE;

/* Replaces the paths of a corpus by `count` copies of `items`; as gg_corpora_set. */
gg_status gg_corpora_set_list(const struct gg_option *option, void *values, const char *rest,
                              const char *const *items, size_t count, const char *origin) GG_MUST_USE;

#endif
