#include "io/settings_file.h"

#include "core/base/memory.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_FILE_BYTES = 1 << 20, MAX_NAME_BYTES = 96, MAX_DEPTH = 4 };

/* A document that is being read. */
struct reader {
    yaml_document_t document;
    struct gg_settings *settings;
    const char *origin;
};

static long long line_of(const yaml_node_t *node) {
    return (long long)node->start_mark.line + 1;
}

/* One setting's value; `name` is its whole dotted name. */
static gg_status take_value(struct reader *reader, const char *name, const yaml_node_t *value) {
    char *origin = gg_format("%s line %lld", reader->origin, line_of(value));
    const struct gg_option *option = gg_options_find(&gg_settings_table, name);
    gg_status status = GG_OK;
    if (option != NULL && reader->settings->given[option - gg_settings_table.options]) {
        status = gg_fail(GG_USAGE, "%s: setting %s is given twice", origin, name);
    } else if (value->type == YAML_SCALAR_NODE) {
        const char *text = (const char *)value->data.scalar.value;
        if (strlen(text) != value->data.scalar.length)
            status = gg_fail(GG_USAGE, "%s: setting %s has a zero byte in its value", origin, name);
        else
            status = gg_settings_set(reader->settings, name, text, origin);
    } else if (option == NULL || option->type != GG_OPTION_LIST) {
        status = gg_settings_set(reader->settings, name, "[...]", origin);
        if (status == GG_OK)
            status = gg_fail(GG_USAGE, "%s: setting %s takes no list", origin, name);
    } else {
        status = gg_settings_set(reader->settings, name, "[]", origin);
        const yaml_node_item_t *item = value->data.sequence.items.start;
        for (; status == GG_OK && item < value->data.sequence.items.top; item++) {
            const yaml_node_t *node = yaml_document_get_node(&reader->document, *item);
            if (node->type != YAML_SCALAR_NODE || node->data.scalar.value[0] == '[')
                status = gg_fail(GG_USAGE, "%s: setting %s: a list holds plain texts", origin, name);
            else
                status =
                    gg_settings_set(reader->settings, name, (const char *)node->data.scalar.value, origin);
        }
    }
    free(origin);
    return status;
}

static gg_status take_map(struct reader *reader, const char *prefix, const yaml_node_t *map, int depth) {
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    for (; pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&reader->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
        char name[MAX_NAME_BYTES];
        if (key->type != YAML_SCALAR_NODE || depth == MAX_DEPTH ||
            snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "",
                     (const char *)key->data.scalar.value) >= (int)sizeof name)
            return gg_fail(GG_USAGE, "%s line %lld: this is no setting's name", reader->origin, line_of(key));
        if (value->type == YAML_MAPPING_NODE)
            GG_TRY(take_map(reader, name, value, depth + 1));
        else
            GG_TRY(take_value(reader, name, value));
    }
    return GG_OK;
}

static gg_status take_document(struct reader *reader) {
    const yaml_node_t *root = yaml_document_get_root_node(&reader->document);
    if (root == NULL)
        return GG_OK;
    if (root->type != YAML_MAPPING_NODE)
        return gg_fail(GG_USAGE, "%s line %lld: settings are lines of the form 'name: value'", reader->origin,
                       line_of(root));
    return take_map(reader, "", root, 0);
}

gg_status gg_settings_read_text(struct gg_settings *settings, const char *text, size_t bytes,
                                const char *origin) {
    yaml_parser_t parser;
    struct reader reader = {.settings = settings, .origin = origin};
    if (!yaml_parser_initialize(&parser))
        return gg_fail(GG_RESOURCE, "%s: no memory for the YAML parser", origin);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
    gg_status status;
    if (!yaml_parser_load(&parser, &reader.document)) {
        status =
            gg_fail(GG_USAGE, "%s line %lld: not YAML: %s", origin, (long long)parser.problem_mark.line + 1,
                    parser.problem != NULL ? parser.problem : "it cannot be read");
    } else {
        status = take_document(&reader);
        yaml_document_delete(&reader.document);
    }
    yaml_parser_delete(&parser);
    return status;
}

gg_status gg_settings_read_file(struct gg_settings *settings, const char *path) {
    char *text;
    size_t bytes;
    const gg_status status = gg_file_read(path, MAX_FILE_BYTES, &text, &bytes);
    if (status != GG_OK)
        return gg_fail_within(status == GG_RESOURCE ? status : GG_USAGE, "the settings file");
    const gg_status read = gg_settings_read_text(settings, text, bytes, path);
    free(text);
    return read;
}

gg_status gg_settings_set_word(struct gg_settings *settings, char *const *words, int index) {
    const char *word = words[index], *equals = strchr(word, '=');
    if (equals == NULL || equals == word)
        return gg_fail(GG_USAGE, "command line: '%s' is not of the form name=value", word);
    char *name = gg_strndup(word, (size_t)(equals - word));
    const struct gg_option *option = gg_options_find(&gg_settings_table, name);
    if (option != NULL && option->type == GG_OPTION_LIST) {
        bool again = false;
        for (int i = 0; i < index; i++)
            again = again || strncmp(words[i], word, (size_t)(equals - word) + 1) == 0;
        if (!again)
            gg_options_set_list(option, settings, NULL, 0);
    }
    const gg_status status = gg_settings_set(settings, name, equals + 1, "command line");
    free(name);
    return status;
}
