#include "io/run/settings_file.h"

#include "core/base/corpora.h"
#include "core/base/memory.h"
#include "core/text/utf8.h"
#include "io/base/file.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MOST_BYTES = 1 << 20, MOST_DEPTH = 8, MOST_NAME_BYTES = 200 };

struct reading {
    yaml_parser_t parser;
    const struct gg_option_values *values;
    const char *origin;          /* the file's name */
    bool *seen;                  /* per setting: stood in this file */
    struct gg_text_list corpora; /* what was given of corpora, by name */
    int depth;
    size_t line; /* of the event taken last, from 1 */
};

static gg_status refuse(const struct reading *r, const char *what) {
    return gg_fail(GG_USAGE, "%s line %zu: %s", r->origin, r->line, what);
}

/* Takes the next event; anchors, tags and aliases are refused here for all. The event is the caller's to
 * delete when GG_OK is returned. */
static gg_status next(struct reading *r, yaml_event_t *event) {
    if (!yaml_parser_parse(&r->parser, event)) {
        const yaml_parser_t *p = &r->parser;
        const size_t line = p->problem_mark.line + 1;
        return gg_fail(GG_USAGE, "%s line %zu: not YAML: %s", r->origin, line,
                       p->problem != NULL ? p->problem : "unreadable");
    }
    r->line = event->start_mark.line + 1;
    const char *problem = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        problem = "aliases (*name) are not understood in settings";
    else if ((event->type == YAML_SCALAR_EVENT && event->data.scalar.anchor != NULL) ||
             (event->type == YAML_SEQUENCE_START_EVENT && event->data.sequence_start.anchor != NULL) ||
             (event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.anchor != NULL))
        problem = "anchors (&name) are not understood in settings";
    else if ((event->type == YAML_SCALAR_EVENT && event->data.scalar.tag != NULL) ||
             (event->type == YAML_SEQUENCE_START_EVENT && event->data.sequence_start.tag != NULL) ||
             (event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.tag != NULL))
        problem = "tags (!name) are not understood in settings";
    else if (event->type == YAML_SCALAR_EVENT &&
             strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
        problem = "there is a zero byte in this text";
    if (problem == NULL)
        return GG_OK;
    yaml_event_delete(event);
    return refuse(r, problem);
}

/* Takes the next event, of which only the kind matters. */
static gg_status expect(struct reading *r, yaml_event_type_t type, const char *problem) {
    yaml_event_t event;
    GG_TRY(next(r, &event));
    const bool good = event.type == type;
    yaml_event_delete(&event);
    return good ? GG_OK : refuse(r, problem);
}

/* The text of a scalar; "" for YAML's ways to write nothing. */
static const char *scalar_text(const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;
    const bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return plain && (strcmp(text, "~") == 0 || strcmp(text, "null") == 0) ? "" : text;
}

/* Whether any setting's name begins with "section.". */
static bool is_section(const struct gg_option_table *table, const char *section) {
    const size_t length = strlen(section);
    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->options[i].name;
        if (strncmp(name, section, length) == 0 && name[length] == '.')
            return true;
    }
    return false;
}

static gg_status given_twice(const char *name, const char *origin) {
    return gg_fail(GG_USAGE, "%s: setting %s is given twice", origin, name);
}

/* Notes what is given of a corpus, refusing what stood before in the file. */
static gg_status claim_corpus(struct reading *r, const struct gg_option *row, const char *name,
                              const char *origin) {
    const size_t length = strlen(row->name);
    bool again = false; /* a corpus of the row stood there */
    for (size_t i = 0; i < r->corpora.count; i++) {
        if (strcmp(r->corpora.items[i], name) == 0)
            return given_twice(name, origin);
        again = again || (strncmp(r->corpora.items[i], name, length + 1) == 0);
    }
    bool *seen = &r->seen[row - r->values->table->options];
    if (*seen && !again)
        return gg_fail(GG_USAGE, "%s: setting %s is given as shards and as corpora; give one of them", origin,
                       row->name);
    if (!again)
        gg_options_set_list(row, r->values->values, NULL, 0);
    *seen = true;
    r->corpora.items = gg_realloc(r->corpora.items, (r->corpora.count + 1) * sizeof *r->corpora.items);
    r->corpora.items[r->corpora.count++] = gg_strdup(name);
    return GG_OK;
}

/* Finds the setting, refusing one that stood before in the file.
 *   list [out] whether its value is a list */
