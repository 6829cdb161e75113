/* A table's values as YAML. */
#include "core/base/corpora.h"
#include "core/base/memory.h"
#include "core/base/options.h"

#include <string.h>

/* The code point of the character of three UTF-8 bytes at most that begins there, or 0. */
static unsigned short_character(const unsigned char *p) {
    if ((p[0] & 0xE0) == 0xC0 && (p[1] & 0xC0) == 0x80)
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    if ((p[0] & 0xF0) == 0xE0 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80)
        return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    return 0;
}

/* Whether YAML 1.1 takes the character for a line's end, or not at all (section 5.1). */
static bool wants_escape(unsigned code) {
    return (code >= 0x80 && code < 0xA0) || code == 0x2028 || code == 0x2029 || code == 0xFEFF ||
           code >= 0xFFFE;
}

/* Text that grows. */
struct growing {
    char *text;
    size_t length, room;
};

static void put(struct growing *out, const char *text) {
    const size_t length = strlen(text);
    if (out->length + length + 1 > out->room) {
        out->room = 2 * (out->length + length + 1);
        out->text = gg_realloc(out->text, out->room);
    }
    memcpy(out->text + out->length, text, length + 1);
    out->length += length;
}

/* Writes text, which is UTF-8, as a YAML double-quoted scalar. */
static void put_quoted(struct growing *out, const char *text) {
    put(out, "\"");
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        const unsigned code = short_character(p);
        char character[8];
        if (*p == '"' || *p == '\\') {
            snprintf(character, sizeof character, "\\%c", *p);
        } else if (*p < 0x20 || *p == 0x7f) {
            snprintf(character, sizeof character, "\\x%02x", *p);
        } else if (wants_escape(code)) {
            snprintf(character, sizeof character, "\\u%04x", code);
            p += code < 0x800 ? 1 : 2;
        } else {
            snprintf(character, sizeof character, "%c", *p);
        }
        put(out, character);
    }
    put(out, "\"");
}

static void put_list(struct growing *out, const struct gg_text_list *list) {
    put(out, "[");
    for (size_t i = 0; i < list->count; i++) {
        put(out, i > 0 ? ", " : "");
        put_quoted(out, list->items[i]);
    }
    put(out, "]");
}

static void put_corpora(struct growing *out, const struct gg_corpora *corpora) {
    for (size_t i = 0; i < corpora->count; i++) {
        const struct gg_corpus *corpus = &corpora->named[i];
        put(out, i > 0 ? ", " : "{");
        put_quoted(out, corpus->name);
        put(out, ": {paths: ");
        put_list(out, &corpus->paths);
        if (corpus->weight > 0) {
            char weight[40];
            gg_real_format(corpus->weight, weight, sizeof weight);
            put(out, ", weight: ");
            put(out, weight);
        }
        put(out, "}");
    }
    put(out, "}");
}

static void put_value(struct growing *out, const struct gg_option *option, const void *values) {
    const void *field = (const char *)values + option->offset;
    if (option->type == GG_OPTION_TEXT) {
        const char *text = *(char *const *)field;
        put_quoted(out, text != NULL ? text : "");
    } else if (option->type == GG_OPTION_CORPORA && ((const struct gg_corpora *)field)->count > 0) {
        put_corpora(out, field);
    } else if (gg_option_is_list(option)) {
        put_list(out, field); /* corpora begin with theirs */
    } else {
        char text[64];
        gg_options_format(option, values, text, sizeof text);
        put(out, text);
    }
}

char *gg_options_yaml(const struct gg_option_table *table, const void *values) {
    struct growing out = {0};
    for (size_t i = 0; i < table->count; i++) {
        put(&out, table->options[i].name);
        put(&out, ": ");
        put_value(&out, &table->options[i], values);
        put(&out, "\n");
    }
    return out.text;
}
