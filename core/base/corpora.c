#include "core/base/corpora.h"

#include "core/base/memory.h"
#include "core/base/options_internal.h"

#include <stdlib.h>
#include <string.h>

void gg_corpora_clear_named(struct gg_corpora *corpora) {
    for (size_t i = 0; i < corpora->count; i++) {
        free(corpora->named[i].name);
        gg_option_list_clear(&corpora->named[i].paths);
    }
    free(corpora->named);
    corpora->named = NULL;
    corpora->count = 0;
}

size_t gg_corpora_count(const struct gg_corpora *corpora) {
    return corpora->count > 0 ? corpora->count : corpora->paths.count > 0;
}

size_t gg_corpora_format(const struct gg_corpora *corpora, char *text, size_t bytes) {
    char *all = gg_strdup("{");
    for (size_t i = 0; i < corpora->count; i++) {
        const struct gg_corpus *corpus = &corpora->named[i];
        const size_t list_bytes = gg_option_list_format(&corpus->paths, NULL, 0) + 1;
        char *paths = gg_malloc(list_bytes), weight[40];
        gg_option_list_format(&corpus->paths, paths, list_bytes);
        gg_option_real_format(corpus->weight, weight, sizeof weight);
        char *longer = gg_format("%s%s%s: {paths: %s%s%s}", all, i > 0 ? ", " : "", corpus->name, paths,
                                 corpus->weight > 0 ? ", weight: " : "", corpus->weight > 0 ? weight : "");
        free(paths);
        free(all);
        all = longer;
    }
    const int length = snprintf(text, bytes, "%s}", all);
    free(all);
    return (size_t)length;
}

const struct gg_option *gg_corpora_find(const struct gg_option_table *table, const char *name,
                                        const char **rest) {
    for (size_t i = 0; i < table->count; i++) {
        const struct gg_option *option = &table->options[i];
        const size_t length = strlen(option->name);
        if (option->type == GG_OPTION_CORPORA && strncmp(name, option->name, length) == 0 &&
            name[length] == '.') {
            *rest = name + length + 1;
            return option;
        }
    }
    return NULL;
}

bool gg_corpora_is_paths(const char *rest) {
    const char *dot = strchr(rest, '.');
    return dot == NULL || strcmp(dot, ".paths") == 0;
}

/* What stands behind a corpus' name would be one itself where the name is left away. */
static bool is_name(const char *text, size_t length) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    if (length == 0 || length > GG_CORPUS_NAME_LETTERS || strspn(text, letters) < length)
        return false;
    return !(length == 5 && memcmp(text, "paths", 5) == 0) &&
           !(length == 6 && memcmp(text, "weight", 6) == 0);
}

/* Finds the corpus of that name, or adds one. */
static gg_status take_corpus(const struct gg_option *option, struct gg_corpora *corpora, const char *rest,
                             const char *origin, struct gg_corpus **corpus) {
    const size_t length = strcspn(rest, ".");
    if (!is_name(rest, length))
        return gg_fail(
            GG_USAGE,
            "%s: setting %s.%s: '%.*s' is no name of a corpus; allowed: up to %d letters, digits, - and _, "
            "but not paths and weight, which stand behind a name",
            origin, option->name, rest, (int)length, rest, GG_CORPUS_NAME_LETTERS);
    size_t at = 0;
    int order = -1;
    for (; at < corpora->count; at++) {
        char *name = gg_strndup(rest, length);
        order = strcmp(corpora->named[at].name, name);
        free(name);
        if (order >= 0)
            break;
    }
    if (at == corpora->count || order > 0) {
        if (corpora->count == GG_CORPORA_MOST)
            return gg_fail(GG_USAGE, "%s: setting %s.%s: there are %d corpora already, which is the most",
                           origin, option->name, rest, GG_CORPORA_MOST);
        corpora->named = gg_realloc(corpora->named, (corpora->count + 1) * sizeof *corpora->named);
        memmove(corpora->named + at + 1, corpora->named + at, (corpora->count - at) * sizeof *corpora->named);
        corpora->named[at] = (struct gg_corpus){.name = gg_strndup(rest, length)};
        corpora->count++;
    }
    *corpus = &corpora->named[at];
    return GG_OK;
}

static gg_status set_weight(const struct gg_option *option, struct gg_corpus *corpus, const char *rest,
                            const char *text, const char *origin) {
    char *end;
    const double weight = strtod(text, &end);
    if (end == text || *end != '\0' || !(weight > 0 && weight <= option->max))
        return gg_fail(GG_USAGE, "%s: setting %s.%s cannot be '%s'; allowed: a number above 0, up to %g",
                       origin, option->name, rest, text, option->max);
    corpus->weight = weight;
    return GG_OK;
}

static gg_status check_rest(const struct gg_option *option, const char *rest, bool list, const char *origin) {
    const bool weight = strcmp(rest + strcspn(rest, "."), ".weight") == 0;
    if (weight && option->max == 0)
        return gg_fail(GG_USAGE, "%s: setting %s.%s: the corpora of %s have paths, and no weights", origin,
                       option->name, rest, option->name);
    if (weight && list)
        return gg_fail(GG_USAGE, "%s: setting %s.%s takes no list; allowed: a number above 0", origin,
                       option->name, rest);
    if (!weight && !gg_corpora_is_paths(rest))
        return gg_fail(GG_USAGE, "%s: unknown setting '%s.%s'; a corpus of %s has %s", origin, option->name,
                       rest, option->name, option->max > 0 ? "paths and weight" : "paths");
    return GG_OK;
}

gg_status gg_corpora_set(const struct gg_option *option, void *values, const char *rest, const char *text,
                         const char *origin) {
    struct gg_corpus *corpus;
    GG_TRY(check_rest(option, rest, false, origin));
    struct gg_corpora *corpora = (struct gg_corpora *)(void *)((char *)values + option->offset);
    GG_TRY(take_corpus(option, corpora, rest, origin, &corpus));
    gg_option_list_clear(&corpora->paths);
    if (!gg_corpora_is_paths(rest))
        return set_weight(option, corpus, rest, text, origin);
    if (gg_option_list_store(&corpus->paths, text))
        return GG_OK;
    return gg_fail(GG_USAGE, "%s: setting %s.%s cannot be '%s'; allowed: a path, a glob or a list [a, b]",
                   origin, option->name, rest, text);
}

gg_status gg_corpora_set_list(const struct gg_option *option, void *values, const char *rest,
                              const char *const *items, size_t count, const char *origin) {
    struct gg_corpus *corpus;
    GG_TRY(check_rest(option, rest, true, origin));
    struct gg_corpora *corpora = (struct gg_corpora *)(void *)((char *)values + option->offset);
    GG_TRY(take_corpus(option, corpora, rest, origin, &corpus));
    gg_option_list_clear(&corpora->paths);
    gg_option_list_set(&corpus->paths, items, count);
    return GG_OK;
}
