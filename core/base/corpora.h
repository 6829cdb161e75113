/* A value that is a list of paths, or a map of corpora's names to paths and weights: beside "data.train" there are
 * "data.train.NAME.paths", or just "data.train.NAME", and "data.train.NAME.weight". One replaces the other. All local.
 */
#ifndef GG_CORE_BASE_CORPORA_H
#define GG_CORE_BASE_CORPORA_H

#include "core/base/status.h"
#include "core/base/text_list.h"

#include <stdbool.h>

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

/* Writes the named ones for readers, {en: {paths: ["a"], weight: 0.7}}. Returns the length snprintf would. */
size_t gg_corpora_format(const struct gg_corpora *corpora, char *text, size_t bytes);

/* Whether that, of a name behind the setting's and its dot, is a corpus' list of paths. */
bool gg_corpora_is_paths(const char *rest);

/* Sets the paths of a corpus (appended to, [a, b] sets them whole) or its weight; the corpus is added where it is new,
 * and the list without names is emptied.
 *   setting     [in] name of the value, for messages
 *   most_weight [in] 0: corpora have no weights
 *   rest        [in] "en.weight", "en.paths" or "en"
 *   origin      [in] as gg_options_set
 * GG_USAGE: what is no name of a corpus, or not its paths or weight, more than GG_CORPORA_MOST, a text that cannot be
 * read. */
gg_status gg_corpora_set(struct gg_corpora *corpora, const char *setting, double most_weight,
                         const char *rest, const char *text, const char *origin) GG_MUST_USE;

/* Replaces the paths of a corpus by copies; as gg_corpora_set. */
gg_status gg_corpora_set_list(struct gg_corpora *corpora, const char *setting, double most_weight,
                              const char *rest, const struct gg_text_list *paths,
                              const char *origin) GG_MUST_USE;

#endif
