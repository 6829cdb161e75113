#include "core/base/options.h"

#include "core/base/corpora.h"
#include "core/base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_BYTES = 96 };

static void *field(const struct gg_option *option, void *values) {
    return (char *)values + option->offset;
}

static const void *const_field(const struct gg_option *option, const void *values) {
    return (const char *)values + option->offset;
}

static bool parse_integer(const char *text, int64_t *value) {
    char *end;
    errno = 0;
    const double real = strtod(text, &end);
    errno = 0;
    char *integer_end;
    long long integer = strtoll(text, &integer_end, 10);
    if (integer_end == text || errno != 0)
        return false;
    if (*integer_end == '\0') {
        *value = integer;
        return true;
    }
    double scale = 1;
    if (tolower((unsigned char)*end) == 'k')
        scale = 1e3;
    else if (tolower((unsigned char)*end) == 'm')
        scale = 1e6;
    else if (tolower((unsigned char)*end) == 'g')
        scale = 1e9;
    if (scale > 1)
        end++;
    const double scaled = real * scale;
    if (*end != '\0' || !isfinite(scaled) || scaled != floor(scaled) || fabs(scaled) > 9e15)
        return false;
    *value = (int64_t)scaled;
    return true;
}

static gg_status refuse(const struct gg_option_table *table, const struct gg_option *option, const char *text,
                        const char *origin) {
    char allowed[512];
    gg_options_allowed(option, allowed, sizeof allowed);
    return gg_fail(GG_USAGE, "%s: %s %s%s cannot be '%s'; allowed: %s", origin, table->noun, table->prefix,
                   option->name, text, allowed);
}

static int find_choice(const struct gg_option *option, const char *text) {
    for (int i = 0; option->choices[i] != NULL; i++)
        if (strcmp(option->choices[i], text) == 0)
            return i;
    return -1;
}

static bool parse_flag(const char *text, bool *value) {
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *value = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* Stores `text` in the field; false when it is not of the type or out of range. */
static bool store(const struct gg_option *option, void *values, const char *text) {
    void *target = field(option, values);
    switch (option->type) {
    case GG_OPTION_INTEGER: {
        int64_t value;
        if (!parse_integer(text, &value) || (double)value < option->min || (double)value > option->max)
            return false;
        *(int64_t *)target = value;
        return true;
    }
    case GG_OPTION_REAL: {
        char *end;
        const double value = strtod(text, &end);
        if (end == text || *end != '\0' || !(value >= option->min && value <= option->max))
            return false;
        *(double *)target = value;
        return true;
    }
    case GG_OPTION_FLAG:
        return parse_flag(text, target);
    case GG_OPTION_CHOICE: {
        const int choice = find_choice(option, text);
        if (choice >= 0)
            *(int *)target = choice;
        return choice >= 0;
    }
    case GG_OPTION_TEXT:
        free(*(char **)target);
        *(char **)target = *text != '\0' ? gg_strndup(text, strlen(text)) : NULL;
        return true;
    case GG_OPTION_CORPORA:
        gg_corpora_clear_named(target);
        return gg_text_list_store(&((struct gg_corpora *)target)->paths, text);
    case GG_OPTION_LIST:
        return gg_text_list_store(target, text);
    }
    return false;
}

bool gg_option_is_list(const struct gg_option *option) {
    return option->type == GG_OPTION_LIST || option->type == GG_OPTION_CORPORA;
}

void gg_options_defaults(const struct gg_option_table *table, void *values) {
    for (size_t i = 0; i < table->count; i++) {
        const struct gg_option *option = &table->options[i];
        if (option->default_text != NULL)
            GG_ASSERT(store(option, values, option->default_text));
    }
}

void gg_options_free(const struct gg_option_table *table, void *values) {
    for (size_t i = 0; i < table->count; i++) {
        const struct gg_option *option = &table->options[i];
        if (option->type == GG_OPTION_TEXT) {
            free(*(char **)field(option, values));
            *(char **)field(option, values) = NULL;
        } else if (gg_option_is_list(option)) {
            gg_options_set_list(option, values, NULL, 0);
        }
    }
}

const struct gg_option *gg_options_find(const struct gg_option_table *table, const char *name) {
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->options[i].name, name) == 0)
            return &table->options[i];
    return NULL;
}