static gg_status claim(struct reading *r, const char *name, const char *origin, bool *list) {
    const char *rest;
    const struct gg_option *option = gg_options_find(r->values->table, name);
    const struct gg_option *row =
        option == NULL ? gg_options_find_corpora(r->values->table, name, &rest) : NULL;
    *list = row != NULL ? gg_corpora_is_paths(rest) : option != NULL && gg_option_is_list(option);
    if (row != NULL) {
        char *short_name = gg_strndup(name, strlen(name) - (*list ? strlen(strchrnul(rest, '.')) : 0));
        const gg_status status = claim_corpus(r, row, short_name, origin);
        free(short_name);
        return status;
    }
    if (option == NULL && is_section(r->values->table, name))
        return gg_fail(GG_USAGE, "%s: unknown setting '%s'; '%s' is a section, its settings are %s.NAME",
                       origin, name, name, name);
    if (option == NULL) /* for the message with the nearest name */
        return gg_option_values_set(r->values, name, "", origin);
    bool *seen = &r->seen[option - r->values->table->options];
    if (*seen)
        return given_twice(name, origin);
    *seen = true;
    return GG_OK;
}

static gg_status take_scalar(struct reading *r, const char *name, const char *text) {
    char *origin = gg_format("%s line %zu", r->origin, r->line);
    bool list;
    gg_status status = claim(r, name, origin, &list);
    if (status == GG_OK && list)
        status = gg_option_values_set_list(r->values, name, &text, *text != '\0', origin);
    else if (status == GG_OK)
        status = gg_option_values_set(r->values, name, text, origin);
    free(origin);
    return status;
}

/* Takes a sequence of scalars up to its end. */
static gg_status take_items(struct reading *r, struct gg_text_list *list) {
    for (;;) {
        yaml_event_t event;
        GG_TRY(next(r, &event));
        const bool end = event.type == YAML_SEQUENCE_END_EVENT, scalar = event.type == YAML_SCALAR_EVENT;
        if (scalar) {
            list->items = gg_realloc(list->items, (list->count + 1) * sizeof *list->items);
            list->items[list->count++] = gg_strdup((const char *)event.data.scalar.value);
        }
        yaml_event_delete(&event);
        if (end)
            return GG_OK;
        if (!scalar)
            return refuse(r, "a list holds plain texts");
    }
}

static gg_status take_sequence(struct reading *r, const char *name) {
    char *origin = gg_format("%s line %zu", r->origin, r->line);
    struct gg_text_list list = {0};
    bool is_list;
    gg_status status = claim(r, name, origin, &is_list);
    if (status == GG_OK)
        status = take_items(r, &list);
    if (status == GG_OK)
        status =
            gg_option_values_set_list(r->values, name, (const char *const *)list.items, list.count, origin);
    for (size_t i = 0; i < list.count; i++)
        free(list.items[i]);
    free(list.items);
    free(origin);
    return status;
}

static gg_status take_mapping(struct reading *r, const char *section);

/* Takes the value of a key: a scalar, a list, or a section. */
static gg_status take_value(struct reading *r, const char *name) {
    yaml_event_t event;
    GG_TRY(next(r, &event));
    const struct gg_option *option = gg_options_find(r->values->table, name);
    gg_status status;
    if (event.type == YAML_SCALAR_EVENT)
        status = take_scalar(r, name, scalar_text(&event));
    else if (event.type == YAML_SEQUENCE_START_EVENT)
        status = take_sequence(r, name);
    else if (option != NULL && option->type != GG_OPTION_CORPORA)
        status = gg_fail(GG_USAGE, "%s line %zu: setting '%s' is a value, not a section", r->origin, r->line,
                         name);
    else if (r->depth >= MOST_DEPTH)
        status = refuse(r, "sections are nested too deep");
    else
        status = take_mapping(r, name);
    yaml_event_delete(&event);
    return status;
}

/* Takes a mapping up to its end; its start has been taken. `section` is "" for the outermost. */
static gg_status take_mapping(struct reading *r, const char *section) {
    int entries = 0;
    const size_t line = r->line;
    r->depth++;
    for (;; entries++) {
        yaml_event_t event;
        GG_TRY(next(r, &event));
        const bool end = event.type == YAML_MAPPING_END_EVENT, scalar = event.type == YAML_SCALAR_EVENT;
        char *name = NULL;
        if (scalar && strlen(section) + event.data.scalar.length < MOST_NAME_BYTES)
            name = gg_format("%s%s%s", section, *section != '\0' ? "." : "",
                             (const char *)event.data.scalar.value);
        yaml_event_delete(&event);
        if (end)
            break;
        if (name == NULL)
            return refuse(r, scalar ? "this is no setting's name: it is far too long"
                                    : "this is no setting's name");
        const gg_status status = take_value(r, name);
        free(name);
        GG_TRY(status);
    }
    r->depth--;
    const char *rest;
    if (entries == 0 && (gg_options_find(r->values->table, section) != NULL ||
                         gg_options_find_corpora(r->values->table, section, &rest) != NULL))
        return gg_fail(GG_USAGE, "%s line %zu: the map of %s is empty", r->origin, line, section);
    if (entries == 0 && *section != '\0' && !is_section(r->values->table, section))
        return gg_fail(GG_USAGE, "%s line %zu: unknown section '%s'", r->origin, line, section);
    return GG_OK;
}

