#include "core/base/corpora.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gg_corpora_clear_named(struct gg_corpora *corpora) {
    for (size_t i = 0; i < corpora->count; i++) {
        free(corpora->named[i].name);
        gg_text_list_free(&corpora->named[i].paths);
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
        const size_t list_bytes = gg_text_list_format(&corpus->paths, NULL, 0) + 1;
        char *paths = gg_malloc(list_bytes), weight[40];
        gg_text_list_format(&corpus->paths, paths, list_bytes);
        gg_real_format(corpus->weight, weight, sizeof weight);
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
static gg_status take_corpus(struct gg_corpora *corpora, const char *setting, const char *rest,
                             const char *origin, struct gg_corpus **corpus) {
    const size_t length = strcspn(rest, ".");
    if (!is_name(rest, length))
        return gg_fail(
            GG_USAGE,
            "%s: setting %s.%s: '%.*s' is no name of a corpus; allowed: up to %d letters, digits, - and _, "
            "but not paths and weight, which stand behind a name",
            origin, setting, rest, (int)length, rest, GG_CORPUS_NAME_LETTERS);
    char *name = gg_strndup(rest, length);
    size_t at = 0;
    while (at < corpora->count && strcmp(corpora->named[at].name, name) < 0)
        at++;
    *corpus = at < corpora->count && strcmp(corpora->named[at].name, name) == 0 ? &corpora->named[at] : NULL;
    if (*corpus != NULL || corpora->count == GG_CORPORA_MOST) {
        free(name);
        return *corpus != NULL
                   ? GG_OK
                   : gg_fail(GG_USAGE, "%s: setting %s.%s: there are %d corpora already, which is the most",
                             origin, setting, rest, GG_CORPORA_MOST);
    }
    corpora->named = gg_realloc(corpora->named, (corpora->count + 1) * sizeof *corpora->named);
    memmove(corpora->named + at + 1, corpora->named + at, (corpora->count - at) * sizeof *corpora->named);
    corpora->count++;
    *corpus = &corpora->named[at];
    **corpus = (struct gg_corpus){.name = name};
    return GG_OK;
}

static gg_status check_rest(const char *setting, double most_weight, const char *rest, bool list,
                            const char *origin) {
    const bool weight = strcmp(rest + strcspn(rest, "."), ".weight") == 0;
    if (weight && most_weight == 0)
        return gg_fail(GG_USAGE, "%s: setting %s.%s: the corpora of %s have paths, and no weights", origin,
                       setting, rest, setting);
    if (weight && list)
        return gg_fail(GG_USAGE, "%s: setting %s.%s takes no list; allowed: a number above 0", origin,
                       setting, rest);
    if (!weight && !gg_corpora_is_paths(rest))
        return gg_fail(GG_USAGE, "%s: unknown setting '%s.%s'; a corpus of %s has %s", origin, setting, rest,
                       setting, most_weight > 0 ? "paths and weight" : "paths");
    return GG_OK;
}

/* Reads a weight; false where it is none. */
static bool store_weight(double *weight, const char *text, double most_weight) {
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0 && value <= most_weight))
        return false;
    *weight = value;
    return true;
}

gg_status gg_corpora_set(struct gg_corpora *corpora, const char *setting, double most_weight,
                         const char *rest, const char *text, const char *origin) {
    struct gg_corpus *corpus;
    GG_TRY(check_rest(setting, most_weight, rest, false, origin));
    GG_TRY(take_corpus(corpora, setting, rest, origin, &corpus));
    gg_text_list_free(&corpora->paths);
    const bool paths = gg_corpora_is_paths(rest);
    if (paths ? gg_text_list_store(&corpus->paths, text) : store_weight(&corpus->weight, text, most_weight))
        return GG_OK;
    return gg_fail(GG_USAGE, "%s: setting %s.%s cannot be '%s'; allowed: %s", origin, setting, rest, text,
                   paths ? "a path, a glob or a list [a, b]" : "a number above 0");
}

gg_status gg_corpora_set_list(struct gg_corpora *corpora, const char *setting, double most_weight,
                              const char *rest, const struct gg_text_list *paths, const char *origin) {
    struct gg_corpus *corpus;
    GG_TRY(check_rest(setting, most_weight, rest, true, origin));
    GG_TRY(take_corpus(corpora, setting, rest, origin, &corpus));
    gg_text_list_free(&corpora->paths);
    gg_text_list_set(&corpus->paths, (const char *const *)paths->items, paths->count);
    return GG_OK;
}