/* Levenshtein distance of two names shorter than NAME_BYTES. */
static size_t edit_distance(const char *a, const char *b) {
    size_t row[NAME_BYTES + 1];
    const size_t n = strlen(b);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            const size_t shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = substituted < shorter ? substituted : shorter;
        }
    }
    return row[n];
}

const char *gg_nearest_name(const char *name, const char *const *names, size_t count) {
    const char *best = NULL;
    const size_t length = strlen(name);
    size_t best_distance = length / 3 + 2;
    for (size_t i = 0; length < NAME_BYTES && i < count; i++) {
        if (names[i] == NULL || strlen(names[i]) >= NAME_BYTES)
            continue;
        const size_t distance = edit_distance(name, names[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = names[i];
        }
    }
    return best;
}

const char *gg_options_nearest(const struct gg_option_table *table, const char *name) {
    const char **names = gg_malloc(table->count * sizeof *names);
    for (size_t i = 0; i < table->count; i++)
        names[i] = table->options[i].name;
    const char *best = gg_nearest_name(name, names, table->count);
    /* A setting's last word alone ("lr") is near to the whole name ("optim.lr"). */
    for (size_t i = 0; best == NULL && i < table->count; i++) {
        const char *dot = strrchr(names[i], '.');
        if (dot != NULL && strcmp(dot + 1, name) == 0)
            best = names[i];
    }
    free(names);
    return best;
}

gg_status gg_options_set(const struct gg_option_table *table, void *values, const char *name,
                         const char *text, const char *origin) {
    const struct gg_option *option = gg_options_find(table, name);
    const char *rest;
    if (option == NULL && (option = gg_options_find_corpora(table, name, &rest)) != NULL)
        return gg_corpora_set(field(option, values), option->name, option->max, rest, text, origin);
    if (option == NULL) {
        const char *nearest = gg_options_nearest(table, name);
        if (nearest == NULL)
            return gg_fail(GG_USAGE, "%s: unknown %s '%s%s'; --help lists the known ones", origin,
                           table->noun, table->prefix, name);
        return gg_fail(GG_USAGE, "%s: unknown %s '%s%s'; did you mean '%s%s'?", origin, table->noun,
                       table->prefix, name, table->prefix, nearest);
    }
    return store(option, values, text) ? GG_OK : refuse(table, option, text, origin);
}

void gg_options_set_list(const struct gg_option *option, void *values, const char *const *items,
                         size_t count) {
    GG_ASSERT(gg_option_is_list(option));
    gg_text_list_set(field(option, values), items, count);
    if (option->type == GG_OPTION_CORPORA)
        gg_corpora_clear_named(field(option, values));
}

const struct gg_option *gg_options_find_corpora(const struct gg_option_table *table, const char *name,
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

/* The row of a name, or that of the corpus it names. */
static const struct gg_option *row_of(const struct gg_option_table *table, const char *name) {
    const char *rest;
    const struct gg_option *option = gg_options_find(table, name);
    return option != NULL ? option : gg_options_find_corpora(table, name, &rest);
}

gg_status gg_option_values_set(const struct gg_option_values *values, const char *name, const char *text,
                               const char *origin) {
    const struct gg_option_table *table = values->table;
    GG_TRY(gg_options_set(table, values->values, name, text, origin));
    values->given[row_of(table, name) - table->options] = true;
    return GG_OK;
}

gg_status gg_option_values_set_list(const struct gg_option_values *values, const char *name,
                                    const char *const *items, size_t count, const char *origin) {
    const struct gg_option_table *table = values->table;
    const char *rest;
    const struct gg_option *option = gg_options_find(table, name);
    const struct gg_option *row = option == NULL ? gg_options_find_corpora(table, name, &rest) : NULL;
    if (row != NULL) {
        const struct gg_text_list list = {(char **)items, count};
        GG_TRY(gg_corpora_set_list(field(row, values->values), row->name, row->max, rest, &list, origin));
        values->given[row - table->options] = true;
        return GG_OK;
    }
    if (option == NULL) /* for the message with the nearest name */
        return gg_options_set(table, values->values, name, "", origin);
    if (!gg_option_is_list(option)) {
        char allowed[512];
        gg_options_allowed(option, allowed, sizeof allowed);
        return gg_fail(GG_USAGE, "%s: %s %s takes no list; allowed: %s", origin, table->noun, name, allowed);
    }
    gg_options_set_list(option, values->values, items, count);
    values->given[option - table->options] = true;
    return GG_OK;
}

bool gg_options_given(const struct gg_option_table *table, const bool *given, const char *name) {
    const struct gg_option *option = gg_options_find(table, name);
    GG_ASSERT(option != NULL);
    return given[option - table->options];
}

size_t gg_options_format(const struct gg_option *option, const void *values, char *text, size_t bytes) {
    const void *source = const_field(option, values);
    int length = 0;
    switch (option->type) {
    case GG_OPTION_INTEGER:
        length = snprintf(text, bytes, "%lld", (long long)*(const int64_t *)source);
        break;
    case GG_OPTION_REAL:
        length = gg_real_format(*(const double *)source, text, bytes);
        break;
    case GG_OPTION_FLAG:
        length = snprintf(text, bytes, "%s", *(const bool *)source ? "true" : "false");
        break;
    case GG_OPTION_CHOICE:
        length = snprintf(text, bytes, "%s", option->choices[*(const int *)source]);
        break;
    case GG_OPTION_TEXT: {
        const char *value = *(char *const *)source;
        length = snprintf(text, bytes, "%s", value != NULL ? value : "");
        break;
    }
    case GG_OPTION_CORPORA:
        if (((const struct gg_corpora *)source)->count > 0)
            return gg_corpora_format(source, text, bytes);
        return gg_text_list_format(&((const struct gg_corpora *)source)->paths, text, bytes);
    case GG_OPTION_LIST:
        return gg_text_list_format(source, text, bytes);
    }
    return (size_t)length;
}

char *gg_option_text(const struct gg_option *option, const void *values) {
    const size_t bytes = gg_options_format(option, values, NULL, 0) + 1;
    char *text = gg_malloc(bytes);
    gg_options_format(option, values, text, bytes);
    return text;
}

void gg_options_allowed(const struct gg_option *option, char *text, size_t bytes) {
    char low[40], high[40];
    gg_real_format(option->min, low, sizeof low);
    gg_real_format(option->max, high, sizeof high);
    switch (option->type) {
    case GG_OPTION_INTEGER:
        if (option->max >= 9e15)
            snprintf(text, bytes, "an integer from %lld", (long long)option->min);
        else
            snprintf(text, bytes, "an integer from %lld to %lld", (long long)option->min,
                     (long long)option->max);
        break;
    case GG_OPTION_REAL:
        snprintf(text, bytes, "a number from %s to %s", low, high);
        break;
    case GG_OPTION_FLAG:
        snprintf(text, bytes, "true or false");
        break;
    case GG_OPTION_TEXT:
        snprintf(text, bytes, "a text");
        break;
    case GG_OPTION_LIST:
    case GG_OPTION_CORPORA:
        snprintf(text, bytes, "a path, a glob or a list [a, b]");
        break;
    case GG_OPTION_CHOICE: {
        size_t length = 0;
        text[0] = '\0';
        for (int i = 0; option->choices[i] != NULL && length < bytes; i++)
            length += (size_t)snprintf(text + length, bytes - length, "%s%s", i > 0 ? ", " : "",
                                       option->choices[i]);
        break;
    }
    }
}

/* " [TEXT]", a line feed in it as a setting would write it. */
static void print_default(const char *text, FILE *out) {
    fputs(" [", out);
    for (; *text != '\0'; text++)
        if (*text == '\n')
            fputs("\\n", out);
        else
            fputc(*text, out);
    fputc(']', out);
}

void gg_options_help(const struct gg_option_table *table, FILE *out) {
    for (size_t i = 0; i < table->count; i++) {
        const struct gg_option *option = &table->options[i];
        char head[128], allowed[512];
        snprintf(head, sizeof head, "%s%s%s%s", table->prefix, option->name,
                 option->value_name != NULL ? " " : "", option->value_name != NULL ? option->value_name : "");
        fprintf(out, "  %-28s %s", head, option->help);
        gg_options_allowed(option, allowed, sizeof allowed);
        if (option->type == GG_OPTION_CHOICE)
            fprintf(out, " (%s)", allowed);
        if (option->default_text != NULL && option->default_text[0] != '\0')
            print_default(option->default_text, out);
        fputc('\n', out);
    }
}