static gg_status take_document(struct reading *r) {
    GG_TRY(expect(r, YAML_STREAM_START_EVENT, "not YAML"));
    yaml_event_t event;
    GG_TRY(next(r, &event));
    const bool empty = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    if (empty)
        return GG_OK;
    GG_TRY(expect(r, YAML_MAPPING_START_EVENT, "settings are lines of the form 'name: value'"));
    GG_TRY(take_mapping(r, ""));
    GG_TRY(expect(r, YAML_DOCUMENT_END_EVENT, "the end of the settings is wanted"));
    return expect(r, YAML_STREAM_END_EVENT, "a second document begins; a settings file has one");
}

gg_status gg_settings_file_read_text(const struct gg_option_values *values, const char *text, size_t bytes,
                                     const char *origin) {
    struct reading reading = {.values = values, .origin = origin, .line = 1};
    if (memchr(text, '\0', bytes) != NULL)
        return gg_fail(GG_USAGE, "%s: not a settings file: it holds binary data", origin);
    if (!yaml_parser_initialize(&reading.parser))
        return gg_fail(GG_RESOURCE, "%s: no memory to read it", origin);
    yaml_parser_set_input_string(&reading.parser, (const unsigned char *)text, bytes);
    reading.seen = gg_calloc(values->table->count, sizeof *reading.seen);
    const gg_status status = take_document(&reading);
    free(reading.seen);
    for (size_t i = 0; i < reading.corpora.count; i++)
        free(reading.corpora.items[i]);
    free(reading.corpora.items);
    yaml_parser_delete(&reading.parser);
    return status;
}

gg_status gg_settings_file_read(const struct gg_option_values *values, const char *path) {
    char *text;
    size_t bytes;
    gg_status status = gg_file_read(path, MOST_BYTES, &text, &bytes);
    if (status != GG_OK)
        return gg_fail_within(status == GG_RESOURCE ? status : GG_USAGE, "the settings file");
    status = gg_settings_file_read_text(values, text, bytes, path);
    free(text);
    return status;
}

/* Settings are kept as YAML, in the run folder and in checkpoints, and YAML holds nothing but Unicode: what
 * is not UTF-8 could not be read back, and a run with it not be gone on with. Files are YAML already. */
static gg_status check_utf8(const char *name, const char *text) {
    const size_t bytes = strlen(text);
    uint32_t code;
    for (size_t at = 0, length; at < bytes; at += length) {
        length = gg_utf8_decode(text + at, bytes - at, &code);
        if (length == 0)
            return gg_fail(
                GG_USAGE,
                "command line: setting %s is '%s', which is not UTF-8 from byte %zu on; rename the file "
                "or folder, or make a link to it with a name that is",
                name, text, at);
    }
    return GG_OK;
}

/* Whether a name is of a list, which the first word that names it replaces.
 *   row     [out] its row; NULL: there is none
 *   corpora [out] it is of one of the row's corpora */
static bool names_list(const struct gg_option_table *table, const char *name, const struct gg_option **row,
                       bool *corpora) {
    const char *rest;
    *row = gg_options_find(table, name);
    *corpora = false;
    if (*row != NULL)
        return gg_option_is_list(*row);
    *row = gg_options_find_corpora(table, name, &rest);
    *corpora = *row != NULL;
    return *corpora && gg_corpora_is_paths(rest);
}

gg_status gg_settings_file_set_word(const struct gg_option_values *values, char *const *words, int index) {
    const char *word = words[index], *equals = strchr(word, '=');
    if (equals == NULL || equals == word)
        return gg_fail(GG_USAGE, "command line: '%s' is not of the form name=value", word);
    const size_t length = (size_t)(equals - word);
    char *name = gg_strndup(word, length);
    const struct gg_option *row;
    bool corpora, again = false, mixed = false;
    const bool list = names_list(values->table, name, &row, &corpora);
    for (int i = 0; i < index; i++) {
        again = again || strncmp(words[i], word, length + 1) == 0;
        if (row != NULL && row->type == GG_OPTION_CORPORA &&
            strncmp(words[i], row->name, strlen(row->name)) == 0)
            mixed = mixed || words[i][strlen(row->name)] == (corpora ? '=' : '.');
    }
    gg_status status = check_utf8(name, equals + 1);
    if (status == GG_OK && mixed)
        status =
            gg_fail(GG_USAGE, "command line: setting %s is given as shards and as corpora; give one of them",
                    row->name);
    if (status == GG_OK && list && !again)
        status = gg_option_values_set_list(values, name, NULL, 0, "command line");
    if (status == GG_OK)
        status = gg_option_values_set(values, name, equals + 1, "command line");
    free(name);
    return status;
}
